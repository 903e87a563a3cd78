"""``homeport edge policy kept``: what of a person is kept although somebody wants it gone, why, and until when."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings
from shared.errors.uplink import SubjectUnknown
from shared.screen import print_table
from shared.wire.types import Pseudonym

if TYPE_CHECKING:
    from edge_node.storage.content.duties import KeptOf
    from edge_node.storage.content.holds import Listed


@click.command(short_help="Show what of a person is kept, by which law, until when.")
@config_option
@click.option("--pseudonym", required=True, help="The person: 32 hexadecimal digits.")
def kept(config: Path, pseudonym: str) -> None:
    """Show what of a person is kept although its removal is wanted: in which state, why, by which article, until when.

    Holds that stand and stop nothing yet are listed below it. What was taken back a moment ago follows within a second
    while the node runs.
    """
    settings = settings_of(config)
    try:
        msgspec.convert(pseudonym, type=Pseudonym)
    except msgspec.ValidationError:
        raise SubjectUnknown from None
    rows, waiting, holds = asyncio.run(_read(settings, pseudonym))
    print_table(("wanted", "class", "rows", "state", "why", "duty", "article", "until"), [_row(row) for row in rows])
    for hold in holds:
        law = hold.backing.article or "hold_unbacked"
        click.echo(f"{hold.backing.kind} {hold.id} stands by {law}, for {hold.reason}.")
    if waiting:
        click.echo(f"{waiting} removals wait and are not judged yet.")
    if not rows and not holds and not waiting:
        click.echo("Nothing of this person is kept against a removal.")


def _row(row: "KeptOf") -> tuple[str, ...]:
    """Write a line of the table."""
    until = "somebody ends it" if row.last_until is None else _day(row.last_until)
    if row.first_until is not None and row.last_until is not None and _day(row.first_until) != until:
        until = f"{_day(row.first_until)} to {until}"
    return row.wanted, row.data_class, str(row.amount), row.keep, row.reason, row.duty, row.article or "none", until


async def _read(settings: EdgeSettings, pseudonym: str) -> "tuple[list[KeptOf], int, list[Listed]]":
    """Open the stores and read."""
    from edge_node.storage.content.duties import kept_of  # noqa: PLC0415  only what opens stores loads them
    from edge_node.storage.content.holds import list_holds, may_hold  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415

    async with open_stores(settings) as stores:
        if await may_hold(stores.content, pseudonym) == "unknown":
            raise SubjectUnknown
        rows, waiting = await kept_of(stores.content, pseudonym)
        found = await list_holds(stores.content)
    return rows, waiting, [each for each in found if each.pseudonym == pseudonym and each.released_at is None]


def _day(at: int) -> str:
    """Give the day (UTC) of an instant in milliseconds."""
    return f"{dt.datetime.fromtimestamp(at / 1000, tz=dt.UTC):%Y-%m-%d}"
