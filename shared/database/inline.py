"""SQLite without threads, for simulations: every statement runs where it is called, in an order one can repeat.

In memory (``path`` absent) there is one connection, so readers and writers take turns; on disk, reading has a
connection of its own as in ``sqlite.py``.  A simulation hands in ``pause``, awaited before every statement, to
let others run in between, or to end the process's life there.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from shared.database.contract import Dialect, Reading, StatementInvalid, Step, StepResult, Transaction
from shared.database.sqlite_link import (
    DIALECT,
    STATEMENTS_KEPT,
    Job,
    Link,
    begin_write,
    checkpoint,
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
Pause = Callable[[], Awaitable[None]]


async def _no_pause() -> None:
    """Go on at once."""


class _Turn:
    """A lock that says so, instead of waiting forever, when a task asks for it twice."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold the lock for the block."""
        task: asyncio.Task[object] | None = asyncio.current_task()
        if task is not None and self._holder is task:
            raise StatementInvalid("a transaction inside another on the same connection")
        async with self._lock:
            self._holder = task
            try:
                yield
            finally:
                self._holder = None


class _Line:
    """A connection, whose turn it is on it, and the pause before each statement."""

    def __init__(self, link: Link, pause: Pause) -> None:
        self.link, self.turn, self._pause = link, _Turn(), pause

    async def do(self, job: Job[T]) -> T:
        """Pause, then run the job at once."""
        await self._pause()
        return job.run(self.link)


class _Transaction(OpenTransaction):
    def __init__(self, line: _Line, reads: bool) -> None:
        super().__init__()
        self._line, self._step = line, read_step if reads else run_step

    async def _run(self, step: Step) -> StepResult:
        return await self._line.do(Job(partial(self._step, step=step)))


class InlineDatabase:
    """A SQLite database in the caller's own thread; make one with :func:`open_inline`."""

    def __init__(self, writer: _Line, reader: _Line) -> None:
        """Take the connections over; in memory both are one."""
        self._writer, self._reader, self._closed = writer, reader, False

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
        async with self._reader.turn.taken():
            self._check_open()
            transaction = _Transaction(self._reader, reads=True)
            link = self._reader.link
            shared = link is self._writer.link
            if shared:
                Job(_only_read).run(link)
            try:
                yield transaction
                transaction.check()
            finally:
                transaction.end()
                Job(roll_back).run(link)
                if shared:
                    Job(_write_again).run(link)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that writes, alone among all writers."""
        async with self._writer.turn.taken():
            self._check_open()
            transaction = _Transaction(self._writer, reads=False)
            try:
                await self._writer.do(Job(begin_write))
                yield transaction
                transaction.check()
                transaction.end()
                await self._writer.do(Job(commit))
            except BaseException:  # cancelled or failed: nothing of the transaction may stay
                transaction.end()
                Job(roll_back).run(self._writer.link)
                raise

    async def run(self, steps: Sequence[Step]) -> list[StepResult]:
        """Run a whole write transaction; nothing else runs meanwhile."""
        async with self._writer.turn.taken():
            self._check_open()
            return await self._writer.do(Job(partial(run_script, steps=steps)))

    async def checkpoint(self) -> bool:
        """Move the whole WAL into the file and empty it; ``False`` where a reader was in the way."""
        async with self._writer.turn.taken():
            self._check_open()
            return await self._writer.do(Job(checkpoint))

    async def examine(self) -> list[Reading]:
        """Read the writer's pragmas back."""
        async with self._writer.turn.taken():
            self._check_open()
            return await self._writer.do(Job(examine))

    async def close(self) -> None:
        """Wait for open transactions, then close."""
        async with self._writer.turn.taken():
            if self._closed:
                return
            self._closed = True
            if self._reader is not self._writer:
                async with self._reader.turn.taken():
                    self._reader.link.close()
            self._writer.link.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(cause="closed")


async def open_inline(
    path: Path | str | None = None, *, durable: bool = False, autocheckpoint: int = 1_000, pause: Pause = _no_pause
) -> InlineDatabase:
    """Open a database in memory, or the SQLite file at ``path`` as :func:`~shared.database.sqlite.open_sqlite` does.

    It does not wait for the disk unless ``durable``: what a simulated crash leaves is the simulation's business.
    """
    if path is None:
        line = _Line(_open(None, durable=durable, reads=False, autocheckpoint=autocheckpoint), pause)
        return InlineDatabase(line, line)
    path = Path(path)
    create_private(path)
    writer = _open(path, durable=durable, reads=False, autocheckpoint=autocheckpoint)
    try:
        reader = _open(path, durable=durable, reads=True, autocheckpoint=autocheckpoint)
    except BaseException:  # whatever it was, the first connection may not stay behind
        writer.close()
        raise
    return InlineDatabase(_Line(writer, pause), _Line(reader, pause))


def _open(path: Path | None, *, durable: bool, reads: bool, autocheckpoint: int) -> Link:
    try:
        link = sqlite3.connect(
            path or ":memory:", factory=Link, isolation_level=None, cached_statements=STATEMENTS_KEPT
        )
    except sqlite3.Error:
        link = None
    if link is None:
        raise StoreUnavailable(cause="cannot open", path=str(path))
    try:
        opener(path=path, durable=durable, reads=reads, autocheckpoint=autocheckpoint).run(link)
    except BaseException:  # whatever it was, the connection may not stay behind
        link.close()
        raise
    return link


def _only_read(link: Link) -> None:
    link.execute("PRAGMA query_only = 1")
    link.only_reads = True


def _write_again(link: Link) -> None:
    link.execute("PRAGMA query_only = 0")
    link.only_reads = False
