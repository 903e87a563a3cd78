"""HTTP by hand over plain sockets: every byte of a request is the test's own, and so is every byte of the answer."""

import contextlib
import socket
from collections.abc import Iterable
from typing import NamedTuple

from tests.support.node import PATIENCE_S

Headers = dict[str, str | bytes]


class Answer(NamedTuple):
    """One HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def without_date(self) -> "Answer":
        """Give the answer without the one header that may differ between two alike ones."""
        return self._replace(headers={name: value for name, value in self.headers.items() if name != "date"})


def head(method: str, target: str | bytes, headers: Headers) -> bytes:
    """Write the head of a request; values may be bytes that no client would send."""
    target = target.encode() if isinstance(target, str) else target
    lines = [b"%b %b HTTP/1.1" % (method.encode(), target), b"host: node"]
    lines += [
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Wire:
    """One connection to a node's public address."""

    def __init__(self, address: str) -> None:
        """Connect; ``address`` as the node's status gives it."""
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        # Head and body are sent one after the other; the second must not wait for the first one's acknowledgement.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = self.sock.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._read.close()
        self.sock.close()

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are; a node that has hung up meanwhile is no error: its answer is what counts."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                self.sock.sendall(part)

    def answer(self, method: str = "POST") -> Answer:
        """Read one answer; ConnectionError where the connection ends instead."""
        first = self._read.readline()
        if not first:
            raise ConnectionError("closed without an answer")
        headers: dict[str, str] = {}
        while (line := self._read.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        size = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        return Answer(int(first.split()[1]), headers, self._read.read(size))

    def closed(self) -> bool:
        """Wait for the node to close the connection; AssertionError where it says more instead."""
        with contextlib.suppress(ConnectionResetError):
            left = self._read.read(1)
            assert left == b"", "the node says something more"
        return True


def ask(
    address: str, target: str | bytes, headers: Headers | None = None, body: bytes = b"", method: str = "POST"
) -> Answer:
    """Send one request on a connection of its own and read its answer."""
    sized: Headers = {"content-length": str(len(body))} if body or method in {"POST", "PUT"} else {}
    with Wire(address) as wire:
        wire.send(head(method, target, {**sized, **(headers or {})}), body)
        return wire.answer(method)


def chunks(parts: Iterable[bytes]) -> bytes:
    """Write a body in chunked transfer coding (RFC 9112, 7.1)."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
