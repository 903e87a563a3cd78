"""``homeport edge``: everything an operator tells or asks a node.

Secrets are read from files, standard input or a prompt, never from arguments, which other processes can see.
``status``, ``restart`` and ``stop`` load nothing but the settings; a command imports what it needs when it runs.
"""

import click

from edge_node.commands.account import account
from edge_node.commands.backup import backup, restore
from edge_node.commands.doctor import doctor
from edge_node.commands.enrol import enrol
from edge_node.commands.escrow import escrow
from edge_node.commands.holds import hold
from edge_node.commands.kept import kept
from edge_node.commands.keys import keys
from edge_node.commands.node import init, restart, run, status, stop
from edge_node.commands.parse import parse
from edge_node.commands.policy import policy
from edge_node.commands.reply import reply
from edge_node.commands.subject import subject
from edge_node.commands.subjects import erase, find
from edge_node.commands.view import view


@click.group(epilog="Settings are in node.toml; homeport edge run --help lists them.")
def edge() -> None:
    """Run a region's node: it receives, seals, stores and recalls messages."""


_COMMANDS = (
    *(init, run, restart, stop, status, doctor),
    *(account, parse, reply, enrol, find, erase, hold, view, policy, subject),
    *(keys, escrow, backup, restore),
)

policy.add_command(kept)
for _command in _COMMANDS:
    edge.add_command(_command)

__all__ = ["edge"]
