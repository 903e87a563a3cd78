"""The one way to a database: what SQLite, PostgreSQL and the inline driver of simulations all do.

Statements use ``:name`` parameters, integers for time and booleans, BLOB for ciphertext, ``ON CONFLICT`` and
``RETURNING`` only, no JSON operators.  Rows come back as tuples in the order of the selected columns.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

Value = int | str | bytes | float | None
Row = tuple[Any, ...]
Parameters = Mapping[str, Value]


class Step(msgspec.Struct, frozen=True):
    """One statement of a script.

    ``rows`` holds one tuple of values per execution, in the order in which the statement's parameters first
    appear; ``expect``, where given, is the number of rows that all executions together must change or
    return: another number rolls the whole script back and raises :class:`ScriptRefused`.
    """

    sql: str
    rows: Sequence[Sequence[Value]] = ((),)
    expect: int | None = None


class StepResult(msgspec.Struct, frozen=True):
    """What a step did: rows returned (a query or ``RETURNING``) and rows changed."""

    rows: list[Row]
    changed: int


class ScriptRefused(Exception):
    """A step changed or returned another number of rows than it had to; nothing of the script was kept."""

    def __init__(self, step: int, expected: int, found: int) -> None:
        """Keep which step (from 0) it was and both numbers."""
        self.step, self.expected, self.found = step, expected, found
        super().__init__(f"step {step}: expected {expected} rows, found {found}")


Constraint = Literal["unique", "foreign_key", "check", "not_null", "other"]


class ConstraintViolated(Exception):
    """A row was refused by the schema; the transaction can only be rolled back."""

    def __init__(self, kind: Constraint, place: str = "") -> None:
        """Keep what was violated and, where the engine names it, the table, column or index; never a value."""
        self.kind, self.place = kind, place
        super().__init__(f"{kind}{f' ({place})' if place else ''}")


class StatementInvalid(Exception):
    """The statement or a value's type is wrong: a mistake in our code, not in the store.  Holds no value."""


class Dialect(msgspec.Struct, frozen=True):
    """The few words that differ between engines; each is appended to a ``SELECT`` or is empty."""

    row_lock: str
    """Keeps the rows found until the transaction ends; SQLite needs none, its writer is alone."""
    skip_locked: str
    """The same, passing over rows that another transaction keeps: for taking work from a table."""
    migration_lock: str
    """A whole statement that lets one process migrate at a time; empty where a write transaction is alone."""


class Reading(NamedTuple):
    """A setting of an open database that a promise rests on: its name, what it must be, what it is."""

    name: str
    wanted: str
    found: str


class Transaction(Protocol):
    """An open transaction; leaving its block commits, an exception rolls back.

    Once a statement has failed or was cancelled, every further one fails alike and the block cannot commit.
    """

    async def fetch(self, sql: str, parameters: Parameters = ...) -> list[Row]:
        """Run a query, or a statement with ``RETURNING``, and give all its rows."""
        ...

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> list[Row]:
        """Run a query once for each tuple of values (in order of first appearance); give all rows, in that order."""
        ...

    async def execute(self, sql: str, parameters: Parameters = ...) -> int:
        """Run a statement and give the number of rows it changed."""
        ...

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run a statement once for each tuple of values (in order of first appearance); give rows changed."""
        ...


class Database(Protocol):
    """An open database."""

    @property
    def engine(self) -> str:
        """``sqlite`` or ``postgresql``."""
        ...

    @property
    def dialect(self) -> Dialect:
        """The few words that differ between engines."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that only reads, on a connection apart from writers."""
        ...

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that writes: alone among writers on SQLite (``BEGIN IMMEDIATE``)."""
        ...

    async def run(self, steps: Sequence[Step]) -> list[StepResult]:
        """Run a whole write transaction in one go: committed and synced when this returns.

        On SQLite all of it is one hop to the connection's thread, which is what makes group commit cheap.
        """
        ...

    async def checkpoint(self) -> bool:
        """Empty the write-ahead log, so that what was deleted is not in it either; ``False``: somebody was in the way.

        Where the engine's log cannot be emptied from here (PostgreSQL recycles its own), nothing is done and there is
        nothing to try again: what is in it is sealed under keys that are destroyed.
        """
        ...

    async def examine(self) -> list[Reading]:
        """Read back every setting that a promise rests on, from the connection that writes."""
        ...

    async def close(self) -> None:
        """Finish what is queued and close every connection."""
        ...
