"""One connection to a SQLite file: how it is opened, and what runs on it.  Synchronous; no thread, no loop.

Both SQLite drivers stand on this page: ``sqlite.py`` hands the jobs to a thread, ``inline.py`` runs them at once.
Sources: https://www.sqlite.org/wal.html and https://www.sqlite.org/pragma.html, read for SQLite 3.40 to 3.53.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from shared.database.contract import Dialect, Reading, Row, ScriptRefused, Step, StepResult, Value
from shared.database.sqlite_faults import FAULTS, fault_of
from shared.database.sqlite_gate import Gate
from shared.database.statements import parse
from shared.errors import StoreUnavailable

T = TypeVar("T")

DIALECT = Dialect(row_lock="", skip_locked="", migration_lock="")
BUSY_MS = 10_000
"""How long a connection waits for another process that writes, in milliseconds."""
STATEMENTS_KEPT = 256
"""Prepared statements that a connection keeps."""
_CHECKPOINT_WAIT_MS = 500
_JOB = "-- a job"


class Told(sqlite3.Cursor):
    """Carries the outcome of a job out through ``fetchall``."""

    outcome: Any = None

    def fetchall(self) -> list[Any]:
        """Give the outcome as the only element."""
        return [self.outcome]


class Link(sqlite3.Connection):
    """A connection that also takes a whole job where a statement is expected.

    This is how a job reaches a connection's thread through aiosqlite's public interface in one hop, and why
    nothing that aiosqlite might log holds a statement or a value: all it is ever handed is an opaque job.
    """

    gate: Gate | None = None
    """Set on a connection that writes to a file."""
    only_reads = False
    wanted: dict[str, int | str] = {}  # noqa: RUF012  replaced, never changed: every pragma and its value

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement, or the job handed over by :meth:`Job.envelope`."""
        if sql != _JOB:
            return super().execute(sql, parameters)
        told = Told(self)
        told.outcome = parameters[0].run(self)
        return told

    def close(self) -> None:
        """Close the connection and its gate."""
        super().close()
        if self.gate is not None:
            self.gate.close()
            self.gate = None


class Job(Generic[T]):
    """Something to do with a connection; says nothing of itself when printed."""

    __slots__ = ("_act",)

    def __init__(self, act: Callable[[Link], T]) -> None:
        """Keep what is to be done."""
        self._act = act

    def run(self, link: Link) -> T:
        """Do it; whatever SQLite raises comes out as an error of ours, without a value in it or behind it."""
        try:
            return self._act(link)
        except FAULTS as error:
            fault = fault_of(error, link.only_reads)
        raise fault

    def envelope(self) -> tuple[str, tuple["Job[T]"]]:
        """Give what to pass to ``execute_fetchall`` so that the connection runs this job."""
        return _JOB, (self,)


def create_private(path: Path) -> None:
    """Make the file with mode 0600 before SQLite opens it, which gives ``-wal`` and ``-shm`` the same mode.

    Files that lie there already with a wider mode are narrowed.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            if each.exists() and each.stat().st_mode & 0o177:
                each.chmod(0o600)
    except OSError as error:
        raise StoreUnavailable(cause=os.strerror(error.errno or 0), path=str(path)) from None


def configure(link: Link, *, path: Path | None, durable: bool, reads: bool, autocheckpoint: int) -> None:
    """Set every pragma and read each back; a value that did not take is an error.

    A writer does so behind its gate, so that two processes that open a new file do not meet half way.
    """
    if path is not None and not reads:
        link.gate = Gate(Path(f"{path}-lock"))
        link.gate.shut(BUSY_MS)
    try:
        _configure(link, path is not None, durable, reads, autocheckpoint)
    finally:
        if link.gate is not None:
            link.gate.open()
    link.only_reads = reads


def _configure(link: Link, on_disk: bool, durable: bool, reads: bool, autocheckpoint: int) -> None:
    wanted: dict[str, int | str] = {
        "busy_timeout": BUSY_MS,
        "page_size": 4096,
        "journal_mode": "wal" if on_disk else "memory",
        "synchronous": 2 if durable else 0,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "secure_delete": 1,
        "foreign_keys": 1,
        "temp_store": 2,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "mmap_size": 0,
        "cache_size": -8_192 if reads else -32_768,
        "journal_size_limit": 67_108_864,
        "wal_autocheckpoint": autocheckpoint,
        "query_only": int(reads),
    }
    if not on_disk:
        del wanted["mmap_size"], wanted["wal_autocheckpoint"]
    for name, value in wanted.items():
        link.execute(f"PRAGMA {name} = {value}").fetchall()
    link.wanted = wanted
    for reading in examine(link):
        if reading.found != reading.wanted:
            raise StoreUnavailable(cause="pragma", pragma=reading.name)


def examine(link: Link) -> list[Reading]:
    """Read every pragma back."""
    return [
        Reading(name, str(value), ", ".join(str(row[0]) for row in link.execute(f"PRAGMA {name}").fetchall()))
        for name, value in link.wanted.items()
    ]


def begin_write(link: Link) -> None:
    """Open the write transaction: alone among all connections of all processes."""
    if link.gate is not None:
        link.gate.shut(BUSY_MS)
    try:
        link.execute("BEGIN IMMEDIATE")
    except BaseException:  # whatever it was, the gate must not stay shut
        if link.gate is not None:
            link.gate.open()
        raise


def commit(link: Link) -> None:
    """Commit and sync; on failure nothing is kept."""
    link.execute("COMMIT")
    if link.gate is not None:
        link.gate.open()


def roll_back(link: Link) -> None:
    """End the transaction without a trace; nothing to do where there is none."""
    try:
        if link.in_transaction:
            link.execute("ROLLBACK")
    finally:
        if link.gate is not None:
            link.gate.open()


def read_step(link: Link, step: Step) -> StepResult:
    """Run a step of a reading transaction, which begins with its first step."""
    if not link.in_transaction:
        link.execute("BEGIN DEFERRED")
    return run_step(link, step)


def run_script(link: Link, steps: Sequence[Step]) -> list[StepResult]:
    """Run a whole write transaction."""
    begin_write(link)
    try:
        results = [_expected(place, step, run_step(link, step)) for place, step in enumerate(steps)]
        commit(link)
    except BaseException:  # whatever it was, nothing of the script may stay
        roll_back(link)
        raise
    return results


def run_step(link: Link, step: Step) -> StepResult:
    """Run one statement for each of its rows of values."""
    statement = parse(step.sql)
    if statement.many and len(step.rows) > 1:
        return StepResult([], max(link.executemany(statement.sqlite, step.rows).rowcount, 0))
    rows: list[Row] = []
    changed = 0
    cursor = link.cursor()
    for values in step.rows:
        changed += _run_once(link, cursor, step.sql, values, rows)
    return StepResult(rows, changed)


def checkpoint(link: Link) -> bool:
    """Move all of the WAL into the file and empty it; ``False`` where a reader or another process is in the way."""
    if link.gate is not None:
        link.gate.shut(BUSY_MS)
    try:
        link.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
        found: list[tuple[int, int, int]] = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        link.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if link.gate is not None:
            link.gate.open()
    return found[0][0] == 0


def checkpoint_behind(link: Link) -> None:
    """Move into the file what nobody reads of the WAL, so that the next commit begins it anew; wait for no reader."""
    if link.gate is not None:
        link.gate.shut(BUSY_MS)
    try:
        link.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    finally:
        if link.gate is not None:
            link.gate.open()


def opener(**how: Any) -> Job[None]:
    """Give the job that configures a new connection; see :func:`configure`."""
    return Job(partial(configure, **how))


def _expected(place: int, step: Step, result: StepResult) -> StepResult:
    found = result.changed or len(result.rows)
    if step.expect is not None and found != step.expect:
        raise ScriptRefused(place, step.expect, found)
    return result


def _run_once(link: Link, cursor: sqlite3.Cursor, sql: str, values: Sequence[Value], rows: list[Row]) -> int:
    """Run a statement once, add what it returns to ``rows``, and give how many rows it changed."""
    statement = parse(sql)
    cursor.execute(statement.sqlite, values)
    if statement.returns:
        found = cursor.fetchall()
        rows.extend(found)
        return len(found) if statement.changes else 0
    if not statement.changes:
        return 0
    if cursor.rowcount >= 0:
        return cursor.rowcount
    return int(link.execute("SELECT changes()").fetchone()[0])
