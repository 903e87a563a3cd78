"""What laws keep although somebody wants it gone: named with the article, until its date, and gone after it."""

import pytest

from edge_node.core.classes import RESTING, mask_of
from edge_node.core.duties import judged
from edge_node.core.erasing import Remnants, erasure_results
from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.disclosures import find_timeline
from edge_node.storage.content.duties import kept_of
from shared.errors.keeping import HoldUnfounded
from shared.message import Status
from shared.policy.spans import moment_ms
from tests.support.governed import MovedClock, at_date, govern, laws_of, of_law, take_at
from tests.support.keeping import LATER
from tests.support.stores import message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)
NOW = "2027-09-01"


@pytest.fixture
def clock():
    """Give a clock that stands in September 2027."""
    return MovedClock(NOW)


@pytest.fixture
def open_at(open_bench, monkeypatch, clock):
    """Give what opens a node whose time is the clock's."""
    return lambda: at_date(open_bench, monkeypatch, clock)


def status(number: int, recipient) -> Status:
    """Give a status of a message sent."""
    return Status(channel="whatsapp", via="3", at=5, recipient=recipient, message_id=f"wamid.{number}", status="read")


async def kept(node, name: str) -> list[tuple]:
    """Give what the officer is shown: removal, class, state, article, until, how many."""
    rows, waiting = await kept_of(node.content, name)
    assert waiting == 0
    return [(row.wanted, row.data_class, row.keep, row.article, row.last_until, row.amount) for row in rows]


async def words(node, keep: str) -> list[str]:
    """Open every message that is kept so, and give its words."""
    rows = await node.rows("SELECT key, sealed FROM message WHERE keep = :keep", keep=keep)
    return sorted([(await node.open("message", key, sealed)).content.text for key, sealed in rows])


async def receipt(node) -> dict[tuple[str, str], tuple[int, str | None, int | None]]:
    """Give what the receipt of the one erasure would say, by store and method; empty where none is owed yet."""
    found = await CommandStore(node.content).finished(9)
    lines = [
        line
        for each in found
        for line in erasure_results(each.counts, Remnants(None), each.retained, each.keys_kept)
        if line.store not in {"backups", "platform"}
    ]
    return {(line.store, line.method): (line.count, line.article, line.until) for line in lines}


async def test_an_indian_message_taken_back_is_kept_for_its_year_and_goes_then(open_at, clock):
    async with open_at() as node:
        stored = moment_ms("2027-06-01")
        await take_at(node, stored, message(1, ANN, "one"), message(2, BEN, "two"))
        await take_at(node, moment_ms("2026-03-01"), message(3, ANN, "older"))
        name = await of_law(node, 1, "IN")
        await of_law(node, 2, "EU")
        await govern(node, laws_of("IN", "EU"))
        await node.duties.ensure()
        await node.take(recall(1, ANN), recall(2, BEN), recall(3, ANN))
        await node.settle()
        assert await words(node, "held") == ["one"]
        assert await node.texts() == []
        until = moment_ms("2028-06-01")
        assert await kept(node, name) == [("recall", "message_text", "restricted", "dpdr-in-8-3", until, 1)]
        journal = [line for line in node.stores.journal.read() if line.act == "recall"]
        assert sorted(line.held for line in journal) == [False, False, True]
        # A second recall changes nothing; a day before its date it is still there.
        await node.take(recall(1, ANN, at=9_001))
        clock.move_to("2028-05-31")
        await node.settle()
        assert await words(node, "held") == ["one"]
        clock.move_to("2028-06-01T00:00:01Z")
        await node.settle()
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        assert await node.rows("SELECT DISTINCT state, held FROM log_entry") == [("done", 0)]
        assert await kept(node, name) == []
        await node.check_keys()


async def test_an_erasure_lets_go_what_no_law_keeps_and_the_rest_at_its_date(open_at, clock):
    async with open_at() as node:
        stored = moment_ms("2027-08-01")
        await take_at(
            node, stored, message(1, ANN, "one"), message(2, ANN, "two"), status(1, ANN), message(9, BEN, "x")
        )
        name = await of_law(node, 1, "VN")
        await govern(node, laws_of("VN"))
        _, entry = await node.eraser.open_case(name, "subject_request")
        await node.settle()
        assert await node.texts() == ["x"]
        until = moment_ms("2029-08-01")
        assert await node.rows("SELECT kind FROM event") == [("status",)]
        assert await node.rows("SELECT count(*) FROM identity WHERE subject = 1") == [(0,)]
        assert await kept(node, name) == [("erase", "delivery_metadata", "restricted", "dec-vn-53", until, 1)]
        said = {
            ("keys", "destroyed"): (4, None, None),
            ("keys", "retained_until"): (1, "dec-vn-53", until),
            ("messages", "removed"): (2, None, None),
            ("identities", "removed"): (2, None, None),
            ("events", "retained_until"): (1, "dec-vn-53", until),
        }
        assert await receipt(node) == said
        assert await node.rows("SELECT held FROM log_entry WHERE id = :id", id=entry) == [(1,)]
        clock.move_to("2029-07-31")
        await node.settle()
        assert await receipt(node) == said
        clock.move_to("2029-08-01T01:00:00Z")
        await node.settle()
        assert await node.rows("SELECT count(*) FROM event") == [(0,)]
        assert await node.rows("SELECT state, held FROM log_entry WHERE id = :id", id=entry) == [("done", 0)]
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("gone",), ("active",)]
        await node.check_keys()


async def test_what_the_law_blocks_first_waits_until_an_officer_lifts_it(open_at):
    async with open_at() as node:
        await take_at(node, moment_ms("2027-08-01"), message(1, ANN, "one"), message(2, ANN, "two"))
        name = await of_law(node, 1, "MX")
        await govern(node, laws_of("MX"))
        await node.duties.ensure()
        await node.take(recall(2, ANN))
        await node.eraser.open_case(name, "subject_request")
        await node.settle()
        # What she took back goes at once, what is cancelled is blocked first.
        assert await node.rows("SELECT count(*) FROM message") == [(1,)]
        states = {(row[1], row[2], row[3], row[4]) for row in await kept(node, name)}
        assert states == {(each, "blocked", "lfpd-mx-1", None) for each in ("message_text", "identifier")}
        assert await receipt(node) == {}
        ((hold,),) = await node.rows("SELECT id FROM hold")
        await node.holder.release(hold)
        await node.settle()
        assert await node.rows("SELECT keep FROM subject") == [("gone",)]
        assert (await receipt(node))["messages", "removed"] == (1, None, None)


async def test_what_access_was_refused_to_is_preserved_for_as_long_as_a_law_says(open_at, clock):
    async with open_at() as node:
        await take_at(node, moment_ms("2027-08-01"), message(1, ANN, "one"))
        name = await of_law(node, 1, "SG")
        await govern(node, laws_of("SG"))
        await node.holder.place(name, reason="access_refused", review_at=LATER, beats=("recall", "erase", "expire"))
        ((listed),) = await node.holder.list()
        assert (listed.backing.kind, listed.backing.article) == ("preservation", "pdpa-sg-22a")
        await node.take(recall(1, ANN))
        await node.settle()
        assert [row[2:4] for row in await kept(node, name)] == [("held", "pdpa-sg-22a")]
        clock.move(29.9)
        await node.settle()
        assert await words(node, "held") == ["one"]
        clock.move(0.2)
        await node.settle()
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        assert await node.rows("SELECT actor FROM hold_entry ORDER BY id") == [("operator",), ("law",)]


async def test_a_restriction_yields_to_recall_and_stands_only_where_a_law_knows_it(open_at):
    async with open_at() as node:
        await take_at(
            node, moment_ms("2027-08-01"), message(1, ANN, "one"), message(2, ANN, "two"), message(3, BEN, "x")
        )
        name, other = await of_law(node, 1, "EU"), await of_law(node, 2, "TH")
        await govern(node, laws_of("EU"))
        everything = ("recall", "erase", "expire")
        hold = await node.holder.place(name, reason="restriction", review_at=LATER, beats=everything)
        # While processing is restricted nothing is shown.
        assert (await find_timeline(node.content, name)).restricted == mask_of(RESTING)
        assert (await find_timeline(node.content, other)).restricted == 0
        with pytest.raises(HoldUnfounded):
            await node.holder.place(other, reason="restriction", review_at=LATER, beats=everything)
        await node.take(recall(1, ANN))
        await node.eraser.open_case(name, "subject_request")
        await node.settle()
        assert await node.rows("SELECT count(*) FROM message WHERE subject = 1") == [(1,)]
        assert {row[2:4] for row in await kept(node, name)} == {("restricted", "gdpr-18-2")}
        await node.holder.release(hold)
        await node.settle()
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("gone",), ("active",)]


async def test_a_hold_names_its_article_or_says_that_none_is_known(open_at):
    async with open_at() as node:
        await take_at(node, moment_ms("2027-08-01"), message(1, ANN, "one"), message(2, BEN, "two"))
        name, other = await of_law(node, 1, "KR"), await of_law(node, 2, "TW")
        await govern(node, laws_of("KR"))
        for each in (name, other):
            await node.holder.place(each, reason="legal_claim", review_at=LATER, beats=("recall", "erase"))
        assert [each.backing.article for each in await node.holder.list()] == ["pipa-kr-21-3", ""]
        await node.take(recall(1, ANN), recall(2, BEN))
        await node.settle()
        assert [row[2:4] for row in await kept(node, name)] == [("restricted", "pipa-kr-21-3")]
        rows, _ = await kept_of(node.content, other)
        assert [(row.keep, row.reason, row.article) for row in rows] == [("held", "hold_unbacked", "")]


async def test_a_bundle_that_knows_another_duty_is_gone_by_at_once(open_at):
    async with open_at() as node:
        await take_at(node, moment_ms("2027-08-01"), message(1, ANN, "one"), message(2, ANN, "two"))
        name = await of_law(node, 1, "IN")
        await govern(node, laws_of("IN"))
        await node.duties.ensure()
        await node.take(recall(1, ANN))
        await node.settle()
        assert await words(node, "held") == ["one"]
        await govern(node, laws_of())
        await node.settle()
        assert await node.texts() == ["two"]
        assert await node.rows("SELECT count(*) FROM message") == [(1,)]
        assert await kept(node, name) == []


async def test_the_law_where_the_node_stands_keeps_what_is_anybodys(open_at):
    async with open_at() as node:
        await take_at(node, moment_ms("2027-08-01"), message(1, ANN, "one"))
        await of_law(node, 1, "EU")
        await govern(node, laws_of("IN", "EU", regions={"id-test": "IN"}))
        await node.duties.ensure()
        await node.take(recall(1, ANN))
        await node.settle()
        assert await words(node, "held") == ["one"]


async def test_a_recall_before_its_message_is_kept_as_well(open_at, clock):
    async with open_at() as node:
        await take_at(node, moment_ms("2027-08-01"), message(1, ANN, "one"))
        name = await of_law(node, 1, "IN")
        await govern(node, laws_of("IN"))
        await node.duties.ensure()
        await node.take(recall(2, ANN))
        await node.settle()
        assert await take_at(node, clock.now(), message(2, ANN, "late")) == 1
        clock.move(1)
        await node.settle()
        assert await words(node, "held") == ["late"]
        assert [row[3] for row in await kept(node, name)] == ["dpdr-in-8-3"]
        clock.move(366)
        await node.settle()
        assert await node.texts() == ["one"]
        assert await node.rows("SELECT count(*) FROM message") == [(1,)]


def test_without_a_policy_a_hold_keeps_and_nothing_else_does():
    assert judged(None, (), "message_text", "recall", 0, (), 5).keep == "tombstoned"
