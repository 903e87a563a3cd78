"""What asyncpg raises, as errors of ours that hold no value of any row.

PostgreSQL's texts quote keys and values (``Key (mark)=(…) already exists``), so only the five-character code
goes on, and the message only for class 42, which speaks of our own SQL.
Codes: https://www.postgresql.org/docs/18/errcodes-appendix.html.
"""

import asyncpg

from shared.database.contract import Constraint, ConstraintViolated, StatementInvalid
from shared.errors import StoreUnavailable

FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    OverflowError,
    ValueError,
    TypeError,
)
"""What a statement may raise; :class:`TimeoutError` where no connection came free in time."""

_KINDS: dict[str, Constraint] = {
    "23505": "unique",
    "23503": "foreign_key",
    "23514": "check",
    "23502": "not_null",
}
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
_READ_ONLY = "25006"


def may_retry(error: Exception) -> bool:
    """Whether the whole transaction may simply be run again.

    A deadlock or serialization failure, or a cached plan that another process's migration made invalid.
    """
    return isinstance(error, _AGAIN)


def fault_of(error: Exception, only_reads: bool = False) -> Exception:
    """Give the error of ours for what asyncpg raised, to be raised outside of the ``except`` block.

    ``only_reads``: the transaction was opened for reading, so a refused write is our mistake.
    """
    if isinstance(error, asyncpg.PostgresError):
        return _of_server(error, error.sqlstate or "unknown", only_reads)
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        # asyncpg's DataError and its complaint about a wrong number of arguments; both quote the arguments.
        ours = isinstance(error, ValueError) or "arguments" in str(error) or "operation is in progress" in str(error)
        return StatementInvalid(type(error).__name__) if ours else StoreUnavailable(cause=type(error).__name__)
    if isinstance(error, OSError | TimeoutError):
        return StoreUnavailable(cause=type(error).__name__)
    return StatementInvalid(type(error).__name__)


def _of_server(error: asyncpg.PostgresError, code: str, only_reads: bool) -> Exception:
    if code.startswith("23"):
        place = ".".join(filter(None, (error.table_name, error.constraint_name or error.column_name)))
        return ConstraintViolated(_KINDS.get(code, "other"), place)
    if code.startswith("42"):
        refused = code == "42501"  # insufficient privilege: the operator's to mend
        return StoreUnavailable(cause=code) if refused else StatementInvalid(f"{code}: {error.message}")
    if code.startswith(("22", "0A")) or (only_reads and code == _READ_ONLY):
        return StatementInvalid(code)
    return StoreUnavailable(cause=code)
