"""Sweeping in tests: what arrived now beside what arrived years ago, and a sweep with all it lets go carried out."""

import asyncio

import msgspec

from edge_node.metrics import Metrics
from edge_node.usecases.letting_go.holding import Holder
from edge_node.usecases.receiving.taking_in import Outcome
from shared.database.contract import Step
from shared.message import Event
from tests.support.stores import Bench, taken

LATER = 4_000_000_000_000
"""A time (ms) after every removal of these tests."""

YEAR = ("message", 365)


def holder(node: Bench) -> Holder:
    """Give what places holds at an open node."""
    return node.holder


async def free_lease(node: Bench) -> None:
    """Let the next sweeper begin at once."""
    await node.content.run([Step("DELETE FROM lease WHERE name = 'retention'")])


async def take_now(node: Bench, *events: Event) -> Outcome:
    """Take events in as having arrived now; ``node.take`` says that they did years ago."""
    now = node.stores.clock.now()
    return await node.taking_in.take_in([msgspec.structs.replace(taken(event), received_at=now) for event in events])


async def sweep(node: Bench, *periods: tuple[str, int], metrics: Metrics | None = None) -> int:
    """Sweep everything and carry it out, as soon as the duties of the bundle in force are written."""
    await node.duties.ensure()
    sweeper = node.sweeper(*periods, metrics=metrics)
    swept = asyncio.create_task(sweeper.once())
    while not swept.done():
        await node.remove()
        await asyncio.sleep(0.01)
    await node.remove()
    await sweeper.stop()
    await free_lease(node)
    return await swept
