"""What a restore and a backup meet on disks: damage, missing files, open permissions, what lies where it should not."""

import os
import shutil
import sqlite3

import msgspec
import pytest

from edge_node.storage.content.quarantine import count_waiting
from edge_node.storage.keys.backups import BACKUP_FILE
from shared.database.contract import Step
from shared.errors import KeyProviderFailed
from shared.errors.custody import KeyStoreDamaged, RestoreFailed
from shared.message import Identifier, Person, Relation
from tests.support.backups import backed_up, lose, put_back, quarantined
from tests.support.stores import bench, edit, message, person, settings

ANN, BEN = person(1), person(2)
FILE = "ab" + "0" * 30
_ROW = """
INSERT INTO derivative (kind, at, keep, key, sealed, file, whole) VALUES ('media', 1, 'active', 5, :sealed, :file, 1)
"""


async def put_file(node):
    """Give a node a file, as if it had come with a message; it opens nothing."""
    folder = node.stores.blobs.path(FILE).parent
    for each in (folder.parent, folder):
        each.mkdir(mode=0o700)
    node.stores.blobs.path(FILE).write_bytes(b"sealed")
    node.stores.blobs.path(FILE).chmod(0o600)
    await node.content.run([Step(_ROW, [(b"x", FILE)])])
    return node.stores.blobs.path(FILE)


def spoil(path, at):
    """Change some bytes of a file."""
    data = bytearray(path.read_bytes())
    data[at : at + 40] = bytes(byte ^ 0xFF for byte in data[at : at + 40])
    path.write_bytes(data)


async def test_nothing_is_open_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        async with bench(tmp_path) as node:
            live = await put_file(node)
            place = tmp_path / "far" / "away"
            first, second = [(await backed_up(node, place)).backup.folder for _ in range(2)]
        copies = [folder / "blobs" / "ab" / FILE for folder in (first, second)]
        assert copies[0].stat().st_ino == copies[1].stat().st_ino != live.stat().st_ino
        lose(settings(tmp_path), keys=True)
        await put_back(settings(tmp_path), second)
        assert live.stat().st_ino != copies[0].stat().st_ino
    finally:
        os.umask(before)
    found = [str(path) for path in tmp_path.rglob("*") if path.lstat().st_mode & 0o077]
    assert found == []


@pytest.mark.parametrize("at", [0, 100, 4_101])
async def test_damaged_keys_are_named_and_the_key_backup_takes_their_place(tmp_path, at):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=False)
    keys = settings(tmp_path).data_dir / "keys.db"
    spoil(keys, at)
    damaged = keys.read_bytes()
    with pytest.raises(KeyStoreDamaged):
        await put_back(settings(tmp_path), done.backup.folder)
    assert keys.read_bytes() == damaged
    lose(settings(tmp_path), keys=True)
    backup = settings(tmp_path).key_backup_dir / BACKUP_FILE
    whole = backup.read_bytes()
    spoil(backup, at)
    with pytest.raises(KeyStoreDamaged):
        await put_back(settings(tmp_path), done.backup.folder)
    assert not keys.exists()
    backup.write_bytes(whole)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one"]


async def test_a_row_that_is_wrong_is_found_though_the_file_opens(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(*(message(number, person(number), "words") for number in range(1, 60)))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=False)
    keys = settings(tmp_path).data_dir / "keys.db"
    link = sqlite3.connect(keys)
    page = link.execute("SELECT rootpage FROM sqlite_master WHERE name = 'owner_key'").fetchone()[0]
    size = link.execute("PRAGMA page_size").fetchone()[0]
    link.close()
    spoil(keys, (page - 1) * size + 8)
    with pytest.raises(KeyStoreDamaged):
        await put_back(settings(tmp_path), done.backup.folder)


async def test_a_key_place_that_is_away_is_not_made(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    chosen = settings(tmp_path)
    lose(chosen, keys=True)
    for number, place in enumerate((chosen.key_dir, chosen.journal_dir / "keyring")):
        place.rename(tmp_path / f"away-{number}")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(KeyProviderFailed):
        await put_back(chosen, done.backup.folder)
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "away-1").rename(chosen.journal_dir / "keyring")
    await put_back(chosen, done.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one"]


async def test_files_that_a_backup_has_lost_are_told_of(tmp_path):
    async with bench(tmp_path) as node:
        await put_file(node)
        done = await backed_up(node, tmp_path / "backups")
    (done.backup.folder / "blobs" / "ab" / FILE).unlink()
    lose(settings(tmp_path), keys=True)
    assert (await put_back(settings(tmp_path), done.backup.folder)).files_missing == 1


async def test_what_does_not_belong_among_backups_is_left_alone(tmp_path):
    place, other = tmp_path / "backups", tmp_path / "elsewhere"
    async with bench(tmp_path) as node:
        done = await backed_up(node, place)
        shutil.copytree(done.backup.folder, other)
        old = msgspec.json.decode((other / "manifest.json").read_bytes()) | {"taken_at": 1}
        (other / "manifest.json").write_bytes(msgspec.json.encode(old))
        (place / "20200101T000000Z-aaaaaaaa").symlink_to(other)
        (place / ".part-file").write_bytes(b"")
        os.utime(place / ".part-file", (1, 1))
        assert (await backed_up(node, place)).pruned == []
        assert (other / "manifest.json").exists()
        shutil.move(other, place / "20200101T000000Z-bbbbbbbb")
        assert (await backed_up(node, place)).pruned == ["20200101T000000Z-bbbbbbbb"]


async def test_a_waiting_event_whose_key_is_lost_keeps_nobody_busy(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.take(message(2, ANN, "two"), message(3, BEN, "three"))
        [(key,)] = await node.rows("SELECT key FROM quarantined ORDER BY id LIMIT 1")
        await node.keys.database.run([Step("DELETE FROM row_key WHERE id = :key", [(key,)])])
        for _ in range(20):
            went_on = await store.step()
        assert not went_on
        assert await node.texts() == ["one", "three"]
        assert await count_waiting(node.content) == 1
        assert await store.state() == "judging"


async def test_every_kind_of_event_comes_through_a_quarantine_once(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), done.backup.folder)
    group = Identifier("line_group", "G1")
    joined = Relation(
        channel="line",
        via="3",
        at=5,
        event_id="E1",
        change="member_joined",
        members=(person(5), person(6), Person(())),
        group=group,
    )
    events = (
        joined,
        edit(9, ANN, "edited", 2_000),
        message(10, BEN, "in a group", group=group),
        message(9, ANN, "not edited"),
    )
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        assert (await store.take(*events)).stored == 4
        assert (await store.take(*reversed(events))).duplicates == 4
        await store.lift()
        await store.take(*events)
        assert await node.texts() == ["edited", "in a group", "one"]
        found = await node.rows("SELECT kind, subject IS NULL, conversation IS NOT NULL FROM event ORDER BY id")
        assert found == [("relation", 0, 1), ("relation", 0, 1), ("relation", 1, 1)]
        assert await node.rows("SELECT count(*) FROM quarantined") == [(0,)]
        await node.check_keys()


async def test_a_restore_that_does_not_fit_leaves_nothing_and_can_be_repeated(tmp_path):
    async with bench(tmp_path) as node:
        await put_file(node)
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=True)
    data = settings(tmp_path).data_dir
    # A file where the folder of a prefix belongs stands for a disk that takes no more.
    (data / "blobs").mkdir(mode=0o700)
    (data / "blobs" / "ab").write_bytes(b"")
    with pytest.raises(RestoreFailed):
        await put_back(settings(tmp_path), done.backup.folder)
    assert [path.name for path in data.iterdir() if path.name.startswith("content")] == []
    (data / "blobs" / "ab").unlink()
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        assert await node.texts() == ["one"]
