"""A node of the demo: set up and run by its own commands, spoken to over HTTP like any other."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from deploy.demo.commands import Command
from deploy.demo.drawn import ACCESS_FILE, Secrets
from deploy.demo.program import HomeportProgram
from deploy.sandbox.webhooks import LineChannel, WhatsAppNumber
from edge_node.settings import EdgeSettings, load_settings

_SETTINGS = """# Settings of the demo's node {name}: homeport edge run --help lists every one of them.
region = "{region}"
data_dir = "data"
journal_dir = "journal"              # on a machine that serves people: another disk
listen = "127.0.0.1:{public}"
private_listen = "127.0.0.1:0"       # port 0: a free one

[platforms]                          # the stand-ins; else Meta's and LINE's own addresses
whatsapp_api = "{platforms}"
line_api = "{platforms}"

[relay]
listen = "127.0.0.1:{relay}"
desk_listen = "127.0.0.1:0"

[uplink]
beat_seconds = 1
poll_seconds = 5
"""


REGIONS = {"eu": "eu-frankfurt", "ap": "jp-tokyo"}
"""Where each node stands, as the policy calls it (policies/vocabulary.toml)."""


class Answer(msgspec.Struct, frozen=True):
    """What a node answered to one webhook; ``seconds`` from sending to the whole answer."""

    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float


class Said(NamedTuple):
    """One event of a view's stream."""

    kind: str
    data: dict[str, Any]


class DemoNode(HomeportProgram):
    """A node's folder, process and addresses."""

    kind = "edge"
    config = "node.toml"

    def __init__(self, name: str, folder: Path, public: int, relay: int) -> None:
        """Take the name and two free ports: its webhooks' and its relay's, which others must know beforehand."""
        super().__init__(folder)
        self.name = name
        self.ports = {"public": public, "relay": relay}

    @property
    def settings(self) -> EdgeSettings:
        """Give the settings as the node reads them."""
        return load_settings(self.folder / self.config, {})

    @property
    def pid_file(self) -> Path:
        """Where a running one is found."""
        return self.settings.pid_file

    @property
    def public(self) -> str:
        """Where platforms reach it."""
        return f"http://127.0.0.1:{self.ports['public']}"

    @property
    def relay(self) -> str:
        """Where other nodes reach it."""
        return f"http://127.0.0.1:{self.ports['relay']}"

    def write(self, platforms: str) -> None:
        """Write the settings."""
        self.write_settings(
            _SETTINGS.format(name=self.name, region=REGIONS[self.name], platforms=platforms, **self.ports)
        )

    async def add_whatsapp(self, account: str, secrets: Secrets) -> Command:
        """Set up a WhatsApp account; its secrets go in through pipes, never through a file or an argument."""
        number = WhatsAppNumber()
        ids = ["--scope", "300100", "--app-id", number.app_id, "--waba-id", number.waba_id]
        ids += ["--phone-number-id", number.phone_number_id, "--country", "DE"]
        return await self._add(account, "whatsapp", ids, secrets.whatsapp, secrets.whatsapp_token, secrets.verify_token)

    async def add_line(self, account: str, secrets: Secrets, *more: str) -> Command:
        """Set up a LINE account; ``more`` are options."""
        ids = ["--scope", "200200", "--bot-user-id", LineChannel().bot_user_id, "--country", "JP", *more]
        return await self._add(account, "line", ids, secrets.line, secrets.line_token)

    async def _add(
        self, account: str, channel: str, ids: list[str], secret: str, access: str, verify: str = ""
    ) -> Command:
        """Run ``account add`` with a pipe for each secret."""
        wanted = {ACCESS_FILE: access} | ({"--verify-token-file": verify} if verify else {})
        files, readers = ["--secret-file", "-"], []
        for option, value in wanted.items():
            reader, writer = os.pipe()
            readers.append(reader)
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(value.encode())
            files += [option, f"/dev/fd/{reader}"]
        try:
            words = ["account", "add", account, "--channel", channel, *ids, *files]
            return await self.command(words, typed=secret.encode(), keep_open=readers)
        finally:
            for reader in readers:
                os.close(reader)

    async def post(self, channel: str, account: str, body: bytes, signature: str) -> Answer:
        """Send a webhook as the platform does."""
        header = "x-hub-signature-256" if channel == "whatsapp" else "x-line-signature"
        started = time.monotonic()
        answer = await self.ask(
            "POST",
            f"{self.public}/webhooks/{channel}/{account}",
            content=body,
            headers={header: signature, "content-type": "application/json"},
        )
        kept = {name: value for name, value in answer.headers.items() if name != "date"}
        return Answer(answer.status_code, answer.content, kept, time.monotonic() - started)


class Watch:
    """A view at a node's desk: opened, followed in the background, taken up again after the node was away.

    What a desk answers is content in the clear, for a person's eyes: it is not kept, and not scanned.
    """

    def __init__(self, node: DemoNode) -> None:
        """Take the node whose desk it is."""
        self._node = node
        self._http = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(20, read=60))
        self._task: asyncio.Task[None] | None = None
        self._last = ""
        self.view = ""
        self.said: list[Said] = []

    async def open(self, at: str, pseudonym: str, purpose: str, role: str) -> tuple[int, dict[str, Any]]:
        """Ask for a subject's timeline at node ``at``; give status and answer, and follow the view where one opened."""
        asked = {"pseudonym": pseudonym, "purpose": purpose, "role": role, "node": at}
        answer = await self._http.post(f"{self._desk}/views", json=asked, headers=self._headers())
        content: dict[str, Any] = answer.json()
        if answer.is_success:
            self.view = content["view"]
            self.follow()
        return answer.status_code, content

    def follow(self) -> None:
        """Listen to the view's stream, from the last event heard."""
        self._task = asyncio.create_task(self._follow())

    async def leave(self) -> None:
        """Stop listening; the view stays open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def close(self) -> None:
        """Let everything go."""
        await self.leave()
        await self._http.aclose()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Give what was said of one kind: ``shown``, ``retracted``, ``closed``."""
        return [each.data for each in self.said if each.kind == kind]

    @property
    def _desk(self) -> str:
        """Where the desk listens now."""
        return f"http://{self._node.now.listeners['desk']}"

    def _headers(self) -> dict[str, str]:
        """Give the desk's token, and the last event heard."""
        token = self._node.settings.desk_token_file.read_text("ascii").strip()
        last = {"last-event-id": self._last} if self._last else {}
        return {"authorization": f"Bearer {token}", "connection": "close"} | last

    async def _follow(self) -> None:
        """Read server-sent events until the stream ends."""
        path = f"{self._desk}/views/{self.view}/stream"
        fields: dict[str, str] = {}
        async with self._http.stream("GET", path, headers=self._headers()) as answer:
            if answer.status_code != httpx.codes.OK:
                self.said.append(Said("closed", {}))  # a view that has ended is not there to be followed
                return
            async for line in answer.aiter_lines():
                name, _, value = line.partition(":")
                if line:
                    fields[name] = value.removeprefix(" ")
                    continue
                if "event" in fields:
                    self._last = fields.get("id", self._last)
                    self.said.append(Said(fields["event"], json.loads(fields.get("data") or "{}")))
                fields = {}
