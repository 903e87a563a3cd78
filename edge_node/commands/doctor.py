"""``homeport edge doctor``: what is wrong with this node's policy and custody, and what to do."""

import asyncio
import errno
from pathlib import Path

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.core.doctor import examine
from edge_node.core.findings import Finding
from edge_node.settings import EdgeSettings
from shared.errors import NodeNotRunning, StoreUnavailable
from shared.screen import print_table
from shared.telemetry import configure


@click.command(short_help="Say what is wrong with policy and custody, and what to do.")
@config_option
@click.option("--all", "everything", is_flag=True, help="Show what is well, too.")
def doctor(config: Path, everything: bool) -> None:
    """Read back what this node's promises rest on: policy, settings of both stores, permissions, disks, keys, memory.

    Changes nothing; the node may run meanwhile, and some of it is only known while it does. Exit status 1 if anything
    needs mending.
    """
    settings = settings_of(config)
    configure(level="warning", form=settings.log_form)
    findings = asyncio.run(_examine(settings))
    wrong = [finding for finding in findings if finding.state == "warning"]
    shown = findings if everything else [finding for finding in findings if finding.state != "ok"]
    if shown:
        print_table(
            ("topic", "state", "found", "what to do"),
            [(each.topic, each.state, each.what, each.remedy) for each in shown],
        )
    click.echo(f"{len(findings) - len(shown)} more are well." if not everything else f"{len(wrong)} need mending.")
    if wrong:
        raise click.exceptions.Exit(1)


async def _examine(settings: EdgeSettings) -> list[Finding]:
    """Look at everything; ``StoreUnavailable`` where a disk does not even say what lies on it."""
    from edge_node.assembly import open_policy  # noqa: PLC0415  only what opens stores loads them
    from edge_node.stores import open_stores  # noqa: PLC0415
    from edge_node.usecases.custody.examining import gather  # noqa: PLC0415

    try:
        async with open_stores(settings) as stores:
            return examine(await gather(stores, await open_policy(stores), _worker(settings)))
    except OSError as error:
        raise StoreUnavailable(cause=errno.errorcode.get(error.errno or 0, type(error).__name__)) from None


def _worker(settings: EdgeSettings) -> int | None:
    """Give the serving process, ``None`` where the node does not run."""
    from shared.process import status  # noqa: PLC0415

    try:
        return status(settings.pid_file).worker
    except NodeNotRunning:
        return None
