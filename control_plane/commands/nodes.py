"""``homeport control token|pending|nodes|roster``: take nodes in, see how they stand, put rosters in force."""

from datetime import UTC, datetime
from pathlib import Path

import click

from control_plane.commands.common import config_option, with_stores
from control_plane.core.minting import mint
from control_plane.stores import Opened
from shared import private_files
from shared.crypto.signing import in_groups
from shared.errors.trust import RosterMalformed
from shared.roster import FILE_BYTES_MAX, NodeIntroduction, read_signed, root_fingerprint, write
from shared.screen import print_table

_NAME = r"[a-z](?:-?[a-z0-9]){0,47}"
_FILE = click.Path(path_type=Path, dir_okay=False)


def _name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Check a node's name."""
    import re  # noqa: PLC0415

    if value is not None and re.fullmatch(_NAME, value) is None:
        raise click.BadParameter("a-z first, then a-z 0-9 and single -, at most 48")
    return value


@click.command(short_help="Make a one-time token for a new node.")
@click.argument("node", callback=_name)
@click.option("--hours", type=click.IntRange(1, 168), default=24, show_default=True, help="How long it is good.")
@config_option
def token(node: str, hours: int, config: Path) -> None:
    """Make a one-time token with which NODE enrols; it is shown once.

    Give it to the node's operator by a way that others do not read: homeport edge enrol takes it from a file or
    standard input.
    """
    from control_plane.core.four_eyes import MACHINE  # noqa: PLC0415
    from control_plane.usecases.tokens import make_enrolment_token  # noqa: PLC0415
    from shared.crypto.signing import fingerprint  # noqa: PLC0415
    from shared.enrolment_token import write_token  # noqa: PLC0415

    async def act(opened: Opened) -> str:
        async with opened.store.work() as work:
            id_ = work.draw_id()
            made = await make_enrolment_token(
                work,
                node,
                hours,
                address=opened.settings.address,
                fingerprint=fingerprint(opened.keys.public),
                by=MACHINE,
                id_=id_,
                secret=mint(opened.mint_key, "enrolment", id_),
            )
        return write_token(made)

    click.echo(with_stores(config, act))


@click.command(short_help="List nodes that enrolled and are in no roster yet.")
@click.argument("node", required=False, callback=_name)
@click.option("--out", type=_FILE, help="Write NODE's introduction, for homeport roster add node.")
@config_option
def pending(node: str | None, out: Path | None, config: Path) -> None:
    """List nodes that enrolled and that the roster in force does not name with these keys.

    With NODE and --out, write its introduction: officers compare the fingerprint with the node's operator by voice.
    """
    from control_plane.storage import nodes, rosters  # noqa: PLC0415
    from shared.roster.texts import grouped_node_fingerprints  # noqa: PLC0415

    async def act(opened: Opened) -> list[nodes.Enrolled]:
        async with opened.store.database.read() as t:
            signed = await rosters.newest(t)
            known = {each.name: each.keys for each in signed.roster.nodes} if signed is not None else {}
            return [each for each in await nodes.enrolments(t) if known.get(each.node) != each.keys]

    found = [each for each in with_stores(config, act) if node in (None, each.node)]
    if node is not None and not found:
        raise click.ClickException(f"{node} has not enrolled, or is in the roster already.")
    rows = []
    for each in found:
        at = f"{datetime.fromtimestamp(each.at // 1000, tz=UTC):%Y-%m-%d %H:%M}"
        signing, sealing = grouped_node_fingerprints(each.keys)
        rows.append((each.node, each.region, each.jurisdiction, each.relay or "none", at, "signs", signing))
        rows.append(("", "", "", "", "", "opens", sealing))
    print_table(("node", "region", "law", "relay", "enrolled (UTC)", "key", "fingerprint"), rows)
    if node is not None and out is not None:
        each = found[0]
        said = NodeIntroduction(each.node, each.region, each.jurisdiction, each.relay, each.keys)
        private_files.replace(out, write(said))
        click.echo(f"Wrote {out}. Next, where an officer works: homeport roster add node {out} --roster ROSTER.json")


@click.command(short_help="List the nodes, and what is wrong with them.")
@config_option
def nodes(config: Path) -> None:
    """List the nodes of the roster: when each last beat, which roster and policy it has, what is wrong with it."""
    from control_plane.core.errors import RosterMissing  # noqa: PLC0415
    from control_plane.storage import nodes as stored  # noqa: PLC0415
    from control_plane.storage import policies, rosters  # noqa: PLC0415
    from control_plane.usecases.node_health import newest_of, problems_seen, state_seen  # noqa: PLC0415

    async def act(opened: Opened) -> list[tuple[str, ...]]:
        async with opened.store.database.read() as t:
            signed, seen, newest = await rosters.newest(t), await stored.seen(t), newest_of(await policies.newest(t))
        if signed is None:
            raise RosterMissing
        rows = []
        for node in sorted(signed.roster.nodes, key=lambda each: each.name):
            found = seen.get(node.name)
            beat = found.beat_at if found is not None else None
            at = f"{datetime.fromtimestamp(beat // 1000, tz=UTC):%Y-%m-%d %H:%M:%S}" if beat is not None else "never"
            numbers = (found.roster_version, found.policy_version) if found is not None else (None, None)
            problems = ", ".join(problems_seen(found, signed.roster.version, newest)) or "none"
            shown = ["" if number is None else str(number or "none") for number in numbers]
            rows.append((node.name, state_seen(node, found), at, *shown, problems))
        return rows

    print_table(("node", "state", "last beat (UTC)", "roster", "policy", "problems"), with_stores(config, act))


@click.group(short_help="Put a roster in force, show the one that is.")
def roster() -> None:
    """Rosters are made and signed by officers with homeport roster; here they come into force."""


@roster.command("put")
@click.argument("file", type=_FILE)
@click.option("--root", help="Root fingerprint, for the first roster only: homeport roster show prints it.")
@config_option
def put(file: Path, root: str | None, config: Path) -> None:
    """Put the roster in FILE in force, if officers in force signed it."""
    from control_plane.usecases.roster_keeper import RosterKeeper  # noqa: PLC0415

    try:
        candidate = read_signed(private_files.read(file, bytes_max=FILE_BYTES_MAX))
    except OSError:
        raise RosterMalformed(path=str(file), reason="cannot be read") from None

    async def act(opened: Opened) -> int:
        keeper = RosterKeeper(opened.store, opened.settings.address, opened.keys.public)
        return (await keeper.put(candidate, root=root.replace(" ", "") if root is not None else None)).version

    version = with_stores(config, act)
    click.echo(f"Version {version} is in force. Root: {in_groups(root_fingerprint(candidate.roster))}")


@roster.command("show")
@click.option("--out", type=_FILE, help="Write it to a file, for homeport roster show.")
@config_option
def show(out: Path | None, config: Path) -> None:
    """Show the roster in force."""
    from control_plane.core.errors import RosterMissing  # noqa: PLC0415
    from control_plane.storage import rosters  # noqa: PLC0415
    from shared.roster import SignedRoster  # noqa: PLC0415

    async def act(opened: Opened) -> SignedRoster:
        async with opened.store.database.read() as t:
            signed = await rosters.newest(t)
        if signed is None:
            raise RosterMissing
        return signed

    signed = with_stores(config, act)
    rows = [(each.name, each.region, each.jurisdiction, each.state) for each in signed.roster.nodes]
    print_table(("node", "region", "law", "state"), rows)
    click.echo(f"Version {signed.roster.version}. Root: {in_groups(root_fingerprint(signed.roster))}")
    if out is not None:
        private_files.replace(out, write(signed))
