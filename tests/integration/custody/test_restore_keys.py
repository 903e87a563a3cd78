"""Keys after a restore: none is taken for another, none is left that opens what the restored store does not have."""

from tests.support.backups import backed_up, lose, put_back, quarantined
from tests.support.stores import bench, message, person, recall, settings

ANN = person(1)


async def test_keys_drawn_after_a_restore_are_none_that_the_journal_names(tmp_path):
    """What the lost store drew since may stand in the journal; a later restore must not take it for what it has now."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(*(message(number, ANN, f"{number}") for number in range(2, 40)))
        await node.take(*(recall(number, ANN) for number in range(2, 40)))
        await node.remove()
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        await store.lift()
        await store.take(*(message(number, ANN, f"{number}") for number in range(100, 140)))
        later = await backed_up(node, tmp_path / "backups")
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), later.backup.folder)
    async with bench(tmp_path) as node:
        named = {line.key for line in node.stores.journal.read() if line.key is not None}
        ours = {key for (key,) in await node.rows("SELECT key FROM message")}
        assert named
        assert not named & ours


async def test_keys_of_what_came_after_the_backup_are_destroyed(tmp_path):
    """The lost disk may turn up: the key store that was kept must not open what it holds."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(message(2, ANN, "two"), message(3, person(9), "three"))
        later = await node.rows("SELECT key FROM message WHERE id > 1 UNION SELECT key FROM identity WHERE id > 1")
        await node.keys.flush()
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        store = await quarantined(node)
        assert len(await node.keys.open_rows([key for (key,) in later])) == 3
        await store.take(message(4, ANN, "four"))
        await store.lift()
        assert await node.keys.open_rows([key for (key,) in later]) == {}
        assert await node.texts() == ["four", "one"]
        await node.check_keys()
