"""``homeport edge keys``: how a region's keys stand, and their exchange."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from rich.console import Console
from rich.progress import Progress

from edge_node.commands.common import config_option, exchanging, settings_of
from edge_node.settings import EdgeSettings
from shared.screen import print_table

if TYPE_CHECKING:
    from edge_node.storage.keys.epochs import Epoch
    from edge_node.storage.keys.provider import Promise

_PROMISES = {
    "file_deleted": "no better than overwriting and deleting files",
    "token_destroyed": "destroyed in the token, whose region key never leaves it",
}


@click.group(short_help="How the region's keys stand, and their exchange.")
def keys() -> None:
    """Show the key provider and its epochs; exchange the epoch key or the region key.

    edge_node/KEYS.md says when, and what to do after a compromise.
    """


@keys.command()
@config_option
def status(config: Path) -> None:
    """Show the places of the key provider, what it promises, and every epoch.  Exit status 1 if a place is not well."""
    settings = settings_of(config)
    now = asyncio.run(_status(settings))
    rows = [("provider", settings.key_provider), ("destroyed keys are", _PROMISES[now.promise])]
    rows += [(place, ailment or "well") for place, ailment in now.places]
    rows.append(("escrow", now.escrow))
    print_table(("what", "now"), rows)
    click.echo()
    print_table(
        ("epoch", "state", "since", "destroyed"),
        [(str(each.version), each.state, _time(each.created_at), _time(each.destroyed_at)) for each in now.epochs],
    )
    if any(ailment for _, ailment in now.places):
        raise click.exceptions.Exit(1)


@keys.command()
@config_option
@click.option("--finish", is_flag=True, help="Only carry a beat on that was begun; begin none.")
def beat(config: Path, finish: bool) -> None:
    """Exchange the epoch key now and destroy the old one; the node may go on running meanwhile.

    From its end on, nothing that was removed before can be opened by anything that is left of it: neither from free
    pages, old disks nor older key backups.
    """
    settings = settings_of(config)
    destroyed = asyncio.run(_beat(settings, finish))
    for epoch in destroyed:
        click.echo(f"Epoch {epoch} is destroyed at every place.")
    if not destroyed:
        click.echo("Nothing was under way.")


@keys.command()
@config_option
def rotate(config: Path) -> None:
    """Exchange the region key; epoch keys are sealed under the new one, the old one is destroyed.

    A key place that is there but empty, as a new disk or token is, gets its keys from the other. Run again if it was
    cut short. Nothing else changes, and the node may go on running.
    """
    settings = settings_of(config)
    epochs = asyncio.run(_rotate(settings))
    click.echo(f"A new region key holds {epochs} epoch key{'' if epochs == 1 else 's'}; the old one is destroyed.")


class _Status(NamedTuple):
    """What is shown."""

    places: list[tuple[str, str | None]]
    promise: "Promise"
    epochs: "list[Epoch]"
    escrow: str


async def _status(settings: EdgeSettings) -> _Status:
    """Read everything that is shown."""
    from edge_node.storage.keys.epochs import read_epochs  # noqa: PLC0415
    from edge_node.storage.keys.recovery import Recovery  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them

    async with open_stores(settings) as stores:
        provider, epochs = stores.keys.provider, await read_epochs(stores.keys)
    escrow = "none: keys.recovery_dir is not set"
    if settings.keys.recovery_dir is not None:
        found = Recovery(Path(settings.keys.recovery_dir), settings.region).load()
        escrow = "none yet: homeport edge escrow create"
        if found is not None:
            escrow = f"{found.needed} of {found.shares} shares, fingerprint {found.fingerprint[:16]}"
    places = provider.places(settings.region, epochs[-1].version)
    return _Status(places, provider.promise, epochs, escrow)


async def _beat(settings: EdgeSettings, finish: bool) -> list[int]:
    """Carry the beat to its end; give the epochs destroyed."""
    from edge_node.assembly import epoch_beat  # noqa: PLC0415
    from edge_node.metrics import Metrics  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415

    destroyed: list[int] = []
    async with open_stores(settings) as stores, exchanging(stores) as hold:
        beat = epoch_beat(stores, Metrics())
        days = None if finish else 0
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task, total = bar.add_task("wrapping keys anew", total=None), 0
            while (step := await beat.step(days)) is not None:
                days = None  # one beat, not one after the other
                if step.state == "destroyed":
                    destroyed.append(step.epoch)
                total = max(total, step.left)
                bar.update(task, total=total or None, completed=total - step.left)
                await hold()
    return destroyed


async def _rotate(settings: EdgeSettings) -> int:
    """Exchange the region key; give how many epoch keys it holds."""
    from edge_node.storage.keys.epochs import kept_versions  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415

    async with open_stores(settings) as stores, exchanging(stores):
        kept = await kept_versions(stores.keys)
        await asyncio.to_thread(stores.keys.provider.rotate, settings.region, kept)
    return len(kept)


def _time(at: int | None) -> str:
    """Write a time (ms) as people compare it."""
    return "" if at is None else datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "seconds")
