"""What supervisor, worker, control socket and app say to each other: every struct, in one page.

The supervisor stays while workers of newer releases come and go, so these structs only ever gain fields with
defaults; nothing here is renamed or removed.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

Addresses = Mapping[str, str]
"""Where to listen, by listener: ``{"public": "127.0.0.1:8080", "private": ...}``."""

BACKLOG = 4096
"""Connections the kernel may queue for us while no worker accepts; Linux cuts it to ``net.core.somaxconn``."""

KEEP_ALIVE_S = 75
"""Seconds an idle connection lives: longer than the 60 s after which common proxies drop theirs, so that it is
the proxy that closes (nginx ``keepalive_timeout`` in ``upstream``, default 60 s)."""

MESSAGE_BYTES_MAX = 4096
"""Longest message on a worker's channel or the control socket."""


class Timing(msgspec.Struct, frozen=True):
    """Every limit of the process model, in seconds."""

    ready_s: float = 60.0
    """A new worker must say ready within this, else it is ended and the old one goes on."""
    stop_grace_s: float = 20.0
    """A stopping worker keeps idle keep-alive connections open for their next request this long."""
    handover_grace_s: float = 80.0
    """So long does a worker that was replaced: more than ``KEEP_ALIVE_S``, so that a restart closes no idle
    connection that would not have been closed anyway."""
    finish_s: float = 30.0
    """After its grace a worker may take this long for open answers and queued work; then it is killed."""
    backoff_first_s: float = 0.1
    backoff_max_s: float = 10.0
    """Waits before a worker that died is replaced: doubling from the first to the longest."""
    stable_s: float = 30.0
    """A worker that served this long sets the waits back to the first."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What every worker of a supervisor is started with."""

    settings_path: str
    app: str
    """Where the worker finds the function that opens a node: ``module:function``."""
    timing: Timing = Timing()
    log_level: str = "info"
    log_form: str = "json"
    connections_max: int = 4096


class WorkerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's only argument, as JSON: its plan, its generation and the descriptors it inherits."""

    plan: Plan
    generation: int
    socket_fds: dict[str, int]
    """By listener."""
    channel_fd: int


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker tells its supervisor: one JSON datagram on its channel."""

    state: Literal["ready", "failed"]
    code: str = ""
    """Of a named error, see ``shared/errors``."""
    reason: str = ""
    """The named error's text (allow-listed details only) or the class name of an unnamed one."""


WorkerWord = Literal["handover", "stop"]
"""What a supervisor tells a worker: another one serves now; the node stops.  A second ``stop`` ends the grace."""

ControlWord = Literal["status", "restart", "stop"]


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a node's processes stand."""

    state: Literal["starting", "running", "restarting", "stopping"]
    pid: int
    """Of the supervisor."""
    worker: int = 0
    """Process id of the worker that serves, 0 while there is none."""
    generation: int = 0
    """Of the worker that serves: 1 for the first, one more for each worker started."""
    draining: tuple[int, ...] = ()
    """Process ids of workers that were replaced and finish what they hold."""
    crashes: int = 0
    """Workers that ended unasked since the supervisor started."""
    listeners: dict[str, str] = msgspec.field(default_factory=dict)
    """Addresses as bound, by listener: ``127.0.0.1:8080``, ``[::1]:8080`` or ``unix:/path``."""
    open_files: int = 0
    """Descriptors the supervisor holds."""

    @property
    def public(self) -> str:
        """The address of the listener ``public``, empty where there is none yet."""
        return self.listeners.get("public", "")

    @property
    def private(self) -> str:
        """The address of the listener ``private``, empty where there is none yet."""
        return self.listeners.get("private", "")


class ControlAsk(msgspec.Struct, frozen=True):
    """A question on the control socket: one JSON line."""

    ask: ControlWord


class ControlAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Its answer: one JSON line; ``failed`` is empty where the act was done."""

    status: NodeStatus
    failed: str = ""


class OpenNode(Protocol):
    """What the app's function gives inside its ``async with``.

    It may also have ``async def step_back()``: called once when this worker begins to drain.  Let go of the
    store's leases and start no new background work, but go on taking in: requests still come on open
    connections.  Leaving the context finishes queued work; no request is open any more then.
    """

    @property
    def apps(self) -> Mapping[str, Any]:
        """The ASGI applications by listener; one for each that the plan opened."""
        ...


class NodeFactory(Protocol):
    """The function that ``Plan.app`` names."""

    def __call__(self, settings_path: Path) -> AbstractAsyncContextManager[OpenNode]:
        """Open a node; named errors tell the operator what to mend."""
        ...
