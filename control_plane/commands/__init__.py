"""``homeport control``: everything an operator tells or asks a control plane.

``status``, ``restart`` and ``stop`` load nothing but the settings; a command imports what it needs when it runs.
"""

import click

from control_plane.commands.life import init, restart, run, status, stop
from control_plane.commands.nodes import nodes, pending, roster, token
from control_plane.commands.people import principal
from control_plane.commands.policy import policy


@click.group(epilog="Settings are in control.toml; homeport control run --help lists them.")
def control() -> None:
    """Run a company's control plane: it knows pseudonyms, what nodes owe, and who may ask."""


for _command in (init, run, restart, stop, status, token, pending, nodes, roster, policy, principal):
    control.add_command(_command)

__all__ = ["control"]
