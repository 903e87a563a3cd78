"""What a node holds is counted by class and law, on both engines, page by page, and while messages come."""

import asyncio

import pytest

from edge_node.core.holdings import TABLES, Tally, class_of_row, holdings
from edge_node.stores import initialise, open_content, open_to_read
from edge_node.usecases.governing.counting import count_holdings
from shared.errors import StoreMissing
from shared.errors.custody import StoreTooOld
from shared.message import Identifier, Person, Status, Unclassified
from shared.policy.touching import Holding
from tests.support.media import picture
from tests.support.stores import message, settings


def somebody(bsuid=None, phone=None):
    """Give a person by WhatsApp's names."""
    names = (("whatsapp_user", bsuid), ("whatsapp_phone", phone))
    return Person(tuple(Identifier(kind, value) for kind, value in names if value))


async def filled(node):
    """Take in messages of three people: one Thai, one Japanese, one whose number may be of several countries."""
    thai, japanese, american = somebody("TH.1"), somebody("JP.2"), somebody(phone="14155552671")
    await node.take(
        *(message(number, thai, "hello") for number in range(5)),
        message(10, japanese, "hello"),
        picture(11, japanese, "file-1"),
        message(12, american, "hello"),
        Status(channel="whatsapp", via="3", at=2000, message_id="wamid.out", status="read", recipient=thai),
        Unclassified(channel="whatsapp", via="3", at=2000, reason="unknown_kind", raw=b"{}"),
    )


def told(found):
    """Give counts by class and law."""
    return {(each.data_class, " ".join(each.subjects)): each.records for each in found}


@pytest.mark.parametrize("page_rows", [1, 2, 20_000])
async def test_every_record_is_counted_once_whatever_the_pages(open_bench, page_rows):
    """People, messages, files, statuses, what nobody understands, and what was shown."""
    async with open_bench() as node:
        await filled(node)
        heard = []
        found = await count_holdings(
            node.content, "id-test", lambda done, whole: heard.append((done, whole)), page_rows
        )
        assert told(found) == {
            ("delivery_metadata", "TH"): 1,
            ("identifier", "JP"): 1,
            ("identifier", "TH"): 1,
            ("identifier", "US-CA"): 1,
            ("media", "JP"): 1,
            ("message_text", "JP"): 1,
            ("message_text", "TH"): 5,
            ("message_text", "US-CA"): 1,
            ("unclassified", ""): 1,
        }
        assert all(isinstance(each, Holding) and each.node == "id-test" for each in found)
        assert heard[-1][0] == heard[-1][1] > 0
        assert heard == sorted(heard)
        rows = await node.rows("SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)")
        people = await node.rows("SELECT count(*) FROM identity")
        assert sum(each.records for each in found) == rows[0][0] + people[0][0]


async def test_what_is_taken_back_is_no_record(open_bench):
    """It waits for its key to be destroyed; it is shown to nobody and asked about by nobody."""
    async with open_bench() as node:
        await filled(node)
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE message SET keep = 'tombstoned' WHERE subject = 1")
            await transaction.execute("UPDATE message SET keep = 'held' WHERE subject = 2")
        found = told(await count_holdings(node.content, "id-test", page_rows=2))
        assert ("message_text", "TH") not in found
        assert found["message_text", "JP"] == 1, "what is held is there"


async def test_several_laws_are_told_as_several(open_bench):
    """Where it may be any of them, nobody chooses."""
    async with open_bench() as node:
        await node.take(message(1, somebody("TH.1"), "hello"))
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE subject SET jurisdiction = '', others = 'EU GB' WHERE id = 1")
        found = await count_holdings(node.content, "id-test")
        assert {each.subjects for each in found} == {("EU", "GB")}


async def test_nobody_waits_for_the_counting(open_bench):
    """Messages are taken in between pages, and the counting comes to its end."""
    async with open_bench() as node:
        await filled(node)

        async def more():
            for number in range(100, 140):
                await node.take(message(number, somebody("TH.1"), "hello"))

        _, found = await asyncio.gather(more(), count_holdings(node.content, "id-test", page_rows=1))
        assert told(found)["message_text", "TH"] >= 5
        assert told(await count_holdings(node.content, "id-test"))["message_text", "TH"] == 45


async def test_it_opens_no_key_store_and_changes_no_schema(open_bench, tmp_path):
    """The content store alone; one of an older release is named; none is made where there is none."""
    async with open_bench() as node:
        await filled(node)
        chosen = node.stores.settings
        (chosen.data_dir / "keys.db").rename(tmp_path / "away")
        async with open_to_read(chosen) as content:
            assert await count_holdings(content, chosen.region)
        async with node.content.write() as transaction:
            await transaction.execute("DELETE FROM migration WHERE number > 9")
        with pytest.raises(StoreTooOld):
            async with open_to_read(chosen):
                pass
        assert await node.rows("SELECT max(number) FROM migration") == [(9,)]


async def test_a_store_that_is_not_there_is_named_and_not_made(tmp_path):
    """An empty place, and a file that nobody set up."""
    chosen = settings(tmp_path)
    with pytest.raises(StoreMissing):
        async with open_to_read(chosen):
            pass
    assert not chosen.data_dir.exists()
    await initialise(chosen)
    (chosen.data_dir / "content.db").unlink()
    (chosen.data_dir / "content.db").touch(0o600)
    with pytest.raises(StoreMissing):
        async with open_to_read(chosen):
            pass
    content = await open_content(chosen)
    await content.close()


def test_rows_of_unknown_kinds_are_unclassified():
    """And every table has a class."""
    assert class_of_row("message", "hologram") == class_of_row("event", "hologram") == "unclassified"
    assert class_of_row("event", "edit") == "message_text"
    assert {class_of_row(table, "media") for table in TABLES} >= {"media", "identifier", "disclosure_record"}
    pages = [
        ("message", Tally("text", "TH", 2)),
        ("message", Tally("text", "TH", 3)),
        ("event", Tally("edit", "TH", 1)),
    ]
    assert [each.records for each in holdings(pages, "x")] == [6]
