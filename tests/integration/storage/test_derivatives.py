"""Files and whatever else is made from messages: recorded, and gone with any message they came from, at every step."""

from dataclasses import dataclass
from functools import partial

import pytest

from edge_node.storage.content import derivatives, registry
from edge_node.usecases.accounts import set_country
from shared.database.contract import Step
from shared.errors.media import MediaGone
from shared.message import Edit, Media, Person
from tests.support.media import Files, media_desk, picture
from tests.support.stores import ACCOUNT, bench, edit, message, person, recall

CANARY = b"\xff\xd8\xff a picture of a key under a flower pot "
BYTES = CANARY * 8_000
OTHER = b"\x89PNG\r\n\x1a\n another picture altogether" * 5_000
REASON = "subject_request"
_SUMMARY = """
INSERT INTO derivative (kind, at, keep, key, sealed, whole) VALUES ('summary', 1, 'active', 99999, :sealed, 0)
"""


@pytest.fixture
def sqlite_bench(tmp_path):
    """Give what opens a node's parts on SQLite, for cases that the engine does not matter to."""
    return partial(bench, tmp_path)


def files_of(node):
    """Give every file of the folder of files."""
    folder = node.stores.blobs.folder
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def marks(node):
    """Give the marks of all messages, oldest first."""
    return [mark for (mark,) in await node.rows("SELECT mark FROM message ORDER BY id")]


async def columns_of(node):
    """Give every (table, column) of the content store."""
    if node.content.engine == "sqlite":
        tables = await node.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = []
        for (table,) in tables:
            found += [(table, row[0]) for row in await node.rows(f"SELECT name FROM pragma_table_info('{table}')")]
        return found
    sql = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    return [(table, column) for table, column in await node.rows(sql)]


async def test_everything_sealed_is_on_the_list(open_bench):
    async with open_bench() as node:
        columns = await columns_of(node)
        assert ("derivative", "sealed") in columns
        assert registry.unregistered(columns) == []
        await node.content.run([Step("CREATE TABLE summary (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT")])
        assert registry.unregistered(await columns_of(node)) == ["summary"]


@dataclass
class Kept:
    """A node with two people's pictures fetched."""

    node: object
    desk: object
    source: Files
    marks: list


async def kept(node):
    """Fetch two people's pictures."""
    source = Files(a=BYTES, b=OTHER)
    desk = await media_desk(node, source)
    await node.take(picture(1, person(1), "a"), message(2, person(1), "words"), picture(3, person(2), "b"))
    assert await desk.fetcher.once() == 4
    return Kept(node, desk, source, await marks(node))


async def test_a_file_is_fetched_once_sealed_and_read(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        assert await here.desk.bytes_of(here.marks[0]) == BYTES
        assert await here.desk.bytes_of(here.marks[2]) == OTHER
        facts = (await here.desk.reader.find(here.marks[0])).facts
        assert (facts.sniffed_type, facts.declared_type, facts.agrees) == ("image/jpeg", "image/jpeg", True)
        assert not (await here.desk.reader.find(here.marks[2])).facts.agrees
        with pytest.raises(MediaGone):
            await here.desk.bytes_of(here.marks[1])
        assert await here.desk.fetcher.once() == 0
        assert sorted(here.source.asked) == [("a", 0), ("b", 0)]
        assert not [path for path in files_of(node) if CANARY in path.read_bytes()]
        assert await derivatives.unrecorded(node.content) == 0
        assert (here.desk.counted("fetched_total", channel="whatsapp"), here.desk.counted("bytes_total")) == (
            2.0,
            float(len(BYTES) + len(OTHER)),
        )
        await node.check_keys()


async def test_a_derivative_without_its_record_is_found(sqlite_bench):
    async with sqlite_bench() as node:
        await kept(node)
        row = "INSERT INTO derivative (kind, at, keep, key, sealed, whole) VALUES ('transcript', 1, 'active', 7, :s, 0)"
        await node.content.run([Step(row, [(b"x",)])])
        assert await derivatives.unrecorded(node.content) == 1


async def test_a_recall_takes_the_file_and_nothing_of_others(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        (key,) = (await node.rows("SELECT key FROM derivative ORDER BY id"))[0]
        await node.take(recall(1, person(1)))
        with pytest.raises(MediaGone):  # at once, before anything is carried out
            await here.desk.bytes_of(here.marks[0])
        assert len(files_of(node)) == 2
        await node.remove()
        assert await node.key_rows("SELECT 1 FROM row_key WHERE id = :key", key=key) == []
        assert [path.name for path in files_of(node)] == [
            row[0] for row in await node.rows("SELECT file FROM derivative")
        ]
        for table in ("derivative", "derived_from", "media_fetch"):
            assert await node.rows(f"SELECT count(*) FROM {table}") == [(1,)]
        assert await here.desk.bytes_of(here.marks[2]) == OTHER
        assert f'"key":{key}' in node.stores.journal.path.read_text()
        await node.check_keys()


async def test_erasing_a_person_takes_their_files_and_nothing_of_others(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        ours = (await node.rows("SELECT file FROM derivative ORDER BY id"))[0][0]
        sealed = node.stores.blobs.path(ours).read_bytes()[100:200]
        name = (await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[0][0]
        await node.eraser.open_case(name, REASON)
        with pytest.raises(MediaGone):
            await here.desk.bytes_of(here.marks[0])
        await node.remove()
        assert not [path for path in files_of(node) if sealed in path.read_bytes()]
        assert len(files_of(node)) == 1
        assert await here.desk.bytes_of(here.marks[2]) == OTHER
        assert await node.rows("SELECT derivatives FROM erasure") == [(1,)]
        await node.check_keys()


async def test_what_is_made_from_several_goes_with_any_of_them(open_bench):
    """A summary of a group's messages, under the group's key: erasing one of its people takes it."""
    async with open_bench() as node:
        here = await kept(node)
        first, _, third = here.marks
        (subject,) = (await node.rows("SELECT subject FROM message WHERE mark = :m", m=first))[0]
        await node.content.run(
            [
                Step(
                    _SUMMARY,
                    [(b"x",)],
                ),
                Step(
                    "INSERT INTO derived_from (derivative, mark, subject) "
                    "SELECT d.id, m.mark, m.subject FROM derivative d, message m WHERE d.key = 99999 AND m.mark = :m",
                    [(first,), (third,)],
                ),
            ]
        )
        name = (await node.rows("SELECT pseudonym FROM subject WHERE id = :s", s=subject))[0][0]
        await node.eraser.open_case(name, REASON)
        await node.remove()
        assert await node.rows("SELECT kind FROM derivative") == [("media",)]
        assert await node.rows("SELECT count(*) FROM log_entry WHERE act = 'underive' AND state = 'done'") == [(1,)]
        assert await here.desk.bytes_of(third) == OTHER


async def test_an_edit_of_the_words_keeps_the_file_and_one_of_the_file_replaces_it(open_bench):
    async with open_bench() as node:
        here = await kept(node)
        first = here.marks[0]

        def changed(at, **media):
            content = Media("image", mime_type="image/jpeg", **media)
            return Edit(channel="whatsapp", via="3", at=at, author=person(1), message_id="wamid.1", content=content)

        await node.take(changed(2_000, media_id="a", caption="other words"))
        await node.remove()
        await here.desk.fetcher.once()
        assert await here.desk.bytes_of(first) == BYTES
        assert len(here.source.asked) == 2
        await node.take(changed(3_000, media_id="b"))
        await node.remove()
        await here.desk.fetcher.once()
        await node.remove()
        assert await here.desk.bytes_of(first) == OTHER
        assert len(files_of(node)) == 2
        await node.take(edit(1, person(1), "only words now", at=4_000))
        await node.remove()
        await here.desk.fetcher.once()
        assert await here.desk.bytes_of(first) == OTHER
        await node.check_keys()


@pytest.mark.parametrize("moment", ["new", "noted", "begun", "streaming"])
@pytest.mark.parametrize("how", ["recall", "erasure"])
async def test_what_is_let_go_before_its_file_is_here_leaves_nothing(sqlite_bench, moment, how):
    async with sqlite_bench() as node:
        source = Files(a=BYTES * 20, b=OTHER)
        desk = await media_desk(node, source)
        await node.take(picture(1, person(1), "a"), picture(2, person(2), "b"))
        first, second = await marks(node)

        async def let_go(at=0):
            source.between = None
            if how == "recall":
                await node.take(recall(1, person(1)))
            else:
                name = (await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[0][0]
                await node.eraser.open_case(name, REASON)
            if moment != "begun":
                await node.remove()

        if moment == "new":
            await let_go()
        elif moment == "noted":
            await desk.fetcher._noter.note(await desk.store.unseen(9))
            await let_go()
        else:
            source.between = let_go
        await desk.fetcher.once()
        await desk.fetcher.once()
        await node.remove()
        assert await desk.store.readable(first) is None
        assert len(files_of(node)) == 1
        assert await desk.bytes_of(second) == OTHER
        assert await node.rows("SELECT count(*) FROM derivative") == [(1,)]
        await node.check_keys()


async def test_a_file_of_nobody_known_goes_under_the_key_of_the_day(open_bench):
    async with open_bench() as node:
        await set_country(node.stores.accounts, ACCOUNT.name, "ID")
        desk = await media_desk(node, Files(a=BYTES))
        await node.take(picture(1, Person(), "a"))
        await desk.fetcher.once()
        (mark,) = await marks(node)
        assert await desk.bytes_of(mark) == BYTES
        await node.take(recall(1, Person()))
        await node.remove()
        assert files_of(node) == []
