"""The control plane of the demo, run by its own commands, and its API as a program of the company asks it."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from control_plane.settings import ControlSettings, load_settings
from deploy.demo.program import HomeportProgram

STORE = "control.db"
_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.05
_SETTINGS = """# Settings of the demo's control plane: homeport control run --help lists every one of them.
address = "http://127.0.0.1:{port}"     # nodes sign for it, rosters name it; else https
region = "eu-frankfurt"
data_dir = "data"
listen = "127.0.0.1:{port}"
private_listen = "127.0.0.1:0"
"""


class DemoPlane(HomeportProgram):
    """The control plane's folder, process, store and API."""

    kind = "control"
    config = "control.toml"

    def __init__(self, folder: Path, port: int) -> None:
        """Take a free port: nodes must know it beforehand."""
        super().__init__(folder)
        self.address = f"http://127.0.0.1:{port}"
        self.token = ""
        """Of whoever asks the API."""
        self.write_settings(_SETTINGS.format(port=port))

    @property
    def settings(self) -> ControlSettings:
        """Give the settings as it reads them."""
        return load_settings(self.folder / self.config, {})

    @property
    def pid_file(self) -> Path:
        """Where a running one is found."""
        return self.settings.pid_file

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Ask the API."""
        headers = {"authorization": f"Bearer {self.token}"}
        return await self.ask(method, f"{self.address}{path}", json=body, headers=headers)

    async def get(self, path: str) -> Any:
        """Ask for one resource."""
        answer = await self.api("GET", path)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content)

    async def until(self, path: str, wanted: Any) -> tuple[Any, float]:
        """Ask until ``wanted(answer)`` holds or patience ends; give the last answer and the seconds it took."""
        started = time.monotonic()
        while True:
            found = await self.get(path)
            seconds = time.monotonic() - started
            if wanted(found) or seconds > _PATIENCE_SECONDS:
                return found, seconds
            await asyncio.sleep(_LOOK_SECONDS)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read its store as it lies on the disk."""
        file = self.settings.data_dir / STORE
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
            return link.execute(sql).fetchall()
