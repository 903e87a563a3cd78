"""One worker process as its supervisor sees it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from shared.process.contract import MESSAGE_BYTES_MAX, Plan, WorkerOrder, WorkerReport, WorkerWord
from shared.process.listen import Listeners
from shared.process.systemd import child_environment


class Child:
    """A started worker: its process, its channel, and until when it may live."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", channel: socket.socket, generation: int, started: float
    ) -> None:
        """Hold what :func:`start` made; ``started`` in seconds of ``Clock.elapsed``."""
        self.process = process
        self.channel = channel
        self.generation = generation
        self.since = started
        """When it was started; from ready on, when it became ready."""
        self.kill_at: float | None = None
        """When it is killed if it still runs, in seconds of ``Clock.elapsed``."""
        self.report: WorkerReport | None = None

    @property
    def pid(self) -> int:
        """Give its process id."""
        return self.process.pid

    @property
    def is_ready(self) -> bool:
        """Say whether it has told us that it serves."""
        return self.report is not None and self.report.state == "ready"

    def tell(self, word: WorkerWord) -> None:
        """Send a word; a worker that has ended needs none."""
        with contextlib.suppress(OSError):
            self.channel.send(word.encode())

    def read(self) -> bool:
        """Take in a report if one has come; False when the worker closed its end."""
        try:
            piece = self.channel.recv(MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not piece:
            return False
        with contextlib.suppress(msgspec.MsgspecError):
            self.report = msgspec.json.decode(piece, type=WorkerReport)
        return True

    def exit_reason(self) -> str | None:
        """Give ``exit 1`` or ``signal 9`` once it has ended, else None; reaps it."""
        code = self.process.poll()
        if code is None:
            return None
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)


def start(plan: Plan, listeners: Listeners, generation: int, started: float) -> Child:
    """Start a worker as a fresh interpreter that inherits the sockets and one end of a channel.

    Not a fork: a new release's code must be read from disk, and a fork would carry our state along.
    :class:`OSError` where the system has no room for a process.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        socket_fds = {name: sock.fileno() for name, sock in listeners.sockets.items()}
        order = WorkerOrder(plan=plan, generation=generation, socket_fds=socket_fds, channel_fd=theirs.fileno())
        process = subprocess.Popen(
            _command(msgspec.json.encode(order).decode()),
            stdin=subprocess.DEVNULL,
            pass_fds=(*socket_fds.values(), order.channel_fd),
            env=child_environment(),
            # A group of its own: Ctrl-C at a terminal reaches the supervisor only, which then drains the worker.
            process_group=0,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    ours.setblocking(False)
    return Child(process, ours, generation, started)


def _command(order: str) -> list[str]:
    """Give the worker's command line.

    ``python -m`` would put the current folder first on the import path; ``-P`` keeps a stray file there from
    being taken for one of our modules, unless that folder is where we ourselves were imported from.
    """
    here = {"", os.getcwd(), str(Path.cwd())}
    safe = [] if here.intersection(sys.path) else ["-P"]
    return [sys.executable, *safe, "-m", "shared.process.worker", order]
