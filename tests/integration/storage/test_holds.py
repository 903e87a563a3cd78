"""Holds: whatever comes in whatever order, nothing a hold keeps is lost, and a release resumes what it stopped."""

import itertools

import pytest

from edge_node.core.keeping import REMOVALS, Duties, Standing, decide
from shared.errors import StoreUnavailable
from shared.errors.keeping import HoldTooLate, HoldUnknown
from shared.errors.uplink import SubjectUnknown
from shared.message import Person, Unclassified
from tests.support.interleave import Died
from tests.support.keeping import LATER, holder
from tests.support.mortal import make_mortal
from tests.support.stores import edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)


async def place(node, pseudonym, *, beats=REMOVALS, **more) -> str:
    """Place a hold."""
    return await holder(node).place(pseudonym, reason="legal_claim", review_at=LATER, beats=beats, **more)


async def ann(node) -> str:
    """Give the pseudonym of the first person."""
    return (await node.rows("SELECT pseudonym FROM subject ORDER BY id LIMIT 1"))[0][0]


async def held(node) -> list[str]:
    """Open every held message and give its words."""
    rows = await node.rows("SELECT key, sealed FROM message WHERE keep = 'held'")
    return sorted([(await node.open("message", key, sealed)).content.text for key, sealed in rows])


async def test_a_message_taken_back_under_a_hold_is_kept_and_shown_to_nobody(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"), message(2, BEN, "two"))
        name = await ann(node)
        hold = await place(node, name)
        await node.take(recall(1, ANN))
        await node.take(recall(1, ANN, at=9_001))
        await node.remove()
        assert await node.texts() == ["two"]
        assert await held(node) == ["one"]
        assert await node.rows("SELECT act, state, held FROM log_entry") == [("recall", "journaled", 1)]
        ((listed),) = await holder(node).list()
        assert (listed.id, listed.pseudonym, listed.rows_held, listed.erasures_held) == (hold, name, 1, 0)
        assert (await node.take(message(1, ANN, "one"))).stored == 0
        await holder(node).release(hold)
        await node.remove()
        assert await held(node) == []
        assert await node.texts() == ["two"]
        assert await node.rows("SELECT act, state, held FROM log_entry") == [("recall", "done", 0)]
        assert await node.rows("SELECT act, actor FROM hold_entry ORDER BY id") == [
            ("placed", "operator"),
            ("released", "operator"),
        ]
        await node.check_keys()


async def test_an_edit_under_a_hold_is_kept_beside_what_was_said_first(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "first"), message(2, ANN, "free", at=50_000))
        name = await ann(node)
        hold = await place(node, name, until_at=10_000)
        for _ in range(2):
            outcome = await node.take(edit(1, ANN, "second", at=2_000), edit(2, ANN, "freely changed", at=60_000))
            assert outcome.foreign_edits == 0
    async with open_bench() as node:
        await node.take(edit(1, ANN, "second", at=2_000))
        await node.remove()
        assert await node.texts() == ["first", "freely changed"]
        assert await node.rows("SELECT kind, keep FROM event") == [("edit", "active")]
        await node.take(recall(1, ANN))
        await node.remove()
        assert await node.rows("SELECT kind, keep FROM event") == [("edit", "held")]
        assert await held(node) == ["first"]
        await holder(node).release(hold)
        await node.remove()
        assert await node.rows("SELECT count(*) FROM event") == [(0,)]
        assert await node.texts() == ["freely changed"]
        await node.check_keys()


@pytest.mark.parametrize("first", ["hold", "recall"])
async def test_a_recall_before_its_message_keeps_it_held_under_a_hold(open_bench, first):
    raw = Unclassified(channel="whatsapp", via="3", at=1, author=ANN, reason="unknown_kind", raw=b"{}", message_id="w")
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"))
        name = await ann(node)
        hold = await place(node, name) if first == "hold" else None
        await node.take(recall(2, ANN))
        await node.remove()
        hold = hold or await place(node, name)
        assert (await node.take(message(2, ANN, "late"), raw)).stored == 2
        assert await node.texts() == ["one"]
        assert await held(node) == ["late"]
        assert (await node.take(message(2, ANN, "late"))).stored == 0
        await holder(node).release(hold)
        await node.remove()
        assert await node.rows("SELECT keep FROM message") == [("active",)]
        assert (await node.take(message(2, ANN, "late, again"))).stored == 0
        assert await node.texts() == ["one"]
        await node.check_keys()


async def test_what_was_removed_before_the_hold_does_not_come_back_under_it(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"), message(2, ANN, "two"))
        await node.take(recall(1, ANN))
        await node.remove()
        await place(node, await ann(node))
    async with open_bench() as again:
        assert (await again.take(message(1, ANN, "one"))).tombstoned == 1
        assert await held(again) == []


@pytest.mark.parametrize("beats", [each for size in (1, 2) for each in itertools.combinations(REMOVALS, size)])
async def test_the_store_decides_as_the_table_does(open_bench, beats):
    duties = Duties(holds=frozenset(beats))
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"))
        name = await ann(node)
        hold = await place(node, name, beats=beats)
        standing = decide(Standing(), "recall", duties).standing
        await node.take(recall(1, ANN))
        assert await node.rows("SELECT keep FROM message") == [(standing.keep,)]
        whole = decide(Standing(), "erase", duties).standing
        await node.eraser.open_case(name, "subject_request")
        assert await node.rows("SELECT keep FROM subject") == [(whole.keep,)]
        await holder(node).release(hold)
        assert await node.rows("SELECT keep FROM message") == [(decide(standing, "release").standing.keep,)]
        assert await node.rows("SELECT keep FROM subject") == [(decide(whole, "release").standing.keep,)]
        await node.remove()
        assert await node.rows("SELECT keep FROM subject") == [("gone",)]
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]


async def test_an_erasure_waits_and_is_seen_to_wait(open_bench):
    async with open_bench() as node:
        await node.take(
            message(1, ANN, "one"), message(2, BEN, "two"), message(3, Person(), "x", direction="out", to=ANN)
        )
        name = await ann(node)
        hold = await place(node, name)
        _, entry = await node.eraser.open_case(name, "subject_request")
        await node.remove()
        assert await node.texts() == ["one", "two", "x"]
        assert await node.rows("SELECT state, held FROM log_entry WHERE id = :id", id=entry) == [("journaled", 1)]
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("held",), ("active",)]
        assert [each.erasures_held for each in await holder(node).list()] == [1]
        # Nobody is led to her any more; what she sends later is a new person's.
        assert (await node.take(message(9, ANN, "late"))).suppressed == 1
        assert (await node.take(message(10, ANN, "hello again", at=LATER))).stored == 1
        second = await place(node, name)
        await holder(node).release(hold)
        await node.remove()
        assert await node.rows("SELECT finished_at FROM erasure") == [(None,)]
        await holder(node).release(second)
        with pytest.raises(HoldTooLate):
            await place(node, name)
        await node.remove()
        assert await node.texts() == ["hello again", "two"]
        assert await node.rows("SELECT keys, messages FROM erasure WHERE finished_at IS NOT NULL") == [(4, 2)]
        with pytest.raises(SubjectUnknown):
            await place(node, name)
        with pytest.raises(HoldUnknown):
            await holder(node).release(hold)
        await node.check_keys()


async def test_what_a_range_does_not_cover_is_erased_at_once(open_bench):
    async with open_bench() as node:
        inside = [message(number, ANN, f"in {number}", at=2_000 + number) for number in range(5)]
        outside = [message(100 + number, ANN, f"out {number}", at=5_000 + number) for number in range(300)]
        await node.take(*inside, *outside, message(500, BEN, "two"))
        name = await ann(node)
        hold = await place(node, name, from_at=2_000, until_at=2_004)
        _, entry = await node.eraser.open_case(name, "subject_request")
        await node.remove()
        assert await node.texts() == [*(f"in {number}" for number in range(5)), "two"]
        parted = "SELECT parted, messages, parting, finished_at FROM erasure"
        assert await node.rows(parted) == [(300, 300, 0, None)]
        journal = list(node.stores.journal.read())
        assert [(line.act, line.held) for line in journal[:2]] == [("hold", False), ("erase", True)]
        assert len(journal) == 302
        assert {each.owner for each in journal[2:]} == {None}
        await node.check_keys()
        narrower = await place(node, name, from_at=2_003)
        await holder(node).release(hold)
        await node.remove()
        assert await node.texts() == ["in 3", "in 4", "two"]
        await holder(node).release(narrower)
        await node.remove()
        assert await node.texts() == ["two"]
        assert await node.rows("SELECT state, held FROM log_entry WHERE id = :id", id=entry) == [("done", 0)]
        assert await node.rows("SELECT messages FROM erasure WHERE finished_at IS NOT NULL") == [(305,)]


async def test_a_release_cut_short_at_any_call_is_whole_or_not_at_all(open_bench, monkeypatch, tmp_path):
    fate = make_mortal(monkeypatch)
    for at in range(1, 8):
        async with open_bench() as node:
            await node.take(message(at, ANN, "one"), message(50, BEN, "two"))
            name = (await node.rows("SELECT pseudonym FROM subject WHERE keep = 'active' ORDER BY id"))[0][0]
            hold = await place(node, name)
            await node.take(recall(at, ANN))
            fate.arm(at, Died())
            try:
                await holder(node).release(hold)
                await node.remove()
            except (Died, StoreUnavailable):
                pass
            finally:
                fate.disarm()
        async with open_bench() as node:
            await node.rows("SELECT 1")
            standing = [each for each in await holder(node).list() if each.released_at is None]
            if standing:
                assert await held(node) == ["one"]
                await holder(node).release(hold)
            async with node.content.write() as transaction:
                await transaction.execute("DELETE FROM lease")
            await node.remove()
            assert await held(node) == []
            assert "one" not in await node.texts()
            assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]
            await node.check_keys()
