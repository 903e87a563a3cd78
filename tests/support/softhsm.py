"""A real PKCS #11 token: SoftHSM 2 from Debian, installed or unpacked from its packages below ``var``.

Nothing is installed: ``apt-get download`` fetches the packages once, ``dpkg-deb`` unpacks them.  Where neither is
there, tests that need a token are skipped and say so.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2] / "var" / "softhsm"
INSTALLED = (
    Path("/usr/lib/softhsm"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm"),
)
PIN = "2846-tests"
_LABELS = ("first", "second")


class SoftHsm(NamedTuple):
    """The library, two tokens, and the file with their PIN."""

    module: Path
    labels: tuple[str, str]
    pin_file: Path


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """Give SoftHSM with a token folder of its own for this process."""
    pytest.importorskip("pkcs11", reason='SoftHSM: python-pkcs11 is not installed (the extra "pkcs11")')
    found = _find()
    if found is None:
        pytest.skip("SoftHSM: neither installed nor to be had from Debian's packages (softhsm2, libsofthsm2)")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    pin_file = folder / "pin"
    pin_file.write_text(PIN + "\n")
    pin_file.chmod(0o600)
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    module, tool = found
    for label in _LABELS:  # before the library is loaded: it looks for tokens then
        command = [str(tool), "--module", str(module), "--init-token", "--free", "--label", label]
        subprocess.run([*command, "--so-pin", "12345678", "--pin", PIN], check=True, capture_output=True, timeout=60)
    yield SoftHsm(module, _LABELS, pin_file)
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _find() -> tuple[Path, Path] | None:
    """Give library and tool, fetching them once."""
    installed = shutil.which("softhsm2-util")
    for folder in INSTALLED:
        if installed and (folder / "libsofthsm2.so").exists():
            return folder / "libsofthsm2.so", Path(installed)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _unpacked():
            _fetch()
    return _unpacked()


def _unpacked() -> tuple[Path, Path] | None:
    """Give library and tool where they were unpacked."""
    libraries, tool = list(ROOT.glob("root/usr/lib/**/libsofthsm2.so")), ROOT / "root/usr/bin/softhsm2-util"
    return (libraries[0], tool) if libraries and tool.exists() else None


def _fetch() -> None:
    """Download and unpack; what goes wrong leaves nothing, and the tests are skipped."""
    packages = ("softhsm2", "libsofthsm2")
    for command in (["apt-get", "download", *packages], ["apt-get", "update"], ["apt-get", "download", *packages]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)
        if done.returncode == 0 and command[1] == "download":
            break
    for package in ROOT.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package.name, "root"], cwd=ROOT, capture_output=True, timeout=60, check=False)
