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
    from edge_node.usecases.letting_go.kept_listing import Listing


@click.command(short_help="Show what of a person is kept, by which law, until when.")
@config_option
@click.option("--pseudonym", required=True, help="The person: 32 hexadecimal digits.")
def kept(config: Path, pseudonym: str) -> None:
    """Show what of a person is kept although its removal is wanted: in which state, why, by which article, until when.

    Wanted is a recall, an erasure, or an expiry: what is past its time and kept all the same is passed_over. Holds that
    stand are listed below it. What was taken back a moment ago follows within a second while the node runs.
    """
    settings = settings_of(config)
    try:
        msgspec.convert(pseudonym, type=Pseudonym)
    except msgspec.ValidationError:
        raise SubjectUnknown from None
    found = asyncio.run(_read(settings, pseudonym))
    columns = ("wanted", "class", "rows", "state", "why", "duty", "article", "until")
    print_table(columns, [_row(row) for row in found.rows])
    for hold in found.holds:
        law = hold.backing.article or "hold_unbacked"
        click.echo(f"{hold.backing.kind} {hold.id} stands by {law}, for {hold.reason}.")
    if found.waiting:
        click.echo(f"{found.waiting} removals wait and are not judged yet.")
    if not any(found):
        click.echo("Nothing of this person is kept against a removal.")


def _row(row: "KeptOf") -> tuple[str, ...]:
    """Write a line of the table."""
    until = "somebody ends it" if row.last_until is None else _day(row.last_until)
    if row.first_until is not None and row.last_until is not None and _day(row.first_until) != until:
        until = f"{_day(row.first_until)} to {until}"
    return row.wanted, row.data_class, str(row.amount), row.keep, row.reason, row.duty, row.article or "none", until


async def _read(settings: EdgeSettings, pseudonym: str) -> "Listing":
    """Open the stores and read."""
    from edge_node.assembly import open_policy  # noqa: PLC0415  only what opens stores loads them
    from edge_node.core.retention import periods_of  # noqa: PLC0415
    from edge_node.storage.content.holds import may_hold  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415
    from edge_node.usecases.letting_go.kept_listing import list_kept  # noqa: PLC0415
    from edge_node.usecases.letting_go.retaining import Retaining  # noqa: PLC0415
    from shared.telemetry import configure  # noqa: PLC0415

    configure(level="warning", form=settings.log_form)
    async with open_stores(settings) as stores:
        if await may_hold(stores.content, pseudonym) == "unknown":
            raise SubjectUnknown
        policy = await open_policy(stores)
        periods = periods_of(settings.retention, settings.custody.backup_days_max)
        retaining = Retaining(stores.content, periods, policy)
        return await list_kept(stores.content, policy, retaining, pseudonym, stores.clock.now())


def _day(at: int) -> str:
    """Give the day (UTC) of an instant in milliseconds."""
    return f"{dt.datetime.fromtimestamp(at / 1000, tz=dt.UTC):%Y-%m-%d}"
