"""Which addresses of the roster another node is asked at, and that an impossible one is an answer that never came."""

import msgspec
import pytest

from edge_node.relay import RelayClient
from edge_node.usecases.company.members import Self
from shared import wire
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors.relay import NodeUnreachable
from shared.roster import edits
from tests.support.rosters import AP, FIRST, NOW
from tests.support.trust import NODE

CLOSED = wire.ViewClosed(protocol=1, view="0" * 32)


class Acme:
    """The company as ``eu`` knows it; ``ap`` is said to be at an address."""

    def __init__(self, relay):
        self.relay = relay

    def self(self):
        """Give who asks."""
        return Self("eu", NODE, None)

    def roster(self):
        """Give the roster in force."""
        return edits.add_node(FIRST, msgspec.structs.replace(AP, relay=self.relay), NOW)


@pytest.mark.parametrize(
    ("relay", "reason"),
    [
        ("http://ap.example.org:8443", "not_https"),
        ("http://127.0.0.1:70000", "address"),
        ("https://[::::]:1", "address"),
        ("https://xn--a.de:1", "address"),
    ],
)
async def test_nothing_is_sent_where_pseudonyms_must_not_go(relay, reason):
    client = RelayClient(Acme(relay), SystemClock(), SystemEntropy())
    try:
        with pytest.raises(NodeUnreachable) as refused:
            await client.ask("ap", CLOSED, 1.0)
    finally:
        await client.close()
    assert refused.value.details["reason"] == reason
