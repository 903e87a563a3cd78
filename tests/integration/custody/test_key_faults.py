"""The n-th call to a store, a file or a token fails while a region key is exchanged or an escrow made, tried or used.

Afterwards the node starts clean, everything opens, the same command goes on to its end, and nothing of it is left.
"""

import asyncio
import itertools
import shutil

import pytest

from edge_node.commands.escrow import _create, _drill, _recover
from edge_node.commands.keys import _rotate
from edge_node.storage.keys.file_provider import FileProvider
from edge_node.storage.keys.recovery import Recovery
from edge_node.stores import key_places, open_provider
from shared.database import Step
from shared.entropy import SystemEntropy
from shared.errors import HomeportError, KeyProviderFailed, StoreUnavailable
from shared.errors.custody import EscrowInvalid
from tests.support.faulty import make_all_mortal
from tests.support.interleave import Died
from tests.support.stores import bench, message, person

ANN = person(1, phone=11)
STRIDE = 6
"""A short run tries every sixth call, other ones for a death than for an error; a long one tries all."""

pytestmark = pytest.mark.parametrize("dies", [False, True], ids=["fails", "dies"])


def moments(long_run, dies):
    """Give the calls to fail at."""
    return itertools.count(1) if long_run else itertools.count(1 + 3 * dies, STRIDE)


async def until_it_fails(fate, at, dies, act) -> bool:
    """Do something whose ``at``-th call fails; say whether it came so far.  Only errors of ours may come out."""
    fate.arm(at, Died() if dies else StoreUnavailable(cause="failed"))
    try:
        await act
    except (Died, HomeportError):
        pass
    finally:
        reached = fate.calls >= at
        fate.disarm()
    return reached


async def start_clean(tmp_path, chosen, number) -> None:
    """Start a node anew: everything opens, and a newcomer is taken in."""
    async with bench(tmp_path, chosen=chosen) as node:
        await node.content.run([Step("DELETE FROM lease")])  # what the dead process held runs out
        await node.take(message(number, ANN, f"words {number}"))
        assert len(await node.texts()) == len(await node.rows("SELECT 1 FROM message"))
        await node.check_keys()


def kept_key(chosen) -> bytes:
    """Give the first epoch's key, as the provider has it."""
    return open_provider(chosen, SystemEntropy()).find_epoch(chosen.region, 1)


def check_places(chosen, key) -> None:
    """Hold every place to being whole, enough by itself, and without anything left over."""
    provider = open_provider(chosen, SystemEntropy())
    assert [ailment for _, ailment in provider.places(chosen.region, 1)] == [None] * 2
    if chosen.key_provider == "pkcs11":
        for label in (chosen.pkcs11.token, chosen.pkcs11.second_token):
            with provider._open(label) as token:
                assert len(token.region_keys(chosen.region)) == len(token.epoch_objects(chosen.region, 1)) == 1
                assert token.find_epoch(chosen.region, 1) == key
        return
    for place in key_places(chosen):
        assert FileProvider([place], SystemEntropy()).find_epoch(chosen.region, 1) == key
        assert sorted(path.name for path in place.iterdir()) == ["epoch-1.key", "node-identity.json", "region.key"]
        assert any((place / "region.key").read_bytes())


async def test_a_rotation(tmp_path, chosen, monkeypatch, long_run, dies):
    fate = make_all_mortal(monkeypatch)
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
    key = kept_key(chosen)
    for at in moments(long_run, dies):
        reached = await until_it_fails(fate, at, dies, _rotate(chosen))
        assert kept_key(chosen) == key, at
        await start_clean(tmp_path, chosen, at + 1)
        assert await _rotate(chosen) == 1
        check_places(chosen, key)
        if not reached:
            break
    assert at > 20


async def test_making_an_escrow(tmp_path, chosen, monkeypatch, long_run, dies):
    fate = make_all_mortal(monkeypatch)
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
    key, folder = kept_key(chosen), Recovery(tmp_path / "recovery", chosen.region)
    before = await made(chosen, folder, tmp_path / "first")
    for at in moments(long_run, dies):
        out = tmp_path / f"cut-{at}"
        reached = await until_it_fails(fate, at, dies, _create(chosen, folder, 3, 2, out))
        # At every moment the people of one escrow or of the other can bring the region back.
        assert key in (opened(folder, before), opened(folder, shares_in(out))), at
        await start_clean(tmp_path, chosen, at + 1)
        shares = await made(chosen, folder, tmp_path / f"whole-{at}")
        assert opened(folder, shares) == key
        assert opened(folder, before) is None
        assert sorted(path.name for path in (tmp_path / "recovery").iterdir()) == ["epoch-1.sealed", "escrow.json"]
        before = shares
        if not reached:
            break
    assert at > 20


async def made(chosen, folder, out) -> list[str]:
    """Make an escrow; give its shares."""
    await _create(chosen, folder, 3, 2, out)
    return shares_in(out)


def shares_in(out) -> list[str]:
    """Read shares as people hand them in; those of a ceremony that was cut short may not all be there."""
    return [path.read_text() for path in sorted(out.glob("share-*.txt"))]


def opened(folder, shares) -> bytes | None:
    """Open the first epoch with two shares; ``None`` where they do not."""
    try:
        return folder.open(shares[:2], 1)
    except EscrowInvalid:
        return None


async def test_a_drill_writes_nothing(tmp_path, chosen, monkeypatch, long_run, dies):
    fate = make_all_mortal(monkeypatch)
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
    folder = Recovery(tmp_path / "recovery", chosen.region)
    shares = await made(chosen, folder, tmp_path / "shares")
    before = files_of(tmp_path)
    for at in moments(long_run, dies):
        reached = await until_it_fails(fate, at, dies, _drill(chosen, folder, shares[1:]))
        assert files_of(tmp_path) == before, at
        if not reached:
            break
    assert at > 4
    assert await _drill(chosen, folder, shares[1:]) == 1


def files_of(folder) -> dict[str, tuple[bytes, int]]:
    """Give every file's bytes and time; what SQLite keeps while a file is open is none of ours."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(("-shm", "-wal", "-lock")):
            found[str(path)] = (path.read_bytes(), path.stat().st_mtime_ns)
    return found


async def test_a_recovery(tmp_path, chosen, monkeypatch, long_run, dies):
    fate = make_all_mortal(monkeypatch)
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
    key, folder = kept_key(chosen), Recovery(tmp_path / "recovery", chosen.region)
    shares = await made(chosen, folder, tmp_path / "shares")
    for at in moments(long_run, dies):
        await lose(chosen)
        with pytest.raises(KeyProviderFailed):
            await start_clean(tmp_path, chosen, at + 1)
        reached = await until_it_fails(fate, at, dies, _recover(chosen, folder, shares[:2]))
        assert await _recover(chosen, folder, shares[1:]) == 1
        check_places(chosen, key)
        await start_clean(tmp_path, chosen, at + 1)
        if not reached:
            break
    assert at > 8


async def lose(chosen) -> None:
    """Lose the key provider: new folders (the node's own identity is kept, as KEYS.md says), or empty tokens."""
    provider = open_provider(chosen, SystemEntropy())
    if chosen.key_provider == "pkcs11":
        for label in (chosen.pkcs11.token, chosen.pkcs11.second_token):
            with provider._open(label) as token:
                for each in (*(key.key for key in token.region_keys(chosen.region)),):
                    each.destroy()
                for each in token.epoch_objects(chosen.region, 1):
                    each.destroy()
        return
    for place in key_places(chosen):
        identity = (place / "node-identity.json").read_bytes()
        await asyncio.to_thread(shutil.rmtree, place)
        place.mkdir(mode=0o700)
        (place / "node-identity.json").write_bytes(identity)
