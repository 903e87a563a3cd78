"""What a process remembers of keys outlives its own removals, but for those who lost one."""

import asyncio

import pytest

from shared.errors import KeyCurrentChanged
from tests.support.stores import message, person, recall

ANN, BEN = person(1), person(2)


async def test_a_draft_from_before_a_removal_is_refused_and_who_lost_nothing_is_still_remembered(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"), message(2, BEN, "two"))
        ann, ben = [name for (name,) in await node.rows("SELECT pseudonym FROM subject ORDER BY id")]
        await node.keys.reserve(8)
        await node.keys.remember([ann, ben])
        draft = node.keys.draft([ben], 1)
        draft.row(ben, "message", b"a row of before")
        await node.take(recall(1, ANN))
        await node.remove()
        with pytest.raises(KeyCurrentChanged):
            await node.keys.commit(draft, 1)
        assert ben in node.keys.remembered
        assert ann not in node.keys.remembered
        # And what is remembered is true: it seals what opens again.
        await node.take(message(3, ANN, "three"), message(4, BEN, "four"))
        assert await node.texts() == ["four", "three", "two"]
        await node.check_keys()


async def test_keys_are_not_destroyed_between_a_draft_and_its_commit(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"))
        await node.take(recall(1, ANN))
        generation = node.keys.generation
        async with node.keys.turn:
            removing = asyncio.create_task(node.remove())
            await asyncio.wait([removing], timeout=0.3)
            assert await node.key_rows("SELECT generation FROM key_store") == [(generation,)]
        await removing
        assert await node.key_rows("SELECT generation FROM key_store") == [(generation + 1,)]
        await node.check_keys()
