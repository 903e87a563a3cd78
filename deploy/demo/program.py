"""A program of the demo: a folder of its own, a process group of its own, a log, and an end that always comes."""

import abc
import asyncio
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.commands import Command, CommandFailed, environment, homeport, run
from shared.errors import HomeportError
from shared.process import NodeStatus, status

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 8.0
PATIENCE_SECONDS = 15.0
_LOOK_SECONDS = 0.02
_LOG_SHOWN = 2_000


async def until(happened: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until something is so; say whether it came to that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not happened():  # noqa: ASYNC110 - other processes set no event of ours
        await asyncio.sleep(_LOOK_SECONDS)
    return bool(happened())


class Program:
    """Whatever a program's processes write lands in its folder; what it answers is kept, to be scanned."""

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        self.folder = folder
        (folder / "tmp").mkdir(mode=0o700, parents=True)
        self.log = folder / "log"
        self.log.touch(mode=0o600)
        self.answered: list[bytes] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.AsyncClient(trust_env=False, timeout=20)

    def spawn(self, words: Sequence[str], cwd: Path | None = None) -> None:
        """Start a process in a session of its own, so that Ctrl-C reaches the demo alone."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                words,
                cwd=cwd or self.folder,
                env=environment(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Say whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def log_text(self) -> str:
        """Give what it has logged so far."""
        return self.log.read_text("utf-8", "replace")

    async def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Send one request on a connection of its own and keep the answer for the scan."""
        headers = {**more.pop("headers", {}), "connection": "close"}
        answer = await self._http.request(method, url, headers=headers, **more)
        self.answered.append(repr(answer.headers).encode() + answer.content)
        return answer

    async def stop(self) -> int | None:
        """Stop the process and wait for it; give its exit status, ``None`` where it never ran.

        A second signal cuts short the time that open connections are given; what still stands is killed.
        """
        if self._process is None:
            return None
        for patience in (STOP_SECONDS_MAX / 2, STOP_SECONDS_MAX):
            if self.alive():
                self._process.terminate()
            await until(lambda: not self.alive(), patience)
        if self.alive():
            self._process.kill()
        return self._process.wait()

    async def close(self) -> int | None:
        """Stop it for good."""
        try:
            return await self.stop()
        finally:
            await self._http.aclose()


class HomeportProgram(Program, abc.ABC):
    """A node or a control plane: run by ``homeport NAME run``, looked after through its pid file."""

    kind = ""
    """``edge`` or ``control``."""
    config = ""
    """The settings file's name in the folder."""

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        super().__init__(folder)
        self.now = NodeStatus(state="starting", pid=0)

    @property
    @abc.abstractmethod
    def pid_file(self) -> Path:
        """Where a running one is found."""

    def write_settings(self, text: str) -> None:
        """Write the settings file."""
        file = self.folder / self.config
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)

    async def command(
        self, words: Sequence[str], *, typed: bytes = b"", keep_open: Sequence[int] = (), fails: bool = False
    ) -> Command:
        """Run one of its commands to its end."""
        called = [self.kind, *words]
        return await asyncio.to_thread(run, self.folder, called, typed=typed, keep_open=keep_open, fails=fails)

    async def start(self) -> Command:
        """Run it, and wait until it serves."""
        started = time.monotonic()
        words = [self.kind, "run"]
        self.spawn([*homeport(), *words])
        while time.monotonic() - started < START_SECONDS_MAX and self.alive():
            with suppress(HomeportError):
                self.now = status(self.pid_file)
                if self.now.state == "running":
                    typed = f"homeport {' '.join(words)} &"
                    return Command(self.folder.name, typed, "", "", 0, time.monotonic() - started)
            await asyncio.sleep(_LOOK_SECONDS)
        raise CommandFailed(f"homeport {' '.join(words)}\n{self.log_text()[-_LOG_SHOWN:]}")

    async def private(self, path: str) -> str:
        """Ask the private listener."""
        answer = await self.ask("GET", f"http://{self.now.private}{path}")
        answer.raise_for_status()
        return answer.text
