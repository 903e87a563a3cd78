"""``homeport edge policy decisions``: what the policy in force allowed and forbade here, and by which rule."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings
from shared.clock import SystemClock
from shared.screen import print_table

if TYPE_CHECKING:
    from edge_node.storage.content.policies import Counted

ROWS_MAX = 1_000


@click.command("decisions", short_help="What was decided, and by which rule.")
@config_option
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC); without it, today's.")
@click.option("--reason", help="With this reason code only: no_rule, policy_stale, mechanism_holds.")
@click.option("--denied", is_flag=True, help="Only what was denied.")
def decisions(config: Path, since: datetime | None, reason: str | None, denied: bool) -> None:
    """Print how the policy answered, the newest first, with how often in each second.

    Names of the policy alone, nobody's. homeport policy explain gives the articles of a question; what was shown to
    another node is besides on record message by message, with rule and bundle.
    """
    now = SystemClock().now() // 1_000
    begin = int(since.replace(tzinfo=UTC).timestamp()) if since is not None else now - now % 86_400
    found = asyncio.run(_read(settings_of(config), begin, reason, denied=denied))
    if found:
        print_table(_HEAD, [_row(each) for each in found[:ROWS_MAX]])
    more = " There are older ones: narrow --since or --reason." if len(found) > ROWS_MAX else ""
    click.echo(f"{_counted(min(len(found), ROWS_MAX))} since {datetime.fromtimestamp(begin, UTC):%Y-%m-%d}.{more}")


def _counted(count: int) -> str:
    """Say how many rows are shown."""
    return "1 answer" if count == 1 else f"{count} answers"


_HEAD = ("when (UTC)", "times", "asked", "law", "asker", "role", "answer", "reason", "rule", "bundle")


async def _read(settings: EdgeSettings, since: int, reason: str | None, *, denied: bool) -> "list[Counted]":
    """Read from the store; one more than is printed."""
    from edge_node.storage.content.policies import PolicyStore  # noqa: PLC0415  only what opens stores loads them
    from edge_node.stores import open_stores  # noqa: PLC0415

    async with open_stores(settings) as stores:
        return await PolicyStore(stores.content).decided(since, reason, ROWS_MAX + 1, denied=denied)


def _row(counted: "Counted") -> tuple[str, ...]:
    """Write one answer."""
    answer = counted.answer
    return (
        datetime.fromtimestamp(counted.second, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        str(counted.times),
        f"{answer.operation} {answer.data_class} {answer.purpose}",
        answer.subject,
        answer.asker,
        answer.role,
        answer.outcome,
        answer.reason,
        answer.rule or "none",
        answer.bundle[:12] or "none",
    )
