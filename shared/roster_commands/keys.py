"""``homeport roster key``: make an officer's key."""

from pathlib import Path

import click
import msgspec

from shared.crypto.signing import fingerprint, in_groups
from shared.entropy import SystemEntropy
from shared.key_files import create_officer_key
from shared.roster.model import Officer, PersonSlug
from shared.roster.texts import write
from shared.roster_commands.common import FILE, passphrase, passphrase_option, save_new


@click.command(short_help="Make an officer's key.")
@click.argument("person")
@click.option("--out", type=FILE, help="The key file; by default PERSON.key in this folder.")
@passphrase_option
def key(person: str, out: Path | None, passphrase_file: str | None) -> None:
    """Make PERSON's key: a file sealed under a passphrase, and a public file beside it for the other officers.

    Keep the key file and the passphrase apart, and neither at the control plane. Read your fingerprint to the other
    officers by voice.
    """
    try:
        msgspec.convert(person, PersonSlug)
    except msgspec.ValidationError:
        raise click.BadParameter("a-z first, then a-z 0-9 and single -, at most 48", param_hint="PERSON") from None
    path = out or Path(f"{person}.key")
    keys = create_officer_key(path, person, passphrase(passphrase_file, path, fresh=True), SystemEntropy())
    public = path.with_suffix(".officer.json")
    save_new(public, write(Officer(person, keys.public)))
    click.echo(f"Key file:    {path} (keep it offline)")
    click.echo(f"Public file: {public} (for whoever makes the roster)")
    click.echo(f"Fingerprint: {in_groups(fingerprint(keys.public))}")
