"""The worker: a fresh interpreter that opens the node, serves on inherited sockets, and drains when told.

Started by ``shared.process.child`` as ``python -m shared.process.worker ORDER`` where ORDER is a
:class:`WorkerOrder` in JSON.  Exit status: 0 after a drain, 1 where the node could not be opened.
"""

import asyncio
import gc
import importlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, cast

import msgspec
import uvloop

from shared import telemetry
from shared.clock import Clock, SystemClock
from shared.errors import HomeportError
from shared.process.contract import (
    MESSAGE_BYTES_MAX,
    NodeFactory,
    OpenNode,
    Timing,
    WorkerOrder,
    WorkerReport,
)
from shared.process.hardening import harden
from shared.process.quiet import on_loop_error, quieten
from shared.process.serving import Listener

_CHECK_S = 0.02
"""How often a draining worker looks whether connections are left."""

_YOUNG_MAX = 50_000
"""New objects after which the garbage collector looks at the young ones."""

_SWITCH_S = 0.02
"""How long one thread may keep the interpreter while others wait.  The others are the stores' threads, which give it
back and ask for it again with every row: at Python's 5 ms a busy loop was interrupted for nothing."""

Mode = Literal["serve", "handover", "stop", "now"]


class Orders:
    """What this worker has been told, by its supervisor or by a signal; the supervisor's end is a stop."""

    def __init__(self, channel: socket.socket, clock: Clock) -> None:
        """Listen on ``channel``, one end of a pair of SOCK_SEQPACKET sockets."""
        self._channel = channel
        self._clock = clock
        self.mode: Mode = "serve"
        self.stop_told = 0.0
        """When the stop came, in seconds of ``Clock.elapsed``."""
        self.told = asyncio.Event()

    def listen(self) -> None:
        """Hear the channel and SIGTERM from now on."""
        loop = asyncio.get_running_loop()
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._read)
        loop.add_signal_handler(signal.SIGTERM, self._stop)

    def report(self, report: WorkerReport) -> None:
        """Tell the supervisor; its absence is noticed by :meth:`_read`."""
        try:
            self._channel.send(msgspec.json.encode(report))
        except OSError:
            return

    def _read(self) -> None:
        """Take in one word; an end of file means that the supervisor has gone."""
        try:
            word = self._channel.recv(MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            word = b""
        if word == b"handover" and self.mode == "serve":
            self.mode = "handover"
            self.told.set()
        elif word in (b"", b"stop"):
            if not word:
                asyncio.get_running_loop().remove_reader(self._channel)
            self._stop()

    def _stop(self) -> None:
        """Begin to stop; the second time, do not wait for idle connections."""
        if self.mode == "stop":
            self.mode = "now"
        elif self.mode != "now":
            self.mode, self.stop_told = "stop", self._clock.elapsed()
        self.told.set()


async def drain(listeners: list[Listener], orders: Orders, timing: Timing, clock: Clock) -> int:
    """Wait until no connection is left or the grace is over; give how many were left.

    Connections must be gone twice in a row: one that was accepted in the last turn of the loop shows up late.
    """
    began = clock.elapsed()
    empty = 0
    while empty < 2 and orders.mode != "now":
        late = clock.elapsed() >= began + timing.handover_grace_s
        if late or (orders.mode == "stop" and clock.elapsed() >= orders.stop_told + timing.stop_grace_s):
            break
        await clock.sleep(_CHECK_S)
        empty = 0 if any(listener.connections for listener in listeners) else empty + 1
    return sum(listener.connections for listener in listeners)


async def serve(order: WorkerOrder, clock: Clock) -> int:
    """Open the node, serve until told otherwise, drain, close the node; give the exit status."""
    asyncio.get_running_loop().set_exception_handler(on_loop_error)
    orders = Orders(socket.socket(fileno=order.channel_fd), clock)
    orders.listen()
    sockets = {name: socket.socket(fileno=fd) for name, fd in order.socket_fds.items()}
    for sock in sockets.values():
        sock.set_inheritable(False)
    opened = False
    try:
        async with _factory(order.plan.app)(Path(order.plan.settings_path)) as node:
            opened = True
            await _serve_node(node, sockets, order, orders, clock)
    except Exception as error:  # noqa: BLE001  the last frame: whatever it is, the supervisor must hear its name
        _report_failure(orders, error, opened=opened)
        return 1
    return 0


async def _serve_node(
    node: OpenNode, sockets: dict[str, socket.socket], order: WorkerOrder, orders: Orders, clock: Clock
) -> None:
    """Serve the applications of an open node until told to drain, and drain."""
    plan = order.plan
    listeners = [
        Listener(node.apps[name], sock, connections_max=plan.connections_max, finish_s=plan.timing.finish_s / 2)
        for name, sock in sockets.items()
    ]
    for listener in listeners:
        await listener.open()
    _settle_memory()
    orders.report(WorkerReport(state="ready"))
    await orders.told.wait()
    began = clock.elapsed()
    telemetry.logger().info(
        "draining", generation=order.generation, reason=orders.mode, waiting=sum(one.connections for one in listeners)
    )
    for listener in listeners:
        await listener.step_aside(empty_queue=orders.mode != "handover")
    await _step_back(node)
    left = await drain(listeners, orders, plan.timing, clock)
    await asyncio.gather(*(listener.close() for listener in listeners))
    telemetry.logger().info(
        "drained", generation=order.generation, waiting=left, ms=int((clock.elapsed() - began) * 1000)
    )


def _settle_memory() -> None:
    """Keep collector and threads from taking the loop's time; first the walks through what lives as long as we do.

    What is there once the node is open is set apart; young objects are looked at by tens of thousands, as a batch makes
    thousands that reference counting frees.  Left alone, collections took a tenth of the time and stopped everybody
    for 100 ms now and then.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX, 50, 100)
    sys.setswitchinterval(_SWITCH_S)


async def _step_back(node: OpenNode) -> None:
    """Let the node give up its leases, if it has any."""
    step_back = cast("Callable[[], Awaitable[None]] | None", getattr(node, "step_back", None))
    if step_back is not None:
        try:
            await step_back()
        except Exception as error:  # noqa: BLE001  whatever it is, open connections are still owed their answers
            telemetry.logger().error("step_back_failed", error=type(error).__name__)


def _factory(name: str) -> NodeFactory:
    """Find the function ``module:function`` that opens a node."""
    module, _, function = name.partition(":")
    return cast("NodeFactory", getattr(importlib.import_module(module), function))


def _report_failure(orders: Orders, error: Exception, *, opened: bool) -> None:
    """Tell log and supervisor why; only a named error's text is free of content by construction."""
    named = isinstance(error, HomeportError)
    code = error.code if isinstance(error, HomeportError) else ""
    reason = str(error) if named else type(error).__name__
    telemetry.logger().error("worker_broke" if opened else "node_not_opened", error=type(error).__name__, code=code)
    orders.report(WorkerReport(state="failed", code=code, reason=reason[:1000]))


def main(arguments: list[str]) -> int:
    """Run a worker with its one argument; give the exit status."""
    harden()
    # Terminal signals are the supervisor's; a worker leaves when told, on SIGTERM, or when the channel ends.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    order = msgspec.json.decode(arguments[1], type=WorkerOrder)
    os.set_inheritable(order.channel_fd, False)
    telemetry.configure(level=order.plan.log_level, form=order.plan.log_form)
    quieten()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(order, SystemClock()))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
