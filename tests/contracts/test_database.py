"""What every driver of ``shared/database`` does alike: results, counts, expectations, types."""

import pytest

from shared.database import Database, ScriptRefused, StatementInvalid, Step
from shared.errors import StoreUnavailable

THING = """
CREATE TABLE thing (
    id INTEGER PRIMARY KEY,
    mark BLOB NOT NULL UNIQUE,
    name TEXT,
    at INTEGER,
    weight REAL
) STRICT
"""
INSERT = "INSERT INTO thing (mark, name, at) VALUES (:mark, :name, :at)"
GUARDED = """
INSERT INTO thing (mark, name, at)
SELECT :mark, :name, :at WHERE NOT EXISTS (SELECT 1 FROM thing WHERE name = 'tombstone' AND mark = :mark)
ON CONFLICT DO NOTHING
"""


@pytest.fixture
async def store(database: Database) -> Database:
    async with database.write() as transaction:
        await transaction.execute(THING)
    return database


async def count(database: Database) -> int:
    async with database.read() as transaction:
        return (await transaction.fetch("SELECT count(*) FROM thing"))[0][0]


def marks(first: int, last: int) -> list[tuple[bytes, str | None, int]]:
    return [(number.to_bytes(8), None if number % 2 else "odd", number) for number in range(first, last)]


async def test_a_block_commits(store):
    async with store.write() as transaction:
        assert await transaction.execute(INSERT, {"mark": b"1", "name": "one", "at": 1}) == 1
    assert await count(store) == 1


async def test_an_exception_rolls_back(store):
    with pytest.raises(LookupError):  # noqa: PT012 - the block is what raises
        async with store.write() as transaction:
            await transaction.execute(INSERT, {"mark": b"1", "name": "one", "at": 1})
            raise LookupError
    assert await count(store) == 0


async def test_values_come_back_as_they_went_in(store):
    rows = [
        (b"\x00\xff", "Grüße 王小明 🙂 :name 'quoted'", -(2**63), 1.5),
        (b"", "", 2**63 - 1, -0.25),
        (b"x", None, None, None),
    ]
    async with store.write() as transaction:
        insert = "INSERT INTO thing (mark, name, at, weight) VALUES (:mark, :name, :at, :weight)"
        assert await transaction.execute_many(insert, rows) == 3
    async with store.read() as transaction:
        found = await transaction.fetch("SELECT mark, name, at, weight FROM thing ORDER BY id")
    assert found == rows
    assert all(type(row) is tuple for row in found)


async def test_a_query_for_many_values_gives_all_rows_in_their_order(store):
    await store.run([Step(INSERT, marks(0, 6))])
    ask = "SELECT mark, at FROM thing WHERE mark = :mark OR at < :below ORDER BY at"
    first, second, third = ((mark, at) for mark, _, at in marks(0, 3))
    wanted = [(third[0], 1), (b"nobody's", 0), (second[0], 2)]
    async with store.read() as transaction:
        assert await transaction.fetch_many(ask, wanted) == [first, third, first, second]
        assert await transaction.fetch_many(ask, []) == []
    async with store.write() as transaction:
        assert await transaction.fetch_many(ask, wanted[:1]) == [first, third]


async def test_a_truth_value_is_an_integer(store):
    async with store.write() as transaction:
        await transaction.execute(INSERT, {"mark": b"1", "name": None, "at": True})
        assert await transaction.fetch("SELECT at FROM thing WHERE at = :at", {"at": True}) == [(1,)]


async def test_numbers_are_64_bits_wide_wherever_they_stand(store):
    big = 2**40
    async with store.write() as transaction:
        assert await transaction.fetch("SELECT :n + 1, :n * 2", {"n": big}) == [(big + 1, big * 2)]
        await transaction.execute_many(INSERT, marks(0, 5))
        assert await transaction.execute("UPDATE thing SET at = at + :n WHERE at < :m", {"n": big, "m": 2}) == 2
        assert len(await transaction.fetch("SELECT id FROM thing ORDER BY at LIMIT :n", {"n": 3})) == 3


async def test_a_cast_names_the_type_of_what_may_be_null(store):
    ask = "SELECT id FROM thing WHERE CAST(:at AS INTEGER) IS NULL OR at = CAST(:at AS INTEGER)"
    async with store.write() as transaction:
        await transaction.execute_many(INSERT, marks(0, 3))
        assert len(await transaction.fetch(ask, {"at": None})) == 3
        assert len(await transaction.fetch(ask, {"at": 2})) == 1
        blob = await transaction.fetch("SELECT CAST(:b AS BLOB), CAST(:t AS TEXT)", {"b": None, "t": None})
        assert blob == [(None, None)]


async def test_a_conflict_that_does_nothing_changes_nothing(store):
    insert = f"{INSERT} ON CONFLICT DO NOTHING"
    [first, second] = await store.run([Step(insert, marks(0, 10)), Step(insert, marks(5, 12))])
    assert (first.changed, second.changed) == (10, 2)
    async with store.write() as transaction:
        assert await transaction.execute(insert, {"mark": marks(3, 4)[0][0], "name": "", "at": 0}) == 0
        assert await transaction.execute_many(insert, marks(11, 14)) == 2
    assert await count(store) == 14


async def test_a_conflict_that_updates_counts(store):
    upsert = f"{INSERT} ON CONFLICT (mark) DO UPDATE SET at = excluded.at WHERE thing.at < excluded.at"
    mark = b"m"
    [result] = await store.run([Step(upsert, [(mark, "", 1), (mark, "", 5), (mark, "", 3)])])
    assert result.changed == 2
    async with store.read() as transaction:
        assert await transaction.fetch("SELECT at FROM thing") == [(5,)]


async def test_a_guarded_insert_counts_what_it_let_in(store):
    await store.run([Step(INSERT, [(marks(3, 4)[0][0], "tombstone", 0)])])
    [result, single] = await store.run([Step(GUARDED, marks(0, 10)), Step(GUARDED, marks(3, 4))])
    assert (result.changed, single.changed) == (9, 0)


async def test_updates_and_deletes_count_over_all_rows_of_values(store):
    [_, update, delete] = await store.run(
        [
            Step(INSERT, marks(0, 10)),
            Step("UPDATE thing SET name = :name WHERE at >= :from_at", [("late", 5), ("later", 8), ("never", 99)]),
            Step("DELETE FROM thing WHERE at = :at", [(1,), (2,), (77,)]),
        ]
    )
    assert (update.changed, delete.changed) == (7, 2)
    assert (update.rows, delete.rows) == ([], [])


async def test_returning_gives_rows_in_order_of_execution(store):
    returning = f"{INSERT} ON CONFLICT DO NOTHING RETURNING at, mark"
    [many, one] = await store.run([Step(returning, marks(0, 5)), Step(returning, marks(4, 6))])
    assert [at for at, _ in many.rows] == [0, 1, 2, 3, 4]
    assert (many.changed, one.changed, one.rows) == (5, 1, [(5, marks(5, 6)[0][0])])
    async with store.write() as transaction:
        assert await transaction.fetch("DELETE FROM thing WHERE at < :at RETURNING at", {"at": 1}) == [(0,)]
        assert await transaction.execute("DELETE FROM thing WHERE at < :at RETURNING at", {"at": 3}) == 2


async def test_row_ids_are_drawn_and_never_given_to_two(store):
    async with store.write() as transaction:
        ids = [(await transaction.fetch(f"{INSERT} RETURNING id", dict(zip(("mark", "name", "at"), row, strict=True))))
               for row in marks(0, 4)]  # fmt: skip
    assert len({found[0][0] for found in ids}) == 4


async def test_a_change_behind_with_counts(store):
    insert = (
        "WITH given AS (SELECT CAST(:at AS INTEGER) AS at) INSERT INTO thing (mark, at) SELECT :mark, at FROM given"
    )
    [many, one] = await store.run([Step(insert, [(1, b"1"), (2, b"2")]), Step(insert, [(3, b"3")])])
    assert (many.changed, one.changed) == (2, 1)


async def test_a_query_changes_nothing_and_may_run_for_many_rows(store):
    [_, query] = await store.run([Step(INSERT, marks(0, 5)), Step("SELECT at FROM thing WHERE at = :at", [(1,), (4,)])])
    assert (query.rows, query.changed) == ([(1,), (4,)], 0)


async def test_a_step_without_rows_of_values_does_nothing(store):
    [result] = await store.run([Step(INSERT, [])])
    assert (result.rows, result.changed) == ([], 0)
    async with store.write() as transaction:
        assert await transaction.execute_many(INSERT, []) == 0


async def test_comments_strings_and_casts_hold_no_parameters(store):
    sql = """
    SELECT ':no', -- :not :this
           :yes /* nor :that */
    """
    async with store.read() as transaction:
        assert await transaction.fetch(sql, {"yes": 7}) == [(":no", 7)]


@pytest.mark.parametrize("expect", [9, 11, 0])
async def test_another_number_than_expected_rolls_all_back(store, expect):
    steps = [
        Step(INSERT, marks(100, 101)),
        Step(f"{INSERT} RETURNING id", marks(101, 103)),
        Step(INSERT, marks(0, 10), expect=expect),
    ]
    with pytest.raises(ScriptRefused) as refused:
        await store.run(steps)
    assert (refused.value.step, refused.value.expected, refused.value.found) == (2, expect, 10)
    assert await count(store) == 0


async def test_expectations_that_hold_commit(store):
    await store.run(
        [
            Step(INSERT, marks(0, 10), expect=10),
            Step("SELECT 1 FROM thing WHERE at = :at", [(1,)], expect=1),
            Step("UPDATE thing SET at = 0 WHERE at = :at", [(77,)], expect=0),
            Step("DELETE FROM thing WHERE at = :at RETURNING id", [(3,), (4,)], expect=2),
        ]
    )
    assert await count(store) == 8


async def test_a_query_that_finds_nothing_can_be_refused(store):
    with pytest.raises(ScriptRefused):
        await store.run([Step(INSERT, marks(0, 1)), Step("SELECT 1 FROM thing WHERE at = 55", expect=1)])
    assert await count(store) == 0


async def test_reading_transactions_refuse_to_write(store):
    with pytest.raises(StatementInvalid):
        async with store.read() as transaction:
            await transaction.execute(INSERT, {"mark": b"1", "name": None, "at": 1})
    await store.run([Step(INSERT, marks(0, 1))])
    assert await count(store) == 1


async def test_the_hooks_are_sql_of_the_engine(store):
    await store.run([Step(INSERT, marks(0, 3))])
    async with store.write() as transaction:
        for hook in (store.dialect.row_lock, store.dialect.skip_locked):
            assert await transaction.fetch(f"SELECT at FROM thing WHERE at = :at{hook}", {"at": 1}) == [(1,)]


async def test_after_its_block_a_transaction_is_over(store):
    async with store.write() as write:
        pass
    async with store.read() as read:
        pass
    for transaction in (write, read):
        with pytest.raises(StatementInvalid):
            await transaction.fetch("SELECT 1")


async def test_a_closed_database_says_so(store):
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.run([Step(INSERT, marks(0, 1))])
    for opening in (store.read, store.write):
        with pytest.raises(StoreUnavailable):
            async with opening() as transaction:
                await transaction.fetch("SELECT 1")


async def test_every_setting_that_a_promise_rests_on_can_be_read_back(database):
    readings = await database.examine()
    assert len({reading.name for reading in readings}) == len(readings) >= 4
    relaxed = {"synchronous"}  # tests do not wait for the disk
    assert [reading for reading in readings if reading.wanted != reading.found and reading.name not in relaxed] == []
