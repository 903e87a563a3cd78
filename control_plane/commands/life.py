"""``homeport control init|run|restart|stop|status``: a control plane's life."""

import asyncio
from pathlib import Path

import click

from control_plane.commands.common import config_option, settings_of
from control_plane.settings import ControlSettings, describe, example_toml
from shared import private_files
from shared.errors import SettingsInvalid
from shared.screen import print_table, say_kept

_APP = "control_plane.app:open_control_plane"


def _settings_help() -> str:
    """List every setting with its default, for ``run --help``."""
    lines = ["\b", "Settings of control.toml, each also HOMEPORT_CONTROL_<NAME> in the environment:"]
    lines += [f"  {name}: {text}{'' if default is None else f' [{default}]'}" for name, default, text in describe()]
    return "\n".join(lines)


@click.command(short_help="Make settings file, folder, keys and store.")
@config_option
@click.option("--address", default="http://127.0.0.1:8090", show_default=True, help="For a new settings file.")
@click.option("--region", help="For a new settings file: where it stands, by the policy's name.")
@click.option("--data-dir", default="control-data", show_default=True, help="For a new settings file.")
def init(config: Path, address: str, region: str | None, data_dir: str) -> None:
    """Make the settings file, the folder, the keys and the empty store.

    Writes control-plane.json beside the settings: the introduction that officers put into their roster. Run again,
    this command changes nothing that exists.
    """
    from control_plane.stores import initialise  # noqa: PLC0415  only what opens stores loads them

    fresh = not config.exists()
    if fresh:
        config.parent.mkdir(parents=True, exist_ok=True)
        private_files.write_new(config, example_toml(address, data_dir, region).encode())
    try:
        settings = settings_of(config)
    except SettingsInvalid:
        if fresh:
            config.unlink()
        raise
    if fresh:
        click.echo(f"Wrote {config}.")
    else:
        say_kept(config, ("address", "region", "data_dir"))
    asyncio.run(initialise(settings))
    introduction = config.parent / "control-plane.json"
    fingerprint = _introduce(settings, introduction)
    click.echo(f"Store and keys are ready in {settings.data_dir}.")
    click.echo(f"Introduction for the officers: {introduction}")
    click.echo(f"Fingerprint: {fingerprint}")
    click.echo("Next: an officer makes a roster (homeport roster --help); then homeport control roster put FILE.")


def _introduce(settings: ControlSettings, target: Path) -> str:
    """Write the introduction anew; give the fingerprint in groups."""
    from shared.crypto.signing import fingerprint, in_groups  # noqa: PLC0415
    from shared.key_files import open_program_keys  # noqa: PLC0415
    from shared.roster import ControlPlane, write  # noqa: PLC0415

    public = open_program_keys(settings.keys_file).signing.public
    private_files.replace(target, write(ControlPlane(settings.address, public, fingerprint(public), settings.region)))
    return in_groups(fingerprint(public))


@click.command(epilog=_settings_help(), short_help="Run the control plane until it is stopped.")
@config_option
def run(config: Path) -> None:
    """Run the control plane in the foreground until it is stopped.

    SIGTERM, SIGINT or homeport control stop drain it. SIGHUP or homeport control restart replace the serving process
    by a new one of the installed release, without refusing a request.
    """
    from shared.process import Timing, Wanted, supervise  # noqa: PLC0415  only this command becomes a control plane

    settings = settings_of(config)
    supervise(
        config.absolute(),
        app=_APP,
        listen=[
            # The proxy in front runs under another account: the group of a unix socket may connect.
            Wanted("public", settings.listen, "listen", 0o660),
            Wanted("private", settings.private_listen, "private_listen"),
        ],
        pid_file=settings.pid_file,
        timing=Timing(finish_s=settings.drain_seconds),
        log_level=settings.log_level,
        log_form=settings.log_form,
        connections_max=settings.connections_max,
    )


@click.command(short_help="Change to a new process; no request is refused.")
@config_option
def restart(config: Path) -> None:
    """Replace the serving process by a new one; wait until it serves."""
    from shared.process import ask_restart  # noqa: PLC0415

    now = ask_restart(settings_of(config).pid_file)
    click.echo(f"Serving again: generation {now.generation}, process {now.worker}.")


@click.command(short_help="Stop the control plane, draining it.")
@config_option
def stop(config: Path) -> None:
    """Stop the control plane: take no more, finish what was begun, and wait until it has gone."""
    from shared.process import ask_stop  # noqa: PLC0415

    ask_stop(settings_of(config).pid_file)
    click.echo("Stopped.")


@click.command()
@config_option
def status(config: Path) -> None:
    """Say how the processes stand, and by which address and fingerprint rosters must name this control plane."""
    from shared.crypto.signing import fingerprint, in_groups  # noqa: PLC0415
    from shared.key_files import open_program_keys  # noqa: PLC0415
    from shared.process import status as status_of  # noqa: PLC0415

    settings = settings_of(config)
    now = status_of(settings.pid_file)
    rows = [
        ("state", now.state),
        ("generation", str(now.generation)),
        ("supervisor", str(now.pid)),
        ("worker", str(now.worker or "none")),
        ("draining", ", ".join(map(str, now.draining)) or "none"),
        ("crashes", str(now.crashes)),
        ("nodes and programs at", now.public),
        ("health and metrics at", now.private),
        ("address", settings.address),
        ("fingerprint", in_groups(fingerprint(open_program_keys(settings.keys_file).signing.public))),
    ]
    print_table(("what", "now"), rows)
