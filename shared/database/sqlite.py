"""SQLite on disk: one writer and a few readers, each a connection with a thread of its own (aiosqlite)."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from shared.database.contract import Dialect, Reading, Step, StepResult, Transaction
from shared.database.sqlite_link import (
    BUSY_MS,
    DIALECT,
    STATEMENTS_KEPT,
    Job,
    Link,
    begin_write,
    checkpoint,
    checkpoint_behind,
    commit,
    create_private,
    examine,
    opener,
    read_step,
    roll_back,
    run_script,
    run_step,
)
from shared.database.transaction import OpenTransaction
from shared.errors import StoreUnavailable

T = TypeVar("T")

READERS = 3
"""How many transactions may read at the same time."""
CHECKPOINT_ROWS = 1_500
"""After so many changed rows the WAL is moved into the file: behind a commit, so that nobody who waits for that one
waits for this as well."""
AUTOCHECKPOINT_PAGES = 8_000
"""A commit that finds the WAL this long (pages of 4 KiB) all the same moves it into the file itself."""

# aiosqlite logs statements at level debug.  All it sees of ours are opaque jobs; this shuts it up besides.
logging.getLogger("aiosqlite").addFilter(lambda _record: False)


class _Thread:
    """A connection in its thread."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def do(self, job: Job[T]) -> T:
        """Run a job in the thread; jobs run one after the other, in the order in which they were handed in."""
        outcome: list[Any] = list(await self._connection.execute_fetchall(*job.envelope()))
        result: T = outcome[0]
        return result

    async def close(self) -> None:
        """Close the connection and end its thread."""
        await self._connection.close()


class _Transaction(OpenTransaction):
    def __init__(self, thread: _Thread, reads: bool) -> None:
        super().__init__()
        self._thread, self._step = thread, read_step if reads else run_step
        self.changed = 0

    async def _run(self, step: Step) -> StepResult:
        result = await self._thread.do(Job(partial(self._step, step=step)))
        self.changed += result.changed
        return result


class SqliteDatabase:
    """An open SQLite file; make one with :func:`open_sqlite`."""

    def __init__(self, writer: _Thread, readers: Sequence[_Thread]) -> None:
        """Take the connections over."""
        self._writer, self._turn, self._closed = writer, asyncio.Lock(), False
        self._all_readers = list(readers)
        self._changed = 0
        self._behind: asyncio.Task[None] | None = None
        self._readers: asyncio.LifoQueue[_Thread] = asyncio.LifoQueue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @property
    def engine(self) -> str:
        """``sqlite``."""
        return "sqlite"

    @property
    def dialect(self) -> Dialect:
        """The few words that differ between engines."""
        return DIALECT

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads; it sees the store as it was at its first statement."""
        self._check_open()
        reader = await self._readers.get()
        transaction = _Transaction(reader, reads=True)
        try:
            yield transaction
            transaction.check()
        finally:
            transaction.end()
            try:
                await reader.do(Job(roll_back))
            finally:  # also where this wait is cancelled: the job is queued before whatever comes next
                self._readers.put_nowait(reader)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that writes, alone among all writers of all processes."""
        async with self._turn:
            self._check_open()
            transaction = _Transaction(self._writer, reads=False)
            try:
                await self._writer.do(Job(begin_write))
                yield transaction
                transaction.check()
                transaction.end()
                await self._writer.do(Job(commit))
                self._count(transaction.changed)
            except BaseException:  # cancelled or failed: the roll-back queues up behind whatever still runs
                transaction.end()
                await self._writer.do(Job(roll_back))
                raise

    async def run(self, steps: Sequence[Step]) -> list[StepResult]:
        """Run a whole write transaction in one hop to the thread: committed and synced when this returns.

        If the caller is cancelled meanwhile, the transaction still ends whole: all of it or nothing.
        """
        async with self._turn:
            self._check_open()
            results = await self._writer.do(Job(partial(run_script, steps=steps)))
            self._count(sum(result.changed for result in results))
            return results

    async def checkpoint(self) -> bool:
        """Move the whole WAL into the file and empty it; ``False`` where a reader was in the way."""
        async with self._turn:
            self._check_open()
            return await self._writer.do(Job(checkpoint))

    async def examine(self) -> list[Reading]:
        """Read the writer's pragmas back."""
        async with self._turn:
            self._check_open()
            return await self._writer.do(Job(examine))

    async def close(self) -> None:
        """Finish what is queued, then close every connection: the readers first, the writer last."""
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            for _ in self._all_readers:
                await self._readers.get()
            for thread in (*self._all_readers, self._writer):
                await thread.close()

    def _count(self, rows: int) -> None:
        """Count changed rows; after enough of them have the WAL moved into the file, and do not wait for it."""
        self._changed += rows
        if self._changed >= CHECKPOINT_ROWS and (self._behind is None or self._behind.done()):
            self._changed = 0
            self._behind = asyncio.create_task(self._checkpoint_behind())

    async def _checkpoint_behind(self) -> None:
        """Take a turn like a writer; what fails now is tried again later, as SQLite does with its own."""
        async with self._turn:
            if not self._closed:
                with contextlib.suppress(StoreUnavailable):
                    await self._writer.do(Job(checkpoint_behind))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(cause="closed")


async def open_sqlite(
    path: Path | str,
    *,
    durable: bool = True,
    readers: int = READERS,
    autocheckpoint: int = AUTOCHECKPOINT_PAGES,
) -> SqliteDatabase:
    """Open the SQLite file at ``path``, making it (mode 0600) if there is none; its folder must exist.

    ``durable=False`` is for tests only: it does not wait for the disk.
    """
    path = Path(path)
    create_private(path)
    opened: list[_Thread] = []
    try:
        for reads in (False, *[True] * readers):
            opened.append(await _open_thread(path, durable=durable, reads=reads, autocheckpoint=autocheckpoint))
    except BaseException:  # whatever it was, no thread may stay behind
        for thread in opened:
            await thread.close()
        raise
    return SqliteDatabase(opened[0], opened[1:])


async def _open_thread(path: Path, **how: Any) -> _Thread:
    """Open one connection and set it up."""
    connection = aiosqlite.connect(
        path, factory=Link, isolation_level=None, cached_statements=STATEMENTS_KEPT, timeout=BUSY_MS / 1000
    )
    # A program that ends by an error, its stores not closed, must end; aiosqlite's threads would keep it alive.
    # Ending in the middle of a commit is what SQLite is made for.
    connection._thread.daemon = True  # noqa: SLF001 - aiosqlite 0.22 has no public way
    failed = False
    try:
        await connection
    except aiosqlite.Error:
        failed = True
    if failed:
        raise StoreUnavailable(cause="cannot open", path=str(path))
    thread = _Thread(connection)
    try:
        await thread.do(opener(path=path, **how))
    except BaseException:  # whatever it was, the thread may not stay behind
        await thread.close()
        raise
    return thread
