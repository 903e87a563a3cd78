"""A control plane as its operator runs it, in a folder; officers who sign rosters for it; and a program that asks it.

The port is chosen before it starts: nodes sign for the address that they know the control plane by.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from control_plane.core.access import Role
from control_plane.core.four_eyes import Proposal
from control_plane.core.minting import mint, write_access
from control_plane.settings import ControlSettings, load_settings
from control_plane.stores import Opened, initialise, open_stores
from control_plane.usecases.people import appoint, give_token
from control_plane.usecases.roster_keeper import RosterKeeper
from control_plane.usecases.tokens import make_enrolment_token
from shared.crypto.signing import draw_signing_keys, fingerprint
from shared.enrolment_token import EnrolmentToken
from shared.entropy import SystemEntropy
from shared.errors import NodeNotRunning
from shared.key_files import open_program_keys
from shared.process import NodeStatus, status
from shared.roster import ControlPlane as Introduction
from shared.roster import (
    NodeIntroduction,
    Officer,
    OfficerSignature,
    Roster,
    SignedRoster,
    root_fingerprint,
    sign,
    write,
)
from shared.roster.edits import add_node, found, retire_node
from tests.support.node import PATIENCE_S, gone, until

T = TypeVar("T")

HOMEPORT = Path(sys.executable).with_name("homeport")
START_MS = 1_790_000_000_000


class Officers:
    """Two officers, both of whom must sign, and the roster they last signed."""

    def __init__(self, control: Introduction) -> None:
        self.keys = {person: draw_signing_keys(SystemEntropy()) for person in ("ann", "ben")}
        officers = tuple(Officer(person, keys.public) for person, keys in self.keys.items())
        self.roster = found("acme", 2, officers, control, START_MS)

    @property
    def root(self) -> str:
        """The fingerprint that programs are told."""
        return root_fingerprint(self.roster)

    def signed(self, roster: Roster | None = None, *, by: tuple[str, ...] = ("ann", "ben")) -> SignedRoster:
        """Give a roster with signatures."""
        roster = roster or self.roster
        given: tuple[OfficerSignature, ...] = tuple(sign(roster, person, self.keys[person]) for person in by)
        return SignedRoster(roster, given)

    def take_in(self, *nodes: NodeIntroduction) -> SignedRoster:
        """Sign the next version, with these nodes added."""
        for node in nodes:
            self.roster = add_node(self.roster, node, START_MS)
        return self.next()

    def retire(self, name: str) -> SignedRoster:
        """Sign the next version, with a node retired."""
        self.roster = retire_node(self.roster, name, START_MS + 1)
        return self.next()

    def next(self) -> SignedRoster:
        """Sign the next version."""
        fields = {name: getattr(self.roster, name) for name in self.roster.__struct_fields__}
        self.roster = Roster(**fields | {"version": self.roster.version + 1})
        return self.signed()


class RealControl:
    """A control plane in ``folder``; the processes are real, made and run by ``homeport control``."""

    def __init__(
        self,
        folder: Path,
        settings: str = "",
        hooks: str = "",
        database_url: str | None = None,
        address: str | None = None,
    ) -> None:
        """Make the folder; ``address`` is where it is known at, if something stands before its listener."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "control.toml"
        self.log_file = folder / "log"
        self.ca_file: Path | None = None
        """Who vouches for its address, where that is not a public authority."""
        self.process: subprocess.Popen[bytes] | None = None
        self.listen = f"127.0.0.1:{free_port()}"
        self.address = address or f"http://{self.listen}"
        self._environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOMEPORT_", "COVERAGE_"))
        } | {"HOME": str(folder), "TMPDIR": str(folder)}
        url = f'database_url = "{database_url}"\n' if database_url else ""
        self.config.write_text(
            f'address = "{self.address}"\nregion = "eu-test"\ndata_dir = "data"\n'
            f'listen = "{self.listen}"\nprivate_listen = "127.0.0.1:0"\n'
            f"{url}{settings}\n[hooks]\n{hooks}\n"
        )
        asyncio.run(initialise(self.settings))
        keys = open_program_keys(self.settings.keys_file).signing.public
        introduction = Introduction(self.address, keys, fingerprint(keys), self.settings.region)
        self.introduction = introduction
        self.officers = Officers(introduction)
        self.private = ""

    @property
    def settings(self) -> ControlSettings:
        """Its settings, as it reads them."""
        return load_settings(self.config, {})

    def command(self, *words: str, fails: bool = False) -> str:
        """Run ``homeport control``; give what it printed."""
        done = subprocess.run(
            [HOMEPORT, "control", *words, "--config", str(self.config)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self._environ,
            check=False,
        )
        text = (done.stdout + done.stderr).decode()
        assert (done.returncode != 0) is fails, text
        return text if fails else done.stdout.decode()

    def write_roster(self, signed: SignedRoster) -> Path:
        """Write a roster for the commands."""
        file = self.folder / f"roster-{signed.roster.version}.json"
        file.write_bytes(write(signed))
        return file

    def put_rosters(self, *rosters: SignedRoster) -> None:
        """Put rosters in force, as ``homeport control roster put`` does, but in this process."""

        async def act(opened: Opened) -> None:
            keeper = RosterKeeper(opened.store, opened.settings.address, opened.keys.public)
            for signed in rosters:
                await keeper.put(signed, root=root_fingerprint(signed.roster))

        self.within(act)

    def appoint(self, *wanted: tuple[str, str, Role]) -> list[str]:
        """Make principals of (name, person, role) and give a token of each, as the commands do, in this process."""

        async def act(opened: Opened) -> list[str]:
            tokens = []
            for name, person, role in wanted:
                async with opened.store.work() as work:
                    made = await appoint(work, name, person, role, None)
                    assert not isinstance(made, Proposal)
                    id_ = work.draw_id()
                    secret = mint(opened.mint_key, "access", id_)
                    await give_token(work, name, None, None, None, id_, secret)
                    tokens.append(write_access(secret))
            return tokens

        return self.within(act)

    def enrolment_token(self, node: str, hours: int = 1) -> EnrolmentToken:
        """Make a one-time token, as the command does, in this process."""

        async def act(opened: Opened) -> EnrolmentToken:
            async with opened.store.work() as work:
                id_ = work.draw_id()
                return await make_enrolment_token(
                    work,
                    node,
                    hours,
                    address=opened.settings.address,
                    fingerprint=fingerprint(opened.keys.public),
                    by="machine",
                    id_=id_,
                    secret=mint(opened.mint_key, "enrolment", id_),
                )

        return self.within(act)

    def within(self, act: Callable[[Opened], Awaitable[T]]) -> T:
        """Do something with the store open, beside the running processes."""

        async def run() -> T:
            async with open_stores(self.settings) as opened:
                return await act(opened)

        return asyncio.run(run())

    def start(self) -> "RealControl":
        """Start it and wait until it serves."""
        words = [str(HOMEPORT), "control", "run", "--config", str(self.config)]
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
        self.private = now.private
        return now

    def status(self) -> NodeStatus | None:
        """Ask the supervisor; None where there is none."""
        with contextlib.suppress(NodeNotRunning):
            return status(self.settings.pid_file)
        return None

    def kill(self) -> None:
        """``kill -9`` of supervisor and workers."""
        assert self.process is not None
        now = self.status()
        doomed = [now.pid, *(pid for pid in (now.worker, *now.draining) if pid)] if now else [self.process.pid]
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        until(lambda: all(gone(pid) for pid in doomed))

    def end(self) -> None:
        """Leave no process behind, whatever a test did."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def log(self) -> str:
        """Give everything that its processes printed."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def metric(self, name: str, **labels: str) -> float:
        """Give the value of a metric, 0 where it was not counted yet."""
        text = httpx.get(f"http://{self.private}/metrics", trust_env=False, timeout=PATIENCE_S).text
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for line in text.splitlines():
            head, _, value = line.rpartition(" ")
            found, _, rest = head.partition("{")
            if found == name and wanted <= set(rest.rstrip("}").split(",")) | ({""} if not labels else set()):
                return float(value)
        return 0.0

    def ask(self, token: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Ask the program API."""
        return httpx.request(
            method,
            f"{self.address}{path}",
            verify=ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else True,
            json=body,
            headers={"authorization": f"Bearer {token}", **{name.replace("_", "-"): v for name, v in headers.items()}},
            trust_env=False,
            timeout=PATIENCE_S,
        )


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def now_ms() -> int:
    """Give the time."""
    return time.time_ns() // 1_000_000
