"""What only PostgreSQL has: a server that can refuse, go away, or end one of two that wait for each other."""

import asyncio

import pytest

from shared.database import Step
from shared.database.postgres import open_postgres
from shared.errors import StoreUnavailable

SCHEMA = "CREATE TABLE work (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL UNIQUE, state INTEGER NOT NULL) STRICT"
INSERT = "INSERT INTO work (mark, state) VALUES (:mark, 0)"


@pytest.fixture
async def store(postgres_url):
    opened = await open_postgres(postgres_url)
    await opened.run([Step(SCHEMA), Step(INSERT, [(1,), (2,), (3,)])])
    yield opened
    await opened.close()


async def test_commits_are_synced_on_every_connection(store):
    meet = asyncio.Barrier(5)

    async def ask() -> list[tuple[str, ...]]:
        async with store.read() as transaction:
            await meet.wait()
            return await transaction.fetch(
                "SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('jit')"
            )

    assert await asyncio.gather(*(ask() for _ in range(5))) == [[("on", "on", "off")]] * 5


async def test_two_take_different_work(store):
    take = f"SELECT id FROM work WHERE state = 0 ORDER BY id LIMIT 1{store.dialect.skip_locked}"
    async with store.write() as first, store.write() as second:
        assert await first.fetch(take) == [(1,)]
        assert await second.fetch(take) == [(2,)]


async def test_a_row_that_is_kept_is_waited_for(store):
    keep = f"SELECT state FROM work WHERE mark = 1{store.dialect.row_lock}"
    async with store.write() as first:
        await first.fetch(keep)
        waiting = asyncio.create_task(store.run([Step(keep), Step("UPDATE work SET state = state + 1 WHERE mark = 1")]))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await first.execute("UPDATE work SET state = 5 WHERE mark = 1")
    assert (await waiting)[0].rows == [(5,)]


async def test_of_two_blocks_that_wait_for_each_other_one_is_ended(store):
    meet = asyncio.Barrier(2)
    touch = "UPDATE work SET state = state + 1 WHERE mark = :mark"

    async def cross(first: int, second: int) -> None:
        async with store.write() as transaction:
            await transaction.execute(touch, {"mark": first})
            await meet.wait()
            await transaction.execute(touch, {"mark": second})

    results = await asyncio.gather(cross(1, 2), cross(2, 1), return_exceptions=True)
    [ended] = [result for result in results if result is not None]
    assert isinstance(ended, StoreUnavailable)
    async with store.read() as transaction:
        assert await transaction.fetch("SELECT state FROM work WHERE mark < 3") == [(1,), (1,)]


async def test_a_script_that_is_ended_runs_again(store):
    """A block takes 1 then 2, the script 2 then 1; whichever is ended, the script comes through."""
    touch = "UPDATE work SET state = state + 1 WHERE mark = :mark"
    try:
        async with store.write() as transaction:
            await transaction.execute(touch, {"mark": 1})
            script = asyncio.create_task(store.run([Step(touch, [(2,)]), Step(touch, [(1,)])]))
            await asyncio.wait([script], timeout=0.02)
            await transaction.execute(touch, {"mark": 2})
    except StoreUnavailable:
        pass
    assert [result.changed for result in await script] == [1, 1]


@pytest.mark.parametrize("notice_s", [0, 0.1])
async def test_a_connection_that_breaks_costs_its_transaction_only(store, notice_s):
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - the block is what raises
        async with store.write() as broken:
            await broken.execute(INSERT, {"mark": 9})
            [(pid,)] = await broken.fetch("SELECT pg_backend_pid()")
            async with store.write() as other:
                await other.fetch("SELECT pg_terminate_backend(CAST(:pid AS int))", {"pid": pid})
            await asyncio.sleep(notice_s)
            await broken.execute(INSERT, {"mark": 10})
    for _ in range(10):
        async with store.read() as transaction:
            assert await transaction.fetch("SELECT count(*) FROM work") == [(3,)]


async def test_when_no_connection_is_free_a_caller_is_told(postgres_url, monkeypatch):
    monkeypatch.setattr("shared.database.postgres._WAIT_S", 0.2)
    store = await open_postgres(postgres_url, connections=1)
    async with store.read():
        with pytest.raises(StoreUnavailable):
            await store.run([Step("SELECT 1")])
        with pytest.raises(StoreUnavailable):
            async with store.write():
                pass
    await store.close()


async def test_a_server_that_is_not_there_is_named_without_its_address(tmp_path):
    with pytest.raises(StoreUnavailable) as refused:
        await open_postgres(f"postgresql://me:planted-canary@/store?host={tmp_path}")
    assert "canary" not in f"{refused.value} {refused.value.__context__} {refused.value.__cause__}"


async def test_a_database_that_is_not_there_is_refused(postgres_url):
    with pytest.raises(StoreUnavailable):
        await open_postgres(postgres_url.replace("@/", "@/not_"))


async def test_a_plan_that_another_release_made_stale_is_made_anew(store, postgres_url):
    ask = Step("SELECT * FROM work WHERE mark = :mark", [(1,)])
    assert len((await store.run([ask]))[0].rows[0]) == 3
    other = await open_postgres(postgres_url)
    await other.run([Step("ALTER TABLE work ADD COLUMN note TEXT")])
    await other.close()
    assert len((await store.run([ask]))[0].rows[0]) == 4
