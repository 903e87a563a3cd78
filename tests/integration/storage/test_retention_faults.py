"""Holds, recalls, erasures and expiries in every order, and a sweep that is killed at any call."""

import itertools

from edge_node.usecases.letting_go import retention
from shared.database.contract import Step
from shared.errors import StoreUnavailable
from shared.message import Identifier
from tests.support.interleave import Died
from tests.support.keeping import LATER, YEAR, free_lease, holder, take_now
from tests.support.mortal import make_mortal
from tests.support.stores import message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)
ACTS = ("hold", "recall", "erase", "expire", "release")


async def live(node, number, order) -> None:
    """Take one person through hold, recall, erasure, expiry and release in an order; check what a hold keeps."""
    author, holds = person(number), holder(node)
    await node.take(message(2 * number, author, "one"), message(2 * number + 1, author, "two"))
    ((name, subject),) = await node.rows("SELECT pseudonym, id FROM subject ORDER BY id DESC LIMIT 1")
    rest = "SELECT count(*) FROM message WHERE subject = :subject"
    hold, erased = None, False
    for act in order:
        before = await node.rows(rest, subject=subject)
        if act == "hold" and not erased:
            hold = await holds.place(name, reason="complaint", review_at=LATER, beats=("recall", "erase", "expire"))
        elif act == "release" and hold is not None:
            await holds.release(hold)
            hold = None
        elif act == "recall":
            await node.take(recall(2 * number, author))
        elif act == "erase":
            await node.eraser.open_case(name, "subject_request")
            erased = True
        elif act == "expire":
            await node.sweeper(YEAR).once()
        await node.remove()
        await free_lease(node)
        if hold is not None:
            assert await node.rows(rest, subject=subject) == before, order
    if hold is not None:
        await holds.release(hold)
        await node.remove()
    assert await node.rows("SELECT keep FROM subject WHERE id = :subject", subject=subject) == [("gone",)], order
    assert await node.rows(rest, subject=subject) == [(0,)], order


async def test_in_every_order_a_release_leaves_what_removals_alone_would(open_bench, monkeypatch):
    """A release before its hold does nothing; a hold after the erasure comes too late."""
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)
    orders = list(itertools.permutations(ACTS))
    async with open_bench() as node:
        # Every order on one engine, a quarter of them on the slower: the statements are the same.
        mine = [order for place, order in enumerate(orders) if (place % 4 == 0) == (node.content.engine != "sqlite")]
        for number, order in enumerate(mine, 1):
            await live(node, number, order)
        assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]
        assert await node.rows("SELECT count(*) FROM log_entry WHERE held = 1") == [(0,)]
        await node.check_keys()


async def test_killed_at_any_call_the_sweep_ends_the_same(open_bench, monkeypatch):
    fate = make_mortal(monkeypatch)
    group = Identifier("whatsapp_group", "room")

    async def life(node):
        sweeper = node.sweeper(YEAR)
        await sweeper.once()
        while await node.remover.round():
            pass

    for at in range(1, 100, 4):
        async with open_bench() as node:
            await node.take(message(at, ANN, "old"), message(100 + at, BEN, "old", group=group))
            await take_now(node, message(200 + at, ANN, "new"))
            fate.arm(at, Died())
            try:
                await life(node)
                whole = True
            except (Died, StoreUnavailable):
                whole = False
            finally:
                fate.disarm()
        async with open_bench() as node:
            await node.content.run([Step("DELETE FROM lease")])
            await life(node)
            assert set(await node.texts()) == {"new"}, at
            assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]
            await node.check_keys()
        if whole:
            break
    assert whole
