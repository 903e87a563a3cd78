"""PostgreSQL, for a region that outgrew one machine (asyncpg).

Two differences from SQLite show through, and both are the caller's to know: writers run side by side, so a
write that depends on what it read must keep the row (``dialect.row_lock``); and :meth:`PostgresDatabase.run` may
run a script again after a deadlock, which cannot be seen from outside.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from functools import partial
from typing import Any, TypeVar

import asyncpg

from shared.database.contract import Dialect, Reading, ScriptRefused, Step, StepResult, Transaction
from shared.database.postgres_faults import FAULTS, fault_of, may_retry
from shared.database.statements import for_postgres, parse, postgres_types
from shared.database.transaction import OpenTransaction
from shared.errors import HomeportError, StoreUnavailable

T = TypeVar("T")

CONNECTIONS = 8
"""How many transactions of one process may be open at the same time."""
_WAIT_S = 10.0
_ATTEMPTS = 10
_AFTER_DEADLOCK = "SELECT pg_advisory_xact_lock(4718052602)"
_DIALECT = Dialect(
    row_lock=" FOR UPDATE",
    skip_locked=" FOR UPDATE SKIP LOCKED",
    migration_lock="SELECT pg_advisory_xact_lock(4718052601)",  # any number, as long as all releases use the same
)
_WANTED = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "archive_mode": "off",
    "wal_recycle": "off",
}
"""An archive of the log, and segments of it that are kept to be written over, keep what was removed, sealed under keys
that are destroyed, for as long as they are kept."""
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BEGIN_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"


class _Transaction(OpenTransaction):
    def __init__(self, connection: Any, reads: bool) -> None:
        super().__init__()
        self._connection, self._reads = connection, reads

    async def _run(self, step: Step) -> StepResult:
        return await _translated(_run_step(self._connection, step), self._reads)


class PostgresDatabase:
    """An open PostgreSQL database; make one with :func:`open_postgres`."""

    def __init__(self, pool: Any) -> None:
        """Take over an open pool of connections."""
        self._pool = pool

    @property
    def engine(self) -> str:
        """``postgresql``."""
        return "postgresql"

    @property
    def dialect(self) -> Dialect:
        """The few words that differ between engines."""
        return _DIALECT

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads; it sees the store as it was at its first statement."""
        async with self._open(_BEGIN_READ) as transaction:
            yield transaction

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that writes, beside other writers; each statement sees what was committed before it."""
        async with self._open(_BEGIN_WRITE) as transaction:
            yield transaction

    async def run(self, steps: Sequence[Step]) -> list[StepResult]:
        """Run a whole write transaction: committed and synced when this returns.

        Two batches that insert the same unique values in another order can lock each other out; PostgreSQL then
        ends one of them, and that one is run again here, up to ten times in all.  Scripts that run again do so one
        at a time, so that they cannot end each other anew.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._run_once(steps, again=attempt > 1)
            except FAULTS as error:
                fault = None if attempt < _ATTEMPTS and may_retry(error) else fault_of(error)
            if fault is not None:
                raise fault
        raise StoreUnavailable(cause="deadlock")

    async def checkpoint(self) -> bool:
        """Do nothing, which is all that can be done from here: the server recycles its log by itself."""
        return True

    async def examine(self) -> list[Reading]:
        """Read the server's settings that durability rests on."""
        async with self.read() as transaction:
            return [
                Reading(name, wanted, str((await transaction.fetch(f"SELECT current_setting('{name}')"))[0][0]))
                for name, wanted in _WANTED.items()
            ]

    async def close(self) -> None:
        """Wait for open transactions, then close every connection."""
        await self._pool.close()

    async def _run_once(self, steps: Sequence[Step], again: bool) -> list[StepResult]:
        results: list[StepResult] = []
        async with self._connection() as connection, _bracket(connection, _BEGIN_WRITE):
            if again:
                await connection.execute(_AFTER_DEADLOCK)
            for place, step in enumerate(steps):
                result = await _run_step(connection, step)
                found = result.changed or len(result.rows)
                if step.expect is not None and found != step.expect:
                    raise ScriptRefused(place, step.expect, found)
                results.append(result)
        return results

    @contextlib.asynccontextmanager
    async def _open(self, begin: str) -> AsyncIterator[_Transaction]:
        reads = begin == _BEGIN_READ
        connection = await _translated(self._pool.acquire(timeout=_WAIT_S), reads)
        transaction = _Transaction(connection, reads)
        try:
            await _translated(connection.execute(begin), reads)
            yield transaction
            transaction.check()
            transaction.end()
            await _translated(connection.execute("COMMIT"), reads)
        except BaseException:  # whatever it was, nothing of the transaction may stay
            transaction.end()
            await _roll_back(connection)
            raise
        finally:
            await self._release(connection)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await self._pool.acquire(timeout=_WAIT_S)
        try:
            yield connection
        finally:
            await self._release(connection)

    async def _release(self, connection: Any) -> None:
        """Give a connection back; one that broke is thrown away, which changes nothing of what was committed."""
        with contextlib.suppress(*FAULTS):
            await self._pool.release(connection)


async def open_postgres(url: str, *, durable: bool = True, connections: int = CONNECTIONS) -> PostgresDatabase:
    """Connect to the database at ``url`` (``postgresql://…``, libpq's form, ``sslmode`` included).

    Every connection reads back that its commits are synced to the server's disk and that the database speaks
    UTF-8; ``durable=False`` is for tests only.  Raises :class:`StoreUnavailable`; the URL, which may hold a
    password, is in no error.
    """
    settings = {
        "application_name": "homeport",
        "synchronous_commit": "on" if durable else "off",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
    }
    pool = asyncpg.create_pool(
        url,
        min_size=1,
        max_size=connections,
        init=partial(_read_back, durable=durable),
        reset=_leave_clean,
        timeout=_WAIT_S,
        statement_cache_size=512,
        max_cached_statement_lifetime=0,
        server_settings=settings,
    )
    await _translated(_ready(pool), reads=False)
    return PostgresDatabase(pool)


async def _ready(pool: Any) -> None:
    await pool


async def _read_back(connection: Any, *, durable: bool) -> None:
    """Refuse a server whose commits would not last."""
    wanted = {"server_encoding": "UTF8", "standard_conforming_strings": "on"}
    if durable:
        wanted |= {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on"}
    for name, value in wanted.items():
        if await connection.fetchval("SELECT current_setting($1)", name) != value:
            raise StoreUnavailable(cause="setting", setting=name)


async def _leave_clean(connection: Any) -> None:
    """Before a connection goes back to the pool: one that is still in a transaction is thrown away."""
    if connection.is_in_transaction():
        connection.terminate()


async def _run_step(connection: Any, step: Step) -> StepResult:
    """Run one statement for each of its rows of values, as asyncpg and PostgreSQL want it; raises theirs."""
    statement = parse(step.sql)
    if not step.rows:
        return StepResult([], 0)
    types = postgres_types(step.rows)
    if statement.returns or len(step.rows) > 1:
        # Changes of many rows go out in one stream; RETURNING says of each execution how many rows it changed.
        sql = for_postgres(step.sql, types, counted=True)
        if len(step.rows) == 1:
            found = await connection.fetch(sql, *step.rows[0])
        else:
            found = await connection.fetchmany(sql, step.rows)
        rows = [tuple(row) for row in found] if statement.returns else []
        return StepResult(rows, len(found) if statement.changes else 0)
    told: str = await connection.execute(for_postgres(step.sql, types), *step.rows[0])
    return StepResult([], int(told.rsplit(" ", 1)[-1]) if statement.changes else 0)


@contextlib.asynccontextmanager
async def _bracket(connection: Any, begin: str) -> AsyncIterator[None]:
    """Begin, commit, or roll back whatever was raised."""
    try:
        await connection.execute(begin)
        yield
        await connection.execute("COMMIT")
    except BaseException:  # whatever it was, nothing of the transaction may stay
        await _roll_back(connection)
        raise


async def _roll_back(connection: Any) -> None:
    """End the transaction; where the connection broke, the server has done so by itself.

    A connection that broke may have left the pool already, and then refuses every call, questions included.
    """
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except FAULTS:
        with contextlib.suppress(asyncpg.InterfaceError):
            connection.terminate()


async def _translated(act: Awaitable[T], reads: bool) -> T:
    """Await something of asyncpg's; what it raises comes out as an error of ours, without a value behind it."""
    try:
        return await act
    except (ScriptRefused, HomeportError):
        raise
    except FAULTS as error:
        fault = fault_of(error, reads)
    raise fault
