"""What is on its way home is counted while it is, and not afterwards, whatever came of it."""

import asyncio

import pytest

from edge_node.metrics import Metrics
from edge_node.usecases.company.members import Self
from edge_node.usecases.company.relaying import Relayer
from shared import wire
from shared.errors import HomeUnreachable
from shared.errors.relay import NodeUnreachable
from shared.message import Message, Text
from shared.roster import edits
from tests.support.rosters import AP, FIRST, NOW
from tests.support.trust import NODE

EVENT = Message(channel="line", via="U" + "1" * 32, at=1, message_id="1", content=Text("x"))
HOME = ("ap", "line", "shop")


class Acme:
    """The company as ``eu`` knows it."""

    def self(self):
        """Give who asks."""
        return Self("eu", NODE, None)

    def roster(self):
        """Give the roster in force."""
        return edits.add_node(FIRST, AP, NOW)


class Home:
    """The home node: answers when it is told to."""

    def __init__(self, outcome):
        self.outcome, self.asked, self.go = outcome, asyncio.Event(), asyncio.Event()

    async def ask(self, _node, _message, _seconds_max):
        """Wait, then answer."""
        self.asked.set()
        await self.go.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return wire.RelayAnswer(protocol=1, outcome=self.outcome)


@pytest.mark.parametrize("outcome", ["stored", "refused", NodeUnreachable(reason="timeout"), "cancelled"])
async def test_events_count_while_they_are_on_their_way(outcome):
    home = Home(outcome)
    relayer = Relayer(Acme(), home, Metrics(), 5.0)
    sending = asyncio.create_task(relayer.send_home({HOME: [EVENT, EVENT]}, 1))
    await home.asked.wait()
    assert relayer.waiting == 2
    if outcome == "cancelled":
        sending.cancel()
    home.go.set()
    (done,) = await asyncio.gather(sending, return_exceptions=True)
    expected = {"stored": type(None), "cancelled": asyncio.CancelledError}
    assert isinstance(done, expected.get(outcome, HomeUnreachable) if isinstance(outcome, str) else HomeUnreachable)
    assert relayer.waiting == 0
