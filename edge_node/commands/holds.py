"""``homeport edge hold add|release|list``: keep a person's messages from being removed, for a reason."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import msgspec

from edge_node.commands.common import config_option, settings_of
from edge_node.core.asking import HOLD_REASONS
from edge_node.core.keeping import REMOVALS, Removal
from edge_node.settings import EdgeSettings
from shared.clock import SystemClock
from shared.errors import SettingsInvalid
from shared.errors.uplink import SubjectUnknown
from shared.screen import print_table
from shared.wire.types import Pseudonym

if TYPE_CHECKING:
    from edge_node.core.duties import Backing
    from edge_node.storage.content.holds import Listed
    from edge_node.usecases.letting_go.holding import Holder

_DAY = dt.timedelta(days=1)
_DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def hold() -> None:
    """Keep a person's messages from being removed, for a reason, until released.

    While a hold stands, what a sender takes back is kept and shown to no desk, an erasure waits, and retention passes
    it over. Each release resumes by itself what the hold stopped.
    """


@hold.command(short_help="Place a hold on a person.")
@config_option
@click.option("--pseudonym", required=True, help="The person: 32 hexadecimal digits.")
@click.option("--from", "from_date", type=_DATE, metavar="DATE", help="Only what was said from this day on (UTC).")
@click.option(
    "--until", "until_date", type=_DATE, metavar="DATE", help="Only what was said until this day's end (UTC)."
)
@click.option("--reason", type=click.Choice(HOLD_REASONS), required=True, help="Why; it goes into the node's log.")
@click.option("--review", type=_DATE, metavar="DATE", required=True, help="When somebody must look whether it stays.")
@click.option(
    "--stops",
    type=click.Choice(REMOVALS),
    multiple=True,
    default=REMOVALS,
    show_default=True,
    help="Which removals it stops; may be given several times.",
)
def add(
    config: Path,
    pseudonym: str,
    from_date: dt.datetime | None,
    until_date: dt.datetime | None,
    reason: str,
    review: dt.datetime,
    stops: tuple[str, ...],
) -> None:
    """Place a hold on everything of a person, what comes later included, or on what was said between two days.

    Prints the hold's id, and on standard error the article that it stands on; where none is known (hold_unbacked) it
    holds all the same, and an officer must decide. The law bounds what it stops. What is being removed already goes on.
    """
    settings = settings_of(config)
    try:
        msgspec.convert(pseudonym, type=Pseudonym)
    except msgspec.ValidationError:
        raise SubjectUnknown from None
    if from_date is not None and until_date is not None and until_date < from_date:
        raise SettingsInvalid(field_name="--until", wants="a day that is not before --from")
    from_at = None if from_date is None else _instant(from_date)
    until_at = None if until_date is None else _instant(until_date + _DAY) - 1
    beats = cast("tuple[Removal, ...]", stops)
    placed, backing = asyncio.run(_place(settings, pseudonym, reason, _instant(review), beats, from_at, until_at))
    click.echo(placed)
    click.echo(_said(backing, beats), err=True)
    if _instant(review + _DAY) <= SystemClock().now():
        click.echo("Warning: the day of review is past already.", err=True)


@hold.command(short_help="Release a hold.")
@config_option
@click.argument("hold_id", metavar="ID")
def release(config: Path, hold_id: str) -> None:
    """Release the hold ID; what it stopped and no other hold stops goes on by itself."""
    asyncio.run(_release(settings_of(config), hold_id))
    click.echo("Released; what it stopped and no other hold stops goes on in the running node.")


@hold.command("list", short_help="List holds and what waits under them.")
@config_option
@click.option("--all", "with_released", is_flag=True, help="Released ones, too.")
def list_(config: Path, with_released: bool) -> None:
    """List the holds that stand, the oldest first, with what waits under them."""
    found = asyncio.run(_list(settings_of(config)))
    rows = [_row(each) for each in found if with_released or each.released_at is None]
    print_table(("hold", "pseudonym", "said", "reason", "law", "stops", "review", "state", "waiting"), rows)


def _row(listed: "Listed") -> tuple[str, ...]:
    """Write a hold as a line of the table."""
    hold = listed.hold
    said = "everything"
    if not hold.whole:
        said = (
            f"{_day(hold.from_at) if hold.from_at > 0 else ''}..{_day(hold.until_at) if hold.until_at < 2**62 else ''}"
        )
    waiting = [f"{listed.rows_held} rows"] if listed.rows_held else []
    waiting += ["erasure"] if listed.erasures_held else []
    return (
        listed.id,
        listed.pseudonym,
        said,
        listed.reason if listed.backing.kind == "hold" else listed.backing.kind,
        listed.backing.article or "hold_unbacked",
        ", ".join(removal for removal in REMOVALS if removal in hold.beats),
        _day(listed.review_at),
        _state(listed) if listed.released_at is None else f"released {_day(listed.released_at)}",
        ", ".join(waiting) or "nothing",
    )


def _state(listed: "Listed") -> str:
    """Say how long a hold stands."""
    return "stands" if listed.backing.ends_at is None else f"until {_day(listed.backing.ends_at)}"


def _said(backing: "Backing", asked: tuple[Removal, ...]) -> str:
    """Say what law a hold stands on."""
    ends = f" until {_day(backing.ends_at)}" if backing.ends_at is not None else ""
    law = (
        f"{backing.kind} by {backing.article}" if backing.article else "hold_unbacked: no article is known here for it"
    )
    less = [removal for removal in asked if removal not in backing.stops]
    return f"{law}{ends}; {backing.keeps}." + (f" That law does not stop: {', '.join(less)}." if less else "")


async def _place(
    settings: EdgeSettings,
    pseudonym: str,
    reason: str,
    review_at: int,
    beats: tuple[Removal, ...],
    from_at: int | None,
    until_at: int | None,
) -> "tuple[str, Backing]":
    """Open the stores and place."""
    async with _holder(settings) as holder:
        placed = await holder.place(
            pseudonym, reason=reason, review_at=review_at, beats=beats, from_at=from_at, until_at=until_at
        )
        return placed, next(each.backing for each in await holder.list() if each.id == placed)


async def _release(settings: EdgeSettings, hold_id: str) -> None:
    """Open the stores and release."""
    async with _holder(settings) as holder:
        await holder.release(hold_id)


async def _list(settings: EdgeSettings) -> "list[Listed]":
    """Open the stores and read."""
    async with _holder(settings) as holder:
        return await holder.list()


@asynccontextmanager
async def _holder(settings: EdgeSettings) -> "AsyncIterator[Holder]":
    """Open the stores, with the policy in force, and give who places and releases."""
    from edge_node.assembly import assemble_holder  # noqa: PLC0415  only what opens stores loads them
    from edge_node.stores import open_stores  # noqa: PLC0415
    from shared.telemetry import configure  # noqa: PLC0415

    configure(level="warning", form=settings.log_form)
    async with open_stores(settings) as stores:
        yield await assemble_holder(stores)


def _instant(day: dt.datetime) -> int:
    """Give the beginning of a day (UTC) in milliseconds."""
    return int(day.replace(tzinfo=dt.UTC).timestamp() * 1000)


def _day(at: int) -> str:
    """Give the day (UTC) of an instant in milliseconds."""
    return f"{dt.datetime.fromtimestamp(at / 1000, tz=dt.UTC):%Y-%m-%d}"
