"""Servers as processes of their own on one core: the receivers that are compared with, and a Homeport node.

Every one dies with this process, whatever ends it (PR_SET_PDEATHSIG, prctl(2); a node's worker leaves when its
supervisor has gone).  The node is set up and run by its own command line, as an operator would.
"""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.bench.bodies import CHANNEL, LINE_ACCOUNT, LINE_SECRET, NUMBER, WHATSAPP_ACCOUNT, WHATSAPP_SECRET
from deploy.bench.in_force import COUNTRY, REGION, write_policy

ROOT = Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG = 1
_READY_SECONDS = 30.0
_STOP_SECONDS = 60.0

_NODE_TOML = f"""region = "{REGION}"
data_dir = "data"
journal_dir = "journal"
listen = "127.0.0.1:{{listen}}"
private_listen = "127.0.0.1:{{private}}"
"""


class ServerFailed(RuntimeError):
    """A server did not start or stop; the text is the end of what it printed."""


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder below ``var`` that is removed afterwards: on the checkout's disk, as ``/tmp`` may be memory."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def cores() -> tuple[set[int], set[int]]:
    """Give the server's core and the load's; the same one where the machine has no second."""
    mine = sorted(os.sched_getaffinity(0))
    return {mine[0]}, {mine[-1]}


class Server:
    """A started process and the port at which it takes webhooks."""

    def __init__(self, command: list[str], port: int, log: Path, core: set[int]) -> None:
        """Start ``command`` on ``core``; what it prints goes to ``log``."""
        self.port = port
        self._log = log
        libc = ctypes.CDLL(None)

        def child() -> None:
            os.sched_setaffinity(0, core)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=child,  # noqa: PLW1509 - this process has one thread when it starts servers
            )

    @property
    def pid(self) -> int:
        """Give its process id."""
        return self._process.pid

    def wait_ready(self, port: int, path: str | None) -> None:
        """Wait until ``port`` accepts and, with ``path``, answers 200 to a GET of it."""
        until = time.monotonic() + _READY_SECONDS
        while not _answers(port, path):
            if self._process.poll() is not None or time.monotonic() > until:
                raise ServerFailed(self.words())
            time.sleep(0.05)

    def words(self) -> str:
        """Give the end of what it printed."""
        return self._log.read_text("utf-8", "replace")[-2_000:]

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def receiver(kind: str, folder: Path, core: set[int]) -> Iterator[Server]:
    """Run one of the receivers of ``receivers.py``; its store is ``<folder>/<kind>.db``."""
    port = free_port()
    command = [sys.executable, "-m", "deploy.bench.receivers", kind, str(port), str(folder / f"{kind}.db")]
    server = Server(command, port, folder / f"{kind}.log", core)
    try:
        server.wait_ready(port, None)
        yield server
    finally:
        server.kill()


class Node(Server):
    """A running Homeport node."""

    def __init__(self, settings: Path, port: int, core: set[int]) -> None:
        """Run the node of ``settings``."""
        self._settings = settings
        super().__init__(homeport("run", "--config", str(settings)), port, settings.with_name("node.log"), core)

    def stop(self) -> None:
        """Drain it, as an operator would."""
        stop(self._settings)
        self.wait()


@contextlib.contextmanager
def homeport_node(folder: Path, core: set[int]) -> Iterator[Node]:
    """Set a node up in ``folder`` and run it."""
    settings, port, private = set_up_node(folder)
    node = Node(settings, port, core)
    try:
        node.wait_ready(private, "/health/ready")
        yield node
    finally:
        node.kill()


def set_up_node(folder: Path) -> tuple[Path, int, int]:
    """Make a node with both accounts; give its settings file, its port and its private port."""
    port, private = free_port(), free_port()
    settings, secret = folder / "node.toml", folder / "secret"
    settings.write_text(_NODE_TOML.format(listen=port, private=private))
    config = ("--config", str(settings))
    _run(homeport("init", *config))
    bundle, roster = write_policy(folder)
    _run(homeport("policy", "install", *config, str(bundle), "--roster", str(roster), "--yes"))
    add = ("account", "add", *config, "--country", COUNTRY, "--secret-file", str(secret))
    secret.write_bytes(WHATSAPP_SECRET)
    ids = ["--app-id", NUMBER.app_id, "--waba-id", NUMBER.waba_id, "--phone-number-id", NUMBER.phone_number_id]
    ids += ["--scope", "300000000000001", "--verify-token-file", str(secret)]
    _run(homeport(*add, "--channel", "whatsapp", *ids, WHATSAPP_ACCOUNT))
    secret.write_bytes(LINE_SECRET)
    ids = ["--bot-user-id", CHANNEL.bot_user_id, "--scope", "1000000001"]
    _run(homeport(*add, "--channel", "line", *ids, LINE_ACCOUNT))
    secret.unlink()
    return settings, port, private


def stop(settings: Path) -> None:
    """Tell a node to drain and end, as an operator would."""
    _run(homeport("stop", "--config", str(settings)))


def homeport(*arguments: str) -> list[str]:
    """Give the command line of ``homeport edge`` of this environment."""
    return [str(Path(sys.executable).with_name("homeport")), "edge", *arguments]


def count_messages(store: Path) -> int:
    """Count the rows of messages in a store, ours or a naive one's, without changing it."""
    with contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as link:
        (count,) = link.execute("SELECT count(*) FROM message").fetchone()
    return int(count)


def _run(command: list[str]) -> None:
    """Run a command to its end."""
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=_STOP_SECONDS, check=False
    )
    if done.returncode:
        raise ServerFailed(f"{' '.join(command[1:4])}: {(done.stderr or done.stdout)[-2_000:]}")


def _environment() -> dict[str, str]:
    """Give this process's environment without settings of some other node."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_")}


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def _answers(port: int, path: str | None) -> bool:
    """Say whether something accepts at ``port`` and answers 200 to ``path``."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.connect()
        if path is None:
            return True
        link.request("GET", path)
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()
