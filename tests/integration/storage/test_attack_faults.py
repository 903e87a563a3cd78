"""One that is broken among many that are not: the others are served, and it does no more harm than it must."""

import asyncio

import msgspec
import pytest

from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.usecases.letting_go.upkeep import Upkeep
from edge_node.usecases.receiving.committer import Committer
from shared.database import Step
from shared.errors import HomeportError, StoreUnavailable
from tests.support.stores import message, person, recall, taken

ANN, BEN = person(1, phone=11), person(2, phone=22)


def committer_of(node) -> Committer:
    """Give a committer over the node's parts, at work."""
    committer = Committer(node.taking_in, Metrics(), node.stores.clock, events_max=100, bytes_max=10_000)
    committer.start()
    return committer


async def lose_bens_key(node) -> None:
    """Take Ben's key out of the key store: a damaged page, or a backup that is older than its content."""
    ((name,),) = await node.rows("SELECT pseudonym FROM subject WHERE id = 2")
    for sql in (
        "DELETE FROM bucket_key WHERE owner = (SELECT id FROM owner_key WHERE name = :name)",
        "DELETE FROM owner_key WHERE name = :name",
    ):
        await node.keys.database.run([Step(sql, [(name,)])])
    node.keys.remembered.clear()


async def damage_bens_bucket(node) -> None:
    """Change one byte of Ben's bucket key."""
    sql = "UPDATE bucket_key SET wrapped = zeroblob(60) WHERE owner = (SELECT id FROM owner_key WHERE name = :name)"
    ((name,),) = await node.rows("SELECT pseudonym FROM subject WHERE id = 2")
    await node.keys.database.run([Step(sql, [(name,)])])
    node.keys.remembered.clear()


@pytest.mark.parametrize("harm", [lose_bens_key, damage_bens_bucket])
async def test_a_subject_whose_key_is_lost_does_not_keep_others_from_being_taken_in(open_bench, harm):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"))
        await node.take(message(2, BEN, "two"))
        await harm(node)
        committer = committer_of(node)
        outcomes = await asyncio.gather(
            *(committer.submit([taken(event)], 10) for event in (message(3, ANN, "three"), message(4, BEN, "four"))),
            return_exceptions=True,
        )
        await committer.stop()
        assert outcomes[0] is None
        assert isinstance(outcomes[1], HomeportError)


@pytest.mark.parametrize("harm", [lose_bens_key, damage_bens_bucket])
async def test_a_removal_that_cannot_be_carried_out_does_not_hold_up_the_others(open_bench, harm):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"))
        await node.take(message(2, BEN, "two"))
        await harm(node)
        await node.take(recall(2, BEN))
        await node.take(recall(1, ANN))
        for _ in range(3):
            try:
                await node.remover.round()
            except HomeportError:
                continue
        assert await node.rows("SELECT count(*) FROM message WHERE subject = 1") == [(0,)]


async def test_a_batch_that_fails_while_it_is_sealed_leaves_no_bucket_that_was_never_stored(open_bench):
    """What a draft has begun in memory must go with the draft, whatever ended it."""
    async with open_bench() as node:
        await node.take(*(message(number, ANN, "text") for number in range(254)))  # with two identities: a full bucket
        poison = msgspec.structs.replace(message(999, ANN, "poison"), extra={"x": object()})
        with pytest.raises(TypeError):
            await node.take(message(500, ANN, "text"), poison)
        await node.take(message(500, ANN, "text"))
        await node.check_keys()


async def test_whoever_hangs_up_is_stored_and_the_others_are_told(open_bench):
    async with open_bench() as node:
        committer = committer_of(node)
        tasks = [asyncio.create_task(committer.submit([taken(message(n, ANN, f"{n}"))], 10)) for n in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        assert await asyncio.gather(tasks[0], tasks[2]) == [None, None]
        await committer.stop()
        assert await node.texts() == ["0", "1", "2"]


async def test_a_stop_in_the_middle_of_a_commit_answers_everyone(open_bench):
    async with open_bench() as node:
        committer = committer_of(node)
        tasks = [asyncio.create_task(committer.submit([taken(message(n, ANN, f"{n}"))], 10)) for n in range(3)]
        await asyncio.sleep(0)
        await committer.stop()
        assert await asyncio.gather(*tasks) == [None, None, None]
        with pytest.raises(HomeportError):
            await committer.submit([taken(message(9, ANN, "late"))], 10)
        assert await node.texts() == ["0", "1", "2"]


async def test_a_store_that_fails_once_fails_one_batch_and_no_more(open_bench, monkeypatch):
    async with open_bench() as node:
        committer = committer_of(node)
        calls = []
        real = node.taking_in.take_in

        async def take_in(batch):
            calls.append(len(batch))
            if len(calls) == 1:
                raise StoreUnavailable(store="content")
            return await real(batch)

        monkeypatch.setattr(node.taking_in, "take_in", take_in)
        with pytest.raises(StoreUnavailable):
            await committer.submit([taken(message(1, ANN, "1"))], 10)
        await committer.submit([taken(message(1, ANN, "1"))], 10)
        await committer.stop()
        assert (await node.texts(), committer._events, committer._bytes) == (["1"], 0, 0)


@pytest.mark.parametrize("worker", ["remover", "upkeep"])
async def test_background_work_goes_on_after_an_error_that_nobody_foresaw(open_bench, monkeypatch, worker):
    """A task that ends by itself is noticed by nobody: recalls would be acknowledged and never carried out."""
    async with open_bench() as node:
        lease = Lease(node.content, "upkeep", "a-holder", 900_000)
        part = node.remover if worker == "remover" else Upkeep(node.content, node.keys, lease, Metrics(), _Quick())

        async def fail(*_arguments):
            failed.set()
            raise ValueError

        failed = asyncio.Event()
        monkeypatch.setattr(part, "round" if worker == "remover" else "once", fail)
        part.start()
        await failed.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        ended = part._task.done() and part._task.exception()
        if not ended:
            await part.stop()
        assert not ended


class _Quick:
    """A clock whose sleeps end when the task is cancelled."""

    def now(self) -> int:
        """Give an instant."""
        return 1

    def elapsed(self) -> float:
        """Give seconds."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()
