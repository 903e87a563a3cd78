"""Keys after a restore: none is taken for another."""

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
