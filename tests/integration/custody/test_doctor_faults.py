"""The doctor changes nothing and always says something, whichever call of its examination fails."""

import asyncio
import itertools
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared.commands import homeport
from shared.errors import StoreUnavailable
from tests.support.faulty import disk_error, make_all_mortal
from tests.support.stores import bench, message, person, recall

SETTINGS = """
region = "{region}"
data_dir = "{folder}/data"
journal_dir = "{folder}/journal"
key_provider = "{provider}"
[keys]
recovery_dir = "{folder}/recovery"
[pkcs11]
module = "{pkcs11.module}"
token = "{pkcs11.token}"
second_token = "{pkcs11.second_token}"
pin_file = "{pkcs11.pin_file}"
"""


@pytest.fixture
def doctor(chosen, tmp_path):
    """Give what runs the command in this process, with the settings of the node, and gives how it ended."""
    text = SETTINGS.format(region=chosen.region, folder=tmp_path, provider=chosen.key_provider, pkcs11=chosen.pkcs11)
    config = tmp_path / "node.toml"
    config.write_text("\n".join(line for line in text.splitlines() if '"None"' not in line))

    def run(*words):
        return CliRunner().invoke(homeport, ["edge", "doctor", "--config", str(config), *words])

    return run


def state_of(folder) -> dict[str, tuple[bytes, int, int]]:
    """Give bytes, permissions and time of every file and folder; an open store's own files come and go."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith(("-shm", "-wal", "-lock")):
            status = path.stat()
            time = status.st_mtime_ns if path.is_file() else 0
            found[str(path)] = (path.read_bytes() if path.is_file() else b"", status.st_mode, time)
    return found


async def filled(tmp_path, chosen) -> None:
    """Make a node to which something has happened, a removal that waits among it."""
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, person(1), "one"), message(2, person(1), "two"))
        await node.remove()
        await node.take(recall(1, person(1)))


def check(done, *, whole) -> None:
    """Hold an end of the command to what it promises: findings, or one line of an error of ours."""
    assert not isinstance(done.exception, Exception), done.exception
    assert done.exit_code in (0, 1, 2)
    assert "unforeseen" not in done.output, done.output
    assert "Traceback" not in done.output
    assert "key destruction" in done.output if whole else done.output


def test_whichever_call_fails(tmp_path, chosen, doctor, monkeypatch, long_run):
    asyncio.run(filled(tmp_path, chosen))
    before = state_of(tmp_path)
    check(doctor("--all"), whole=True)
    assert state_of(tmp_path) == before
    fate = make_all_mortal(monkeypatch)
    for name in ("stat", "is_dir", "exists", "read_text"):
        interpose(monkeypatch, fate, Path, name, tmp_path)
    interpose(monkeypatch, fate, shutil, "disk_usage", tmp_path)
    for at in itertools.count(1, 1 if long_run else 5):
        fate.arm(at, StoreUnavailable(cause="failed"))
        try:
            done = doctor("--all")
        finally:
            reached = fate.calls >= at
            fate.disarm()
        check(done, whole=not reached)
        assert state_of(tmp_path) == before, at
        if not reached:
            break
    assert at > 30


def interpose(monkeypatch, fate, owner, name, folder) -> None:
    """Let a look at what belongs to the node or to the system, not to the program, fail as the fate says."""
    real, looked_at = getattr(owner, name), {folder, Path("/proc"), Path("/sys")}

    def call(path, *arguments, **named):
        fault = None
        try:
            if looked_at & set(path.parents) and path.name != "node.toml":
                fate.pass_by()
        except StoreUnavailable:
            fault = disk_error()
        if fault is not None:
            raise fault
        return real(path, *arguments, **named)

    monkeypatch.setattr(owner, name, call)
