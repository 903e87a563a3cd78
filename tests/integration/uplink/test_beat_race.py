"""Two processes that both believe they lead send the same beat: other dummies would tell which names are real."""

from edge_node.metrics import Metrics
from edge_node.storage.content.uplink import UplinkStore
from edge_node.uplink.beats import Beats
from edge_node.uplink.roster import RosterInForce
from edge_node.usecases.governing.border import Border
from tests.integration.uplink.conftest import enrolled, names_of
from tests.support.stores import message, person


async def test_who_comes_second_sends_what_the_first_wrote(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        await node.take(message(1, person(1), "one"))
        store, stores = UplinkStore(node.content), node.stores
        seen = await store.load()
        roster = RosterInForce(store, stores.clock)

        async def nothing(_since):
            raise AssertionError("a batch counts nothing")

        await roster.load()
        parts = (store, roster, nothing, Metrics(), stores.clock, stores.entropy, Border(node.policy))
        both = [Beats(*parts, beat_seconds=1) for _ in "ab"]
        first, second = [await each._batch(seen) for each in both]
        assert first == second
        assert set(await names_of(node)) < set(first[1])
