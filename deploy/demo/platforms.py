"""Both platforms and their customers, as one process of stand-ins (deploy/sandbox), and what was carried between."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from deploy.demo.commands import CHECKOUT, CommandFailed
from deploy.demo.drawn import Secrets
from deploy.demo.program import START_SECONDS_MAX, Program
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.courier import Attempt, Manners
from deploy.sandbox.world import Bot, Number, Platform, Sent


class DemoPlatforms(Program):
    """The stand-ins' process, and orders to the people in it."""

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        super().__init__(folder)
        self.address = self.control = ""
        self._client: SandboxClient | None = None
        self._number, self._bot = Number(), Bot()
        self._seen = 0

    async def start(self) -> None:
        """Start it, and read where it listens."""
        self.spawn([sys.executable, "-m", "deploy.sandbox", "--port", "0", "--control-port", "0"], CHECKOUT)
        end = time.monotonic() + START_SECONDS_MAX
        while not (said := self.log_text()).endswith("}\n"):
            if not self.alive() or time.monotonic() > end:
                raise CommandFailed(f"python -m deploy.sandbox\n{said}")
            await asyncio.sleep(0.02)
        where = msgspec.json.decode(said, type=dict[str, str])
        self.address, self.control = where["platforms"], where["control"]
        self._client = SandboxClient(self.control)

    async def accounts(self, secrets: Secrets, whatsapp: str, line: str) -> None:
        """Give the business its accounts; ``whatsapp`` and ``line`` are the callback addresses."""
        self._number.app_secret, self._bot.secret = secrets.whatsapp.encode(), secrets.line.encode()
        self._number.token, self._bot.token = secrets.whatsapp_token, secrets.line_token
        self._number.callbacks, self._bot.endpoint = {"phone_number": whatsapp}, line
        await asyncio.to_thread(self.client.accounts, numbers=[self._number], bots=[self._bot])

    async def call_line_at(self, address: str) -> None:
        """Change LINE's callback address."""
        self._bot.endpoint = address
        await asyncio.to_thread(self.client.accounts, bots=[self._bot])

    @property
    def client(self) -> SandboxClient:
        """Give orders; it must have started."""
        if self._client is None:
            raise CommandFailed("the sandbox does not run")
        return self._client

    async def act(self, who: str, on: Platform, does: Any = "say", **more: Any) -> list[Attempt]:
        """Let somebody do something; give the webhooks that it led to, each as it was sent and answered."""
        await asyncio.to_thread(self.client.act, who, on, does, **more)
        return await self.carried()

    async def script(self, text: str, manners: Manners) -> list[Attempt]:
        """Play a script with other manners than usual; give the webhooks."""
        await asyncio.to_thread(self.client.manners, manners)
        await asyncio.to_thread(self.client.script, text)
        found = await self.carried()
        await asyncio.to_thread(self.client.manners, Manners())
        return found

    async def carried(self) -> list[Attempt]:
        """Wait until nothing is on its way; give the webhooks carried since the last call."""
        await asyncio.to_thread(self.client.idle)
        attempts = await asyncio.to_thread(self.client.attempts)
        new, self._seen = attempts[self._seen :], len(attempts)
        return new

    async def sent(self) -> list[Sent]:
        """Give what the business sent, as it arrived."""
        return await asyncio.to_thread(self.client.sent)

    async def close(self) -> int | None:
        """Stop it for good."""
        if self._client is not None:
            self._client.close()
        return await super().close()
