"""``homeport edge policy holdings``: how many records lie here, by class of data and law."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings
from shared.policy_commands.common import as_json, bar, print_json
from shared.screen import print_table

if TYPE_CHECKING:
    from shared.policy.touching import Holding


@click.command("holdings", short_help="How many records lie here, by class and law.")
@config_option
@as_json
def holdings(config: Path, as_json: bool) -> None:
    """Count the records in this node's content store by class of data and by the law of the person; nobody is named.

    It reads only, and works beside the running node. With --json it prints what homeport policy diff --holdings takes:
    officers see on any machine how many records a change of policy would touch.
    """
    with bar("counting") as progress:
        found = holdings_of(config, progress.reach)
    if as_json:
        print_json(found)
        return
    rows = [(each.data_class, ", ".join(each.subjects) or "none known", f"{each.records:,}") for each in found]
    if rows:
        print_table(("class of data", "law", "records"), rows)
    click.echo(f"{sum(each.records for each in found):,} records.")


def holdings_of(config: Path, told: Callable[[int, int], None]) -> "tuple[Holding, ...]":
    """Count what the node holds whose settings are at ``config``; ``homeport policy diff --config`` calls this, too."""
    return asyncio.run(_count(settings_of(config), told))


async def _count(settings: EdgeSettings, told: Callable[[int, int], None]) -> "tuple[Holding, ...]":
    """Open the content store, which needs no key, and count."""
    from edge_node.stores import open_to_read  # noqa: PLC0415  only what opens stores loads them
    from edge_node.usecases.governing.counting import count_holdings  # noqa: PLC0415

    async with open_to_read(settings) as content:
        return await count_holdings(content, settings.region, told)
