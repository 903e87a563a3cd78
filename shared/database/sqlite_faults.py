"""What SQLite raises, as errors of ours that hold no value of any row.

SQLite's own texts name tables and columns, but some quote what was given (``Could not decode to UTF-8 column``,
search syntax), so a text is passed on only where it is of a form known to hold nothing but our own SQL.
Codes: https://www.sqlite.org/rescode.html.
"""

import re
import sqlite3

from shared.database.contract import Constraint, ConstraintViolated, StatementInvalid
from shared.errors import StoreUnavailable

FAULTS = (sqlite3.Error, OverflowError, UnicodeError, ValueError, TypeError)
"""What a statement may raise: the last four where Python cannot hand a value to SQLite at all."""

_KINDS: dict[int, Constraint] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "unique",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign_key",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not_null",
}
_DATATYPE = 3091  # SQLITE_CONSTRAINT_DATATYPE, which Python 3.11 does not name
_PLACE = re.compile(r"(?:UNIQUE|NOT NULL) constraint failed: (?:index ')?([a-z_0-9., ]+)'?", re.ASCII)
_OUR_SQL = re.compile(
    r"no such (?:table|column|function|index): [\w.]+|near \"[^\"]{1,40}\": syntax error|incomplete input"
    r"|(?:table|index) \"?\w+\"? already exists|table \w+ has (?:no column named \w+|\d+ columns but \d+ values .*)"
    r"|ambiguous column name: [\w.]+|duplicate column name: \w+|Incorrect number of bindings supplied\..*"
    r"|ON CONFLICT clause does not match any .*|foreign key mismatch .*|You can only execute one statement .*",
    re.ASCII,
)


def fault_of(error: Exception, only_reads: bool = False) -> Exception:
    """Give the error of ours for what SQLite raised, to be raised outside of the ``except`` block.

    ``only_reads``: the connection refuses writes, so a refusal is our mistake and not the disk's.
    """
    code: int | None = getattr(error, "sqlite_errorcode", None)
    name: str = getattr(error, "sqlite_errorname", type(error).__name__)
    if code is None:
        return _without_code(error)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_CONSTRAINT and code != _DATATYPE:
        place = _PLACE.fullmatch(str(error))
        return ConstraintViolated(_KINDS.get(code, "other"), place.group(1) if place else "")
    ours = primary in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG)
    if ours or code == _DATATYPE or (only_reads and code == sqlite3.SQLITE_READONLY):
        return StatementInvalid(f"{name}{_hint(error)}")
    return StoreUnavailable(cause=name)


def _without_code(error: Exception) -> Exception:
    """Judge an error that comes from Python's side of the driver."""
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return StoreUnavailable(cause="closed")
    return StatementInvalid(f"{type(error).__name__}{_hint(error)}")


def _hint(error: Exception) -> str:
    text = str(error)
    return f": {text}" if _OUR_SQL.fullmatch(text) else ""
