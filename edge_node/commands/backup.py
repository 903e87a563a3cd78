"""``homeport edge backup|restore``: a copy of what lies at this node, and its way back."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings
from shared.clock import DAY
from shared.errors import SettingsInvalid
from shared.private_files import make_folder
from shared.screen import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_node.usecases.custody.backing_up import Done, Step, Watch
    from edge_node.usecases.custody.restoring import Restored

_WORDS: "dict[Step, str]" = {
    "rows": "copying rows",
    "files": "copying files",
    "digest": "reading back",
    "content": "copying the store",
}


@click.command(short_help="Back up content, then keys.")
@config_option
@click.option(
    "--to",
    "place",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the backups; default custody.backup_dir.",
)
def backup(config: Path, place: Path | None) -> None:
    """Copy the content store and its files into a new folder, then the key store into keys.backup_dir.

    The node may run meanwhile. The content backup opens nothing by itself; it is restored with the newest key backup
    and the tombstone journal, so that what is let go after it stays gone. Backups older than
    custody.backup_days_max are removed from the folder.
    """
    settings = settings_of(config)
    place = place or (Path(settings.custody.backup_dir) if settings.custody.backup_dir else None)
    if place is None:
        raise SettingsInvalid(field_name="custody.backup_dir", wants="a folder, here or as --to")
    done = asyncio.run(_back_up(settings, place.absolute()))
    manifest = done.backup.manifest
    print_table(
        ("what", "now"),
        [
            ("content backup", str(done.backup.folder)),
            ("size", f"{(manifest.content_bytes + manifest.files_bytes) / 1e6:.1f} MB, {manifest.files} files"),
            ("key backup", str(done.key_backup)),
            ("may be restored until", _day(manifest.taken_at + settings.custody.backup_days_max * DAY)),
            ("older ones removed", ", ".join(done.pruned) or "none"),
        ],
    )


@click.command(short_help="Put a content backup back, into quarantine.")
@config_option
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(config: Path, folder: Path) -> None:
    """Put the content backup in FOLDER back where the content store was lost; the node must be stopped.

    Uses the key store in data_dir if it is there, else the key backup in keys.backup_dir, and the tombstone journal
    in journal_dir. Nothing that is there is overwritten: move a damaged content.db away first.

    The store comes up in quarantine: start the node, and it takes messages in at once, lets go again what was let go
    since the backup, and opens, shows and sends from then on. homeport edge doctor says how far it is.
    """
    settings = settings_of(config)
    done = asyncio.run(_restore(settings, folder.absolute()))
    rows = [
        ("restored", f"as of {_time(done.backup.manifest.taken_at)}"),
        ("keys from", str(done.keys_from)),
        ("to let go again", f"{done.to_replay} removals since"),
    ]
    if done.accounts:
        rows.append(("accounts without secrets", ", ".join(done.accounts)))
    if done.files_missing:
        rows.append(("files missing", f"{done.files_missing} that the backup had when it was taken"))
    print_table(("what", "now"), rows)
    if done.accounts:
        click.echo("Their secrets changed since the backup: homeport edge account add gives them again.")
    click.echo("Next: homeport edge run. The store is in quarantine until all of that is gone.")


async def _back_up(settings: EdgeSettings, place: Path) -> "Done":
    """Open the stores and copy."""
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them
    from edge_node.usecases.custody.backing_up import back_up  # noqa: PLC0415

    async with open_stores(settings) as stores:
        with _watched() as watch:
            return await back_up(stores, place, watch)


async def _restore(settings: EdgeSettings, folder: Path) -> "Restored":
    """Keep a node from being started meanwhile, and restore."""
    from edge_node.usecases.custody.restoring import restore as put_back  # noqa: PLC0415
    from shared.clock import SystemClock  # noqa: PLC0415
    from shared.entropy import SystemEntropy  # noqa: PLC0415
    from shared.process.pidfile import PidLock  # noqa: PLC0415

    make_folder(settings.data_dir)
    with PidLock(settings.pid_file), _watched() as watch:
        return await put_back(settings, folder, SystemClock(), SystemEntropy(), watch)


@contextmanager
def _watched() -> "Iterator[Watch]":
    """Show how far the work is, on the terminal alone."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def watch(step: "Step", more: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(_WORDS[step], total=None)
            bar.advance(tasks[step], more)

        yield watch


def _time(at: int) -> str:
    """Write a time (ms) as people compare it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "seconds")


def _day(at: int) -> str:
    """Write the day of an instant (ms)."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"
