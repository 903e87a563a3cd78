"""The two small protocols of systemd, without its library: readiness notes and handed-over sockets.

Sources: sd_notify(3) and sd_listen_fds(3), systemd 257 manual pages.  Without ``NOTIFY_SOCKET`` or
``LISTEN_FDS`` in the environment both do nothing.
"""

import os
import socket
from collections.abc import Sequence

from shared.clock import Clock

_FIRST_FD = 3


def notify(*lines: str) -> None:
    """Send ``lines`` (``READY=1``, ``STOPPING=1``...) to the service manager, if there is one.

    A note that cannot be delivered is dropped: serving does not depend on who watches.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as note:
        try:
            note.sendto("\n".join(lines).encode(), address.replace("@", "\0", 1))
        except OSError:
            return


def notify_reloading(clock: Clock) -> None:
    """Say that a restart has begun; ``Type=notify-reload`` needs the monotonic instant in microseconds."""
    notify("RELOADING=1", f"MONOTONIC_USEC={int(clock.elapsed() * 1_000_000)}")


def adopt_sockets(wanted: Sequence[str]) -> dict[str, socket.socket]:
    """Take over the listening sockets systemd opened: by the names ``wanted``, else in their order.

    The variables are removed, so that no child takes them for its own.
    """
    meant_for = os.environ.pop("LISTEN_PID", "")
    count = os.environ.pop("LISTEN_FDS", "0")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    if meant_for != str(os.getpid()) or not count.isdigit():
        return {}
    by_name = set(wanted).issuperset(names[: int(count)]) and len(names) >= int(count)
    order = names if by_name else wanted
    taken: dict[str, socket.socket] = {}
    for name, fd in zip(order, range(_FIRST_FD, _FIRST_FD + int(count)), strict=False):
        taken[name] = socket.socket(fileno=fd)
        taken[name].set_inheritable(False)
    return taken


def child_environment() -> dict[str, str]:
    """Give the environment for a worker: ours without what only the supervisor may say to systemd."""
    own = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    return {name: value for name, value in os.environ.items() if name not in own}
