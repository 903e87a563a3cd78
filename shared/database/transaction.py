"""An open transaction as all drivers share it: a few verbs over one step, and no way on after a failure."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import MappingProxyType

from shared.database.contract import Parameters, Row, StatementInvalid, Step, StepResult, Value
from shared.database.statements import bind
from shared.errors import StoreUnavailable

NO_PARAMETERS: Parameters = MappingProxyType({})


class OpenTransaction(ABC):
    """Fetch and execute, once or many times, over one step of a driver.

    PostgreSQL refuses everything after a failed statement and SQLite does not; here both do, so that code
    tested on one engine behaves the same on the other.
    """

    def __init__(self) -> None:
        """Start without a fault."""
        self._fault: Exception | None = None

    async def fetch(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Run a query, or a statement with ``RETURNING``, and give all its rows."""
        return (await self._guarded(Step(sql, [self._bound(sql, parameters)]))).rows

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> list[Row]:
        """Run a query once for each tuple of values; give all rows, in that order."""
        return (await self._guarded(Step(sql, rows))).rows

    async def execute(self, sql: str, parameters: Parameters = NO_PARAMETERS) -> int:
        """Run a statement and give the number of rows it changed."""
        return (await self._guarded(Step(sql, [self._bound(sql, parameters)]))).changed

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run a statement once for each tuple of values; give rows changed."""
        return (await self._guarded(Step(sql, rows))).changed

    def check(self) -> None:
        """Raise what went wrong earlier, so that a block which swallowed it cannot commit."""
        if self._fault is not None:
            raise self._fault

    def end(self) -> None:
        """Refuse whatever is asked after the block was left."""
        self._fault = StatementInvalid("the transaction is over")

    @abstractmethod
    async def _run(self, step: Step) -> StepResult:
        """Run one step on the driver."""

    def _bound(self, sql: str, parameters: Parameters) -> tuple[Value, ...]:
        try:
            return bind(sql, parameters)
        except StatementInvalid as fault:
            self._fault = self._fault or fault
            raise

    async def _guarded(self, step: Step) -> StepResult:
        self.check()
        try:
            return await self._run(step)
        except Exception as fault:  # kept whatever it is, and raised again to whoever tries to go on
            self._fault = fault
            raise
        except BaseException:  # cancelled: whether the statement ran is not known
            self._fault = StoreUnavailable(cause="cancelled")
            raise
