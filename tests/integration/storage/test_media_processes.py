"""Several processes fetch, an older release goes on beside this one, and what is written and logged meanwhile."""

import asyncio
from functools import partial
from io import StringIO

import pytest

from edge_node.storage.content import derivatives, registry
from edge_node.storage.content.media import _DUE
from edge_node.usecases.media import noting as media_noting
from shared.database.contract import Step
from shared.database.statements import parse
from shared.telemetry import configure
from tests.integration.storage.test_derivatives import BYTES, OTHER, files_of, kept, marks
from tests.support.media import Files, media_desk, picture
from tests.support.stores import bench, message, person


@pytest.fixture
def sqlite_bench(tmp_path):
    """Give what opens a node's parts on SQLite, for cases that the engine does not matter to."""
    return partial(bench, tmp_path)


async def test_a_process_that_lost_its_lease_breaks_off_and_another_goes_on(open_bench):
    async with open_bench() as node:
        source = Files(a=BYTES)
        first, second = await media_desk(node, source), await media_desk(node, source)
        await node.take(picture(1, person(1), "a"))
        held = asyncio.Event()

        async def wait(_):
            held.set()
            await asyncio.sleep(60)

        source.between = wait
        task = asyncio.create_task(first.fetcher.once())
        await held.wait()
        source.between = None
        assert await second.fetcher.once() == 0  # the lease is another's
        task.cancel()
        first.fetcher._break_off()
        await first.fetcher._finish_running()
        await first.fetcher._lease.give_back()
        assert await second.fetcher.once()
        (mark,) = await marks(node)
        assert await second.bytes_of(mark) == BYTES


async def test_two_processes_that_note_the_same_message_make_one_file(open_bench, monkeypatch):
    async with open_bench() as node, open_bench() as other:
        desk, twin = await media_desk(node, Files(a=BYTES)), await media_desk(other, Files(a=BYTES))
        await node.take(picture(1, person(1), "a"))
        unseen = await desk.store.unseen(9)
        assert await desk.fetcher._noter.note(unseen) == 1
        assert await twin.fetcher._noter.note(unseen) == 0
        assert await node.rows("SELECT count(*) FROM derivative") == [(1,)]
        assert len(await node.key_rows("SELECT id FROM row_key")) == 4  # account, identity, message, file
        assert media_noting.TABLE in registry.WALKED


async def test_what_an_older_release_left_behind_is_let_go(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        await node.content.run([Step("UPDATE message SET keep = 'tombstoned' WHERE mark = :m", [(here.marks[0],)])])
        keys, after = await derivatives.left_behind(node.content, 0, 1_000)
        assert (len(keys), after) == (1, 0)
        await derivatives.order_left(node.content, "left", keys[0], 5)
        await node.remove()
        assert len(files_of(node)) == 1
        assert await here.desk.bytes_of(here.marks[2]) == OTHER


async def test_taking_in_writes_no_more_for_a_message_without_a_file(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1), "words"), picture(2, person(1), "a"))
        desk = await media_desk(node, Files())
        assert [each.mark for each in await desk.store.unseen(9)] == [(await marks(node))[1]]
        if node.content.engine == "sqlite":
            plan = await node.rows(
                "EXPLAIN QUERY PLAN SELECT mark FROM message WHERE media <> key AND kind IN ('image', 'video', "
                "'audio', 'voice', 'document', 'sticker') AND keep = 'active' ORDER BY id LIMIT 5"
            )
            assert "message_media" in str(plan)


async def test_looking_for_files_to_fetch_does_not_walk_the_messages(sqlite_bench):
    async with sqlite_bench() as node:
        parsed = parse(_DUE)
        async with node.content.read() as transaction:
            plan = await transaction.fetch_many(f"EXPLAIN QUERY PLAN {_DUE}", [(0,) * len(parsed.names)])
        assert not [row for row in plan if row[3].startswith("SCAN")]


async def test_nothing_personal_is_logged(sqlite_bench):
    said = StringIO()
    configure(stream=said)
    async with sqlite_bench() as node:
        here = await kept(node)
        here.source.error = KeyError("wamid.1")
        await node.take(picture(9, person(1), "secret-id"))
        await here.desk.fetcher.once()
        lines = said.getvalue()
        assert "media_fetched" in lines
        assert "alert_media_not_fetched" in lines
        assert not [word for word in ("wamid", "secret-id", "ID.1", "flower") if word in lines]
