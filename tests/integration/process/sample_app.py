"""A tiny node for the process tests: raw ASGI, steered by files beside its settings.

The settings file holds one word: ``serve``, ``refuse`` (a named error), ``break`` (an unnamed one) or ``hang``
(never ready).  Marks are files that tests look for: ``stepped-PID`` when told to step back, ``closed-PID`` when
the node was closed in order.
"""

import asyncio
import contextlib
import ctypes
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from shared.errors import StoreMissing

CANARY = "nobody-may-read-this-word"


def appear(path: Path) -> None:
    """Wait until the file is there."""
    while not path.exists():
        time.sleep(0.01)


def wish(settings_path: Path) -> str:
    """Read what the test wants of this worker."""
    return settings_path.read_text().strip()


def descriptors() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class SampleNode:
    """What the worker serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.apps = {"public": self.public_app, "private": self.private_app}

    async def step_back(self) -> None:
        (self.folder / f"stepped-{os.getpid()}").touch()

    async def public_app(self, scope, receive, send) -> None:
        """``/``: at once; ``/slow/NAME``: when the file ``release-NAME`` appears; ``/boom``: an exception."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["path"].startswith("/slow/"):
            name = scope["path"].removeprefix("/slow/")
            (self.folder / f"begun-{name}").touch()
            await asyncio.to_thread(appear, self.folder / f"release-{name}")
        if scope["path"] == "/boom":
            raise RuntimeError(CANARY + body.decode())
        await self._answer(send, {"pid": os.getpid(), "bytes": len(body)})

    async def private_app(self, _scope, _receive, send) -> None:
        """Tell about this process."""
        dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
        files = descriptors()
        await self._answer(send, {"pid": os.getpid(), "files": files, "dumpable": dumpable})

    async def _answer(self, send, content) -> None:
        text = msgspec.json.encode(content)
        headers = [(b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})


@contextlib.asynccontextmanager
async def open_node(settings_path: Path) -> AsyncIterator[SampleNode]:
    """Open it, or fail as the settings say."""
    word = wish(settings_path)
    if word == "refuse":
        raise StoreMissing(path="sample")
    if word == "break":
        raise RuntimeError(CANARY)
    if word == "hang":
        await asyncio.Event().wait()
    yield SampleNode(settings_path.parent)
    (settings_path.parent / f"closed-{os.getpid()}").touch()
