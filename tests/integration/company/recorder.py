"""A TCP proxy that keeps every byte that passes it, each direction of each connection whole.

It stands before a listener that speaks plain HTTP on this machine, so what it keeps is what the programs say.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator

PIECE_BYTES = 1 << 16
CONNECT_SECONDS_MAX = 30


class Recorder:
    """One proxy; ``heard`` is what went to the listener, ``said`` what came back, a connection an item."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._home: tuple[str, int] | None = None
        self.address = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.heard: list[bytearray] = []
        self.said: list[bytearray] = []
        self._open: list[socket.socket] = []

    def stand_before(self, listener: str) -> None:
        """Begin to pass connections on to ``listener``, as ``host:port``."""
        host, _, port = listener.rpartition(":")
        self._home = host, int(port)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def spoken(self) -> list[bytes]:
        """Everything kept so far, by connection and direction."""
        return [bytes(each) for each in (*self.heard, *self.said)]

    def close(self) -> None:
        """Let nothing pass any more."""
        for sock in (self._server, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        assert self._home is not None
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            try:
                home = socket.create_connection(self._home, CONNECT_SECONDS_MAX)
            except OSError:
                caller.close()
                continue
            home.settimeout(None)
            self._open += caller, home
            for kept, source, target in ((self.heard, caller, home), (self.said, home, caller)):
                kept.append(bytearray())
                threading.Thread(target=_pass_on, args=(kept[-1], source, target), daemon=True).start()


def _pass_on(kept: bytearray, source: socket.socket, target: socket.socket) -> None:
    """Keep and pass on until one side ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(PIECE_BYTES):
            # Kept first: nothing passes that is not on record.
            kept += data
            target.sendall(data)
    for sock, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            sock.shutdown(how)


@contextlib.contextmanager
def recorders(count: int) -> Iterator[list[Recorder]]:
    """Give proxies, and close them in the end."""
    made = [Recorder() for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.close()
