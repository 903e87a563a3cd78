"""A node's content lost and put back: what a drill of restores needs, in one process."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_node.assembly import assemble_gate
from edge_node.metrics import Metrics
from edge_node.settings import EdgeSettings
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.quarantine import read_quarantine
from edge_node.stores import Stores
from edge_node.usecases.custody.backing_up import Done, back_up
from edge_node.usecases.custody.quarantine import Gate
from edge_node.usecases.custody.quarantine_keeping import QuarantineKeeper
from edge_node.usecases.custody.restoring import Restored, restore
from edge_node.usecases.receiving.filing import Taken
from edge_node.usecases.receiving.taking_in import Outcome
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.message import Event
from tests.support.stores import Bench, taken


def watch(_step: str, _more: int) -> None:
    """See nothing of the progress."""


async def backed_up(node: Bench, place: Path) -> Done:
    """Back a node up."""
    return await back_up(node.stores, place, watch)


async def put_back(settings: EdgeSettings, folder: Path) -> Restored:
    """Restore a backup."""
    return await restore(settings, folder, SystemClock(), SystemEntropy(), watch)


def lose(settings: EdgeSettings, *, keys: bool) -> None:
    """Lose the content store with its files, and the key store where it is told so; keys' places and journal stay."""
    for path in settings.data_dir.iterdir():
        if path.name.startswith("content.db") or path.name == "blobs" or (keys and path.name.startswith("keys.db")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


class Quarantined(NamedTuple):
    """A restored node at work: what takes in, and what brings it out of quarantine."""

    node: Bench
    gate: Gate
    keeper: QuarantineKeeper

    async def take(self, *events: Event) -> Outcome:
        """Take events in as one batch."""
        return await self.gate.take_in([taken(event) for event in events])

    async def state(self) -> str | None:
        """Say how far the quarantine is."""
        found = await read_quarantine(self.node.content)
        return found.state if found else None

    async def step(self) -> bool:
        """Go one step on, and let the remover go as far as it can."""
        went_on = await self.keeper.once()
        await self.node.remove()
        return went_on

    async def lift(self) -> None:
        """Bring the store out of quarantine."""
        for _ in range(1_000):
            await self.step()
            if await self.state() is None:
                await self.keeper.once()
                return
        raise AssertionError("the quarantine does not end")


async def quarantined(node: Bench) -> Quarantined:
    """Give the parts of a process that starts on a restored store."""
    stores: Stores = node.stores
    gate = await assemble_gate(stores)
    lease = Lease(stores.content, "quarantine", stores.entropy.draw(8).hex(), 1)
    keeper = QuarantineKeeper(stores.content, stores.keys, stores.journal, gate, lease, Metrics(), stores.clock)
    return Quarantined(node, gate, keeper)


def takens(events: Sequence[Event], **changes: object) -> list[Taken]:
    """Say that events were admitted, with other facts than usual."""
    return [msgspec.structs.replace(taken(event), **changes) for event in events]
