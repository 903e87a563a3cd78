"""Group commit: whatever waits is committed together, and every waiting webhook is answered after its own is safe.

One task commits one batch at a time; while it does, the next batch gathers.  What may wait is bounded in events and
bytes: beyond, a webhook is turned away before anything of it is written.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_node.metrics import Metrics
from edge_node.usecases.custody.quarantine import Gate
from edge_node.usecases.receiving.filing import Taken
from edge_node.usecases.receiving.taking_in import Outcome, TakingIn
from shared.clock import Clock
from shared.errors import HomeportError, QueueFull, ShuttingDown, StoreUnavailable
from shared.limits import BATCH_EVENTS_MAX
from shared.telemetry import logger


class _Waiting(NamedTuple):
    """One webhook's events, and who waits for them."""

    events: Sequence[Taken]
    size: int
    done: asyncio.Future[None]


class Committer:
    """The one writer of a process."""

    def __init__(
        self, taking_in: TakingIn | Gate, metrics: Metrics, clock: Clock, *, events_max: int, bytes_max: int
    ) -> None:
        """Take the bounds of what may wait: ``events_max`` events, ``bytes_max`` bytes."""
        self._taking_in = taking_in
        self._metrics = metrics
        self._clock = clock
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._queue: deque[_Waiting] = deque()
        self._events = self._bytes = 0
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.on_removal: Callable[[], None] = lambda: None
        metrics.waiting.set_function(lambda: self._events)

    @property
    def waiting(self) -> int:
        """Count the events that wait for commit."""
        return self._events

    def start(self) -> None:
        """Begin to commit."""
        self._task = asyncio.create_task(self._work(), name="committer")

    async def submit(self, events: Sequence[Taken], size: int) -> None:
        """Wait until ``events`` (``size`` bytes of a body) are safe in both stores; raises as :meth:`enqueue`."""
        await self.enqueue(events, size)

    def enqueue(self, events: Sequence[Taken], size: int) -> asyncio.Future[None]:
        """Queue ``events`` up; what is given is done when they are safe, or with what kept the stores from taking them.

        Raises ``QueueFull`` or ``ShuttingDown`` before anything is written.
        """
        if self._stopping or self._task is None:
            raise ShuttingDown
        if self._events + len(events) > self._events_max or self._bytes + size > self._bytes_max:
            raise QueueFull(waiting=self._events)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(events, size, done))
        self._events += len(events)
        self._bytes += size
        self._arrived.set()
        # A sender who hangs up cancels this future and nothing else: the commit goes on for the others.
        return done

    async def stop(self) -> None:
        """Commit what waits, take nothing more, and end."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _work(self) -> None:
        """Commit batch after batch until stopped and empty."""
        while True:
            if not self._queue:
                if self._stopping:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = self._gather()
            await self._commit(batch)
            self._events -= sum(len(waiting.events) for waiting in batch)
            self._bytes -= sum(waiting.size for waiting in batch)

    def _gather(self) -> list[_Waiting]:
        """Take whole webhooks off the queue, up to one batch."""
        batch = [self._queue.popleft()]
        count = len(batch[0].events)
        while self._queue and count + len(self._queue[0].events) <= BATCH_EVENTS_MAX:
            batch.append(self._queue.popleft())
            count += len(batch[-1].events)
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Commit a batch and tell everyone; where something unforeseen happens, each webhook, each event by itself."""
        events = [event for waiting in batch for event in waiting.events]
        began = self._clock.elapsed()
        try:
            outcome = await self._taking_in.take_in(events)
        except StoreUnavailable as error:
            self._fail(batch, error)
        except Exception as error:  # noqa: BLE001 - one webhook's fault must not fail its neighbours, nor end this task
            if len(batch) > 1:
                for waiting in batch:
                    await self._commit([waiting])
                return
            self._alert(error, len(events))
            if len(events) > 1:
                await self._commit_apart(batch[0])
                return
            self._fail(batch, error if isinstance(error, HomeportError) else StoreUnavailable(store="content"))
        else:
            self._succeed(batch, outcome, len(events), self._clock.elapsed() - began)

    async def _commit_apart(self, waiting: _Waiting) -> None:
        """Commit a webhook's events one by one: those that can be are safe, and it is sent again for the rest."""
        parts: list[asyncio.Future[None]] = []
        for event in waiting.events:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            await self._commit([_Waiting([event], 0, done)])
            parts.append(done)
        errors = [error for error in (part.exception() for part in parts) if error is not None]
        if not waiting.done.done():
            if errors:
                waiting.done.set_exception(errors[0])
            else:
                waiting.done.set_result(None)

    def _succeed(self, batch: Sequence[_Waiting], outcome: Outcome, events: int, seconds: float) -> None:
        """Tell everyone that their events are safe, and count."""
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_result(None)
        self._metrics.committed(outcome, events, seconds)
        if outcome.foreign_edits:
            logger().warning("alert_edit_by_another_author", count=outcome.foreign_edits)
        if outcome.removals:
            self.on_removal()

    def _fail(self, batch: Sequence[_Waiting], error: HomeportError) -> None:
        """Tell everyone that their events are not safe."""
        self._metrics.failed_batches.labels(error.code).inc()
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(error)

    def _alert(self, error: Exception, events: int) -> None:
        """Say that something unforeseen happened, by class name alone."""
        code = error.code if isinstance(error, HomeportError) else "unforeseen"
        logger().error("alert_commit_failed", error=type(error).__name__, code=code, events=events)
