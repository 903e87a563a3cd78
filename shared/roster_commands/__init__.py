"""``homeport roster``: what officers do with the roster, offline, on a machine of their own.

Passphrases are read from files, standard input or a prompt, never from arguments, which other processes can see.
"""

import click

from shared.roster_commands.editing import add, init, retire, set_control, set_key
from shared.roster_commands.keys import key
from shared.roster_commands.reading import show, verify
from shared.roster_commands.signing import sign


@click.group(epilog="Step by step: shared/roster/README.md.")
def roster() -> None:
    """Say who is an officer, a node, a witness; signed by officers, believed by every program."""


for _command in (key, init, add, retire, set_key, set_control, sign, show, verify):
    roster.add_command(_command)

__all__ = ["roster"]
