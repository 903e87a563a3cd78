"""What lies on the disk once a removal counts as done: no sealed byte, no wrapped key, no mark of what was let go."""

import pytest

from shared.database import Step
from shared.message import Unclassified
from tests.support.interleave import Died
from tests.support.mortal import make_mortal
from tests.support.stores import bench, edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)


def remains(folder, *needles: bytes) -> list[str]:
    """Name the files below ``folder`` that hold any of the byte strings, with the place of that string."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            data = file.read_bytes()
            found += [f"{file.name}: needle {place}" for place, needle in enumerate(needles) if needle in data]
    return found


async def traces(node, table: str = "message") -> list[bytes]:
    """Give the sealed bytes, the wrapped key and the mark of every row of a table."""
    needles = []
    for mark, key, sealed in await node.rows(f"SELECT mark, key, sealed FROM {table} ORDER BY id"):
        ((wrapped,),) = await node.key_rows("SELECT wrapped FROM row_key WHERE id = :key", key=key)
        needles += [sealed, wrapped, mark]
    assert needles
    return needles


async def test_nothing_is_left_of_a_message_nor_of_what_was_about_it(tmp_path):
    raw = Unclassified(
        channel="whatsapp", via="3", at=1, author=ANN, reason="unknown_kind", raw=b"{}", message_id="wamid.1"
    )
    async with bench(tmp_path) as node:
        await node.take(message(0, ANN, "stays"))
        await node.take(message(1, ANN, "goes"), raw, edit(1, BEN, "goes, too", at=3000))
        needles = [*await traces(node), *await traces(node, "event")][3:]
        await node.take(recall(1, ANN))
        await node.remove()
        await node.take(message(2, BEN, "a later commit forgets the intents"))
        await node.keys.flush()
        await node.keys.database.checkpoint()
        assert await node.texts() == ["a later commit forgets the intents", "stays"]
        assert remains(tmp_path, *needles) == []


async def test_no_intent_names_what_was_let_go(tmp_path):
    """The node is quiet after the recall: no later commit comes to forget the intent."""
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "goes"))
        needles = await traces(node)
        await node.take(recall(1, ANN))
        await node.remove()
        assert remains(tmp_path, *needles) == []


async def test_a_superseded_version_leaves_nothing_but_the_mark(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "first"))
        sealed, wrapped, _ = await traces(node)
        await node.take(edit(1, ANN, "second", at=2000))
        await node.remove()
        assert remains(tmp_path, sealed, wrapped) == []


@pytest.mark.parametrize("store", ["keys", "content"])
async def test_a_removal_is_not_done_while_a_reader_keeps_it_in_the_log(tmp_path, store):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "goes"), message(2, ANN, "stays"))
        needles = (await traces(node))[:2]
        await node.keys.flush()
        database = node.content if store == "content" else node.keys.database
        async with database.read() as transaction:
            await transaction.fetch("SELECT count(*) FROM migration")
            await node.take(recall(1, ANN))
            await node.remover.round()
            states = await node.rows("SELECT state FROM log_entry")
            assert states != [("done",)] or remains(tmp_path, *needles) == []
        await node.remove()
        assert remains(tmp_path, *needles) == []
        assert await node.rows("SELECT state FROM log_entry") == [("done",)]


async def test_a_process_that_dies_before_the_log_is_emptied_leaves_that_to_the_next(tmp_path, monkeypatch):
    fate = make_mortal(monkeypatch)

    async def whole_life(folder, at: int) -> tuple[list[bytes], int]:
        async with bench(folder) as node:
            await node.take(message(1, ANN, "goes"), message(2, ANN, "stays"))
            await node.keys.flush()
            needles = (await traces(node))[:2]
            await node.take(recall(1, ANN))
            fate.arm(at, Died())
            try:
                await node.remover.round()
            except Died:
                keep_the_log(folder)
            finally:
                calls = fate.calls
                fate.disarm()
        return needles, calls

    _, calls = await whole_life(tmp_path / "whole", 10**9)
    left = {}
    for at in range(1, calls + 1):
        folder = tmp_path / str(at)
        needles, _ = await whole_life(folder, at)
        put_back_the_log(folder)
        async with bench(folder) as node:
            await node.content.run([Step("DELETE FROM lease")])
            await node.remove()
            if found := remains(folder / "data", *needles):
                left[at] = found
    assert left == {}


def keep_the_log(folder) -> None:
    """Copy the stores as they lie on the disk at this moment: closing them in order would empty their logs."""
    kept = folder / "kept"
    kept.mkdir()
    for file in (folder / "data").glob("*.db*"):
        (kept / file.name).write_bytes(file.read_bytes())


def put_back_the_log(folder) -> None:
    """Lay the stores as they were when the process died."""
    for file in (folder / "kept").glob("*.db*"):
        if not file.name.endswith("-shm"):
            (folder / "data" / file.name).write_bytes(file.read_bytes())
