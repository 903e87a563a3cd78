"""A backup put back: what was let go since stays gone, what came in meanwhile is judged, what cannot be is refused."""

import shutil
from functools import partial

import msgspec
import pytest

from edge_node.storage.journal import FILE
from edge_node.storage.keys.backups import BACKUP_FILE
from edge_node.usecases.views.viewing import Viewer
from shared.errors.custody import (
    BackupInvalid,
    BackupTooOld,
    InQuarantine,
    JournalGap,
    KeyBackupTooOld,
    StorePresent,
)
from tests.support.backups import backed_up, lose, put_back, quarantined
from tests.support.keeping import holder
from tests.support.stores import bench, edit, message, person, recall, settings

ANN, BEN, CAM = person(1), person(2), person(3)


@pytest.fixture(params=[False, True], ids=["key-store-there", "key-backup"])
def keys_lost(request):
    """Say whether the key store is lost, too."""
    return request.param


async def name_of(node, number):
    """Give the pseudonym of the nth person who ever wrote."""
    return (await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[number - 1][0]


async def test_what_was_let_go_since_the_backup_stays_gone(tmp_path, keys_lost):
    async with bench(tmp_path) as node:
        await node.take(*(message(number, ANN, f"ann {number}") for number in range(5)), message(10, BEN, "ben"))
        await node.take(message(20, CAM, "cam"), message(21, CAM, "cam, too"))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(recall(1, ANN), edit(2, ANN, "ann, edited", 2_000))
        await node.take(message(30, person(4), "later"))
        await node.eraser.open_case(await name_of(node, 2), "subject_request")
        await node.eraser.open_case(await name_of(node, 4), "subject_request")
        await node.remove()
        assert await node.texts() == ["ann 0", "ann 3", "ann 4", "ann, edited", "cam", "cam, too"]
    chosen = settings(tmp_path)
    lose(chosen, keys=keys_lost)
    restored = await put_back(chosen, done.backup.folder)
    assert (restored.to_replay, restored.accounts) == (4, [])
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        assert await store.state() == "replaying"
        await store.lift()
        # What stood in the edited message's place before is destroyed, what replaced it is lost.
        assert await node.texts() == ["ann 0", "ann 3", "ann 4", "cam", "cam, too"]
        assert await node.rows("SELECT count(*) FROM identity WHERE valid_to IS NULL") == [(2,)]
        assert await node.key_rows("SELECT count(*) FROM owner_key WHERE kind = 'subject'") == [(2,)]
        await node.check_keys()
        late = await node.take(message(1, ANN, "ann 1"), message(10, BEN, "ben"), message(30, person(4), "later"))
        assert (late.tombstoned, late.suppressed, late.stored) == (1, 2, 0)


async def test_what_comes_in_meanwhile_waits_and_is_judged(tmp_path, keys_lost):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"), message(2, BEN, "two"))
        done = await backed_up(node, tmp_path / "backups")
        await node.eraser.open_case(await name_of(node, 2), "subject_request")
        await node.remove()
    lose(settings(tmp_path), keys=keys_lost)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        came = await store.take(
            message(1, ANN, "one"), message(3, ANN, "three"), message(4, BEN, "four"), message(5, CAM, "five")
        )
        assert came.stored == 4
        again = await store.take(message(3, ANN, "three"), message(6, CAM, "six", at=2_000))
        assert (again.stored, again.duplicates) == (1, 1)
        assert (await store.take(recall(5, CAM), recall(1, ANN))).recalls == 2
        await node.remove()
        # Nobody was looked up, and nothing was opened.
        assert await node.rows("SELECT count(*) FROM subject") == [(2,)]
        assert await node.rows("SELECT count(*) FROM quarantined WHERE keep = 'active'") == [(3,)]
        assert await node.rows("SELECT keep FROM message ORDER BY id") == [("active",)]
        await store.lift()
        assert await node.texts() == ["six", "three"]
        assert await node.rows("SELECT count(*) FROM quarantined") == [(0,)]
        assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]
        await node.check_keys()
        assert (await store.take(message(6, CAM, "six", at=2_000), message(7, ANN, "seven"))).duplicates == 1
        assert await node.texts() == ["seven", "six", "three"]


async def test_holds_placed_and_released_since_the_backup_count(tmp_path, keys_lost):
    async with bench(tmp_path) as node:
        await node.take(*(message(number, each, f"{number}") for number, each in enumerate((ANN, BEN, CAM), 1)))
        ann, ben, cam = [await name_of(node, number) for number in (1, 2, 3)]
        keep = holder(node)
        old = await keep.place(cam, reason="legal_claim", review_at=9_000, beats=("recall", "erase", "expire"))
        done = await backed_up(node, tmp_path / "backups")
        await keep.place(ann, reason="legal_claim", review_at=9_000, beats=("recall", "erase", "expire"))
        await keep.place(ben, reason="legal_claim", review_at=9_000, beats=("recall", "erase", "expire"))
        await keep.release(old)
        await node.take(recall(1, ANN), recall(3, CAM))
        _, entry = await node.eraser.open_case(ben, "subject_request")
        await node.remove()
        assert await node.texts() == ["2"]
    lose(settings(tmp_path), keys=keys_lost)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.take(message(4, ANN, "four"), recall(4, ANN))
        await store.lift()
        assert await node.rows("SELECT keep FROM message ORDER BY id") == [("held",), ("active",), ("held",)]
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("active",), ("held",), ("active",)]
        assert await node.rows("SELECT state, held FROM log_entry WHERE id = :id", id=entry) == [("journaled", 1)]
        listed = await holder(node).list()
        assert [each.released_at is None for each in listed] == [False, True, True]
        for hold in listed[1:]:
            await holder(node).release(hold.id)
        await node.remove()
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("active",), ("gone",), ("active",)]


async def test_nothing_is_opened_shown_or_looked_up_before_the_replay_is_over(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        name = await name_of(node, 1)
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    (tmp_path / "journal" / FILE).rename(tmp_path / "away")
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        with pytest.raises(JournalGap):
            await store.keeper.once()
        assert not store.keeper.opened.is_set()
        viewer = Viewer(node.content, node.keys, None, None, None, None, None, node.stores.clock, 1)
        with pytest.raises(InQuarantine):
            await viewer.open(None, name, "customer_service")
        with pytest.raises(InQuarantine):
            await backed_up(node, tmp_path / "backups")
        assert (await store.take(message(2, ANN, "two"))).stored == 1
        (tmp_path / "away").rename(tmp_path / "journal" / FILE)
        await store.lift()
        assert store.keeper.opened.is_set()
        assert await node.texts() == ["one", "two"]


async def test_a_quarantine_cut_short_is_taken_up(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(*(message(number, ANN, f"{number}") for number in range(3)))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(recall(1, ANN))
        await node.remove()
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.take(message(4, BEN, "4"))
        await store.keeper.once()
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.take(message(5, BEN, "5"))
        while await store.state() == "replaying":
            await store.step()
        await store.keeper.once()
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        assert not store.gate.closed
        await store.lift()
        assert await node.texts() == ["0", "2", "4", "5"]
        await node.check_keys()


async def test_a_second_process_sees_that_the_quarantine_is_over(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as one, bench(tmp_path) as two:
        first, second = await quarantined(one), await quarantined(two)
        await first.take(message(2, BEN, "two"))
        await first.lift()
        assert second.gate.closed
        assert (await second.take(message(3, BEN, "three"))).stored == 1
        assert await two.texts() == ["one", "three", "two"]
        assert await two.rows("SELECT count(*) FROM subject") == [(2,)]


async def test_what_cannot_be_restored_is_refused_and_changes_nothing(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    chosen, folder = settings(tmp_path), done.backup.folder
    old_keys = tmp_path / "old-keys.db"
    shutil.copy(chosen.key_backup_dir / BACKUP_FILE, old_keys)
    with pytest.raises(StorePresent):
        await put_back(chosen, folder)
    lose(chosen, keys=True)
    with pytest.raises(BackupInvalid):
        await put_back(chosen, tmp_path)
    with pytest.raises(BackupInvalid):
        await put_back(msgspec.structs.replace(chosen, region="eu-test"), folder)
    custody = msgspec.structs.replace(chosen.custody, backup_days_max=0)
    with pytest.raises(BackupTooOld):
        await put_back(msgspec.structs.replace(chosen, custody=custody), folder)
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    content = bytearray((damaged / "content.db").read_bytes())
    content[-100] ^= 1
    (damaged / "content.db").write_bytes(content)
    with pytest.raises(BackupInvalid):
        await put_back(chosen, damaged)
    (chosen.key_backup_dir / BACKUP_FILE).unlink()
    with pytest.raises(KeyBackupTooOld):
        await put_back(chosen, folder)
    async with bench(tmp_path / "other") as other:
        foreign = await backed_up(other, tmp_path / "other-backups")
    shutil.copy(foreign.key_backup, chosen.key_backup_dir / BACKUP_FILE)
    with pytest.raises(KeyBackupTooOld):
        await put_back(chosen, folder)
    assert not (chosen.data_dir / "keys.db").exists()
    with pytest.raises(JournalGap):
        await put_back(chosen, foreign.backup.folder)
    shutil.copy(old_keys, chosen.key_backup_dir / BACKUP_FILE)
    assert not (chosen.data_dir / "content.db").exists()
    await put_back(chosen, folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one"]


async def test_a_backup_goes_from_engine_to_engine(tmp_path, postgres_cluster):
    url = postgres_cluster.create()
    on_postgres = partial(settings, tmp_path, url)
    async with bench(tmp_path, url) as node:
        await node.take(message(1, ANN, "one"), message(2, BEN, "two"), recall(7, BEN))
        await node.remove()
        done = await backed_up(node, tmp_path / "backups")
        await node.take(recall(1, ANN), message(3, ANN, "lost"))
        await node.remove()
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.lift()
        assert await node.texts() == ["two"]
        await store.take(message(4, ANN, "four"))
        again = await backed_up(node, tmp_path / "backups")
        await node.take(recall(2, BEN))
        await node.remove()
    empty = postgres_cluster.create()
    with pytest.raises(StorePresent):
        await put_back(on_postgres(), again.backup.folder)
    await put_back(settings(tmp_path, empty), again.backup.folder)
    async with bench(tmp_path, empty) as node:
        store = await quarantined(node)
        await store.take(message(5, person(9), "five"))
        await store.lift()
        assert await node.texts() == ["five", "four"]
        await node.check_keys()
