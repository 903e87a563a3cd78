"""Open views stay true: an edit takes its old words out of every copy, what is new comes in, whatever gets lost."""

import msgspec
import pytest

from shared.errors.relay import NodeUnreachable
from tests.support.loop import Loop
from tests.support.stores import edit, message, person, recall, taken

AUTHOR = person(1, phone=81)


async def filled(node, count=3):
    """Take in a person's messages; give the person's pseudonym."""
    await node.take(*(message(number, AUTHOR, f"text {number}", at=1000 + number) for number in range(count)))
    return (await node.rows("SELECT pseudonym FROM subject"))[0][0]


async def arrive(node, *events):
    """Take events in as received at this moment."""
    received = node.stores.clock.now()
    await node.taking_in.take_in([msgspec.structs.replace(taken(event), received_at=received) for event in events])


def now_shown(said):
    """Give the words a reader has on the screen after all of it."""
    words = {}
    for each in said:
        if each.kind == "shown":
            words[each.disclosure] = each.message.content.text
        else:
            words.pop(each.disclosure, None)
    return sorted(words.values())


async def copies(node, loop, view):
    """Give the words of all copies at rest that may be seen."""
    return now_shown(await loop.said(view))


@pytest.fixture(params=["ap", None], ids=["another node's", "its own"])
def where(request):
    """Give the node that is looked at."""
    return request.param


async def test_an_edit_replaces_what_is_shown(open_bench, where):
    async with open_bench() as node:
        name = await filled(node)
        loop = Loop(node)
        page = await loop.viewer.open(where, name, "complaint")
        before = {row[0] for row in await node.rows("SELECT disclosure FROM shown")}
        await node.take(edit(1, AUTHOR, "changed", at=2_000))
        await loop.follower.once()
        said = await loop.said(page.view)
        assert now_shown(said) == ["changed", "text 0", "text 2"]
        [retracted] = [each.disclosure for each in said if each.kind == "retracted"]
        assert retracted in before
        [anew] = [each for each in said if each.kind == "shown" and each.message.content.text == "changed"]
        assert anew.message.edited
        assert anew.disclosure not in before
        await node.remove()
        assert await node.rows("SELECT 1 FROM shown WHERE disclosure = :d", d=retracted) == []
        if where:
            assert await node.rows("SELECT 1 FROM disclosure WHERE id = :d", d=anew.disclosure) == [(1,)]
        # Nothing more is said where nothing more happened; the next edit is seen again.
        for _ in range(3):
            await loop.follower.once()
        assert await loop.said(page.view, said[-1].number) == []
        await node.take(edit(1, AUTHOR, "changed twice", at=3_000))
        await loop.follower.once()
        await loop.follower.once()
        await node.remove()
        assert await copies(node, loop, page.view) == ["changed twice", "text 0", "text 2"]
        assert len(await node.rows("SELECT 1 FROM shown")) == 3
        await node.check_keys()


async def test_the_keys_of_old_words_are_destroyed(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        await loop.viewer.open("ap", name, "complaint")
        keys = [key for (key,) in await node.rows("SELECT key FROM shown")]
        await node.take(edit(1, AUTHOR, "changed", at=2_000))
        await loop.follower.once()
        await node.remove()
        left = await node.keys.open_rows(keys)
        assert len(left) == 2
        assert ("unshow", "edited", "done") in await node.rows("SELECT act, reason, state FROM log_entry")


async def test_a_recall_of_an_edited_message_reaches_the_copy_under_either_name(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 1), Loop(node)
        await loop.viewer.open("ap", name, "complaint")
        await node.take(edit(0, AUTHOR, "changed", at=2_000))
        await loop.follower.once()
        shown = {row[0] for row in await node.rows("SELECT disclosure FROM shown")}
        await node.take(recall(0, AUTHOR))
        await node.remove()
        marks = await node.rows("SELECT id FROM disclosure WHERE closed_at IS NULL")
        assert shown <= {row[0] for row in marks}
        await loop.follower.once()
        assert {row[0] for row in await node.rows("SELECT id FROM disclosure")} == {row[0] for row in marks}


async def test_new_messages_come_in_once_and_old_pages_stay_whole(open_bench, where):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open(where, name, "complaint")
        await loop.follower.once()
        assert await copies(node, loop, page.view) == ["text 0", "text 1", "text 2"]
        await arrive(node, message(7, AUTHOR, "new", at=9_000), message(8, AUTHOR, "late", at=10))
        for _ in range(3):
            await loop.follower.once()
        said = await loop.said(page.view)
        assert len(said) == 5
        assert now_shown(said) == ["late", "new", "text 0", "text 1", "text 2"]
        await node.check_keys()


async def test_more_news_than_one_answer_holds_come_in_the_next(open_bench, where):
    async with open_bench() as node:
        name, loop = await filled(node, 1), Loop(node)
        page = await loop.viewer.open(where, name, "complaint")
        await arrive(node, *(message(10 + each, AUTHOR, f"new {each}", at=5_000 + each) for each in range(70)))
        await loop.follower.once()
        assert len(await copies(node, loop, page.view)) == 51
        await loop.follower.once()
        await loop.follower.once()
        assert len(await loop.said(page.view)) == 71


async def test_what_is_older_than_a_whole_page_is_the_next_pages_and_no_news(open_bench):
    async with open_bench() as node:
        await arrive(node, *(message(number, AUTHOR, f"text {number}", at=1000 + number) for number in range(60)))
        name = (await node.rows("SELECT pseudonym FROM subject"))[0][0]
        loop = Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        for _ in range(2):
            await loop.follower.once()
        assert len(await loop.said(page.view)) == 50
        assert (await loop.viewer.older(page.view)).shown == 10
        await loop.follower.once()
        assert len(await loop.said(page.view)) == len(await copies(node, loop, page.view)) == 60


async def test_a_view_whose_first_page_is_still_on_its_way_is_left_alone(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        kept = loop.ask

        async def followed(where, ask, seconds_max):
            """Let the follower look between the opening and the first page."""
            loop.ask = kept
            await loop.follower.once()
            return await kept(where, ask, seconds_max)

        loop.ask = followed
        page = await loop.viewer.open("ap", name, "complaint")
        await loop.follower.once()
        assert len(await loop.said(page.view)) == len(await node.rows("SELECT 1 FROM disclosure")) == 3


async def test_news_whose_answer_is_lost_are_told_again(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        await node.take(edit(1, AUTHOR, "changed", at=2_000))
        await arrive(node, message(7, AUTHOR, "new", at=9_000))
        loop.lose_answers = True
        await loop.follower.once()
        assert len(await node.rows("SELECT 1 FROM disclosure")) == 5
        loop.lose_answers = False
        loop.clock.later_ms += 120_000
        await loop.follower.once()
        assert await copies(node, loop, page.view) == ["changed", "new", "text 0", "text 2"]
        # On record is more than arrived, all of it still open, so that a recall leaves no copy out.
        assert len(await node.rows("SELECT 1 FROM disclosure WHERE closed_at IS NULL")) == 7
        await loop.follower.once()
        await node.take(edit(1, AUTHOR, "changed twice", at=3_000))
        await loop.follower.once()
        assert await copies(node, loop, page.view) == ["changed twice", "new", "text 0", "text 2"]


async def test_one_answer_alone_is_kept_where_two_processes_ask_at_once(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node, 1), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        view = await loop.views.find(page.view)
        await arrive(node, message(7, AUTHOR, "new", at=9_000))
        kept = loop.ask

        async def beside(where, ask, seconds_max):
            """Let another process of the node ask and keep, while this one's answer is on its way."""
            answer = await kept(where, ask, seconds_max)
            loop.ask = kept
            await loop.viewer.follow(view)
            return answer

        loop.ask = beside
        await loop.viewer.follow(view)
        assert await copies(node, loop, page.view) == ["new", "text 0"]
        assert len(await node.rows("SELECT 1 FROM shown")) == 2
        await loop.follower.once()
        assert len(await loop.said(page.view)) == 2
        await node.check_keys()


async def test_a_view_opened_on_nothing_shows_the_first_message(open_bench, where):
    async with open_bench() as node:
        name, loop = await filled(node, 1), Loop(node)
        await node.take(recall(0, AUTHOR))
        await node.remove()
        page = await loop.viewer.open(where, name, "complaint")
        assert page.shown == 0
        await arrive(node, message(7, AUTHOR, "new", at=9_000))
        await loop.follower.once()
        await loop.follower.once()
        assert [each.message.content.text for each in await loop.said(page.view)] == ["new"]


async def test_an_erased_subject_brings_no_news_and_a_node_that_is_away_holds_up_no_other(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        theirs = await loop.viewer.open("ap", name, "complaint")
        own = await loop.viewer.open(None, name, "complaint")
        await node.take(edit(1, AUTHOR, "changed", at=2_000))
        loop.away = True
        await loop.follower.once()
        with pytest.raises(NodeUnreachable):
            await loop.viewer.follow(await loop.views.find(theirs.view))
        assert await copies(node, loop, own.view) == ["changed", "text 0", "text 2"]
        assert await copies(node, loop, theirs.view) == ["text 0", "text 1", "text 2"]
        loop.away = False
        loop.clock.later_ms += 120_000
        await node.eraser.open_case(name, "subject_request")
        disclosed = len(await node.rows("SELECT 1 FROM disclosure"))
        await loop.follower.once()
        assert not await loop.viewer.follow(await loop.views.find(theirs.view))
        assert len(await node.rows("SELECT 1 FROM disclosure")) == disclosed
        assert await copies(node, loop, own.view) == []


async def test_a_peer_that_names_the_same_old_words_again_and_again_makes_nothing_grow(open_bench):
    async with open_bench() as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        disclosure = (await node.rows("SELECT disclosure FROM shown ORDER BY at"))[0][0]
        kept = loop.ask

        async def lying(where, ask, seconds_max):
            return msgspec.structs.replace(await kept(where, ask, seconds_max), gone=(disclosure,))

        loop.ask = lying
        for _ in range(3):
            await loop.follower.once()
        assert await copies(node, loop, page.view) == ["text 1", "text 2"]
        assert await node.rows("SELECT count(*) FROM view_event") == [(4,)]
        assert await node.rows("SELECT count(*) FROM log_entry WHERE act = 'unshow'") == [(1,)]
