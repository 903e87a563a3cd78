"""Tells the company's own systems: takes deliveries that are due from the outbox, sends them, writes down the outcome.

A delivery is claimed for longer than sending can take, so that two processes never send the same one at once; one whose
process died is sent again when its claim is over.  So a receiver gets each event at least once, under the same
``webhook-id``.  Every hook is told by itself: one that does not answer keeps no other waiting.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Protocol

from control_plane.core.deliveries import message_id, outcome_of, signed_headers, wait_ms
from control_plane.core.events import told
from control_plane.core.minting import mint
from control_plane.metrics import Metrics
from control_plane.settings import Hooks
from control_plane.storage import hooks
from control_plane.storage.hooks import Due
from control_plane.storage.work import Store
from control_plane.usecases.signals import Signals
from shared.errors import HomeportError
from shared.telemetry import logger

_AT_ONCE = 8
"""Deliveries that one process sends to the same hook at the same time."""
_HOOKS_AT_ONCE = 64
"""Hooks that one process sends to at the same time."""
_CLAIM_SPARE_MS = 5_000
"""A claim outlasts the longest sending by so much."""


class Sends(Protocol):
    """What sends (:class:`control_plane.outgoing.sender.Sender`)."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int | None, str]:
        """Give the answer's status, or ``None``, and a code for what happened."""
        ...


class Teller:
    """Delivers events to hooks."""

    def __init__(
        self, store: Store, sender: Sends, mint_key: bytes, settings: Hooks, signals: Signals, metrics: Metrics
    ) -> None:
        """Take the outbox, the sender, the key from which hooks' secrets are minted, and the bounds."""
        self._store = store
        self._sender = sender
        self._mint_key = mint_key
        self._settings = settings
        self._signals = signals
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._telling: dict[str, asyncio.Task[None]] = {}
        """By hook: what is being sent to it."""

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="teller")

    async def stop(self) -> None:
        """End; what is being sent is sent again by whoever comes after."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for each in list(self._telling.values()):
            each.cancel()
        await self.idle()

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def round(self) -> int:
        """Begin to tell every hook that is owed something and not being told; give how many those are."""
        async with self._store.database.read() as t:
            owed = await hooks.due(t, self._store.clock.now())
        fresh = [hook for hook in owed if hook not in self._telling][: _HOOKS_AT_ONCE - len(self._telling)]
        for hook in fresh:
            self._telling[hook] = asyncio.create_task(self._tell(hook), name="teller-of-one-hook")
        return len(fresh)

    async def _tell(self, hook: str) -> None:
        """Send what is due to one hook, until nothing is; a store that is away is asked again by a later round."""
        try:
            while True:
                now = self._store.clock.now()
                until = now + int(self._settings.answer_seconds_max * 1000) + _CLAIM_SPARE_MS
                async with self._store.work() as work:
                    claimed = await hooks.claim(work.t, hook, now, until, _AT_ONCE)
                if not claimed:
                    return
                await asyncio.gather(*(self._deliver(each) for each in claimed))
        except HomeportError as error:
            logger().error("alert_telling_failed", error=type(error).__name__, code=error.code)
            await self._store.clock.sleep(1.0)
        finally:
            del self._telling[hook]

    async def _run(self) -> None:
        """Send whenever something happens or is due again; a store that is away is asked again."""
        while True:
            mark = self._signals.mark
            try:
                sent = await self.round()
            except HomeportError as error:
                logger().error("alert_telling_failed", error=type(error).__name__, code=error.code)
                sent = 0
            if not sent:
                pause = min(1.0, self._settings.retry_first_seconds)
                if self._signals.closing:
                    await self._store.clock.sleep(pause)
                await self._signals.wait_events(mark, pause)

    async def _deliver(self, due: Due) -> None:
        """Send one delivery; where its outcome cannot be written down, it is sent again when its claim is over."""
        try:
            await self._send(due)
        except Exception as error:  # noqa: BLE001 - one address that fails in a new way must not end all telling
            code = error.code if isinstance(error, HomeportError) else "unforeseen"
            logger().error("alert_telling_failed", error=type(error).__name__, code=code)

    async def _send(self, due: Due) -> None:
        """Send one delivery and write down what came of it."""
        body = told(due.event.kind, due.event.at, due.event.data)
        secret = mint(self._mint_key, "hook", due.hook)
        at = self._store.clock.now() // 1000
        headers = {"content-type": "application/json", "user-agent": "homeport-control/1"}
        headers |= signed_headers(secret, message_id(due.hook, due.event.id), at, body)
        status, code = await self._sender.post(due.url, headers, body)
        outcome = outcome_of(status, due.attempts + 1, self._settings.attempts_max)
        again = self._store.clock.now() + wait_ms(due.attempts + 1, self._settings.retry_first_seconds)
        async with self._store.database.write() as t:
            await hooks.settle(t, due, "given_up" if outcome == "gone" else outcome, code, again)
            if outcome == "gone":
                await hooks.close(t, due.hook, "gone")
        self._metrics.deliveries.labels(outcome).inc()
        if outcome in {"gone", "given_up"}:
            logger().warning("delivery_given_up", reason=code, attempt=due.attempts + 1)
