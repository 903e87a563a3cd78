"""``homeport edge policy install|status|restricted|decisions|holdings``: by which bundle this node decides, on what."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_node.commands.common import config_option, confirmed, settings_of
from edge_node.commands.holdings import holdings
from edge_node.commands.policy_decisions import decisions
from edge_node.settings import EdgeSettings
from shared.clock import SystemClock
from shared.crypto.signing import in_groups
from shared.policy.bundling import SignedBundle, fresh_until
from shared.policy_commands.common import FILE, bar, open_bundle
from shared.roster import SignedRoster, root_fingerprint
from shared.roster_commands.common import load as load_roster
from shared.screen import print_table

if TYPE_CHECKING:
    from edge_node.storage.content.policies import Kept, Stated
    from edge_node.storage.content.rejudging import Restricted
    from edge_node.stores import Stores
    from shared.policy.bundling import Bundle
    from shared.roster import Roster


@click.group(short_help="By which policy this node decides.")
def policy() -> None:
    """Take a policy bundle over, show the one in force, and what was decided by it.

    Without a bundle the node denies everything: what arrives is refused on record. An enrolled node is handed
    bundles by the control plane and believes them by the officers' signatures alone. homeport policy makes, signs and
    explains them.
    """


@policy.command(short_help="Take a bundle over.")
@config_option
@click.argument("path", metavar="BUNDLE", type=FILE)
@click.option("--roster", type=FILE, help="The officers' roster, for a node that was never enrolled.")
@click.option("--yes", is_flag=True, help="Pin the roster without asking.")
def install(config: Path, path: Path, roster: Path | None, yes: bool) -> None:
    """Take BUNDLE over, if the officers of the roster signed it; the running node decides by it within a second.

    A node that was never enrolled is told once, with --roster, whose signatures it believes: compare the root's
    fingerprint with the officers by voice. An enrolled node believes the roster in force.
    """
    settings = settings_of(config)
    candidate = open_bundle(path)
    signed = load_roster(roster) if roster is not None else None
    if signed is not None and not yes:
        click.echo(f"Root of the roster: {in_groups(root_fingerprint(signed.roster))}", err=True)
        confirmed("Is that what the officers read to you?")
    with bar("comparing"):
        taken = asyncio.run(_install(settings, candidate, signed))
    click.echo(f"In force: {taken.name} version {taken.version}, {taken.label}.")
    if not _names(taken, settings.region):
        click.echo(f"Warning: it knows no region {settings.region}, so everything is refused here.", err=True)


@policy.command(short_help="Show the bundle in force.")
@config_option
def status(config: Path) -> None:
    """Show the bundle in force.  Exit status 1 if there is none, its grace is over, or a restored store awaits one.

    Grace runs from the first time that the control plane said which bundle is the newest; until then, and at a node
    that stands alone, what was installed stands.
    """
    settings = settings_of(config)
    found = asyncio.run(_status(settings))
    if found is None:
        click.echo("There is none: everything is denied. homeport edge policy install takes one over.")
        raise click.exceptions.Exit(1)
    bundle, kept, stated, awaited = found
    until = None if stated is None else fresh_until(bundle, kept.heard_at)
    newest = (
        "the control plane never said" if stated is None else f"version {stated.version}, {_time(stated.stated_at)}"
    )
    behind = awaited > kept.version
    known = _names(bundle, settings.region)
    print_table(
        ("what", "now"),
        [
            ("bundle", f"{bundle.name} version {bundle.version}, {bundle.label}"),
            ("hash", in_groups(kept.hash)),
            ("in force since", _time(kept.accepted_at)),
            ("the newest", newest),
            ("good until", "a newer one is here" if until is None else f"{_time(until)}, unless heard of again"),
            ("region", settings.region if known else f"{settings.region}: not in the bundle, so everything is denied"),
            *(
                [("awaits", f"version {awaited}, by which removals wait: none goes on, nothing expires")]
                if behind
                else ()
            ),
        ],
    )
    if behind or not known or (until is not None and until < SystemClock().now()):
        raise click.exceptions.Exit(1)


@policy.command(short_help="List people of whom something may not rest here.")
@config_option
@click.option("--most", type=click.IntRange(1, 100_000), default=1_000, help="How many at most.")
def restricted(config: Path, most: int) -> None:
    """List the people of whom something that is stored may not rest here any more, by pseudonym.

    Nobody is shown it, and it is used for nothing, until the answer is yes again or it is removed.
    """
    from edge_node.core.classes import names_of  # noqa: PLC0415  only this command needs it

    count, rows = asyncio.run(_restricted(settings_of(config), most))
    print_table(
        ("pseudonym", "law", "known by", "restricted"),
        [
            (
                each.pseudonym,
                each.jurisdiction or each.others or "none",
                each.basis,
                ", ".join(names_of(each.restricted)),
            )
            for each in rows
        ],
    )
    click.echo(f"{count} in all.")


async def _restricted(settings: EdgeSettings, most: int) -> "tuple[int, list[Restricted]]":
    """Read who is restricted."""
    from edge_node.storage.content.rejudging import count_restricted, read_restricted  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415

    async with open_stores(settings) as stores:
        return await count_restricted(stores.content), await read_restricted(stores.content, most)


async def _install(settings: EdgeSettings, candidate: SignedBundle, signed: SignedRoster | None) -> "Bundle":
    """Find whom to believe, and take over."""
    from edge_node.storage.content.policies import PolicyStore  # noqa: PLC0415  only what opens stores loads them
    from edge_node.stores import open_stores  # noqa: PLC0415
    from edge_node.usecases.governing.policy_taking import take_over  # noqa: PLC0415

    async with open_stores(settings) as stores:
        roster = await _believed(stores, signed)
        return await take_over(PolicyStore(stores.content), candidate, roster, stores.clock.now())


async def _believed(stores: "Stores", signed: SignedRoster | None) -> "Roster":
    """Give the roster whose officers are believed; ``RosterNotPinned`` where there is none."""
    from edge_node.storage.content.policies import PolicyStore  # noqa: PLC0415
    from edge_node.storage.content.uplink import UplinkStore  # noqa: PLC0415
    from edge_node.uplink.roster import RosterInForce  # noqa: PLC0415
    from edge_node.usecases.governing.policy_taking import pin, pinned_roster  # noqa: PLC0415
    from shared.errors.policy import RosterNotPinned  # noqa: PLC0415

    in_force = RosterInForce(UplinkStore(stores.content), stores.clock)
    if await in_force.load():
        return in_force.current()
    store = PolicyStore(stores.content)
    if signed is not None:
        return await pin(store, signed)
    roster = await pinned_roster(store)
    if roster is None:
        raise RosterNotPinned
    return roster


async def _status(settings: EdgeSettings) -> "tuple[Bundle, Kept, Stated | None, int] | None":
    """Read the bundle in force, what is known of it, what was last stated, and the version a restored store awaits."""
    from edge_node.storage.content.duties import Written, duties_written  # noqa: PLC0415
    from edge_node.storage.content.policies import PolicyStore  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415
    from shared.policy.bundling import read_bundle  # noqa: PLC0415

    async with open_stores(settings) as stores:
        store = PolicyStore(stores.content)
        kept = await store.newest()
        if kept is None:
            return None
        bundle = read_bundle(await store.body(kept.version)).bundle
        written = await duties_written(stores.content) or Written()
        return bundle, kept, await store.stated(), written.awaited


def _names(bundle: "Bundle", region: str) -> bool:
    """Say whether a bundle names a region."""
    return any(each.name == region for each in bundle.policy.regions)


def _time(at: int) -> str:
    """Write a time (ms) as people compare it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "seconds")


policy.add_command(decisions)
policy.add_command(holdings)
