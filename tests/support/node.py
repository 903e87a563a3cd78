"""A node as its operator runs it: made, started, restarted, stopped by ``homeport edge``, or killed, in a folder.

Everything the node may write lies below that folder: its stores, its journal, its log, ``TMPDIR`` and ``HOME``.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import httpx

from deploy.sandbox.webhooks import LineChannel, WhatsAppNumber, sign_line, sign_whatsapp
from edge_node.settings import EdgeSettings, load_settings
from shared.errors import NodeNotRunning
from shared.process import NodeStatus, status
from tests.support.house_policy import install

T = TypeVar("T")

PATIENCE_S = 60.0
"""Long enough never to decide a test on a busy machine."""

HOMEPORT = Path(sys.executable).with_name("homeport")
REGION = "eu-test"
LINE, WHATSAPP = "line-desk", "wa-shop"
"""Accounts whose messages rest at the node."""
NOWHERE, ABROAD = "line-nowhere", "line-abroad"
"""LINE accounts: one of no country, so that policy lets nothing of it rest; one whose home is another node."""
LINE_SECRET, WHATSAPP_SECRET = b"plainly-invented-line-secret-4711", b"plainly-invented-meta-secret-4712"
OTHER_SECRET = b"plainly-invented-other-secret-4713"
VERIFY_TOKEN, ACCESS_TOKEN = "plainly-invented-verify-token-4714", "plainly-invented-access-token-4715"

LINE_CHANNEL, NUMBER = LineChannel(), WhatsAppNumber()
NOWHERE_CHANNEL, ABROAD_CHANNEL = LineChannel("U" + "e1" * 16), LineChannel("U" + "e2" * 16)

_SETTINGS = f"""
region = "{REGION}"
data_dir = "data"
journal_dir = "journal"
listen = "127.0.0.1:0"
private_listen = "127.0.0.1:0"
[media]
fetch = false
"""


class Channel(NamedTuple):
    """How a webhook of one platform is addressed and signed."""

    path: str
    header: str
    sign: Callable[[bytes, bytes], str]
    secret: bytes

    def headers(self, body: bytes) -> dict[str, str]:
        """Give the headers of a body as the platform sends it."""
        return {self.header: self.sign(self.secret, body), "content-type": "application/json"}


CHANNELS = {
    "line": Channel(f"/webhooks/line/{LINE}", "x-line-signature", sign_line, LINE_SECRET),
    "whatsapp": Channel(f"/webhooks/whatsapp/{WHATSAPP}", "x-hub-signature-256", sign_whatsapp, WHATSAPP_SECRET),
}


def until(happened: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """Wait until ``happened()`` is true, and give what it gave; AssertionError after a long time."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        seen = happened()
        if seen:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {patience_s} s")


def make_template(folder: Path) -> Path:
    """Set a node up by command, once: settings file, stores and four accounts."""
    node = RealNode(folder)
    node.config.write_text(_SETTINGS)
    node.command("init")
    for name, bot, secret, more in (
        (LINE, LINE_CHANNEL, LINE_SECRET, ("--country", "DE")),
        (NOWHERE, NOWHERE_CHANNEL, OTHER_SECRET, ()),
        (ABROAD, ABROAD_CHANNEL, OTHER_SECRET, ("--country", "DE", "--home", "jp-node")),
    ):
        words = ["--channel", "line", "--scope", "1656", "--bot-user-id", bot.bot_user_id, "--secret-file", "-"]
        node.command("account", "add", name, *words, *more, typed=secret)
    secrets = folder.parent / f"{folder.name}-secrets"
    secrets.mkdir()
    for file, secret in (("verify", VERIFY_TOKEN), ("access", ACCESS_TOKEN)):
        (secrets / file).write_text(secret)
    ids = ["--app-id", NUMBER.app_id, "--waba-id", NUMBER.waba_id, "--phone-number-id", NUMBER.phone_number_id]
    files = ["--verify-token-file", str(secrets / "verify"), "--access-token-file", str(secrets / "access")]
    words = ["--channel", "whatsapp", "--scope", "555", *ids, "--app-home", "--country", "DE", "--secret-file", "-"]
    node.command("account", "add", WHATSAPP, *words, *files, typed=WHATSAPP_SECRET)
    install(node)
    return folder


class RealNode:
    """One node in a folder of its own."""

    def __init__(self, folder: Path, template: Path | None = None, settings: str = "") -> None:
        """Make the folder, as a copy of a node that was set up; ``settings`` are more tables."""
        if template is not None:
            shutil.copytree(template, folder)
        for name in ("tmp", "home"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.folder, self.config, self.log_file = folder, folder / "node.toml", folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.public = self.private = ""
        if settings:
            self.config.write_text(self.config.read_text().replace("[media]", f"{settings}\n[media]", 1))

    @property
    def settings(self) -> EdgeSettings:
        """Read the settings as the node does."""
        return load_settings(self.config, {})

    @property
    def _environ(self) -> dict[str, str]:
        """Give the node's environment: everything it may write goes below the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_EDGE_")}
        own = {"TMPDIR": str(self.folder / "tmp"), "HOME": str(self.folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
        return kept | own

    def command(self, *words: str, typed: bytes = b"") -> str:
        """Run ``homeport edge ...`` to its end; what it prints goes to the log, too, as on an operator's screen."""
        done = subprocess.run(
            [HOMEPORT, "edge", *words, "--config", str(self.config)],
            input=typed,
            capture_output=True,
            env=self._environ,
            check=False,
        )
        with self.log_file.open("ab") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        return done.stdout.decode()

    def start(self, *before: str) -> "RealNode":
        """Start it (``before``: the words of a program that watches it) and wait until it serves."""
        words = [*before, str(HOMEPORT), "edge", "run", "--config", str(self.config)]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environ)
        self.running()
        return self

    def running(self, **wanted: object) -> NodeStatus:
        """Wait until it runs with the fields ``wanted`` in its status."""

        def stands() -> NodeStatus | None:
            assert self.process is not None
            assert self.process.poll() is None, self.log()[-4_000:]
            now = self.status()
            wants = {"state": "running", **wanted}
            return now if now and all(getattr(now, name) == value for name, value in wants.items()) else None

        now = until(stands)
        self.public, self.private = now.public, now.private
        return now

    def status(self) -> NodeStatus | None:
        """Ask the supervisor; None where there is none."""
        with contextlib.suppress(NodeNotRunning):
            return status(self.settings.pid_file)
        return None

    def restart(self) -> None:
        """``homeport edge restart``: returns when the new worker serves."""
        self.command("restart")

    def stop(self) -> int:
        """``homeport edge stop``: returns the exit status of ``homeport edge run``."""
        assert self.process is not None
        self.command("stop")
        return self.process.wait(PATIENCE_S)

    def kill(self, *, supervisor: bool = True, worker: bool = True) -> None:
        """``kill -9`` of the supervisor and every worker, or of one of both kinds; returns when they are gone."""
        assert self.process is not None
        now = self.status()
        doomed = [pid for pid in (now.worker, *now.draining) if pid] if now and worker else []
        if supervisor:
            # The supervisor first: it would replace the workers.
            doomed.insert(0, now.pid if now else self.process.pid)
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if supervisor:
            self.process.wait(PATIENCE_S)
        until(lambda: all(gone(pid) for pid in doomed))

    def log(self) -> str:
        """Give everything that its processes and commands printed."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def post(self, channel: str, body: bytes, **headers: str) -> httpx.Response:
        """Post a signed webhook on a connection of its own."""
        known = CHANNELS[channel]
        return httpx.post(
            f"http://{self.public}{known.path}",
            content=body,
            headers=known.headers(body) | {"connection": "close"} | headers,
            trust_env=False,
            timeout=PATIENCE_S,
        )

    def ask(self, path: str) -> httpx.Response:
        """Ask the private listener."""
        return httpx.get(f"http://{self.private}{path}", trust_env=False, timeout=PATIENCE_S)

    def written(self) -> Sequence[Path]:
        """Give every file below the folder but the settings, which the operator wrote."""
        return [file for file in self.folder.rglob("*") if file.is_file() and file != self.config]

    def end(self) -> None:
        """Leave no process behind, whatever a test did."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        # A worker that is still coming up is in no status, and a program that watches a node may end before it.
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(PATIENCE_S)

    def processes(self) -> Sequence[int]:
        """Give every process that was started with this node's settings file, whoever started it."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.fsencode(self.config) in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
        return found


def gone(pid: int) -> bool:
    """Say whether a process has ended (one that nobody reaps counts)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
