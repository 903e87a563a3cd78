"""What is done every second, whoever asks: telling of nodes, forgetting what is old, counting.

Nodes that fell silent or do not follow the policy are told of once.  Every act is one statement or transaction
that does nothing the second time, so that processes need not take turns.
"""

import asyncio
import contextlib
from collections import Counter

from control_plane.core.events import KEPT_MS, EventData
from control_plane.core.health import POLICY_PROBLEMS, Newest, policy_problem
from control_plane.metrics import Metrics
from control_plane.storage import answers, cases, events, hooks, nodes, policies
from control_plane.storage.rosters import StoredNonces
from control_plane.storage.work import Store
from control_plane.usecases.node_health import newest_of
from control_plane.usecases.policies import tell_behind
from control_plane.usecases.signals import Signals
from shared.errors import HomeportError
from shared.telemetry import logger

LOOK_SECONDS = 1.0
_FORGET_EVERY = 60
"""Rounds between two times of forgetting."""


class Upkeep:
    """The background work of one process."""

    def __init__(self, store: Store, nonces: StoredNonces, signals: Signals, metrics: Metrics) -> None:
        """Take what it works on."""
        self._store = store
        self._nonces = nonces
        self._signals = signals
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="upkeep")

    async def stop(self) -> None:
        """End after the round that is under way, or in the middle of it: nothing is half done."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def round(self, *, forgets: bool) -> None:
        """Do everything once."""
        await self._tell_silence()
        await tell_behind(self._store)
        if forgets:
            await self._forget()
        await self._count()

    async def _run(self) -> None:
        """Do it every second; a store that is away is asked again."""
        rounds = 0
        while True:
            try:
                await self.round(forgets=rounds % _FORGET_EVERY == 0)
            except HomeportError as error:
                logger().error("alert_upkeep_failed", error=type(error).__name__, code=error.code)
            rounds += 1
            await self._store.clock.sleep(LOOK_SECONDS)

    async def _tell_silence(self) -> None:
        """Tell once of each node that missed three beats."""
        now = self._store.clock.now()
        async with self._store.database.read() as t:
            if not await nodes.overdue(t, now):
                return
        async with self._store.work() as work:
            for name in await nodes.fall_silent(work.t, now):
                await work.tell("node.silent", EventData(node=name))
                logger().warning("node_silent", node=name)

    async def _forget(self) -> None:
        """Forget nonces, answers and events whose time is over."""
        now = self._store.clock.now()
        await self._nonces.forget(now)
        async with self._store.database.write() as t:
            await answers.forget(t, now)
            await events.forget(t, now - KEPT_MS)

    async def _count(self) -> None:
        """Bring the gauges up to date."""
        async with self._store.database.read() as t:
            owed = await nodes.owed(t)
            self._metrics.open_cases.set(await cases.unfinished(t))
            self._metrics.partial_cases.set(await cases.partial(t))
            self._metrics.deliveries_waiting.set(await hooks.waiting(t))
            self._metrics.silent.set(await nodes.silent(t))
            newest = newest_of(await policies.newest(t))
            standing = await nodes.following_policy(t)
        self._metrics.owed.clear()
        for node, count in owed.items():
            self._metrics.owed.labels(node).set(count)
        self._count_policies(newest, standing)
        self._metrics.polls.set(self._signals.waiting)

    def _count_policies(self, newest: Newest | None, standing: list[nodes.Seen]) -> None:
        """Count the nodes that decide by another bundle than the newest, by problem."""
        self._metrics.policy_version.set(newest.version if newest is not None else 0)
        found = Counter(policy_problem(each.policy_version, each.policy_hash, newest) for each in standing)
        for problem in POLICY_PROBLEMS:
            self._metrics.policy_problems.labels(problem).set(found[problem])
