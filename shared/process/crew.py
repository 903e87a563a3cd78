"""Which workers there are and what becomes of them: the supervisor's decisions.

At any time there is at most one worker that *serves*, at most one that is *coming* up, and any number that
*leave*: replaced, draining, no longer accepting.
"""

import contextlib
import os
import selectors
from typing import Literal

from shared import telemetry
from shared.clock import Clock
from shared.process import systemd
from shared.process.child import Child, start
from shared.process.contract import NodeStatus, Plan, WorkerReport
from shared.process.door import Asker
from shared.process.listen import Listeners

_LEAVING_MAX = 4
"""Replaced workers that may take their time; with one more the oldest gets the shorter grace of a stop."""


class Crew:
    """The workers of one supervisor."""

    def __init__(self, plan: Plan, listeners: Listeners, selector: selectors.BaseSelector, clock: Clock) -> None:
        """Start nothing yet."""
        self._plan = plan
        self._listeners = listeners
        self._addresses = listeners.addresses()
        self._selector = selector
        self._clock = clock
        self._serves: Child | None = None
        self._coming: Child | None = None
        self._leave: list[Child] = []
        self._askers: list[Asker] = []
        """Who waits for the worker that is coming."""
        self._next_askers: list[Asker | None] = []
        """Who asked for a restart after that one had begun: code may have changed since, so one more follows."""
        self._generation = 0
        self._crashes = 0
        self._backoff_s = plan.timing.backoff_first_s
        self._start_at: float | None = None
        self._stopping = False
        self._served_once = False
        self.never_served: str | None = None
        """Why the very first worker did not get ready; ends the supervisor."""

    @property
    def gone(self) -> bool:
        """Say whether there is nothing left to wait for."""
        ended = self._stopping or self.never_served is not None
        return ended and not (self._serves or self._coming or self._leave)

    def status(self) -> NodeStatus:
        """Say how the node stands."""
        return NodeStatus(
            state=self._state(),
            pid=os.getpid(),
            worker=self._serves.pid if self._serves else 0,
            generation=self._serves.generation if self._serves else 0,
            draining=tuple(child.pid for child in self._leave),
            crashes=self._crashes,
            listeners=self._addresses,
            open_files=_open_files(),
        )

    def _state(self) -> Literal["starting", "running", "restarting", "stopping"]:
        """Name the state."""
        if self._stopping:
            return "stopping"
        if self._serves is None:
            return "starting"
        return "restarting" if self._coming else "running"

    def restart(self, asker: Asker | None) -> None:
        """Bring up a new worker; when it is ready it takes over.  ``asker`` hears how that ended."""
        if self._stopping:
            if asker is not None:
                asker.answer(self.status(), "the node is stopping")
        elif self._coming is not None:
            self._next_askers.append(asker)
        else:
            if asker is not None:
                self._askers.append(asker)
            if self._serves is not None:
                systemd.notify_reloading(self._clock)
            self._start()

    def stop(self) -> None:
        """Let every worker drain and go; asked twice, without waiting for idle connections."""
        if not self._stopping:
            telemetry.logger().info("stopping", pid=os.getpid())
            self._stopping = True
            self._start_at = None
            # Ours first: the worker takes in what the kernel has queued and then closes the last copy.
            self._listeners.close()
            self._askers += [asker for asker in self._next_askers if asker is not None]
            self._next_askers = []
            self._answer_all("the node is stopping")
        timing = self._plan.timing
        latest = self._clock.elapsed() + timing.stop_grace_s + timing.finish_s
        for child in self._all():
            child.tell("stop")
            child.kill_at = latest if child.kill_at is None else min(child.kill_at, latest)

    def kill_all(self) -> None:
        """End and reap every worker: only when the supervisor itself fails, else none is left."""
        for child in self._all():
            child.kill()
            child.process.wait()
            self._unwatch(child)

    def wait_s(self) -> float | None:
        """Give the seconds until something is due; None while only an event can change anything."""
        times = [child.kill_at for child in self._all() if child.kill_at is not None]
        times += [self._start_at] if self._start_at is not None else []
        return max(0.0, min(times) - self._clock.elapsed()) if times else None

    def look(self) -> None:
        """Take in what has happened: ended workers, reports, times that have come."""
        coming = self._coming
        if coming is not None and coming.is_ready and not self._stopping:
            self._take_over(coming)
        now = self._clock.elapsed()
        for child in self._all():
            reason = child.exit_reason()
            if reason is not None:
                self._ended(child, reason)
            elif child.kill_at is not None and now >= child.kill_at:
                self._overdue(child)
        if self._start_at is not None and now >= self._start_at:
            self._start()

    def _overdue(self, child: Child) -> None:
        """Kill a worker whose time is over; :meth:`_ended` follows."""
        telemetry.logger().error("worker_killed", worker=child.pid, generation=child.generation)
        if child is self._coming:
            child.report = WorkerReport(state="failed", reason="not ready in time")
        child.kill_at = None
        child.kill()

    def _start(self) -> None:
        """Start a worker; it is coming until it says ready."""
        self._start_at = None
        self._generation += 1
        now = self._clock.elapsed()
        try:
            child = start(self._plan, self._listeners, self._generation, now)
        except OSError as refused:
            self._failed(type(refused).__name__)
            return
        child.kill_at = now + self._plan.timing.ready_s
        self._coming = child
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._heard(child))
        telemetry.logger().info("worker_started", worker=child.pid, generation=child.generation)

    def _heard(self, child: Child) -> None:
        """Read a worker's report; its end of the channel closes when it ends, which SIGCHLD tells too."""
        if not child.read():
            self._unwatch(child)

    def _unwatch(self, child: Child) -> None:
        """Close our end of a worker's channel."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(child.channel)
        child.channel.close()

    def _take_over(self, child: Child) -> None:
        """Make the worker that is ready the one that serves; the one before drains."""
        now = self._clock.elapsed()
        telemetry.logger().info(
            "worker_ready", worker=child.pid, generation=child.generation, ms=int((now - child.since) * 1000)
        )
        before, self._serves, self._coming = self._serves, child, None
        child.since, child.kill_at = now, None
        self._served_once = True
        if before is not None:
            timing = self._plan.timing
            before.tell("handover")
            before.kill_at = now + timing.handover_grace_s + timing.finish_s
            self._leave.append(before)
            if len(self._leave) > _LEAVING_MAX:
                self._leave[0].tell("stop")
        systemd.notify("READY=1", f"MAINPID={os.getpid()}")
        self._answer_all("")
        self._begin_next()

    def _ended(self, child: Child, reason: str) -> None:
        """Take in that a worker has gone."""
        if child.report is None:
            child.read()
        self._unwatch(child)
        was_coming, served = child is self._coming, child is self._serves
        self._leave = [other for other in self._leave if other is not child]
        self._coming = None if was_coming else self._coming
        self._serves = None if served else self._serves
        if self._stopping or not (was_coming or served):
            telemetry.logger().info("worker_left", worker=child.pid, generation=child.generation, reason=reason)
        elif served:
            self._crashed(child, reason)
        else:
            report = child.report
            self._failed(report.reason if report is not None and report.reason else f"worker ended: {reason}")

    def _failed(self, reason: str) -> None:
        """Take in that a new worker did not get ready: the old one goes on; without one, try again later."""
        telemetry.logger().error("worker_failed", generation=self._generation, reason=reason)
        if not self._served_once:
            self.never_served = reason
            return
        if self._serves is not None:
            systemd.notify("READY=1")
        else:
            self._later()
        self._answer_all(reason)
        self._begin_next()

    def _crashed(self, child: Child, reason: str) -> None:
        """Replace a worker that ended unasked, at once the first time, later if it happens again and again."""
        self._crashes += 1
        if self._clock.elapsed() - child.since >= self._plan.timing.stable_s:
            self._backoff_s = self._plan.timing.backoff_first_s
        telemetry.logger().error(
            "worker_crashed", worker=child.pid, generation=child.generation, reason=reason, count=self._crashes
        )
        if self._coming is None:
            self._later()

    def _later(self) -> None:
        """Set the time of the next start and double the wait after it."""
        self._start_at = self._clock.elapsed() + self._backoff_s
        self._backoff_s = min(self._backoff_s * 2, self._plan.timing.backoff_max_s)

    def _answer_all(self, failed: str) -> None:
        """Tell those who wait how it ended: ``failed`` is empty where the new worker serves."""
        for asker in self._askers:
            asker.answer(self.status(), failed)
        self._askers.clear()

    def _begin_next(self) -> None:
        """Begin the restart that was asked for during the last one, for all who asked."""
        waiting, self._next_askers = self._next_askers, []
        self._askers += [asker for asker in waiting if asker is not None]
        if waiting and self._start_at is None:
            self.restart(None)

    def _all(self) -> list[Child]:
        """Give every worker there is."""
        return [child for child in (self._serves, self._coming, *self._leave) if child is not None]


def _open_files() -> int:
    """Count this process's descriptors, 0 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
