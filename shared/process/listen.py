"""The listening sockets: read an address, bind it, and hold it for as long as the node lives.

They are opened once, by the supervisor, and inherited by every worker, so a connection that waits in the
kernel's queue is never lost while workers change.  (``SO_REUSEPORT`` would give each process a queue of its own
and lose what waits in one that closes.)
"""

import contextlib
import errno
import os
import select
import socket
import stat
from collections.abc import Iterator, Sequence

import msgspec

from shared import telemetry
from shared.clock import Clock
from shared.errors import SettingsInvalid
from shared.process.contract import BACKLOG
from shared.process.systemd import adopt_sockets

_STALE_WAIT_S = 5.0
"""After an unclean end the old worker may need a moment to see that its supervisor is gone."""

_STALE_PAUSE_S = 0.05


class Address(msgspec.Struct, frozen=True):
    """Where to listen: a host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """A listener to open: its name, its address as text, the setting that gave it, and a unix socket's file mode."""

    name: str
    address: str
    setting: str
    mode: int = 0o600


class Listeners(msgspec.Struct):
    """The listening sockets of a program, by name."""

    sockets: dict[str, socket.socket]

    def addresses(self) -> dict[str, str]:
        """Give the addresses as bound, by listener."""
        return {name: describe(sock) for name, sock in self.sockets.items()}

    def close(self) -> None:
        """Close our copies; workers that still hold theirs go on listening."""
        for sock in self.sockets.values():
            sock.close()


def parse_address(text: str, *, setting: str) -> Address:
    """Read ``host:port``, ``[ipv6]:port`` or ``unix:/path``; port 0 lets the system choose.

    Raises :class:`SettingsInvalid` naming the setting.
    """
    if text.startswith("unix:/"):
        return Address(path=text.removeprefix("unix:"))
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not colon or not host or (":" in host) != bracketed or not port.isascii() or not port.isdigit():
        raise SettingsInvalid(setting=setting, reason="not host:port, [ipv6]:port or unix:/path")
    if int(port) > 65_535:
        raise SettingsInvalid(setting=setting, reason="port over 65535")
    return Address(host=host, port=int(port))


def describe(sock: socket.socket) -> str:
    """Give the address a socket is bound to, in the form :func:`parse_address` reads."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if sock.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"


@contextlib.contextmanager
def open_listeners(listen: Sequence[Wanted], *, clock: Clock, patient: bool) -> Iterator[Listeners]:
    """Bind every address, or take over what systemd bound; :class:`SettingsInvalid` where that is refused.

    ``patient``: wait a few seconds for an address that is still in use.  Unix socket files that we made are
    removed at the end.
    """
    handed = adopt_sockets([each.name for each in listen])
    opened: dict[str, socket.socket] = {}
    with contextlib.ExitStack() as undo:
        for each in listen:
            if each.name in handed:
                sock = handed[each.name]
            else:
                address = parse_address(each.address, setting=each.setting)
                sock = _bind(address, each, clock=clock, patient=patient)
                undo.callback(_remove, address.path)
            undo.callback(sock.close)
            sock.listen(BACKLOG)
            sock.setblocking(False)
            opened[each.name] = sock
        yield Listeners(opened)


_WANTS = {"EADDRINUSE": "an address at which nothing listens yet: stop what does, or choose another"}
"""What an operator does about a refusal of the system, by its symbol."""


def _remove(path: str) -> None:
    """Remove the file of a unix socket; nothing for a host and port."""
    if path:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _bind(address: Address, wanted: Wanted, *, clock: Clock, patient: bool) -> socket.socket:
    """Bind one address, again and again for a while where ``patient``."""
    began = clock.elapsed()
    waited = False
    while True:
        try:
            return _bind_path(address.path, wanted.mode) if address.path else _bind_host(address)
        except OSError as refused:
            if not patient or refused.errno != errno.EADDRINUSE or clock.elapsed() - began > _STALE_WAIT_S:
                reason = errno.errorcode.get(refused.errno or 0, type(refused).__name__)
                wants = _WANTS.get(reason, "an address of this machine that this account may listen at")
                raise SettingsInvalid(setting=wanted.setting, reason=reason, wants=wants) from None
        if not waited:
            telemetry.logger().warning("waiting_for_address", field_name=wanted.setting)
        waited = True
        select.select([], [], [], _STALE_PAUSE_S)


def _bind_host(address: Address) -> socket.socket:
    """Bind the first address the host name stands for."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = found[0]
    sock = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
    try:
        # Only lets us bind while old connections linger in TIME_WAIT; two listeners stay impossible (socket(7)).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_path(path: str, mode: int) -> socket.socket:
    """Bind a unix socket with file mode ``mode``, replacing one that nobody answers at any more."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if _abandoned(path):
            os.unlink(path)
        sock.bind(path)
        os.chmod(path, mode)
    except OSError:
        sock.close()
        raise
    return sock


def _abandoned(path: str) -> bool:
    """Say whether a socket file lies there that refuses connections."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
