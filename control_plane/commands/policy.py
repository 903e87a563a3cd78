"""``homeport control policy``: put policy bundles in force that officers signed, and list them."""

from datetime import UTC, datetime
from pathlib import Path

import click

from control_plane.commands.common import config_option, with_stores
from control_plane.stores import Opened
from shared.screen import print_table

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(short_help="Publish policy bundles, list them.")
def policy() -> None:
    """Policies are written and signed by officers with homeport policy; here they come into force."""


@policy.command("publish")
@click.argument("file", type=_FILE)
@config_option
def publish(file: Path, config: Path) -> None:
    """Put the bundle in FILE in force, if enough officers of the roster signed it.

    Every node fetches it after its next beat and checks it again by itself. If one officer signed alone, every answer
    is compared with the bundle before, which may take a minute.
    """
    from control_plane.core.four_eyes import MACHINE  # noqa: PLC0415  only what opens stores loads them
    from control_plane.storage.policies import Published  # noqa: PLC0415
    from control_plane.usecases.policies import check, put  # noqa: PLC0415
    from shared import private_files  # noqa: PLC0415
    from shared.crypto.signing import in_groups  # noqa: PLC0415
    from shared.errors.policy import BundleMalformed  # noqa: PLC0415
    from shared.policy.bundling import BUNDLE_BYTES_MAX  # noqa: PLC0415
    from shared.policy_commands.common import bar  # noqa: PLC0415

    try:
        data = private_files.read(file, bytes_max=BUNDLE_BYTES_MAX)
    except OSError:
        raise BundleMalformed(path=str(file), reason="cannot be read") from None

    async def act(opened: Opened) -> Published:
        checked = await check(opened.store, data)
        async with opened.store.work() as work:
            return await put(work, checked, MACHINE)

    with bar("comparing"):
        made = with_stores(config, act)
    click.echo(f"In force: {made.name} version {made.version}, {made.label}.")
    click.echo(f"Hash: {in_groups(made.hash)}")
    click.echo("Nodes fetch it after their next beat: homeport control nodes")


@policy.command("list")
@config_option
def list_(config: Path) -> None:
    """List every bundle that came into force; the last one is."""
    from control_plane.storage import policies  # noqa: PLC0415
    from shared.crypto.signing import in_groups  # noqa: PLC0415

    async def act(opened: Opened) -> list[policies.Published]:
        async with opened.store.database.read() as t:
            return await policies.everything(t)

    rows = []
    for each in with_stores(config, act):
        at = f"{datetime.fromtimestamp(each.accepted_at // 1000, tz=UTC):%Y-%m-%d %H:%M}"
        rows.append((str(each.version), each.name, each.label, at, each.published_by, in_groups(each.hash)))
    print_table(("version", "name", "label", "in force since (UTC)", "by", "hash"), rows)
