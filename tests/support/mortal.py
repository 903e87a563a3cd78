"""Stores that fail at the n-th call: before it is done, or after it is done and before anyone hears of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from edge_node import stores
from shared.database.contract import Database, Dialect, Reading, Step, StepResult, Transaction
from tests.support.interleave import Died


class Fate:
    """Counts the calls of all stores of a process and raises ``error`` at call ``at``; 0 lets everything pass."""

    def __init__(self) -> None:
        """Begin without a fate."""
        self.calls, self.at, self.error = 0, 0, BaseException()
        self.forever = False
        self.act: Callable[[], Awaitable[object]] | None = None
        self.turns = self.turn = 0

    def let_another(self, turn: int, act: Callable[[], Awaitable[object]]) -> None:
        """Let another process act right before call ``turn`` from now."""
        self.turns, self.turn, self.act = 0, turn, act

    async def meanwhile(self) -> None:
        """Count a call and let the other process act where its turn has come."""
        self.turns += 1
        if self.act is not None and self.turns == self.turn:
            act, self.act = self.act, None
            await act()

    def arm(self, at: int, error: BaseException) -> None:
        """Raise ``error`` at call ``at`` from now; where the process dies, at every one after it, too."""
        self.calls, self.at, self.error, self.forever = 0, at, error, isinstance(error, Died)

    def disarm(self) -> None:
        """Let everything pass."""
        self.at = 0

    def pass_by(self) -> None:
        """Count a call."""
        if self.at:
            self.calls += 1
            if self.calls == self.at or (self.forever and self.calls > self.at):
                raise self.error


class Mortal:
    """A database that fails as its fate says."""

    def __init__(self, real: Database, fate: Fate) -> None:
        """Take the open database over."""
        self._real, self._fate = real, fate

    @property
    def engine(self) -> str:
        """The engine of the real one."""
        return self._real.engine

    @property
    def dialect(self) -> Dialect:
        """The few words that differ between engines."""
        return self._real.dialect

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Read, or fail."""
        self._fate.pass_by()
        await self._fate.meanwhile()
        async with self._real.read() as transaction:
            yield transaction

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Write, or fail before the commit or after it."""
        await self._fate.meanwhile()
        async with self._real.write() as transaction:
            yield transaction
            self._fate.pass_by()
        self._fate.pass_by()

    async def run(self, steps: Sequence[Step]) -> list[StepResult]:
        """Run a script, or fail before it or after it."""
        self._fate.pass_by()
        await self._fate.meanwhile()
        results = await self._real.run(steps)
        self._fate.pass_by()
        return results

    async def checkpoint(self) -> bool:
        """Checkpoint, or fail."""
        self._fate.pass_by()
        return await self._real.checkpoint()

    async def examine(self) -> list[Reading]:
        """Examine the real one."""
        return await self._real.examine()

    async def close(self) -> None:
        """Close the real one: a process that died has closed its files, too."""
        await self._real.close()


def make_mortal(monkeypatch: pytest.MonkeyPatch) -> Fate:
    """Put every store that is opened from now on under one fate."""
    fate = Fate()
    for name in ("open_sqlite", "open_postgres"):
        real = getattr(stores, name)

        async def opened(*arguments: Any, real: Any = real, **named: Any) -> Mortal:
            return Mortal(await real(*arguments, **named), fate)

        monkeypatch.setattr(stores, name, opened)
    return fate
