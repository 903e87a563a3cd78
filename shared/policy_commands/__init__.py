"""``homeport policy``: read, check, question, compare and publish policies; offline, on any machine."""

import click

from shared.policy_commands.asking import decide, explain
from shared.policy_commands.judging import check, test
from shared.policy_commands.publishing import bundle, override, sign, verify
from shared.policy_commands.whole import diff, matrix


@click.group(epilog="The language: shared/policy/LANGUAGE.md. The law in it: policies/README.md.")
def policy() -> None:
    """Say what may be done with people's data, where, and by which law.

    PATH is a folder of policies, its bundle.toml, or a bundle that was made of them.
    """


for _command in (check, test, decide, explain, matrix, diff, bundle, sign, verify, override):
    policy.add_command(_command)

__all__ = ["policy"]
