"""``homeport roster show|verify``: read a roster, compare it, and say whether a program would believe it."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from shared.crypto.signing import fingerprint, in_groups
from shared.errors import HomeportError
from shared.roster.model import Roster, SignedRoster
from shared.roster.rules import accept, accept_first, check_sound, root_fingerprint, signers
from shared.roster.texts import grouped_node_fingerprints
from shared.roster.words import differences, moment
from shared.roster_commands.common import FILE, load


@click.command(short_help="Show a roster, who signed it, and what it changes.")
@click.argument("path", metavar="ROSTER", type=FILE)
@click.option("--against", type=FILE, help="The roster in force: shows what changes, and whether it would be accepted.")
def show(path: Path, against: Path | None) -> None:
    """Show ROSTER in words: signatures, fingerprints in groups, and what it changes against another."""
    signed = load(path)
    for line in _lines(signed):
        click.echo(line)
    if against is not None:
        in_force = load(against).roster
        click.echo(f"\nAgainst version {in_force.version}:")
        for sentence in differences(in_force, signed.roster) or ["Nothing changes."]:
            click.echo(f"  {sentence}")
        click.echo(f"  {_verdict(in_force, signed)}")


@click.command(short_help="Say whether a program would accept a roster.")
@click.argument("path", metavar="ROSTER", type=FILE)
@click.option("--against", type=FILE, help="The roster that the program has.")
@click.option("--root", help="The root fingerprint that the program was told; spaces are left out.")
def verify(path: Path, against: Path | None, root: str | None) -> None:
    """Check ROSTER as a program does that has another one (--against) or was told a root fingerprint (--root).

    Exit status 0: it would be accepted. 2: it would be refused, and the code says why.
    """
    if (against is None) == (root is None):
        raise click.UsageError("Give one of --against and --root.")
    signed = load(path)
    if against is not None:
        roster = accept(load(against).roster, signed)
    else:
        roster = accept_first(re.sub(r"\s", "", root or "").lower(), signed)
    click.echo(f"Version {roster.version} of {roster.company} would be accepted.")


def _lines(signed: SignedRoster) -> Iterator[str]:
    """Write a roster in lines."""
    roster = signed.roster
    control = roster.control_plane
    yield f"Roster of {roster.company}, version {roster.version}, made {moment(roster.created_at)}"
    yield f"Root fingerprint  {in_groups(root_fingerprint(roster))}"
    yield f"Control plane     {control.address}, region {control.region or 'not stated'}"
    yield f"                  {in_groups(fingerprint(control.keys))}"
    have = signers(signed, roster.officers)
    yield f"Officers          {roster.threshold} of {len(roster.officers)} must sign; {len(have)} did"
    for officer in roster.officers:
        mark = "signed" if officer.person in have else "not signed"
        yield f"  {officer.person}: {mark}"
        yield f"                  {in_groups(fingerprint(officer.keys))}"
    yield f"Nodes             {len(roster.nodes)}"
    for node in roster.nodes:
        signing, sealing = grouped_node_fingerprints(node.keys)
        yield (
            f"  {node.name}: {node.state} since {moment(node.since)}, region {node.region} ({node.jurisdiction}), "
            f"relay {node.relay or 'none'}"
        )
        yield f"    signing key   {signing}"
        yield f"    sealing key   {sealing}"
    yield f"Witnesses         {', '.join(witness.name for witness in roster.witnesses) or 'none'}"
    try:
        check_sound(roster)
    except HomeportError as error:
        yield f"NOT SOUND: {error.code}: {error}"


def _verdict(in_force: Roster, signed: SignedRoster) -> str:
    """Say whether it would be accepted."""
    try:
        accept(in_force, signed)
    except HomeportError as error:
        return f"Not accepted as it is: {error.code}: {error}"
    return "It would be accepted."
