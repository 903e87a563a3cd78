"""Migrations on every driver: in order, once, whole, checked, and with an older release beside a newer one."""

import asyncio
from pathlib import Path

import pytest

import edge_node.storage
from shared.database import Database, StatementInvalid
from shared.database.migrations import ensure_current, migrate
from shared.errors import MigrationChanged, StoreTooNew
from shared.errors.custody import StoreTooOld

FIRST = "-- works-with: 1\nCREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT DEFAULT ';') STRICT; -- one; two\n"
SECOND = "-- works-with: 1\nALTER TABLE a ADD COLUMN b BLOB;\nCREATE INDEX a_b ON a (b) WHERE b IS NOT NULL;\n"
THIRD = "-- works-with: 3\nCREATE TABLE c (k TEXT NOT NULL, v INTEGER, PRIMARY KEY (k)) STRICT, WITHOUT ROWID;\n"
REAL = Path(edge_node.storage.__file__).parent / "migrations"


def release(folder: Path, *files: str) -> Path:
    """Lay out the migrations of a release."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, text in enumerate(files, 1):
        (folder / f"{number:04}_step_{number}.sql").write_text(text)
    (folder / "README.md").write_text("not a migration")
    return folder


async def history(store: Database) -> list[tuple[int, str, int, int]]:
    async with store.read() as transaction:
        return await transaction.fetch("SELECT number, name, works_with, applied_at FROM migration ORDER BY number")


async def test_each_is_applied_once_and_in_order(database, tmp_path):
    folder = release(tmp_path / "m", FIRST, SECOND)
    assert await migrate(database, folder, 5) == ["0001_step_1", "0002_step_2"]
    assert await migrate(database, folder, 6) == []
    assert await migrate(database, release(folder, FIRST, SECOND, THIRD), 7) == ["0003_step_3"]
    assert await history(database) == [(1, "0001_step_1", 1, 5), (2, "0002_step_2", 1, 5), (3, "0003_step_3", 3, 7)]
    async with database.write() as transaction:
        await transaction.execute("INSERT INTO a (b) VALUES (:b)", {"b": b"x"})
        assert await transaction.fetch("SELECT t, b FROM a") == [(";", b"x")]
        await transaction.execute("INSERT INTO c (k, v) VALUES (:k, :v)", {"k": "k", "v": 2**50})


async def test_an_applied_file_may_not_change(database, tmp_path):
    folder = release(tmp_path / "m", FIRST)
    await migrate(database, folder, 5)
    with pytest.raises(MigrationChanged):
        await migrate(database, release(folder, FIRST + "\n", SECOND), 6)
    assert len(await history(database)) == 1


async def test_windows_line_ends_are_no_change(database, tmp_path):
    folder = release(tmp_path / "m", FIRST)
    await migrate(database, folder, 5)
    (folder / "0001_step_1.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    assert await migrate(database, folder, 6) == []


async def test_a_failing_migration_leaves_nothing(database, tmp_path):
    broken = "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT; CREATE TABLE broken (;"
    folder = release(tmp_path / "m", FIRST, broken)
    with pytest.raises(StatementInvalid):
        await migrate(database, folder, 5)
    assert [number for number, *_ in await history(database)] == [1]
    mended = broken.replace("(;", "(id INTEGER PRIMARY KEY) STRICT;")
    assert await migrate(database, release(folder, FIRST, mended), 6) == ["0002_step_2"]


async def test_an_older_release_works_on_where_the_newer_allows(database, tmp_path):
    await migrate(database, release(tmp_path / "new", FIRST, SECOND), 5)
    assert await migrate(database, release(tmp_path / "old", FIRST), 6) == []


async def test_an_older_release_stops_where_the_newer_forbids(database, tmp_path):
    await migrate(database, release(tmp_path / "new", FIRST, SECOND, THIRD), 5)
    for files in ([FIRST], [FIRST, SECOND]):
        with pytest.raises(StoreTooNew):
            await migrate(database, release(tmp_path / "old", *files), 6)


async def test_what_only_reads_names_an_older_store_and_leaves_it(database, tmp_path):
    old, new = release(tmp_path / "old", FIRST), release(tmp_path / "new", FIRST, SECOND, THIRD)
    await migrate(database, old, 5)
    await ensure_current(database, old)
    with pytest.raises(StoreTooOld):
        await ensure_current(database, new)
    assert [number for number, *_ in await history(database)] == [1]
    await migrate(database, new, 6)
    await ensure_current(database, new)
    with pytest.raises(StoreTooNew):
        await ensure_current(database, old)


async def test_without_a_word_on_it_no_older_release_goes_on(database, tmp_path):
    silent = "CREATE TABLE d (id INTEGER PRIMARY KEY) STRICT;"
    await migrate(database, release(tmp_path / "new", FIRST, silent), 5)
    with pytest.raises(StoreTooNew):
        await migrate(database, release(tmp_path / "old", FIRST), 6)


async def test_numbers_have_no_gap(database, tmp_path):
    folder = release(tmp_path / "m", FIRST, SECOND, THIRD)
    (folder / "0002_step_2.sql").unlink()
    with pytest.raises(MigrationChanged):
        await migrate(database, folder, 5)
    (folder / "0002_step_2.sql").write_text(SECOND)
    (folder / "0002_again.sql").write_text(SECOND)
    with pytest.raises(MigrationChanged):
        await migrate(database, folder, 5)


async def test_two_that_migrate_at_once_both_succeed(pair, tmp_path):
    folder = release(tmp_path / "m", FIRST, SECOND, THIRD)
    applied = await asyncio.gather(migrate(pair[0], folder, 5), migrate(pair[1], folder, 6))
    assert sorted(applied[0] + applied[1]) == ["0001_step_1", "0002_step_2", "0003_step_3"]
    assert len(await history(pair[0])) == 3


@pytest.mark.parametrize("name", ["content", "keys"])
async def test_the_stores_of_this_release_can_be_made(database, name):
    if name == "keys" and database.engine != "sqlite":
        pytest.skip("the key store is always SQLite")
    applied = await migrate(database, REAL / name, 5)
    assert applied == sorted(file.stem for file in (REAL / name).glob("*.sql"))
