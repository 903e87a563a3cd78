"""What a restore meets on bad days: another restore before it, a clock that is behind, a journal that was cut short."""

import asyncio
import shutil
import sqlite3

import pytest

from edge_node.storage.journal import FILE, HoldLine, Journal, JournalEntry
from edge_node.storage.keys.backups import BACKUP_FILE
from edge_node.usecases.custody.restoring import restore
from shared.clock import DAY, SystemClock
from shared.entropy import SystemEntropy
from shared.errors.custody import BackupPassedOver, InQuarantine, JournalGap, KeyBackupForeign
from shared.wire import PROTOCOL, Command, SubjectTarget
from tests.support.backups import backed_up, lose, put_back, quarantined, takens, watch
from tests.support.stores import bench, message, person, recall, settings

ANN, BEN = person(1), person(2)


async def test_no_backup_is_taken_of_events_that_are_judged_next(tmp_path):
    """The waiting copy of an event is destroyed when it is judged: a backup must not have that copy alone."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.take(message(2, BEN, "two"))
        while await store.state() == "replaying":
            await store.keeper.once()
        with pytest.raises(InQuarantine):
            await backed_up(node, tmp_path / "backups")
        await store.lift()
        later = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), later.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one", "two"]


@pytest.mark.parametrize("keys_lost", [False, True])
async def test_a_newer_backup_after_an_older_one_brings_nothing_back(tmp_path, keys_lost):
    """While the older one was in force nobody knew of the message, and the recall named no row."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        older = await backed_up(node, tmp_path / "backups")
        await node.take(message(2, ANN, "two"), message(3, BEN, "ben"))
        newer = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=keys_lost)
    await put_back(settings(tmp_path), older.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.lift()
        await store.take(recall(2, ANN))
        await node.remove()
    lose(settings(tmp_path), keys=keys_lost)
    with pytest.raises(BackupPassedOver):
        await put_back(settings(tmp_path), newer.backup.folder)
    assert not (settings(tmp_path).data_dir / "content.db").exists()
    await put_back(settings(tmp_path), older.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one"]


async def test_a_newer_backup_may_follow_an_older_one_under_which_nobody_took_anything_back(tmp_path):
    """Somebody restores the wrong one, sees it, and restores the right one."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        older = await backed_up(node, tmp_path / "backups")
        await node.take(message(2, ANN, "two"), recall(1, ANN))
        await node.remove()
        newer = await backed_up(node, tmp_path / "backups")
    for done in (older, newer):
        lose(settings(tmp_path), keys=True)
        await put_back(settings(tmp_path), done.backup.folder)
        async with bench(tmp_path) as node:
            await (await quarantined(node)).lift()
            assert await node.texts() == (["two"] if done is newer else [])


class Behind(SystemClock):
    """The clock of a new machine that nobody has set."""

    def now(self):
        """Be a day late."""
        return super().now() - DAY


async def test_a_clock_that_is_behind_opens_nothing_early(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"), message(2, BEN, "two"))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(recall(1, ANN))
        await node.remove()
    lose(settings(tmp_path), keys=True)
    await restore(settings(tmp_path), done.backup.folder, Behind(), SystemEntropy(), watch)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        for _ in range(3):
            await store.keeper.once()
        assert await store.state() == "replaying"
        await store.lift()
        assert await node.texts() == ["two"]


async def test_the_log_of_a_key_store_that_was_moved_away_is_not_applied_to_its_backup(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(*(message(number, person(number), "later") for number in range(2, 60)))
        data = settings(tmp_path).data_dir
        shutil.copy(data / "keys.db-wal", tmp_path / "wal")
    lose(settings(tmp_path), keys=True)
    shutil.copy(tmp_path / "wal", data / "keys.db-wal")
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one"]
        assert await node.key_rows("SELECT count(*) FROM owner_key WHERE kind = 'subject'") == [(1,)]
        assert await node.key_rows("PRAGMA integrity_check") == [("ok",)]


async def test_a_new_key_store_does_not_take_the_place_of_the_one_key_backup(tmp_path):
    """Somebody sets a node up anew where one was lost: the backup that could bring it back must outlive that."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        await node.take(recall(1, ANN), message(2, ANN, "two"))
        await node.remove()
        done = await backed_up(node, tmp_path / "backups")
    kept = (settings(tmp_path).key_backup_dir / BACKUP_FILE).read_bytes()
    lose(settings(tmp_path), keys=True)
    async with bench(tmp_path) as node:
        with pytest.raises(KeyBackupForeign):
            await backed_up(node, tmp_path / "backups")
    assert (settings(tmp_path).key_backup_dir / BACKUP_FILE).read_bytes() == kept
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["two"]


def test_a_line_cut_short_behind_an_inner_brace_is_left_out(tmp_path):
    journal = Journal(tmp_path)
    journal.append([JournalEntry("a", "backup", "operator", 1)])
    whole = (tmp_path / FILE).read_bytes()
    journal.append([JournalEntry("b", "unhold", "operator", 2, hold=HoldLine("c"))])
    cut = (tmp_path / FILE).read_bytes()[:-2]
    assert cut.endswith(b"}")
    assert len(cut) > len(whole)
    (tmp_path / FILE).write_bytes(cut)
    journal.append([JournalEntry("d", "recall", "line", 3)])
    assert [line.log_entry for line in journal.read()] == ["a", "d"]


async def test_a_damaged_journal_is_refused_with_a_word(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(recall(1, ANN))
        await node.remove()
    path = settings(tmp_path).journal_dir / FILE
    path.write_bytes(path.read_bytes().replace(b'"recall"', b'"re\x00all"'))
    lose(settings(tmp_path), keys=False)
    with pytest.raises(JournalGap):
        await put_back(settings(tmp_path), done.backup.folder)


async def test_who_was_erased_and_wrote_again_is_heard_though_the_erasure_is_told_again(tmp_path):
    """The control plane hands out again what came since the backup, before the journal is replayed."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
        [(name,)] = await node.rows("SELECT pseudonym FROM subject")
        target = SubjectTarget(pseudonym=name)
        facts = {"kind": "erase", "reason": "subject_request", "issued_at": 1, "target": target}
        before = node.stores.clock.now()
        command = Command(protocol=PROTOCOL, id="1" * 32, cursor=1, case="2" * 32, **facts)
        assert await node.eraser.obey(command, target, 50) == "ordered"
        await node.remove()
        erased_at = node.stores.clock.now()
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    await asyncio.sleep(0.01)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        again = takens([message(2, ANN, "again", at=node.stores.clock.now())])
        await store.gate.take_in(again)
        await asyncio.sleep(0.01)
        assert again[0].event.at > erased_at
        assert await node.eraser.obey(command, target, 50) == "ordered"
        await node.remove()
        await store.lift()
        assert await node.texts() == ["again"]
        late = takens([message(3, ANN, "late", at=before)])
        assert (await store.gate.take_in(late)).suppressed == 1


async def test_a_long_journal_is_replayed_beside_many_events_that_wait(tmp_path):
    """A table searched from end to end for every line would keep a region in quarantine for hours, and webhooks out."""
    async with bench(tmp_path):
        pass
    link = sqlite3.connect(settings(tmp_path).data_dir / "content.db")
    for statement in ("UPDATE quarantined SET keep = 'tombstoned'", "DELETE FROM quarantined"):
        plan = link.execute(f"EXPLAIN QUERY PLAN {statement} WHERE key = 1").fetchall()
        assert [row[3] for row in plan] == ["SEARCH quarantined USING INDEX quarantined_key (key=?)"]
    link.close()
