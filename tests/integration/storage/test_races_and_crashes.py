"""Two processes over one store, and what is left when one of them stops half way."""

import asyncio
import random

import pytest

from edge_node.storage.keys.destruction import LogEntry, destroy_rows
from edge_node.storage.sweep import AGE, sweep_unused_keys
from shared.crypto import Cipher, content_place
from shared.errors import LogEntryRequired, SealBroken, StoreUnavailable
from tests.support.stores import edit, message, person, recall


async def test_two_processes_meet_the_same_newcomers(open_bench):
    async with open_bench() as one, open_bench() as two:
        people = [person(number, phone=number) for number in range(1, 30)]
        await asyncio.gather(
            one.take(*(message(number, who, "a") for number, who in enumerate(people))),
            two.take(*(message(100 + number, who, "b") for number, who in enumerate(reversed(people)))),
        )
        assert await one.rows("SELECT count(*) FROM subject") == [(29,)]
        assert await one.rows("SELECT count(*) FROM message") == [(58,)]
        await one.check_keys()


async def test_two_processes_and_a_remover_at_once(open_bench):
    chance = random.Random(7)
    people = [person(number) for number in range(1, 6)]
    async with open_bench() as one, open_bench() as two:

        async def write(node, first):
            for number in range(first, first + 60):
                who = people[number % 5]
                await node.take(message(number, who, "text"), message(number + 1000, who, "more"))
                if chance.random() < 0.3:
                    await node.take(recall(number, who))
                if chance.random() < 0.2:
                    await node.take(edit(number + 1000, who, "changed", at=5000 + number))
                if chance.random() < 0.4:
                    await node.remove()

        await asyncio.gather(write(one, 0), write(two, 100))
        await one.remove()
        await two.remove()
        ((left,),) = await one.rows("SELECT count(*) FROM tombstone")
        assert await one.rows("SELECT count(*) FROM message") == [(240 - left,)]
        assert await one.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
        await one.check_keys()


async def test_content_that_fails_leaves_keys_that_are_swept_after_an_hour(open_bench, monkeypatch):
    async with open_bench() as node:
        await node.take(message(1, person(1), "stays"))

        async def refuse(*_arguments):
            raise StoreUnavailable(store="content")

        with monkeypatch.context() as broken:
            broken.setattr("edge_node.usecases.receiving.taking_in.write_batch", refuse)
            with pytest.raises(StoreUnavailable):
                await node.take(message(2, person(1), "lost"), message(3, person(1), "lost"))
        before = await node.key_rows("SELECT count(*) FROM row_key")
        now = node.stores.clock.now()
        assert await sweep_unused_keys(node.keys, node.content, now) == 0
        assert await sweep_unused_keys(node.keys, node.content, now + AGE + 60_000) == 2
        assert await node.key_rows("SELECT count(*) FROM row_key") == [(before[0][0] - 2,)]
        assert await node.texts() == ["stays"]
        assert (await node.take(message(2, person(1), "sent again"))).stored == 1
        await node.check_keys()


async def test_a_sweep_keeps_every_key_in_use(open_bench):
    async with open_bench() as node:
        await node.take(*(message(number, person(number % 3 + 1), "text") for number in range(20)))
        await node.take(edit(3, person(1), "changed", at=5000))
        await sweep_unused_keys(node.keys, node.content, node.stores.clock.now() + AGE + 60_000)
        assert await node.stores.accounts.load()
        await node.remove()
        assert await node.key_rows("SELECT count(*) FROM intent") == [(0,)]
        await node.check_keys()


@pytest.mark.parametrize("state", ["ordered", "journaled", "destroyed"])
async def test_a_removal_cut_short_is_taken_up_where_it_stands(open_bench, monkeypatch, state):
    steps = {"ordered": "destroy_rows", "journaled": "finish", "destroyed": "clear"}
    async with open_bench() as node:
        await node.take(message(1, person(1), "one"), message(2, person(1), "two"))
        await node.take(recall(1, person(1)))

        async def die(*_arguments):
            raise StoreUnavailable(store="keys")

        with monkeypatch.context() as broken:
            broken.setattr(f"edge_node.usecases.letting_go.removal.{steps[state]}", die)
            with pytest.raises(StoreUnavailable):
                await node.remove()
    async with open_bench() as other:
        await other.remove()
        assert await other.texts() == ["two"]
        assert await other.rows("SELECT state, mark FROM log_entry") == [("done", None)]
        await other.check_keys()


async def test_keys_are_destroyed_only_for_a_journaled_entry(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1), "one"))
        ((key,),) = await node.rows("SELECT key FROM message")
        for entry in (LogEntry("", key, "journaled"), LogEntry("an-entry", key, "ordered")):
            with pytest.raises(LogEntryRequired):
                await destroy_rows(node.keys, [entry])
        assert await node.texts() == ["one"]


async def test_what_is_moved_elsewhere_does_not_open(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1), "one"), message(2, person(2), "two"))
        (one, sealed), (two, _) = await node.rows("SELECT key, sealed FROM message ORDER BY id")
        keys = await node.keys.open_rows([one, two])
        cipher = Cipher(keys[one].key)
        owner, region = keys[one].owner, node.keys.region
        assert cipher.open(sealed, content_place(region, owner, "message", "sealed", one))
        for place in (
            content_place("elsewhere", owner, "message", "sealed", one),
            content_place(region, keys[two].owner, "message", "sealed", one),
            content_place(region, owner, "event", "sealed", one),
            content_place(region, owner, "message", "other", one),
            content_place(region, owner, "message", "sealed", two),
        ):
            with pytest.raises(SealBroken):
                cipher.open(sealed, place)


async def test_a_wrapped_key_put_in_anothers_place_does_not_open(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1), "one"), message(2, person(1), "two"))
        one, two = [key for (key,) in await node.rows("SELECT key FROM message ORDER BY id")]
        async with node.keys.database.write() as transaction:
            await transaction.execute(
                "UPDATE row_key SET wrapped = (SELECT wrapped FROM row_key WHERE id = :two) WHERE id = :one",
                {"one": one, "two": two},
            )
        with pytest.raises(SealBroken):
            await node.keys.open_rows([one])
