"""What only SQLite has: files and their modes, pragmas, the WAL, and other processes at the same file."""

import asyncio
import logging
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared.database import Step, sqlite_link
from shared.database.inline import open_inline
from shared.database.sqlite import CHECKPOINT_ROWS, open_sqlite
from shared.database.sqlite_link import Job
from shared.errors import StoreUnavailable

ROOT = Path(__file__).parents[2]
SCHEMA = "CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB NOT NULL UNIQUE) STRICT"
INSERT = "INSERT INTO note (body) VALUES (:body)"
OPENERS = {"sqlite": open_sqlite, "inline file": open_inline}

COUNT_UP = """
import asyncio, sys
from pathlib import Path
from shared.database import Step
from shared.database.sqlite import open_sqlite

async def main():
    store = await open_sqlite(Path(sys.argv[1]), durable=False, autocheckpoint=4)
    for number in range(int(sys.argv[3])):
        body = f"{sys.argv[2]}-{number}".encode()
        if number % 2:
            await store.run([Step("INSERT INTO note (body) VALUES (:body)", [(body,)], expect=1)])
        else:
            async with store.write() as transaction:
                [(seen,)] = await transaction.fetch("SELECT count(*) FROM note")
                await transaction.execute("INSERT INTO note (body) VALUES (:body)", {"body": body})
                assert await transaction.fetch("SELECT count(*) FROM note") == [(seen + 1,)]
        async with store.read() as transaction:
            assert len(await transaction.fetch("SELECT 1 FROM note WHERE body = :body", {"body": body})) == 1
    await store.close()

asyncio.run(main())
"""
HOLD = """
import asyncio, sys
from pathlib import Path
from shared.database.sqlite import open_sqlite

async def main():
    store = await open_sqlite(Path(sys.argv[1]))
    async with store.write() as transaction:
        await transaction.execute("INSERT INTO note (body) VALUES (:body)", {"body": b"held"})
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
FAIL = """
import asyncio, sys
from pathlib import Path
from shared.database.sqlite import open_sqlite

async def main():
    store = await open_sqlite(Path(sys.argv[1]))
    raise LookupError("on purpose")

asyncio.run(main())
"""


@pytest.fixture(params=OPENERS)
async def file_store(request, tmp_path):
    store = await OPENERS[request.param](tmp_path / "store.db")
    await store.run([Step(SCHEMA)])
    yield store
    await store.close()


def python(script: str, *arguments: object, **how: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.parametrize("opener", OPENERS)
async def test_every_file_is_the_owners_alone(tmp_path, opener):
    before = os.umask(0)
    try:
        store = await OPENERS[opener](tmp_path / "store.db")
        await store.run([Step(SCHEMA)])
        found = modes(tmp_path)
        await store.close()
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm", "store.db-lock"), 0o600)


@pytest.mark.parametrize("opener", OPENERS)
async def test_files_that_others_could_read_are_narrowed(tmp_path, opener):
    store = await OPENERS[opener](tmp_path / "store.db")
    await store.close()
    (tmp_path / "store.db").chmod(0o644)
    store = await OPENERS[opener](tmp_path / "store.db")
    await store.run([Step(SCHEMA)])
    assert set(modes(tmp_path).values()) == {0o600}
    await store.close()


async def test_closing_leaves_one_file_with_everything_in_it(tmp_path):
    store = await open_sqlite(tmp_path / "store.db")
    await store.run([Step(SCHEMA), Step(INSERT, [(b"x",)])])
    await store.close()
    assert sorted(modes(tmp_path)) == ["store.db", "store.db-lock"]
    plain = sqlite3.connect(tmp_path / "store.db")
    assert plain.execute("SELECT body FROM note").fetchall() == [(b"x",)]
    plain.close()


async def test_the_pragmas_hold_on_every_connection(tmp_path):
    store = await open_sqlite(tmp_path / "store.db")
    names = "journal_mode synchronous secure_delete foreign_keys busy_timeout temp_store trusted_schema page_size"

    def ask(link):
        return [link.execute(f"PRAGMA {name}").fetchone()[0] for name in (*names.split(), "query_only")]

    wanted = ["wal", 2, 1, 1, 10_000, 2, 0, 4096]
    assert await store._writer.do(Job(ask)) == [*wanted, 0]
    for reader in store._all_readers:
        assert await reader.do(Job(ask)) == [*wanted, 1]
    await store.close()


@pytest.mark.parametrize("opener", OPENERS)
async def test_a_pragma_that_does_not_take_is_an_error(tmp_path, opener):
    plain = sqlite3.connect(tmp_path / "store.db")
    plain.executescript("PRAGMA page_size = 1024; CREATE TABLE t (x); PRAGMA journal_mode = wal;")
    plain.close()
    with pytest.raises(StoreUnavailable) as refused:
        await OPENERS[opener](tmp_path / "store.db")
    assert refused.value.details == {"cause": "pragma", "pragma": "page_size"}


@pytest.mark.parametrize("opener", OPENERS)
async def test_what_is_no_database_is_refused(tmp_path, opener):
    (tmp_path / "store.db").write_bytes(b"planted-canary " * 400)
    with pytest.raises(StoreUnavailable) as refused:
        await OPENERS[opener](tmp_path / "store.db")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("opener", OPENERS)
async def test_a_folder_that_is_not_there_is_refused(tmp_path, opener):
    with pytest.raises(StoreUnavailable):
        await OPENERS[opener](tmp_path / "nowhere" / "store.db")


async def test_a_full_disk_refuses_and_keeps_nothing_of_the_script(file_store):
    await file_store.run([Step(INSERT, [(b"first",)])])
    await _line(file_store).do(Job(lambda link: link.execute("PRAGMA max_page_count = 6").fetchall()))
    with pytest.raises(StoreUnavailable) as full:
        await file_store.run([Step(INSERT, [(bytes([n]) * 3000,) for n in range(20)])])
    assert full.value.details["cause"] == "SQLITE_FULL"
    await file_store.run([Step(INSERT, [(b"small",)])])
    async with file_store.read() as transaction:
        assert await transaction.fetch("SELECT body FROM note ORDER BY id") == [(b"first",), (b"small",)]


async def test_deleted_bytes_are_gone_after_a_checkpoint(file_store, tmp_path):
    secret = os.urandom(32)
    await file_store.run([Step(INSERT, [(secret,)])])
    await file_store.run([Step("DELETE FROM note")])
    assert await file_store.checkpoint() is True
    assert all(secret not in file.read_bytes() for file in tmp_path.iterdir())
    assert (tmp_path / "store.db-wal").stat().st_size == 0


@pytest.mark.parametrize("how", ["run", "write"])
async def test_many_changed_rows_reach_the_file_behind_their_commit(tmp_path, how):
    store = await open_sqlite(tmp_path / "store.db", autocheckpoint=0)
    await store.run([Step(SCHEMA)])
    rows = [(b"%08d" % number,) for number in range(CHECKPOINT_ROWS)]
    if how == "run":
        await store.run([Step(INSERT, rows)])
    else:
        async with store.write() as transaction:
            await transaction.execute_many(INSERT, rows)
    assert rows[-1][0] not in (tmp_path / "store.db").read_bytes()
    await asyncio.sleep(0)
    async with store.write() as transaction:  # waits until that is done, and is not disturbed by it
        assert rows[-1][0] in (tmp_path / "store.db").read_bytes()
        await transaction.execute(INSERT, {"body": b"later"})
    await store.close()
    await store._behind


async def test_a_checkpoint_says_where_a_reader_is_in_its_way(file_store):
    await file_store.run([Step(INSERT, [(b"1",)])])
    async with file_store.read() as transaction:
        await transaction.fetch("SELECT body FROM note")
        await file_store.run([Step(INSERT, [(b"2",)])])
        assert await file_store.checkpoint() is False
    assert await file_store.checkpoint() is True


async def test_the_thread_library_logs_nothing(tmp_path, caplog):
    with caplog.at_level(logging.DEBUG, logger="aiosqlite"):
        store = await open_sqlite(tmp_path / "store.db")
        await store.run([Step(SCHEMA), Step(INSERT, [(b"planted-canary",)])])
        async with store.read() as transaction:
            await transaction.fetch("SELECT * FROM note WHERE body = :body", {"body": b"planted-canary"})
        await store.close()
    assert not [record for record in caplog.records if record.name == "aiosqlite"]


def test_a_job_says_nothing_of_itself():
    job = Job(lambda _link: "planted-canary")
    assert "canary" not in f"{job!r} {job.envelope()!r}"


async def test_two_processes_write_one_file(tmp_path):
    """As while a restart overlaps; with a checkpoint every few pages, so that these overlap too."""
    store = await open_sqlite(tmp_path / "store.db")
    await store.run([Step(SCHEMA)])
    workers = [python(COUNT_UP, tmp_path / "store.db", name, 60) for name in ("one", "two")]
    for worker in workers:
        _, errors = await asyncio.to_thread(worker.communicate)
        assert (worker.returncode, errors) == (0, "")
    async with store.read() as transaction:
        [(found,)] = await transaction.fetch("SELECT count(*) FROM note")
        check = await transaction.fetch("PRAGMA integrity_check")
    assert (found, check) == (120, [("ok",)])
    await store.close()


async def test_a_killed_writer_leaves_neither_lock_nor_row(tmp_path):
    store = await open_sqlite(tmp_path / "store.db")
    await store.run([Step(SCHEMA)])
    holder = python(HOLD, tmp_path / "store.db")
    assert holder.stdout is not None
    assert await asyncio.to_thread(holder.stdout.readline) == "held\n"
    waiting = asyncio.create_task(store.run([Step(INSERT, [(b"mine",)])]))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    holder.send_signal(signal.SIGKILL)
    await asyncio.to_thread(holder.communicate)
    await waiting
    async with store.read() as transaction:
        assert await transaction.fetch("SELECT body FROM note") == [(b"mine",)]
    await store.close()


async def test_a_program_that_fails_ends_though_it_closed_nothing(tmp_path):
    failing = python(FAIL, tmp_path / "store.db")
    _, errors = await asyncio.to_thread(failing.communicate, timeout=60)
    assert failing.returncode == 1
    assert "on purpose" in errors


async def test_a_writer_that_never_ends_is_not_waited_for_forever(tmp_path, monkeypatch):
    first = await open_sqlite(tmp_path / "store.db")
    second = await open_sqlite(tmp_path / "store.db")
    monkeypatch.setattr(sqlite_link, "BUSY_MS", 100)
    async with first.write() as transaction:
        await transaction.execute(SCHEMA)
        with pytest.raises(StoreUnavailable) as busy:
            await second.run([Step(INSERT, [(b"x",)])])
    assert busy.value.details == {"cause": "busy"}
    await second.run([Step(INSERT, [(b"x",)])])
    await second.close()
    await first.close()


async def test_many_open_a_new_file_at_once(tmp_path):
    stores = await asyncio.gather(*(open_sqlite(tmp_path / "store.db") for _ in range(5)))
    await asyncio.gather(*(store.run([Step(SCHEMA.replace("TABLE", "TABLE IF NOT EXISTS"))]) for store in stores))
    for store in stores:
        await store.close()


def _line(store):
    """Give the writer's connection of either driver; both take jobs by ``do``."""
    return store._writer
