"""Files of messages under holds, expiry and erasure: they stay with what is kept and go with what goes, never apart."""

import pytest

from edge_node.core.keeping import REMOVALS
from tests.integration.storage.test_derivatives import BYTES, CANARY, OTHER, files_of, kept
from tests.support.keeping import LATER, YEAR, holder, sweep
from tests.support.stores import person, recall


async def states(node) -> dict[str, str]:
    """Give how each kind of row is kept."""
    return dict(await node.rows("SELECT kind, keep FROM derivative WHERE subject = 1"))


async def place(node, **more) -> str:
    """Place a hold on the first person."""
    ((name,),) = await node.rows("SELECT pseudonym FROM subject WHERE id = 1")
    return await holder(node).place(name, reason="legal_claim", review_at=LATER, beats=REMOVALS, **more)


async def test_a_held_messages_file_is_kept_and_goes_with_its_release(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        hold = await place(node)
        before = files_of(node)
        await node.take(recall(1, person(1)))
        await node.remove()
        assert files_of(node) == before
        assert set((await states(node)).values()) == {"active"}
        await holder(node).release(hold)
        await node.remove()
        assert await states(node) == {}
        assert len(files_of(node)) < len(before)
        assert await here.desk.bytes_of(here.marks[2]) == OTHER
        assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
        await node.check_keys()


async def test_an_erasure_under_a_hold_keeps_files_until_the_release(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        ((name,),) = await node.rows("SELECT pseudonym FROM subject WHERE id = 1")
        hold, before = await place(node), files_of(node)
        await node.eraser.open_case(name, "subject_request")
        await node.remove()
        assert files_of(node) == before
        await holder(node).release(hold)
        await node.remove()
        assert await states(node) == {}
        assert len(files_of(node)) == len(before) // 2
        assert await here.desk.bytes_of(here.marks[2]) == OTHER


async def test_what_a_holds_range_does_not_cover_goes_with_its_files(open_bench):
    async with open_bench() as node:
        await kept(node)
        ((name,),) = await node.rows("SELECT pseudonym FROM subject WHERE id = 1")
        await place(node, from_at=LATER - 2, until_at=LATER - 1)
        await node.eraser.open_case(name, "subject_request")
        await node.remove()
        assert await states(node) == {}
        assert not [path for path in files_of(node) if CANARY in path.read_bytes()]


async def test_an_expired_message_takes_its_files_along(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        assert await here.desk.bytes_of(here.marks[0]) == BYTES
        assert await sweep(node, YEAR) == 3
        assert await node.rows("SELECT count(*) FROM derivative") == [(0,)]
        assert files_of(node) == []
        assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
        await node.check_keys()


@pytest.mark.parametrize("order", [("hold", "recall"), ("recall", "hold")])
async def test_a_hold_that_comes_too_late_brings_no_file_back(open_bench, order):
    async with open_bench() as node:
        await kept(node)
        for act in order:
            if act == "hold":
                await place(node)
            else:
                await node.take(recall(1, person(1)))
        await node.remove()
        assert bool(await states(node)) == (order[0] == "hold")
