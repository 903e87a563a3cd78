"""``homeport edge find`` and ``homeport edge erase``: find a person by what a letter says, and let a person go."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import msgspec

from edge_node.commands.common import config_option, confirmed, settings_of
from edge_node.core.asking import ERASURE_REASONS, LOOKUP_PURPOSES, LookupPurpose
from edge_node.core.erasing import Counts
from edge_node.settings import EdgeSettings
from shared.errors import BusyError, KeyProviderFailed, SettingsInvalid
from shared.errors.uplink import IdentifierInvalid, SubjectUnknown
from shared.screen import print_table
from shared.wire.types import Pseudonym, ReasonCode

if TYPE_CHECKING:
    from edge_node.usecases.letting_go.removal import Remover

_TYPED_BYTES_MAX = 1_024
_WAIT_SECONDS = 30.0
_LOOK_SECONDS = 0.1


@click.command(short_help="Find a person's pseudonym by number or id.")
@config_option
@click.option("--purpose", type=click.Choice(LOOKUP_PURPOSES), required=True, help="What for; it is recorded.")
@click.option("--country", help="Whose numbering plan a number without + follows: DE, ID, BR.")
def find(config: Path, purpose: str, country: str | None) -> None:
    """Find the pseudonym of the person whose phone number, LINE user id or WhatsApp user id is on standard input.

    One pseudonym a line, of those whom the policy in force lets be looked for. That somebody searched, when, what for
    and whom it led to is recorded; what was typed is not.
    The identifier never leaves this node: the control plane has no such search. Exit status 1 if nobody is found.
    """
    settings = settings_of(config)
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        raise SettingsInvalid(field_name="--country", wants="two capitals: DE, ID, BR")
    try:
        typed = sys.stdin.buffer.read(_TYPED_BYTES_MAX).decode().strip()
    except UnicodeDecodeError:
        raise IdentifierInvalid from None
    found = asyncio.run(_find(settings, typed, country, cast("LookupPurpose", purpose)))
    for pseudonym in found:
        click.echo(pseudonym)
    if not found:
        click.echo("Nobody of that name is here.", err=True)
        raise click.exceptions.Exit(1)


@click.command(short_help="Erase a person at this node and everywhere.")
@config_option
@click.argument("pseudonym")
@click.option("--reason", type=click.Choice(ERASURE_REASONS), required=True, help="Why; it goes into log and case.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(config: Path, pseudonym: str, reason: str, yes: bool) -> None:
    """Erase the person PSEUDONYM: keys and rows here at once; the control plane carries it to where content was shown.

    It cannot be undone. Prints the case and what was destroyed. What a hold or a law keeps is shown to nobody any more
    and goes when that is over; see homeport edge hold list and homeport edge policy kept.
    """
    settings = settings_of(config)
    try:
        msgspec.convert(pseudonym, type=Pseudonym)
    except msgspec.ValidationError:
        raise SubjectUnknown from None
    if not yes:
        confirmed("Everything of this person will be destroyed. Go on?")
    case, said, counts = asyncio.run(_erase(settings, pseudonym, cast("ReasonCode", reason)))
    print_table(
        ("what", "value"),
        [
            ("case", case),
            ("keys destroyed", str(counts.keys)),
            ("messages removed", str(counts.messages)),
            ("events removed", str(counts.events)),
            ("identities removed", str(counts.identities)),
            ("disclosures on record removed", str(counts.views)),
        ],
    )
    click.echo(said)


async def _find(settings: EdgeSettings, typed: str, country: str | None, purpose: LookupPurpose) -> list[str]:
    """Open the stores and search."""
    from edge_node.assembly import open_policy  # noqa: PLC0415  only what opens stores loads them
    from edge_node.stores import open_stores  # noqa: PLC0415
    from edge_node.usecases.lookup import find_people  # noqa: PLC0415
    from shared.telemetry import configure  # noqa: PLC0415

    configure(level="warning", form=settings.log_form)
    async with open_stores(settings) as stores:
        policy = await open_policy(stores)
        asked = (typed, country, purpose, policy, stores.clock)
        try:
            return await find_people(stores.content, stores.keys, stores.accounts, *asked)
        finally:
            await policy.write()


async def _carried(remover: "Remover") -> int:
    """Carry a round on; 0 where there is nothing to do now, or a disk or key place is away: what is ordered waits."""
    try:
        return await remover.round()
    except (BusyError, KeyProviderFailed):
        return 0


async def _erase(settings: EdgeSettings, pseudonym: str, reason: ReasonCode) -> tuple[str, str, Counts]:
    """Order the erasure; carry it out where no node runs, else wait a while for the one that does.

    Gives the case, how it stands in words, and what went so far.
    """
    from edge_node.assembly import open_policy  # noqa: PLC0415  only what opens stores loads them
    from edge_node.metrics import Metrics  # noqa: PLC0415
    from edge_node.storage.content.erasures import erasure_state  # noqa: PLC0415
    from edge_node.storage.content.holds import is_held  # noqa: PLC0415
    from edge_node.storage.content.leases import Lease  # noqa: PLC0415
    from edge_node.storage.content.places import DisclosurePlaces  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415
    from edge_node.usecases.letting_go.duty_keeping import write_where_due  # noqa: PLC0415
    from edge_node.usecases.letting_go.erasing import Eraser  # noqa: PLC0415
    from edge_node.usecases.letting_go.removal import LEASE_MILLISECONDS, Remover  # noqa: PLC0415
    from shared.ids import draw_opaque_id  # noqa: PLC0415
    from shared.telemetry import configure  # noqa: PLC0415

    configure(level="warning", form=settings.log_form)
    async with open_stores(settings) as stores:
        places = DisclosurePlaces(stores.content)
        eraser = Eraser(stores.content, stores.keys, stores.journal, places, stores.clock, stores.blobs)
        policy = await open_policy(stores)
        eraser.before_order = lambda: write_where_due(stores.content, policy, stores.clock.now())
        case, entry = await eraser.open_case(pseudonym, reason)
        lease = Lease(stores.content, "remover", draw_opaque_id(stores.entropy), LEASE_MILLISECONDS)
        remover = Remover(
            stores.content, stores.keys, stores.journal, lease, Metrics(), stores.clock, eraser, stores.blobs
        )
        until = stores.clock.elapsed() + _WAIT_SECONDS
        done, counts = await erasure_state(stores.content, entry)
        while not done and stores.clock.elapsed() < until:
            if not await _carried(remover):
                if await is_held(stores.content, entry):
                    break
                await stores.clock.sleep(_LOOK_SECONDS)
            done, counts = await erasure_state(stores.content, entry)
        await lease.give_back()
        held = await is_held(stores.content, entry)
    waits = (
        "Ordered; a hold or a law keeps what is left: homeport edge policy kept says which."
        if held
        else "Ordered; it goes on in the running node."
    )
    return case, "Erased here." if done else waits, counts
