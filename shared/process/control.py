"""Ask a running node: status, restart, stop.  One JSON line each way on a unix socket beside the pid file.

The socket's file mode (0600, in a folder of 0700) is the access check: who may ask is who may read the node's
files.  The command line is the only asker.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from shared.errors import NodeNotRunning, RestartFailed
from shared.process.contract import MESSAGE_BYTES_MAX, ControlAnswer, ControlAsk, ControlWord, NodeStatus

_PATH_BYTES_MAX = 100
"""``sun_path`` holds 108 bytes on Linux (unix(7)); longer paths take the way through the folder's descriptor."""


def status(pid_file: Path, *, timeout_s: float = 10.0) -> NodeStatus:
    """Say how the node at ``pid_file`` stands; :class:`NodeNotRunning` where none answers."""
    return _ask(pid_file, "status", timeout_s).status


def ask_restart(pid_file: Path, *, timeout_s: float = 180.0) -> NodeStatus:
    """Replace the worker and wait until the new one serves; ``timeout_s`` seconds at most.

    Raises :class:`NodeNotRunning`, or :class:`RestartFailed` with the new worker's reason; the old one then
    goes on serving.  The replaced worker may still finish what it holds: see ``NodeStatus.draining``.
    """
    answer = _ask(pid_file, "restart", timeout_s)
    if answer.failed:
        raise RestartFailed(reason=answer.failed)
    return answer.status


def ask_stop(pid_file: Path, *, timeout_s: float = 180.0) -> None:
    """Stop the node and wait until it has gone, its pid file free; :class:`NodeNotRunning` where none answers."""
    _ask(pid_file, "stop", timeout_s, until_gone=True)


def _ask(pid_file: Path, word: ControlWord, timeout_s: float, *, until_gone: bool = False) -> ControlAnswer:
    """Send one question and read its answer; ``until_gone``: also wait for the node to close the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as asker:
        asker.settimeout(timeout_s)
        try:
            with reachable(control_path(pid_file)) as path:
                asker.connect(path)
            asker.sendall(msgspec.json.encode(ControlAsk(word)) + b"\n")
            line = _read_line(asker)
            while until_gone and asker.recv(MESSAGE_BYTES_MAX):
                pass
            return msgspec.json.decode(line, type=ControlAnswer)
        except TimeoutError:
            raise RestartFailed(reason=f"no answer to {word} in {timeout_s:g} s") from None
        except (OSError, msgspec.MsgspecError):
            raise NodeNotRunning(path=str(pid_file)) from None


def _read_line(asker: socket.socket) -> bytes:
    """Read until the end of a line; an empty or cut line where the node went away."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= MESSAGE_BYTES_MAX:
        piece = asker.recv(MESSAGE_BYTES_MAX)
        if not piece:
            break
        line += piece
    return line


def control_path(pid_file: Path) -> Path:
    """Give the control socket's place: beside the pid file."""
    return pid_file.with_suffix(".control")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a name for ``path`` short enough for a unix socket address."""
    if len(os.fsencode(path)) <= _PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
