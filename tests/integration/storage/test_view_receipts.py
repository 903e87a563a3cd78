"""A receipt counts what was removed here, also where the process died before it could sign for it."""

import pytest

from edge_node.metrics import Metrics
from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.identity import ensure_identity
from edge_node.stores import key_places
from edge_node.uplink.executor import Executor
from edge_node.uplink.roster import RosterInForce
from edge_node.usecases.governing.border import Border
from edge_node.usecases.letting_go.remnants import RemnantsHere
from shared import wire
from shared.wire.receipt import open_receipt
from tests.support.loop import Loop
from tests.support.stores import message, person

AUTHOR = person(1, phone=81)


class Killed(BaseException):
    """The process is gone: no handler of the program sees it."""


class Dying:
    """A viewer whose process dies where ``when`` says."""

    def __init__(self, viewer, when):
        self._viewer, self._when = viewer, when

    async def retract(self, node, disclosure, reason):
        if self._when == "ordered":
            await self._viewer._views.retract(
                node, disclosure, reason=reason, log_entry="e" * 32, now=self._viewer._clock.now()
            )
        else:
            await self._viewer.retract(node, disclosure, reason)
        raise Killed


def executor(node, retractor):
    """Give what carries commands out, as a process has it right after its start."""
    stores = node.stores
    return Executor(
        node.content,
        "eu",
        ensure_identity(key_places(stores.settings), stores.entropy),
        RosterInForce(UplinkStore(node.content), stores.clock),
        node.eraser,
        retractor,
        DisclosurePlaces(node.content),
        Border(node.policy),
        Metrics(),
        stores.clock,
        erasures_per_hour_max=50,
        provider="file",
        remnants=RemnantsHere(node.content, node.keys, stores.settings, stores.clock),
    )


def command(disclosure, number=1):
    """Give a command to take a copy back."""
    return wire.Command(
        protocol=1,
        id=f"{number:032x}",
        cursor=number,
        case="c" * 32,
        kind="recall",
        target=wire.DisclosureTarget("ap", disclosure),
        reason="sender_recalled",
        issued_at=1,
    )


async def counts(node):
    """Give what each receipt says: store and count."""
    public = ensure_identity(key_places(node.stores.settings), node.stores.entropy).signing.public
    rows = await node.rows("SELECT body FROM outbox WHERE kind = 'receipt' ORDER BY id")
    envelopes = [wire.decode(wire.ReceiptPush, body).envelope for (body,) in rows]
    return [{each.store: each.count for each in open_receipt(one, public).results} for one in envelopes]


@pytest.mark.parametrize("when", ["ordered", "removed"])
async def test_the_count_outlives_the_process(open_bench, when):
    async with open_bench() as node:
        await node.take(message(1, AUTHOR, "text"))
        name = (await node.rows("SELECT pseudonym FROM subject"))[0][0]
        loop = Loop(node)
        await loop.viewer.open("ap", name, "complaint")
        disclosure = (await node.rows("SELECT disclosure FROM shown"))[0][0]
        await CommandStore(node.content).keep([command(disclosure)], 1, 1)
        node.remover.start()
        try:
            loop.viewer.on_removal = node.remover.wake
            with pytest.raises(Killed):
                await executor(node, Dying(loop.viewer, when)).round()
            assert await counts(node) == []
            again = Loop(node)
            again.viewer.on_removal = node.remover.wake
            assert await executor(node, again.viewer).round() == 1
            # For a copy that never was here nothing is claimed.
            await CommandStore(node.content).keep([command("d" * 32, 2)], 2, 1)
            await executor(node, again.viewer).round()
        finally:
            await node.remover.stop()
        assert await counts(node) == [{"keys": 1, "views": 1, "backups": 1}, {}]
        assert await node.rows("SELECT 1 FROM shown") == []
