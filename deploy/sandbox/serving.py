"""Serving the sandbox on two addresses of this machine: the platforms' and the private one.

:func:`serving` runs it in a thread, for tests; ``python -m deploy.sandbox`` in the foreground, as a process.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import uvicorn

from deploy.sandbox.app import PlatformsApp
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.control import ControlApp
from deploy.sandbox.sandbox import Sandbox

HOST = "127.0.0.1"
START_SECONDS_MAX = 15.0
_BACKLOG = 256


class Served(NamedTuple):
    """A sandbox that is being served."""

    platforms: str
    """Base address of both platforms."""
    control: str
    sandbox: Sandbox
    """To be looked at; what changes it is ordered through :attr:`client`, on its own loop."""
    client: SandboxClient
    """Of the private address."""


@contextlib.asynccontextmanager
async def served(sandbox: Sandbox, *, port: int = 0, control_port: int = 0) -> AsyncIterator[Served]:
    """Serve on this loop, on the ports given (0: free ones), until the block is left."""
    sockets = [_bound(port), _bound(control_port)]
    servers = [_Quiet(_config(app)) for app in (PlatformsApp(sandbox), ControlApp(sandbox))]
    tasks = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in zip(servers, sockets, strict=True)]
    try:
        while not all(server.started for server in servers):
            if any(task.done() for task in tasks):
                raise RuntimeError("the sandbox did not start")
            await asyncio.sleep(0.005)
        names = [f"http://{HOST}:{bound.getsockname()[1]}" for bound in sockets]
        client = SandboxClient(names[1])
        try:
            yield Served(names[0], names[1], sandbox, client)
        finally:
            client.close()
    finally:
        for server in servers:
            server.should_exit = server.force_exit = True
        await asyncio.gather(*tasks)
        await sandbox.courier.close()


@contextlib.contextmanager
def serving(sandbox: Sandbox | None = None) -> Iterator[Served]:
    """Serve in a thread with a loop of its own, on free ports."""
    started: list[Served] = []
    ready, done = threading.Event(), threading.Event()

    async def inside() -> None:
        async with served(sandbox or Sandbox()) as here:
            started.append(here)
            ready.set()
            await asyncio.to_thread(done.wait)

    def run() -> None:
        try:
            asyncio.run(inside())
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="sandbox", daemon=True)
    thread.start()
    ready.wait(START_SECONDS_MAX)
    if not started:
        raise RuntimeError("the sandbox did not start")
    try:
        yield started[0]
    finally:
        done.set()
        thread.join(START_SECONDS_MAX)


class _Quiet(uvicorn.Server):
    """A server that leaves the process's signals alone: two of them share it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(app: Any) -> uvicorn.Config:
    """Configure a server without logs and lifespan."""
    return uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False, timeout_graceful_shutdown=1)


def _bound(port: int) -> socket.socket:
    """Bind a port of this machine only."""
    return socket.create_server((HOST, port), backlog=_BACKLOG)
