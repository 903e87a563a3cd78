"""A supervisor as a real process, and clients that speak plain HTTP over sockets of their own."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from shared.errors import NodeNotRunning
from shared.process import NodeStatus, Timing, status

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 30.0
QUICK = Timing(ready_s=20.0, stop_grace_s=15.0, handover_grace_s=15.0, finish_s=10.0, stable_s=0.0)
"""Long enough never to decide a test on a busy machine, unless the test is about that limit."""


def until(happened: Callable[[], object]) -> object:
    """Wait until ``happened()`` is true, and give what it gave; AssertionError after a long time."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        seen = happened()
        if seen:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {PATIENCE_S} s")


class Node:
    """One node in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid_file = folder / "node.pid"
        self.process: subprocess.Popen[str] | None = None
        self.say("serve")

    def say(self, word: str) -> None:
        """Steer the next worker."""
        (self.folder / "settings").write_text(word)

    def launch(self, *, timing: Timing = QUICK, env: dict[str, str] | None = None, **options) -> subprocess.Popen[str]:
        """Start a supervisor without waiting; its log goes to ``log`` in the folder."""
        order = {"folder": str(self.folder), "timing": timing, **options}
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.integration.process.run_supervisor", msgspec.json.encode(order).decode()],
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self, **options) -> NodeStatus:
        """Start and wait until it serves."""
        self.process = self.launch(**options)
        return self.serving()

    def serving(self, **wanted) -> NodeStatus:
        """Wait until the node runs with the fields ``wanted``."""

        def stands() -> NodeStatus | None:
            now = self.status()
            wants = {"state": "running", **wanted}
            return now if now and all(getattr(now, name) == value for name, value in wants.items()) else None

        return until(stands)

    def status(self) -> NodeStatus | None:
        with contextlib.suppress(NodeNotRunning):
            return status(self.pid_file)
        return None

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def release(self, name: str) -> None:
        """Let ``/slow/NAME`` answer."""
        (self.folder / f"release-{name}").touch()

    def begun(self, name: str) -> bool:
        return (self.folder / f"begun-{name}").exists()

    def end(self) -> None:
        """Leave nothing behind, whatever a test did."""
        now = self.status() if self.process is not None and self.process.poll() is None else None
        if self.process is not None:
            self.process.kill()
        for pid in (now.worker, *now.draining) if now else ():
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
        if self.process is not None:
            self.process.communicate()


def last_words(process: subprocess.Popen[str]) -> str:
    """Wait for a supervisor that was refused and give what it printed."""
    try:
        return process.communicate(timeout=PATIENCE_S)[0]
    finally:
        process.kill()


def gone(pid: int) -> bool:
    """Say whether a process has ended (one that nobody reaps counts)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Answer(msgspec.Struct):
    """One HTTP answer."""

    status: int
    closes: bool
    pid: int
    content: dict[str, int]


class Client:
    """One connection to an address as ``NodeStatus`` gives it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def connect(self) -> "Client":
        if self.address.startswith("unix:"):
            self.reader, self.writer = await asyncio.open_unix_connection(self.address[5:])
        else:
            host, _, port = self.address.rpartition(":")
            self.reader, self.writer = await asyncio.open_connection(host.strip("[]"), int(port))
        return self

    async def send(self, path: str = "/", *, close: bool = False, body: bytes = b"x" * 500) -> None:
        line = b"connection: close\r\n" if close else b""
        head = f"POST {path} HTTP/1.1\r\nhost: node\r\ncontent-length: {len(body)}\r\n".encode()
        self.writer.write(head + line + b"\r\n" + body)
        await self.writer.drain()

    async def read(self) -> Answer:
        """Read one answer; ConnectionError where the connection ends instead."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.split("content-length: ")[1].split("\r\n")[0])
            body = await self.reader.readexactly(size)
        except asyncio.IncompleteReadError as cut:
            raise ConnectionError("closed without an answer") from cut
        content = msgspec.json.decode(body) if body.startswith(b"{") else {}
        return Answer(int(head.split()[1]), "connection: close" in head, content.get("pid", 0), content)

    async def ask(self, path: str = "/", *, close: bool = False) -> Answer:
        await self.send(path, close=close)
        return await self.read()

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()


async def ask_once(address: str, path: str = "/") -> Answer:
    """Connect, ask, close."""
    client = await Client(address).connect()
    try:
        return await client.ask(path, close=True)
    finally:
        await client.close()


async def reaches(address: str, pid: int) -> None:
    """Ask until that worker answers: the one it replaced may take a few more before it lets go of the socket."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await ask_once(address)
            assert answer.status == 200
            if answer.pid == pid:
                return


def refuses(address: str) -> bool:
    """Say whether nobody listens there."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port))):
            return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # the kernel had it half open when the socket closed: the next one is refused
