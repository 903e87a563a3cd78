"""``homeport edge init|run|restart|stop|status``: a node's life."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings, describe, example_toml
from shared import private_files
from shared.errors import SettingsInvalid
from shared.screen import print_table, say_kept

if TYPE_CHECKING:
    from shared.process import Wanted

_APP = "edge_node.app:open_node"


def _settings_help() -> str:
    """List every setting with its default, for ``run --help``."""
    lines = ["\b", "Settings of node.toml, each also HOMEPORT_EDGE_<NAME> in the environment:"]
    for name, default, text in describe():
        lines.append(f"  {name}: {text}{'' if default is None else f' [{default}]'}")
    lines.append(
        "  [[retention]]: class = CLASS and days = N; message, interaction, relation and preference are otherwise kept "
        "until removed"
    )
    return "\n".join(lines)


@click.command(short_help="Make settings file, folders, keys and stores.")
@config_option
@click.option("--region", default="my-region", show_default=True, help="Name of the region, for a new settings file.")
@click.option("--data-dir", default="data", show_default=True, help="Folder of the stores, for a new settings file.")
def init(config: Path, region: str, data_dir: str) -> None:
    """Make the settings file, the folders, the keys and the empty stores.

    A settings file that is there already is kept and used. Run again, this command changes nothing that exists.
    """
    from edge_node.stores import initialise  # noqa: PLC0415  only what opens stores loads them

    fresh = not config.exists()
    if fresh:
        _write_new(config, example_toml(region, data_dir))
    try:
        settings = settings_of(config)
    except SettingsInvalid:
        if fresh:
            config.unlink()
        raise
    if fresh:
        click.echo(f"Wrote {config}.")
    else:
        say_kept(config, ("region", "data_dir"))

    asyncio.run(initialise(settings))
    click.echo(f"Stores of region {settings.region} are ready in {settings.data_dir}.")
    _warn(settings)
    click.echo(
        "Next: homeport edge account add --help; then homeport edge policy install, or in a company homeport edge"
        " enrol; then homeport edge run."
    )


@click.command(epilog=_settings_help(), short_help="Run the node until it is stopped.")
@config_option
def run(config: Path) -> None:
    """Run the node in the foreground until it is stopped.

    SIGTERM, SIGINT or homeport edge stop drain it: what was begun is finished. SIGHUP or homeport edge restart
    replace the serving process by a new one of the installed release, without refusing a webhook.
    """
    from shared.process import Timing, Wanted, supervise  # noqa: PLC0415  only this command becomes a node

    settings = settings_of(config)
    supervise(
        config.absolute(),
        app=_APP,
        listen=[
            # The proxy in front runs under another account: the group of a unix socket may connect.
            Wanted("public", settings.listen, "listen", 0o660),
            Wanted("private", settings.private_listen, "private_listen"),
            *_between_nodes(settings),
        ],
        pid_file=settings.pid_file,
        timing=Timing(finish_s=settings.drain_seconds),
        log_level=settings.log_level,
        log_form=settings.log_form,
        connections_max=settings.limits.connections_max,
    )


def _between_nodes(settings: EdgeSettings) -> "list[Wanted]":
    """Name the listeners that a node has only where its settings say so."""
    from shared.process import Wanted  # noqa: PLC0415

    wanted = []
    if settings.relay.listen is not None:
        wanted.append(Wanted("relay", settings.relay.listen, "relay.listen", 0o660))
    if settings.relay.desk_listen is not None:
        wanted.append(Wanted("desk", settings.relay.desk_listen, "relay.desk_listen"))
    return wanted


@click.command(short_help="Change to a new process; no webhook is refused.")
@config_option
def restart(config: Path) -> None:
    """Replace the serving process by a new one, without refusing a webhook; wait until it serves."""
    from shared.process import ask_restart  # noqa: PLC0415

    now = ask_restart(settings_of(config).pid_file)
    click.echo(f"Serving again: generation {now.generation}, process {now.worker}.")


@click.command(short_help="Stop the node, draining it.")
@config_option
def stop(config: Path) -> None:
    """Stop the node: take no more, finish what was begun, and wait until it has gone."""
    from shared.process import ask_stop  # noqa: PLC0415

    ask_stop(settings_of(config).pid_file)
    click.echo("Stopped.")


@click.command()
@config_option
def status(config: Path) -> None:
    """Say how the node's processes stand, and by which fingerprints its keys are known."""
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
        ("webhooks at", now.public),
        ("health and metrics at", now.private),
    ]
    rows += [(f"{name} at", address) for name, address in sorted(now.listeners.items()) if name in ("desk", "relay")]
    print_table(("what", "now"), [*rows, *_identity_rows(settings)])


def _identity_rows(settings: EdgeSettings) -> list[tuple[str, str]]:
    """Name the node's keys as people compare them."""
    from edge_node.storage.identity import load_identity  # noqa: PLC0415

    signing, sealing = load_identity((settings.key_dir, settings.second_key_dir)).in_words()
    return [("fingerprint, signing", signing), ("fingerprint, sealing", sealing)]


def _warn(settings: EdgeSettings) -> None:
    """Tell the operator what start-up will warn of: allowed, but it should not stay so."""
    if settings.journal_dir_is_default:
        click.echo("Warning: journal_dir lies beside the stores. Set it to a folder on another disk.", err=True)


def _write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    private_files.write_new(path, text.encode())
