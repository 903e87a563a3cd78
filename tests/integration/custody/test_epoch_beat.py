"""The epoch beat, with both providers: traffic goes on, everything still opens, and what was destroyed stays closed."""

import asyncio
import contextlib
import shutil
import sqlite3

import msgspec
import pytest

from edge_node.assembly import epoch_beat
from edge_node.commands.keys import _rotate
from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.storage.keys.epochs import begin_epoch, read_epochs
from edge_node.storage.keys.store import KeyStore
from edge_node.stores import open_provider
from edge_node.usecases.custody.epoch_keeping import LEASE_MILLISECONDS, EpochKeeper
from shared.crypto import Cipher, content_place
from shared.database.sqlite import open_sqlite
from shared.entropy import SystemEntropy
from shared.errors import IntegrityError, KeyProviderFailed, LogEntryRequired, StoreUnavailable
from tests.support.interleave import Died
from tests.support.mortal import make_mortal
from tests.support.stores import bench, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)


def beat_of(node):
    """Give what carries the beat on."""
    return epoch_beat(node.stores, Metrics())


async def run_beat(node) -> list[str]:
    """Carry one beat to its end; give the states it went through."""
    beat, states, days = beat_of(node), [], 0
    while (step := await beat.step(days)) is not None:
        states.append(step.state)
        days = None
    return states


async def test_a_beat_wraps_everything_anew_and_destroys_the_old_epoch(tmp_path, chosen):
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(*(message(number, person(number), f"words {number}") for number in range(1, 251)))
        states = await run_beat(node)
        assert states[0] == "begun"
        assert states[-1] == "destroyed"
        assert states.count("wrapping") >= 3
        assert [(epoch.version, epoch.state) for epoch in await read_epochs(node.keys)] == [
            (1, "destroyed"),
            (2, "current"),
        ]
        assert node.keys.provider.find_epoch(chosen.region, 1) is None
        assert len(await node.texts()) == 250
        await node.take(message(900, person(900), "after"), message(901, person(5), "again"))
        await node.check_keys()
        assert await node.rows("SELECT id, act, state FROM log_entry") == [("epoch-1", "epoch", "done")]
    async with bench(tmp_path, chosen=chosen) as node:  # a process that starts now needs nothing of the old epoch
        assert len(await node.texts()) == 252


async def test_what_was_removed_before_a_beat_opens_from_no_older_key_store(tmp_path, chosen):
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "the secret"), message(2, BEN, "the control"))
        rows = {mark: (key, sealed) for mark, key, sealed in await node.rows("SELECT mark, key, sealed FROM message")}
        with contextlib.closing(sqlite3.connect(chosen.data_dir / "keys.db")) as link:
            link.execute("VACUUM INTO ?", (str(tmp_path / "older-keys.db"),))
        await node.take(recall(1, ANN))
        await node.remove()
        kept = dict(rows.values())
        # The older key store still opens it: its epoch key lives.
        assert sorted(await opened(tmp_path, chosen, kept)) == ["the control", "the secret"]
        await run_beat(node)
        with pytest.raises(KeyProviderFailed):
            await opened(tmp_path, chosen, kept)
        assert await node.texts() == ["the control"]
        # The key backup of the beat opens the control and not what was removed.
        shutil.copy(chosen.key_backup_dir / "keys-backup.db", tmp_path / "older-keys.db")
        assert await opened(tmp_path, chosen, kept) == ["the control"]


async def opened(tmp_path, chosen, kept) -> list[str]:
    """Open content with an older key store and the provider as it is now."""
    entropy, found = SystemEntropy(), []
    database = await open_sqlite(tmp_path / "older-keys.db")
    try:
        store = KeyStore(database, open_provider(chosen, entropy), chosen.region, entropy)
        await store.read_head()
        for key, row in (await store.open_rows(list(kept))).items():
            place = content_place(chosen.region, row.owner, "message", "sealed", key)
            found.append(msgspec.json.decode(Cipher(row.key).open(kept[key], place))["content"]["text"])
    finally:
        await database.close()
    return found


async def test_a_process_that_has_not_heard_of_a_beat_writes_on_and_loses_nothing(tmp_path, chosen):
    async with bench(tmp_path, chosen=chosen) as one, bench(tmp_path, chosen=chosen) as two:
        await two.take(message(1, ANN, "before"))
        beat, days, number = beat_of(one), 0, 10
        while (step := await beat.step(days)) is not None:
            days = None
            # A newcomer and a known person, by a process whose memory is of the epoch before.
            await two.take(message(number, person(number), f"new {number}"), message(number + 1, ANN, f"old {number}"))
            await two.take(recall(number + 1, ANN))
            await two.remove()
            number += 10
            assert number < 1000, step
        for node in (one, two):
            epochs = await node.key_rows("SELECT DISTINCT epoch FROM owner_key")
            assert epochs == [(2,)]
            await node.check_keys()
        await two.take(message(5000, person(5000), "after"))
        assert "after" in await one.texts()


@pytest.mark.parametrize("error", [Died, StoreUnavailable])
async def test_a_beat_that_fails_at_any_call_is_taken_up_and_nothing_is_lost(tmp_path, chosen, monkeypatch, error):
    at, went = 0, False
    while not went:
        at += 1
        folder = tmp_path / str(at)
        each = msgspec.structs.replace(
            chosen, data_dir=folder / "data", journal_dir=folder / "journal", key_dir=folder / "data" / "keyring"
        )
        if chosen.key_provider == "pkcs11":
            # One pair of tokens for all attempts: regions keep their keys apart.
            each = msgspec.structs.replace(each, region=f"{chosen.region}-{at}")
        (folder / "recovery").mkdir(parents=True)
        each = msgspec.structs.replace(
            each, keys=msgspec.structs.replace(each.keys, recovery_dir=str(folder / "recovery"))
        )
        with monkeypatch.context() as patch:
            fate = make_mortal(patch)
            with contextlib.suppress(Died):
                async with bench(folder, chosen=each) as node:
                    await node.take(message(1, ANN, "one"), message(2, BEN, "two"))
                    fate.arm(at, error() if error is Died else error(store="keys"))
                    try:
                        await run_beat(node)
                        went = fate.calls < at
                    except (Died, StoreUnavailable):
                        went = False
                    finally:
                        if error is not Died:
                            fate.disarm()
                    if error is StoreUnavailable and not went:
                        await node.take(message(3, person(3), "three"))
        async with bench(folder, chosen=each) as node:
            beat = beat_of(node)
            while await beat.step(None) is not None:
                pass
            expected = {"one", "two"} | ({"three"} if error is StoreUnavailable and not went else set())
            assert set(await node.texts()) == expected
            await node.check_keys()
            states = [epoch.state for epoch in await read_epochs(node.keys)]
            assert states in (["current"], ["destroyed", "current"]), at
    assert at > 8


async def test_an_epoch_key_is_destroyed_for_a_journaled_entry_only_and_never_while_it_is_needed(tmp_path, chosen):
    from edge_node.storage.keys.destruction import EpochEntry, destroy_epoch

    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        with pytest.raises(LogEntryRequired):
            await destroy_epoch(node.keys, EpochEntry("epoch-1", 1, "ordered"), 1)
        with pytest.raises(IntegrityError):
            await destroy_epoch(node.keys, EpochEntry("epoch-1", 1, "journaled"), 1)
        assert await node.texts() == ["one"]


async def test_the_region_key_is_exchanged_while_messages_come(tmp_path, chosen):
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        rotation = asyncio.create_task(asyncio.to_thread(node.keys.provider.rotate, chosen.region, (1,)))
        await node.take(message(2, person(2), "two"))
        await rotation
        await asyncio.to_thread(node.keys.provider.rotate, chosen.region, (1,))
        assert [ailment for _, ailment in node.keys.provider.places(chosen.region, 1)] == [None, None]
    async with bench(tmp_path, chosen=chosen) as node:
        assert await node.texts() == ["one", "two"]
        await run_beat(node)
        assert await node.texts() == ["one", "two"]


async def test_a_rotation_takes_an_epoch_along_that_was_drawn_and_is_not_in_force(tmp_path, chosen):
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        assert (await begin_epoch(node.keys))[0] == 2  # and the process that draws it dies
    assert await _rotate(chosen) == 2
    async with bench(tmp_path, chosen=chosen) as node:
        assert (await run_beat(node))[-1] == "destroyed"
        assert await node.texts() == ["one"]


async def test_a_running_node_lets_commands_exchange_keys_while_nothing_is_due(tmp_path, chosen):
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        lease = Lease(node.content, "epochs", "the running node", LEASE_MILLISECONDS)
        assert not await EpochKeeper(beat_of(node), lease, 30, node.stores.clock).once()
        assert await _rotate(chosen) == 1
        assert await node.texts() == ["one"]
