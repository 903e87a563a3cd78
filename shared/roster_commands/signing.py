"""``homeport roster sign``: put an officer's signature to a roster."""

from pathlib import Path

import click

from shared import private_files
from shared.crypto.signing import fingerprint
from shared.errors.trust import RosterNameUnknown
from shared.key_files import open_officer_key
from shared.roster.model import SignedRoster
from shared.roster.rules import check_sound, signers
from shared.roster.rules import sign as sign_as
from shared.roster.texts import write
from shared.roster.words import differences
from shared.roster_commands.common import FILE, load, passphrase, passphrase_option


@click.command(short_help="Sign a roster.")
@click.argument("path", metavar="ROSTER", type=FILE)
@click.option("--key", "key_file", type=FILE, required=True, help="Your key file.")
@click.option("--against", type=FILE, help="The roster in force: shows what changes, and lets a leaving officer sign.")
@passphrase_option
def sign(path: Path, key_file: Path, against: Path | None, passphrase_file: str | None) -> None:
    """Sign ROSTER as the officer whose key file this is, and write the signature into it.

    You sign every line of it: look at homeport roster show ROSTER --against THE-ONE-IN-FORCE first.
    """
    signed = load(path)
    roster = signed.roster
    check_sound(roster)
    in_force = load(against).roster if against else None
    if in_force is not None:
        for sentence in differences(in_force, roster):
            click.echo(sentence)
    person, keys = open_officer_key(key_file, passphrase(passphrase_file, key_file))
    known = [*roster.officers, *(in_force.officers if in_force else ())]
    if not any(officer.person == person and officer.keys == keys.public for officer in known):
        raise RosterNameUnknown(path=str(path), reason="this key is no officer's, neither here nor in --against")
    mine = (person, fingerprint(keys.public))
    others = tuple(each for each in signed.signatures if (each.person, each.key) != mine)
    again = SignedRoster(roster, (*others, sign_as(roster, person, keys)))
    private_files.replace(path, write(again))
    have = len(signers(again, roster.officers))
    click.echo(f"Signed {path}, version {roster.version}, as {person}: {have} of {roster.threshold} signatures needed.")
