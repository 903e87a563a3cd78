"""The n-th call fails while a hold is placed or released: it is whole or not at all, and keeps what it promised."""

import pytest

from shared.database.contract import Step
from shared.errors import HomeportError, StoreUnavailable
from tests.support.faulty import make_all_mortal
from tests.support.interleave import Died
from tests.support.keeping import LATER, holder
from tests.support.stores import message, person, recall

STRIDE = {"sqlite": 7, "postgresql": 15}
"""A short run tries the first calls, which release, and some of those that carry out; a long one tries all."""

pytestmark = pytest.mark.parametrize("dies", [False, True], ids=["fails", "dies"])


async def until_it_fails(fate, at, dies, act):
    """Do something whose ``at``-th call fails; give whether it came so far, and what it said, if it did."""
    fate.arm(at, Died() if dies else StoreUnavailable(cause="failed"))
    said = None
    try:
        said = await act
    except (Died, HomeportError):
        pass
    finally:
        reached = fate.calls >= at
        fate.disarm()
    return reached, said


async def newcomer(node, at) -> str:
    """Let a new person say something; give the pseudonym."""
    await node.take(message(10 * at, person(at), "kept"), message(10 * at + 1, person(at), "too"))
    return (await node.rows("SELECT pseudonym FROM subject ORDER BY id DESC LIMIT 1"))[0][0]


async def place(node, name) -> str:
    """Place a hold."""
    return await holder(node).place(name, reason="complaint", review_at=LATER, beats=("recall", "erase", "expire"))


async def standing(node, name) -> list[str]:
    """Give the holds of a person that stand."""
    return [each.id for each in await holder(node).list() if each.pseudonym == name and each.released_at is None]


async def check_entries(node) -> None:
    """Hold every hold to its entry in the log: one for its placing, one for its release, none without a hold."""
    found = await node.rows("SELECT h.id, h.released_at IS NOT NULL FROM hold h ORDER BY h.id")
    for hold, released in found:
        acts = await node.rows("SELECT act FROM hold_entry WHERE hold = :hold ORDER BY id", hold=hold)
        assert acts == [("placed",), ("released",)][: 1 + int(released)]
    assert await node.rows("SELECT count(DISTINCT hold) FROM hold_entry") == [(len(found),)]


async def test_placing(open_bench, monkeypatch, dies):
    fate, at, reached = make_all_mortal(monkeypatch), 0, True
    while reached:
        at += 1
        async with open_bench() as node:
            name = await newcomer(node, at)
            reached, hold = await until_it_fails(fate, at, dies, place(node, name))
        async with open_bench() as node:
            found = await standing(node, name)
            # Acknowledged: it stands.  Not acknowledged: it stands once, or not at all; asking again is harmless.
            assert found == [hold] if hold else len(found) <= 1
            await check_entries(node)
            if not found:
                await place(node, name)
            await node.take(recall(10 * at, person(at)))
            await node.eraser.open_case(name, "subject_request")
            await node.remove()
            kept = "SELECT keep FROM message ORDER BY id"
            assert await node.rows(kept) == [("held",), ("active",)]
            for each in await standing(node, name):
                await holder(node).release(each)
            await node.remove()
            assert await node.texts() == []
            await node.check_keys()
    assert at > 2


async def test_releasing(open_bench, monkeypatch, long_run, dies):
    fate, at, reached = make_all_mortal(monkeypatch), 0, True
    while reached:
        async with open_bench() as node:
            at += 1 if long_run or at < 4 else STRIDE[node.content.engine]
            name = await newcomer(node, at)
            hold = await place(node, name)
            await node.take(recall(10 * at, person(at)))
            await node.eraser.open_case(name, "subject_request")
            await node.remove()
            reached, said = await until_it_fails(fate, at, dies, let_go(node, hold))
        async with open_bench() as node:
            await node.content.run([Step("DELETE FROM lease")])  # what a dead process held runs out
            await check_entries(node)
            if await standing(node, name):
                assert said is None
                assert await node.rows("SELECT keep FROM message ORDER BY id") == [("held",), ("active",)]
                await holder(node).release(hold)
            await node.remove()
            assert await node.rows("SELECT keep FROM subject WHERE pseudonym = :name", name=name) == [("gone",)]
            assert await node.rows("SELECT count(*) FROM message") == [(0,)]
            assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]
            await check_entries(node)
            await node.check_keys()
    assert at > 20


async def let_go(node, hold) -> bool:
    """Release a hold and carry out what it stopped."""
    await holder(node).release(hold)
    await node.remove()
    return True
