"""What every driver of ``shared/database`` makes of failures: our errors, no value in them, nothing half done."""

import asyncio
import traceback

import pytest

from shared.database import ConstraintViolated, Database, StatementInvalid, Step
from shared.errors import StoreUnavailable

SECRET = "planted-canary-8231"
SCHEMA = [
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE child (
        id INTEGER PRIMARY KEY,
        parent INTEGER NOT NULL REFERENCES parent (id),
        kind TEXT NOT NULL CHECK (kind IN ('a', 'b')),
        note TEXT
    ) STRICT""",
    "CREATE UNIQUE INDEX child_note ON child (note) WHERE kind = 'a'",
]
PARENT = "INSERT INTO parent (id, name) VALUES (:id, :name)"
CHILD = "INSERT INTO child (parent, kind, note) VALUES (:parent, :kind, :note)"
VIOLATIONS = {
    "unique": (PARENT, (2, SECRET)),
    "foreign_key": (CHILD, (77, "a", SECRET)),
    "check": (CHILD, (1, SECRET, SECRET)),
    "not_null": (CHILD, (1, None, SECRET)),
}
MISTAKES = {
    "no such table": ("INSERT INTO nothing (name) VALUES (:name)", (SECRET,)),
    "syntax": ("INSERT INSERT INTO parent VALUES (:name)", (SECRET,)),
    "too few values": (PARENT, (1,)),
    "too many values": (PARENT, (1, SECRET, SECRET)),
    "text for an integer": (PARENT, (SECRET, "x")),
    "an integer of 70 bits": (PARENT, (2**70, SECRET)),
    "half a surrogate pair": (PARENT, (5, f"{SECRET}\ud800")),
    "no value at all": (PARENT, (5, [SECRET])),
}


@pytest.fixture
async def store(database: Database) -> Database:
    async with database.write() as transaction:
        for statement in SCHEMA:
            await transaction.execute(statement)
        await transaction.execute(PARENT, {"id": 1, "name": SECRET})
    return database


async def count(store: Database, table: str = "parent") -> int:
    async with store.read() as transaction:
        return (await transaction.fetch(f"SELECT count(*) FROM {table}"))[0][0]


def told(error: BaseException) -> str:
    """Give everything that a log could print of an error, causes and contexts too."""
    return f"{error!r} {error} {''.join(traceback.format_exception(error))} {error.__context__!r} {error.__cause__!r}"


@pytest.mark.parametrize("kind", VIOLATIONS)
async def test_a_violated_constraint_is_named_without_a_value(store, kind):
    sql, values = VIOLATIONS[kind]
    for rows in ([values], [values, values]):
        with pytest.raises(ConstraintViolated) as violated:
            await store.run([Step(PARENT, [(9, "kept?")]), Step(sql, rows)])
        assert violated.value.kind == kind
        assert SECRET not in told(violated.value)
    with pytest.raises(ConstraintViolated) as violated:
        async with store.write() as transaction:
            await transaction.execute_many(sql, [values])
    assert violated.value.kind == kind
    assert SECRET not in told(violated.value)
    assert (await count(store), await count(store, "child")) == (1, 0)


async def test_the_place_of_a_violation_is_told(store):
    with pytest.raises(ConstraintViolated) as violated:
        await store.run([Step(PARENT, [(2, SECRET)])])
    assert violated.value.place.startswith("parent")


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_of_ours_is_named_without_a_value(store, mistake):
    sql, values = MISTAKES[mistake]
    with pytest.raises(StatementInvalid) as invalid:
        await store.run([Step(PARENT, [(9, "kept?")]), Step(sql, [values])])
    assert SECRET not in told(invalid.value)
    assert await count(store) == 1


async def test_a_missing_parameter_is_named(store):
    with pytest.raises(StatementInvalid, match="name"):
        async with store.write() as transaction:
            await transaction.execute(PARENT, {"id": 3})


async def test_a_block_that_swallows_a_failure_cannot_commit(store):
    with pytest.raises(ConstraintViolated):  # noqa: PT012 - the block is what raises
        async with store.write() as transaction:
            await transaction.execute(PARENT, {"id": 9, "name": "kept?"})
            with pytest.raises(ConstraintViolated):
                await transaction.execute(PARENT, {"id": 1, "name": "again"})
            with pytest.raises(ConstraintViolated):
                await transaction.execute(PARENT, {"id": 10, "name": "more"})
    assert await count(store) == 1


async def test_a_block_that_swallows_a_cancelled_statement_cannot_commit(store):
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - the block is what raises
        async with store.write() as transaction:
            task = asyncio.ensure_future(transaction.execute(PARENT, {"id": 9, "name": "kept?"}))
            await asyncio.sleep(0)
            if not task.cancel():
                raise StoreUnavailable(cause="cancelled")  # the inline driver was done before it could be cancelled
            await asyncio.wait([task])
    assert await count(store) == 1


async def test_a_cancelled_block_leaves_no_transaction_open(store):
    inside = asyncio.Event()

    async def stay() -> None:
        async with store.write() as transaction:
            await transaction.execute(PARENT, {"id": 9, "name": "kept?"})
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stay())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await store.run([Step(PARENT, [(9, "next")])]))[0].changed == 1
    assert await count(store) == 2


@pytest.mark.parametrize("turns", range(8))
async def test_cancelled_anywhere_a_store_goes_on_and_nothing_is_half_done(store, turns):
    """Cancel after some turns of the loop: while waiting, beginning, writing, committing or leaving."""

    async def block() -> None:
        async with store.write() as transaction:
            await transaction.execute(PARENT, {"id": 20, "name": "first"})
            await transaction.execute(PARENT, {"id": 21, "name": "second"})

    async def look() -> None:
        async with store.read() as transaction:
            await transaction.fetch("SELECT 1 FROM parent")

    script = store.run([Step(PARENT, [(30, "first")]), Step(PARENT, [(31, "second")])])
    tasks = [asyncio.ensure_future(each) for each in (block(), script, look(), look(), look(), look())]
    for _ in range(turns):
        await asyncio.sleep(0.0005)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.run([Step(PARENT, [(40, "after")])])
    async with store.write() as transaction:
        await transaction.execute(PARENT, {"id": 41, "name": "after too"})
    for _ in range(4):
        async with store.read() as transaction:
            ids = {row[0] for row in await transaction.fetch("SELECT id FROM parent")}
    assert {40, 41} <= ids
    assert ids & {20, 21} in (set(), {20, 21})
    assert ids & {30, 31} in (set(), {30, 31})
