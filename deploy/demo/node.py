"""The node of the demo: set up and run by its own commands in a folder, spoken to over HTTP like any other.

Whatever the node's processes write lands in the folder: stores, journal, log, temporary files.
"""

import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec

from deploy.demo.story import LINE_ACCOUNT, WHATSAPP_ACCOUNT
from deploy.sandbox.webhooks import LineChannel, WhatsAppNumber, sign_line, sign_whatsapp
from edge_node.settings import EdgeSettings, load_settings
from shared.errors import HomeportError
from shared.process import NodeStatus, status

REGION = "demo-region"
START_SECONDS_MAX = 30.0
_SETTINGS = f"""# Settings of the demo's node: homeport edge run --help lists every one of them.
region = "{REGION}"
data_dir = "data"
journal_dir = "journal"          # on a machine that serves people: another disk
listen = "127.0.0.1:0"           # port 0: a free one
private_listen = "127.0.0.1:0"

[[admit]]
account = "{WHATSAPP_ACCOUNT}"
data = "rest"                    # what comes for this account may rest here

[[admit]]
account = "{LINE_ACCOUNT}"
data = "rest"
"""


class CommandFailed(Exception):
    """A command of the node did not end with 0; holds what it printed."""


class Command(msgspec.Struct, frozen=True):
    """A command that was run: as it is typed, what it printed, and how long it took in seconds."""

    typed: str
    printed: str
    seconds: float


class Answer(msgspec.Struct, frozen=True):
    """What the node answered to one webhook; ``seconds`` from sending to the whole answer."""

    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float


class Secrets(msgspec.Struct, frozen=True):
    """What the platforms would share with the business, drawn anew for every demo."""

    whatsapp: bytes = msgspec.field(default_factory=lambda: secrets.token_hex(16).encode())
    line: bytes = msgspec.field(default_factory=lambda: secrets.token_hex(16).encode())
    verify_token: bytes = msgspec.field(default_factory=lambda: secrets.token_urlsafe(24).encode())

    def all(self) -> list[str]:
        """Give them as words that must not be found on disk."""
        return [self.whatsapp.decode(), self.line.decode(), self.verify_token.decode()]


class DemoNode:
    """A node's folder, process and addresses."""

    def __init__(self, folder: Path) -> None:
        """Take an empty folder."""
        self.folder = folder
        self.config = folder / "node.toml"
        self.secrets = Secrets()
        self.answered: list[bytes] = []
        """Everything the node ever answered, headers too: scanned like a file."""
        self.now = NodeStatus(state="starting", pid=0)
        self._log = folder / "node.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.AsyncClient(trust_env=False, timeout=20)

    @property
    def settings(self) -> EdgeSettings:
        """Give the settings as the node reads them."""
        return load_settings(self.config, {})

    def write_settings(self) -> None:
        """Write the settings file, and make the folder for temporary files."""
        (self.folder / "tmp").mkdir(mode=0o700)
        self.config.write_text(_SETTINGS, encoding="utf-8")
        self.config.chmod(0o600)

    def add_whatsapp(self) -> Command:
        """Set up the WhatsApp account; its secrets go in through pipes, never through a file or an argument."""
        number = WhatsAppNumber()
        ids = ["--scope", "300100", "--app-id", number.app_id, "--waba-id", number.waba_id]
        ids += ["--phone-number-id", number.phone_number_id]
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(self.secrets.verify_token)
        try:
            files = ["--secret-file", "-", "--verify-token-file", f"/dev/fd/{reader}"]
            words = ["account", "add", WHATSAPP_ACCOUNT, "--channel", "whatsapp", *ids, *files]
            return self.command(words, typed=self.secrets.whatsapp, keep_open=[reader])
        finally:
            os.close(reader)

    def add_line(self) -> Command:
        """Set up the LINE account."""
        ids = ["--scope", "200200", "--bot-user-id", LineChannel().bot_user_id]
        words = ["account", "add", LINE_ACCOUNT, "--channel", "line", *ids, "--secret-file", "-"]
        return self.command(words, typed=self.secrets.line)

    def command(
        self, words: Sequence[str], *, typed: bytes = b"", keep_open: Sequence[int] = (), config: bool = True
    ) -> Command:
        """Run ``homeport edge WORDS`` to its end; ``CommandFailed`` where it does not end with 0."""
        called = ["edge", *words, *(["--config", "node.toml"] if config else [])]
        started = time.monotonic()
        done = subprocess.run(
            [*_homeport(), *called],
            cwd=self.folder,
            env=self._environment(),
            input=typed,
            pass_fds=keep_open,
            capture_output=True,
            check=False,
            start_new_session=True,  # Ctrl-C reaches the demo, which ends when the command has
        )
        printed = (done.stdout + done.stderr).decode("utf-8", "replace")
        if done.returncode:
            raise CommandFailed(f"homeport {shlex.join(called)}\n{printed}")
        return Command(f"homeport {shlex.join(called)}", printed, time.monotonic() - started)

    def start(self) -> Command:
        """Run the node in a process group of its own, so that Ctrl-C reaches the demo alone; wait until it serves."""
        started = time.monotonic()
        self._log.touch(mode=0o600)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_homeport(), "edge", "run", "--config", "node.toml"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while time.monotonic() - started < START_SECONDS_MAX and self._process.poll() is None:
            with suppress(HomeportError):
                if self.look().state == "running":
                    return Command("homeport edge run --config node.toml &", "", time.monotonic() - started)
            time.sleep(0.02)
        raise CommandFailed(f"homeport edge run\n{self.log_text()[-2000:]}")

    def look(self) -> NodeStatus:
        """Ask the node how it stands."""
        self.now = status(self.settings.pid_file)
        return self.now

    async def post(self, channel: str, body: bytes, signature: str, account: str | None = None) -> Answer:
        """Send a webhook as the platform does."""
        name = account or (WHATSAPP_ACCOUNT if channel == "whatsapp" else LINE_ACCOUNT)
        header = "x-hub-signature-256" if channel == "whatsapp" else "x-line-signature"
        started = time.monotonic()
        answer = await self._client.post(
            f"http://{self.now.public}/webhooks/{channel}/{name}",
            content=body,
            headers={header: signature, "content-type": "application/json"},
        )
        seconds = time.monotonic() - started
        self.answered.append(repr(answer.headers).encode() + answer.content)
        kept = {name: value for name, value in answer.headers.items() if name != "date"}
        return Answer(answer.status_code, answer.content, kept, seconds)

    def sign(self, channel: str, body: bytes) -> str:
        """Sign a body as the platform does."""
        if channel == "whatsapp":
            return sign_whatsapp(self.secrets.whatsapp, body)
        return sign_line(self.secrets.line, body)

    async def private(self, path: str) -> str:
        """Ask the private listener."""
        answer = await self._client.get(f"http://{self.now.private}{path}")
        self.answered.append(answer.content)
        answer.raise_for_status()
        return answer.text

    async def hang_up(self) -> None:
        """Close the connections, so that a process that is replaced or stopped need not wait for them."""
        await self._client.aclose()
        self._client = httpx.AsyncClient(trust_env=False, timeout=20)

    def log_text(self) -> str:
        """Give what the node has logged so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    async def stop(self) -> int | None:
        """Stop the node and wait for it; give its exit status, ``None`` where it never ran."""
        await self._client.aclose()
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                return self._process.wait(START_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def _environment(self) -> dict[str, str]:
        """Give this process's environment without settings of another node, with the folder for temporary files."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_EDGE_")}
        return {**kept, "TMPDIR": str(self.folder / "tmp")}


def _homeport() -> list[str]:
    """Name the console command: the one installed beside this interpreter, else the function it calls."""
    installed = Path(sys.executable).parent / "homeport"
    if installed.exists():
        return [str(installed)]
    return [sys.executable, "-c", "from shared.commands import main; main()"]
