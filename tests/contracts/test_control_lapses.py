"""What a retired or unknown node owes lapses, on every engine: the case ends, and says of what nothing is known."""

from control_plane.core.paging import START
from control_plane.storage import cases, nodes
from control_plane.usecases import casework
from shared.wire import Place, RecallNotice
from tests.support.control_store import commands, notice, store, stored_events
from tests.support.trust import drawn

__all__ = ["store"]


async def test_what_a_retired_node_owed_lapses_and_its_case_ends_as_partial(store):
    async with store.work() as work:
        await casework.take_case(work, "eu", notice(places=(Place("ap", (drawn("1"), drawn("2"))),)))
    await follow(store, "UPDATE member SET state = 'retired' WHERE name = 'ap'")
    assert await commands(store, "ap") == []
    assert await shown(store) == ("open", {"ap": ("retired", 0, 2), "eu": ("active", 1, 0)})
    await follow(store, "UPDATE member SET state = 'retired' WHERE name = 'eu'")
    assert await shown(store) == ("partial", {"ap": ("retired", 0, 2), "eu": ("retired", 0, 1)})
    await follow(store, "UPDATE member SET state = 'retired' WHERE name = 'eu'")
    assert await stored_events(store) == ["case.opened", "case.partial"]
    async with store.database.read() as t:
        assert (await nodes.owed(t), await cases.unfinished(t), await cases.partial(t)) == ({}, 0, 1)
        assert len(await cases.page(t, START, "partial", "any", 10)) == 1
    async with store.work() as work:
        again = await casework.open_erasure(work, drawn("subject"), "objection", "dpo")
    assert again.state == "partial"


async def test_a_place_that_the_roster_does_not_know_lapses_until_it_is_known(store):
    async with store.work() as work:
        await casework.take_recall(
            work, "eu", RecallNotice(protocol=1, recall=drawn("r"), at=1, disclosed_to=(Place("us", (drawn("d"),)),))
        )
        assert work.commanded == set()
    (case,) = await rows(store, "SELECT id, state FROM case_file")
    assert case[1] == "partial"
    assert await shown(store, case[0]) == ("partial", {"us": ("unknown", 0, 1)})
    await follow(store, "INSERT INTO member (name, state) VALUES ('us', 'active')")
    assert await shown(store, case[0]) == ("open", {"us": ("active", 1, 0)})
    assert len(await commands(store, "us")) == 1
    assert await stored_events(store) == ["case.opened", "case.partial", "case.reopened"]


async def test_a_notice_that_names_many_disclosures_costs_few_statements(store):
    names = tuple(drawn(str(number)) for number in range(2_000))
    async with store.work() as work:
        asked = []
        work.t = Counting(work.t, asked)
        for _ in range(2):
            await casework.take_recall(
                work, "eu", RecallNotice(protocol=1, recall=drawn("r"), at=1, disclosed_to=(Place("ap", names),))
            )
    assert len(asked) < 30
    assert await rows(store, "SELECT count(*) FROM command") == [(2_000,)]


class Counting:
    """A transaction that notes what is fetched."""

    def __init__(self, inner, asked):
        self._inner, self._asked = inner, asked

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def fetch(self, *words):
        """Note a statement and fetch."""
        self._asked.append(words)
        return await self._inner.fetch(*words)


async def follow(store, sql):
    async with store.work() as work:
        await work.t.execute(sql)
        await casework.follow_roster(work)


async def rows(store, sql):
    async with store.database.read() as t:
        return [tuple(row) for row in await t.fetch(sql)]


async def shown(store, case=None):
    async with store.database.read() as t:
        row = await cases.find(t, case or drawn("case"))
        places = await cases.places(t, case or drawn("case"))
    return row.state, {place.node: (place.standing, place.owed, place.lapsed) for place in places}
