"""Disclosures and views over both engines: recorded first, paged, taken back before or after they come, let go."""

import asyncio

import msgspec
import pytest

from edge_node.storage.content.removals import open_entries
from edge_node.usecases.views import viewing
from shared.errors import SealBroken
from shared.errors.relay import NodeUnreachable, RetractionPending, ShowingRefused, ViewUnknown
from shared.message.content import Composed
from shared.wire.sealed import ShownMessage, seal_shown
from tests.support.loop import Loop
from tests.support.stores import edit, message, person, recall


async def filled(node, count=3):
    """Take in a person's messages; give the person's pseudonym."""
    author = person(1, phone=81)
    await node.take(*(message(number, author, f"text {number}", at=1000 + number) for number in range(count)))
    return (await node.rows("SELECT pseudonym FROM subject"))[0][0]


async def disclosed(node):
    """Give the ids of all disclosures that are open."""
    return {row[0] for row in await node.rows("SELECT id FROM disclosure WHERE closed_at IS NULL")}


def texts(said):
    """Give the words shown."""
    return [each.message.content.text for each in said if each.kind == "shown"]


async def test_pages_are_shown_newest_first_and_each_message_once(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 120), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        assert (page.shown, page.more, page.form) == (50, True, "full")
        assert texts(await loop.said(page.view)) == [f"text {number}" for number in range(70, 120)]
        # What arrives meanwhile moves nothing.
        await node.take(message(500, person(1, phone=81), "new", at=9_000))
        assert (await loop.viewer.older(page.view)).shown == 50
        last = await loop.viewer.older(page.view)
        assert (last.shown, last.more) == (20, False)
        assert (await loop.viewer.older(page.view)).shown == 0
        said = texts(await loop.said(page.view))
        assert len(said) == len(set(said)) == 120
        assert len(await disclosed(node)) == 120
        await node.check_keys()


async def test_the_next_page_goes_on_when_its_first_message_was_taken_back(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 60), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        await node.take(recall(10, person(1, phone=81)))
        await node.remove()
        assert (await loop.viewer.older(page.view)).shown == 10


async def test_a_shown_edit_says_so_and_groups_are_the_subjects_own_words(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 1), Loop(node)
        await node.take(edit(0, person(1, phone=81), "changed", at=2_000))
        page = await loop.viewer.open("ap", name, "complaint")
        said = await loop.said(page.view)
        assert (texts(said), said[0].message.edited) == (["changed"], True)


async def test_whatever_became_of_the_answer_the_disclosure_is_on_record_and_closed_in_the_end(open_bench):
    """The answer is lost, as when either node dies right before or after sending it."""
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        loop.lose_answers = True
        with pytest.raises(NodeUnreachable):
            await loop.viewer.open("ap", name, "complaint")
        assert len(await disclosed(node)) == 3
        assert await node.rows("SELECT 1 FROM shown") == []
        assert await loop.keeper.once() == 0
        loop.lose_answers = False
        loop.clock.later_ms += 60_000
        assert await loop.keeper.once() == 1
        assert await disclosed(node) == set()
        assert await node.rows("SELECT 1 FROM view") == []


async def test_what_was_taken_back_before_it_came_stays_out(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        kept = loop.ask

        async def overtaken(where, ask, seconds_max):
            """Let the retraction of one message overtake the answer that shows it."""
            answer = await kept(where, ask, seconds_max)
            assert (await loop.viewer.retract("ap", answer.items[1].disclosure)).rows == 0
            return answer

        loop.ask = overtaken
        page = await loop.viewer.open("ap", name, "complaint")
        assert page.shown == 2
        assert texts(await loop.said(page.view)) == ["text 0", "text 2"]
        keys = await node.rows("SELECT key FROM shown")
        assert len(await node.keys.open_rows([key for (key,) in keys])) == 2
        await node.check_keys()
        # The key that was drawn for it is not there either.
        assert len(await node.key_rows("SELECT id FROM row_key")) == 3 + 2 + len(
            await node.rows("SELECT id FROM identity")
        ) + len(await node.rows("SELECT id FROM account"))


async def test_a_retraction_destroys_key_and_row_and_says_the_same_twice(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        disclosure, key = (await node.rows("SELECT disclosure, key FROM shown ORDER BY at"))[1]

        async def removing():
            while await node.rows("SELECT 1 FROM shown WHERE key = :key", key=key):
                await node.remover.round()
                await asyncio.sleep(0.01)

        first, _ = await asyncio.gather(loop.viewer.retract("ap", disclosure), removing())
        assert (first.keys, first.rows) == (1, 1)
        assert await node.keys.open_rows([key]) == {}
        assert (await loop.viewer.retract("ap", disclosure)).rows == 1
        said = await loop.said(page.view)
        assert texts(said) == ["text 0", "text 2"]
        assert [each.disclosure for each in said if each.kind == "retracted"] == [disclosure]
        assert (await node.rows("SELECT act, reason FROM log_entry WHERE key = :key", key=key)) == [
            ("unshow", "sender_recalled")
        ]
        await node.check_keys()


@pytest.mark.parametrize("away", [False, True])
async def test_a_view_ends_by_itself_and_the_shower_is_told_when_it_can_be(open_bench, away):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        loop.clock.later_ms += 7 * 3_600_000
        await loop.keeper.once()
        assert len(await disclosed(node)) == 3
        loop.clock.later_ms += 2 * 3_600_000
        loop.away = away
        assert await loop.keeper.once() == 1
        with pytest.raises(ViewUnknown):
            await loop.viewer.older(page.view)
        await node.remove()
        assert await node.rows("SELECT 1 FROM shown") == []
        if away:
            assert await loop.keeper.once() == 0
            assert len(await disclosed(node)) == 3
            loop.away = False
            loop.clock.later_ms += 120_000
        assert await loop.keeper.once() == 1
        assert await disclosed(node) == set()
        assert await node.rows("SELECT 1 FROM view UNION ALL SELECT 1 FROM view_event") == []
        await node.check_keys()


async def test_nothing_is_kept_for_a_view_that_was_closed_meanwhile(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 60), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        kept = loop.ask

        async def closing(where, ask, seconds_max):
            answer = await kept(where, ask, seconds_max)
            await loop.viewer.close(page.view)
            return answer

        loop.ask = closing
        assert (await loop.viewer.older(page.view)).shown == 0
        await node.remove()
        assert await node.rows("SELECT 1 FROM shown") == []
        await node.check_keys()


async def test_copies_open_in_their_place_alone(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 2), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        one, two = await node.rows("SELECT key, sealed FROM shown ORDER BY at")
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE shown SET sealed = :s WHERE key = :k", {"s": two[1], "k": one[0]})
        with pytest.raises(SealBroken):
            await loop.said(page.view)


async def test_an_erased_subject_leaves_this_nodes_own_views_and_is_shown_to_nobody(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open(None, name, "complaint")
        assert texts(await loop.said(page.view)) == ["text 0", "text 1", "text 2"]
        await node.eraser.open_case(name, "subject_request")
        said = await loop.said(page.view)
        assert [each.kind for each in said] == ["retracted"] * 3
        for where in ("ap", None):
            with pytest.raises(ShowingRefused) as refused:
                await loop.viewer.open(where, name, "complaint")
            assert refused.value.details == {"rule": "subject_unknown"}
        await node.remove()
        assert await node.rows("SELECT 1 FROM shown") == []


async def test_an_answer_that_names_one_disclosure_twice_leaves_no_key_behind(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        kept = loop.ask

        async def lying(where, ask, seconds_max):
            answer = await kept(where, ask, seconds_max)
            return msgspec.structs.replace(answer, items=(*answer.items, answer.items[0]))

        loop.ask = lying
        before = await node.key_rows("SELECT id FROM row_key")
        with pytest.raises(NodeUnreachable) as refused:
            await loop.viewer.open("ap", name, "complaint")
        assert refused.value.details["reason"] == "wire_malformed"
        await node.remove()
        assert await node.key_rows("SELECT id FROM row_key") == before
        assert await node.rows("SELECT 1 FROM shown UNION ALL SELECT 1 FROM view_event") == []


@pytest.mark.parametrize("lie", ["another's", "beyond JSON"])
async def test_an_answer_that_no_desk_could_be_told_closes_the_view_and_leaves_nothing(open_bench, lie):
    async with open_bench() as node:
        name, loop = await filled(node, 1), Loop(node)
        kept = loop.ask
        detail = {"x": msgspec.msgpack.Ext(5, b"y")}
        odd = ShownMessage(
            form="full",
            channel="line",
            direction="in",
            at=1,
            edited=False,
            kind="composed",
            content=Composed("template", detail),
        )

        async def lying(where, ask, seconds_max):
            answer = await kept(where, ask, seconds_max)
            item = answer.items[0]
            place = {"shower": "ap", "asker": "eu", "view": answer.view, "disclosure": item.disclosure}
            if lie == "another's":
                place["view"] = "0" * 32
            sealed = seal_shown(loop.self().sealing.public, odd, **place)
            return msgspec.structs.replace(answer, items=(msgspec.structs.replace(item, sealed=sealed),))

        loop.ask = lying
        with pytest.raises(NodeUnreachable) as refused:
            await loop.viewer.open("ap", name, "complaint")
        assert refused.value.details["reason"] == ("seal_broken" if lie == "another's" else "wire_malformed")
        assert await node.rows("SELECT 1 FROM shown") == []
        assert await node.rows("SELECT state FROM view") == [("closing",)]


async def test_nobody_is_told_that_copies_are_gone_while_a_write_ahead_log_may_hold_them(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        await loop.viewer.close(page.view)
        # The row is gone and its entry not done: a reader kept the write-ahead log from being emptied.
        entries = await open_entries(node.content, 10)
        await node.remover._carry(entries)
        assert await node.rows("SELECT DISTINCT sealed FROM shown") == [(None,)]
        assert await loop.keeper.once() == 0
        assert len(await disclosed(node)) == 3
        await node.remove()
        assert await loop.keeper.once() == 1
        assert await disclosed(node) == set()


async def test_a_retraction_counts_only_when_no_write_ahead_log_holds_it(open_bench, monkeypatch):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        await loop.viewer.open("ap", name, "complaint")
        disclosure = (await node.rows("SELECT disclosure FROM shown ORDER BY at"))[0][0]
        await loop.views.retract("ap", disclosure, reason="sender_recalled", log_entry="e" * 32, now=loop.clock.now())
        await node.remover._carry(await open_entries(node.content, 10))
        monkeypatch.setattr(viewing, "RETRACT_SECONDS_MAX", 0.1)
        with pytest.raises(RetractionPending):
            await loop.viewer.retract("ap", disclosure)
        await node.remove()
        assert (await loop.viewer.retract("ap", disclosure)).rows == 1
