"""The supervisor: holds the listening sockets for the node's whole life and sees to it that a worker serves.

It runs no event loop, reads no request and imports nothing of the app, so that it has little to go wrong and
need not change with a release.  One thread, one selector; everything that may happen is a callback.
"""

import contextlib
import os
import selectors
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from shared import telemetry
from shared.clock import Clock, SystemClock
from shared.errors import RestartFailed
from shared.process import systemd
from shared.process.contract import Addresses, ControlWord, Plan, Timing
from shared.process.crew import Crew
from shared.process.door import Asker, Door
from shared.process.hardening import harden
from shared.process.listen import Listeners, Wanted, open_listeners
from shared.process.pidfile import PidLock

_SIGNALS: dict[int, ControlWord] = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "stop",
    signal.SIGHUP: "restart",
}
_WAKE_BYTES = 4096
"""Read at once from the wake-up socket: one byte a signal."""


def supervise(
    settings_path: Path,
    *,
    app: str,
    listen: Sequence[Wanted],
    pid_file: Path,
    timing: Timing | None = None,
    log_level: str = "info",
    log_form: str = "json",
    connections_max: int = 4096,
    on_listening: Callable[[Addresses], None] | None = None,
) -> None:
    """Run a node until it is told to stop; returns when the last worker has drained and gone.

    ``listen`` names every listener with its address: ``host:port``, ``[ipv6]:port`` or ``unix:/path``; port 0 lets
    the system choose, and ``on_listening`` is called with the addresses as bound (``status`` tells them too).  Sockets
    handed over by systemd go before these.  Must be called in the main thread: it takes the signals.

    Raises :class:`SettingsInvalid` (an address), :class:`NodeRunning` (a second node on this folder) and
    :class:`RestartFailed` (the first worker did not get ready, with its reason).
    """
    telemetry.configure(level=log_level, form=log_form)
    harden()
    clock = SystemClock()
    plan = Plan(
        settings_path=str(settings_path),
        app=app,
        timing=timing or Timing(),
        log_level=log_level,
        log_form=log_form,
        connections_max=connections_max,
    )
    farewells: list[socket.socket] = []
    try:
        with (
            PidLock(pid_file) as lock,
            open_listeners(listen, clock=clock, patient=lock.stale) as listeners,
        ):
            _announce(listeners, on_listening)
            _Supervisor(plan, listeners, pid_file, clock, farewells).run()
    finally:
        # Who asked for the stop sees it done only now, when the pid file is free again.
        for sock in farewells:
            sock.close()


def _announce(listeners: Listeners, on_listening: Callable[[Addresses], None] | None) -> None:
    """Say where we listen, to the log and to the caller."""
    addresses = listeners.addresses()
    for name, address in addresses.items():
        telemetry.logger().info("listening", listener=name, path=address)
    if on_listening is not None:
        on_listening(addresses)


class _Supervisor:
    """The loop: signals, questions and workers' reports in, orders to the crew out."""

    def __init__(
        self, plan: Plan, listeners: Listeners, pid_file: Path, clock: Clock, farewells: list[socket.socket]
    ) -> None:
        """Hold what :func:`supervise` opened."""
        self._pid_file = pid_file
        self._clock = clock
        self._farewells = farewells
        self._selector = selectors.DefaultSelector()
        self._crew = Crew(plan, listeners, self._selector, clock)
        self._caught: list[int] = []

    def run(self) -> None:
        """Serve until the last worker has gone; :class:`RestartFailed` where the first never got ready."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._selector.close)
            undo.enter_context(self._signals())
            undo.callback(self._crew.kill_all)
            undo.callback(Door(self._pid_file, self._selector, self._asked).close)
            self._crew.restart(None)
            while not self._crew.gone:
                for key, _ in self._selector.select(self._crew.wait_s()):
                    key.data()
                while self._caught:
                    self._signalled(self._caught.pop(0))
                self._crew.look()
        failed = self._crew.never_served
        if failed is not None:
            raise RestartFailed(reason=failed)
        telemetry.logger().info("stopped", pid=os.getpid())

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Take the signals for as long as the loop runs; they wake the selector through a socket."""
        inner, outer = socket.socketpair()
        for end in (inner, outer):
            end.setblocking(False)
        self._selector.register(inner, selectors.EVENT_READ, lambda: _empty(inner))
        before = {number: signal.signal(number, self._catch) for number in (*_SIGNALS, signal.SIGCHLD)}
        wake_before = signal.set_wakeup_fd(outer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wake_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            inner.close()
            outer.close()

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal; the loop acts on it."""
        self._caught.append(number)

    def _signalled(self, number: int) -> None:
        """Act on a signal; SIGCHLD only had to wake the loop."""
        word = _SIGNALS.get(number)
        if word == "stop":
            self._stop()
        elif word == "restart":
            self._crew.restart(None)

    def _asked(self, word: ControlWord, asker: Asker) -> None:
        """Act on a question from the control socket."""
        if word == "restart":
            self._crew.restart(asker)
            return
        if word == "stop":
            self._stop()
            self._farewells.append(asker.sock)
        asker.answer(self._crew.status(), keep_open=word == "stop")

    def _stop(self) -> None:
        """Tell the manager and every worker that the node stops; a second time ends the grace."""
        systemd.notify("STOPPING=1")
        self._crew.stop()


def _empty(sock: socket.socket) -> None:
    """Read what the signals wrote."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(_WAKE_BYTES):
            pass
