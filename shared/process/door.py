"""The supervisor's side of the control socket: takes questions, keeps who must wait, never blocks."""

import contextlib
import selectors
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from shared.process.contract import MESSAGE_BYTES_MAX, ControlAnswer, ControlAsk, ControlWord, NodeStatus
from shared.process.control import control_path, reachable

_ASKERS_MAX = 32
"""Connections held at once; further ones wait in the kernel's queue."""


class Asker:
    """One connection on the control socket."""

    def __init__(self, sock: socket.socket) -> None:
        """Hold an accepted, non-blocking connection."""
        self.sock = sock
        self._line = b""

    def read(self) -> ControlWord | None:
        """Read what has come: the question once its line is whole; :class:`ConnectionError` on nonsense."""
        piece = self.sock.recv(MESSAGE_BYTES_MAX)
        self._line += piece
        if self._line.endswith(b"\n"):
            try:
                return msgspec.json.decode(self._line, type=ControlAsk).ask
            except msgspec.MsgspecError:
                raise ConnectionError from None
        if not piece or len(self._line) > MESSAGE_BYTES_MAX:
            raise ConnectionError
        return None

    def answer(self, status: NodeStatus, failed: str = "", *, keep_open: bool = False) -> None:
        """Send the answer; one who has gone away is not missed."""
        with contextlib.suppress(OSError):
            self.sock.sendall(msgspec.json.encode(ControlAnswer(status=status, failed=failed)) + b"\n")
        if not keep_open:
            self.sock.close()


class Door:
    """The listening control socket, registered with the supervisor's selector."""

    def __init__(
        self, pid_file: Path, selector: selectors.BaseSelector, asked: Callable[[ControlWord, Asker], None]
    ) -> None:
        """Bind beside ``pid_file``, whose lock the caller holds; ``asked`` gets each question."""
        self._path = control_path(pid_file)
        self._selector = selector
        self._asked = asked
        self._open = 0
        self._path.unlink(missing_ok=True)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        with reachable(self._path) as name:
            self._sock.bind(name)
        self._path.chmod(0o600)
        self._sock.listen(_ASKERS_MAX)
        self._sock.setblocking(False)
        selector.register(self._sock, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop taking questions and remove the socket's file."""
        self._selector.unregister(self._sock)
        self._sock.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        """Take one connection and wait for its question; the oldest silent one is not favoured."""
        with contextlib.suppress(BlockingIOError):
            sock, _ = self._sock.accept()
            if self._open >= _ASKERS_MAX:
                sock.close()
                return
            sock.setblocking(False)
            self._open += 1
            asker = Asker(sock)
            self._selector.register(sock, selectors.EVENT_READ, lambda: self._read(asker))

    def _read(self, asker: Asker) -> None:
        """Read on; hand over a whole question, close on nonsense."""
        try:
            word = asker.read()
        except BlockingIOError:
            return
        except OSError:
            self._forget(asker)
            asker.sock.close()
            return
        if word is not None:
            self._forget(asker)
            self._asked(word, asker)

    def _forget(self, asker: Asker) -> None:
        """Watch this connection no longer."""
        self._selector.unregister(asker.sock)
        self._open -= 1
