"""``homeport policy bundle|sign|verify|override``: what officers do before a policy comes into force, offline."""

import datetime as dt
from pathlib import Path

import click
import msgspec

from shared import private_files
from shared.clock import SystemClock
from shared.crypto.signing import fingerprint, in_groups
from shared.errors.policy import BundleOther
from shared.errors.trust import RosterNameUnknown
from shared.key_files import open_officer_key
from shared.policy.accepting import OFFICERS_PERMISSIVE, accept, check_whole, looser_besides, more_permissive
from shared.policy.bundling import Bundle, digest, make, signers, write
from shared.policy.bundling import sign as sign_as
from shared.policy.model import Override, OverridesFile
from shared.policy.sure import sign_statement, statement_of
from shared.policy.writing import overrides_text
from shared.policy_commands.common import FILE, assembled, bar, given, open_bundle, path_argument
from shared.roster_commands.common import load as load_roster
from shared.roster_commands.common import passphrase, passphrase_option, save_new

_key = click.option("--key", "key_file", type=FILE, required=True, help="Your key file.")
_roster = click.option("--roster", type=FILE, required=True, help="The roster in force: who is an officer.")
_against = click.option("--against", type=FILE, help="The bundle in force; leave it out for the first one.")


@click.command(short_help="Make a bundle of policies, unsigned.")
@path_argument
@click.option("--previous", type=FILE, help="The bundle in force, which this one follows; none for the first.")
@click.option("--out", type=FILE, help="The file; by default NAME-VERSION.bundle in this folder.")
def bundle(path: Path, previous: Path | None, out: Path | None) -> None:
    """Make a bundle of the policies at PATH: one file of canonical bytes with its hash.

    It must hold together, and all its cases must come out as they say.
    """
    before = open_bundle(previous).bundle if previous is not None else None
    made = make(assembled(path), before, SystemClock().now())
    if before is not None and made.name != before.name:
        raise BundleOther
    if before is not None and made.version != before.version + 1:
        what = f"bundle.toml says version {made.version}; version {before.version} is followed by {before.version + 1}."
        raise click.BadParameter(f"{what} Write that as version.", param_hint="--previous")
    check_whole(made)
    target = out or Path(f"{made.name}-{made.version}.bundle")
    save_new(target, write(made))
    click.echo(f"Wrote {target}: {made.name} version {made.version}, {made.label}, unsigned.")
    click.echo(f"Hash: {in_groups(digest(made))}")
    _say_change(before, made)
    click.echo(f"Next, each officer: homeport policy sign {target} --key YOUR.key --roster ROSTER")


@click.command(short_help="Sign a bundle.")
@click.argument("path", metavar="BUNDLE", type=FILE)
@_key
@_roster
@_against
@passphrase_option
def sign(path: Path, key_file: Path, roster: Path, against: Path | None, passphrase_file: str | None) -> None:
    """Sign BUNDLE as the officer whose key file this is, and write the signature into it.

    You answer for every cell: look at homeport policy diff THE-ONE-IN-FORCE BUNDLE first.
    """
    signed = open_bundle(path)
    check_whole(signed.bundle)
    officers = load_roster(roster).roster.officers
    _say_change(open_bundle(against).bundle if against is not None else None, signed.bundle)
    person, keys = open_officer_key(key_file, passphrase(passphrase_file, key_file))
    if not any(officer.person == person and officer.keys == keys.public for officer in officers):
        raise RosterNameUnknown(path=str(roster), reason="this key is no officer's of the roster")
    mine = (person, fingerprint(keys.public))
    others = tuple(each for each in signed.signatures if (each.person, each.key) != mine)
    again = msgspec.structs.replace(signed, signatures=(*others, sign_as(signed.bundle, person, keys)))
    private_files.replace(path, write(again.bundle, again.signatures))
    have = sorted(signers(again, officers))
    click.echo(f"Signed {path}, version {signed.bundle.version}, as {person}. Officers who signed: {', '.join(have)}.")


@click.command(short_help="Say whether a node would accept a bundle.")
@click.argument("path", metavar="BUNDLE", type=FILE)
@_roster
@_against
def verify(path: Path, roster: Path, against: Path | None) -> None:
    """Check BUNDLE as a node does that has another one (--against) or none.

    Exit status 0: it would come into force. 2: it would be refused, and the code says why.
    """
    signed = open_bundle(path)
    in_force = open_bundle(against).bundle if against is not None else None
    with bar("comparing"):
        taken = accept(in_force, signed, load_roster(roster).roster, SystemClock().now())
    click.echo(f"{taken.name} version {taken.version} would come into force; hash {in_groups(digest(taken))}")


@click.command(short_help="Vouch for a value that is not sure.")
@click.argument("name")
@path_argument
@_key
@click.option("--reason", required=True, help="Why you vouch for it: where you looked, whom you asked.")
@click.option("--out", type=FILE, required=True, help="A new file below the folder's overrides/.")
@passphrase_option
def override(name: str, path: Path, key_file: Path, reason: str, out: Path, passphrase_file: str | None) -> None:
    """Vouch, as an officer, for NAME (CL.request_limit) exactly as it stands at PATH.

    If value, unit or certainty change, the override is worth nothing. It is a file of policies like the others:
    bundle.toml includes overrides/*.toml.
    """
    day = dt.datetime.fromtimestamp(SystemClock().now() / 1000, tz=dt.UTC).date().isoformat()
    statement = statement_of(given(path).policy, name, reason, day)
    if statement is None:
        raise click.BadParameter("nothing here rests on a value of that name.", param_hint="NAME")
    person, keys = open_officer_key(key_file, passphrase(passphrase_file, key_file))
    made = Override(statement=statement, signatures=(sign_statement(statement, person, keys),))
    save_new(out, overrides_text(OverridesFile(override=(made,))).encode())
    value = f"{statement.value} {statement.unit}" if statement.unit else "as it stands"
    click.echo(f"Wrote {out}: {person} vouches for {name}, {value}, {statement.certainty}.")


def _say_change(before: Bundle | None, made: Bundle) -> None:
    """Say how many cells become more permissive, what does besides, and how many officers that takes."""
    with bar("comparing"):
        cells = more_permissive(before, made)
    if before is None and made.version > 1:
        click.echo("No bundle in force was named (--against), so this one is compared with none at all:")
    if cells:
        become = "cell becomes" if cells == 1 else "cells become"
        click.echo(f"{cells:,} {become} more permissive: {OFFICERS_PERMISSIVE} officers must sign at least.")
    else:
        click.echo("No cell becomes more permissive.")
    besides = ", ".join(looser_besides(before, made))
    if besides:
        click.echo(f"Besides cells, this becomes more permissive: {besides}. {OFFICERS_PERMISSIVE} officers must sign.")
