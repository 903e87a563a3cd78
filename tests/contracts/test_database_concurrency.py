"""What every driver of ``shared/database`` keeps apart: writers from writers, readers from what is not committed."""

import asyncio
import random

import pytest

from shared.database import Database, StatementInvalid, Step

SCHEMA = "CREATE TABLE mark (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL UNIQUE, seen INTEGER NOT NULL) STRICT"
INSERT = "INSERT INTO mark (mark, seen) VALUES (:mark, 0) ON CONFLICT DO NOTHING"
SEEN = "SELECT seen FROM mark WHERE mark = 1"


async def prepare(store: Database) -> None:
    async with store.write() as transaction:
        await transaction.execute(SCHEMA)
        await transaction.execute(INSERT, {"mark": 1})


async def raise_seen(store: Database, times: int) -> None:
    for _ in range(times):
        async with store.write() as transaction:
            [(seen,)] = await transaction.fetch(f"{SEEN}{store.dialect.row_lock}")
            await asyncio.sleep(0)
            await transaction.execute("UPDATE mark SET seen = :seen WHERE mark = 1", {"seen": seen + 1})


async def test_no_update_is_lost_between_blocks(database):
    await prepare(database)
    await asyncio.gather(*(raise_seen(database, 5) for _ in range(8)))
    async with database.read() as transaction:
        assert await transaction.fetch(SEEN) == [(40,)]


async def test_no_update_is_lost_between_two_that_open_the_store(pair):
    await prepare(pair[0])
    await asyncio.wait_for(_take_turns(pair), 60)
    async with pair[0].read() as transaction:
        assert await transaction.fetch(SEEN) == [(20,)]


async def _take_turns(pair: tuple[Database, Database]) -> None:
    # One loop drives both, so an inline writer that waited for the other would wait for itself: they alternate.
    if type(pair[0]).__name__ == "InlineDatabase":
        for _ in range(10):
            await raise_seen(pair[0], 1)
            await raise_seen(pair[1], 1)
    else:
        await asyncio.gather(raise_seen(pair[0], 10), raise_seen(pair[1], 10))


async def test_each_mark_is_new_to_exactly_one_batch(pair):
    """The same marks in other orders, at once: what one engine serialises, the other may end as a deadlock."""
    await prepare(pair[0])
    chance = random.Random(7)
    batches = [chance.sample(range(100, 200), 60) for _ in range(12)]
    scripts = [pair[n % 2].run([Step(INSERT, [(mark,) for mark in batch])]) for n, batch in enumerate(batches)]
    results = await asyncio.gather(*scripts)
    assert sum(result.changed for [result] in results) == len(set().union(*batches))


async def test_a_reader_never_sees_what_is_rolled_back(database):
    await prepare(database)
    written, go = asyncio.Event(), asyncio.Event()

    async def write_and_fail() -> None:
        async with database.write() as transaction:
            await transaction.execute(INSERT, {"mark": 2})
            written.set()
            await go.wait()
            raise LookupError

    async def look() -> int:
        async with database.read() as transaction:
            return (await transaction.fetch("SELECT count(*) FROM mark"))[0][0]

    writer = asyncio.create_task(write_and_fail())
    await written.wait()
    reader = asyncio.create_task(look())
    await asyncio.wait([reader], timeout=0.05)
    go.set()
    with pytest.raises(LookupError):
        await writer
    assert await reader == 1


async def test_readers_do_not_wait_for_a_writer(pair):
    store = pair[0]
    await prepare(store)
    async with store.write() as writer:
        await writer.execute(INSERT, {"mark": 2})
        async with store.read() as reader:
            assert await reader.fetch("SELECT count(*) FROM mark") == [(1,)]


async def test_a_reader_sees_one_moment(pair):
    store = pair[0]
    await prepare(store)
    async with store.read() as reader:
        before = await reader.fetch("SELECT mark FROM mark")
        await store.run([Step(INSERT, [(2,), (3,)])])
        assert await reader.fetch("SELECT mark FROM mark") == before
    async with store.read() as reader:
        assert len(await reader.fetch("SELECT mark FROM mark")) == 3


async def test_several_read_at_once(pair):
    store = pair[0]
    if type(store).__name__ == "InlineDatabase":
        pytest.skip("the inline driver has one reader: a simulation runs in one order")
    await prepare(store)
    meet = asyncio.Barrier(3)

    async def look() -> None:
        async with store.read() as transaction:
            await transaction.fetch(SEEN)
            await meet.wait()

    await asyncio.wait_for(asyncio.gather(look(), look(), look()), 20)


async def test_many_readers_share_what_there_is(database):
    await prepare(database)

    async def look() -> int:
        async with database.read() as transaction:
            return len(await transaction.fetch(SEEN))

    assert await asyncio.gather(*(look() for _ in range(40))) == [1] * 40


async def test_in_memory_a_transaction_inside_another_is_refused_instead_of_waiting_forever(database):
    if type(database).__name__ != "InlineDatabase":
        pytest.skip("only the inline driver has one connection for both")
    await prepare(database)
    async with database.write() as outer:
        with pytest.raises(StatementInvalid):
            async with database.write():
                pass
        await outer.execute(INSERT, {"mark": 2})
    async with database.read() as transaction:
        assert len(await transaction.fetch("SELECT mark FROM mark")) == 2
