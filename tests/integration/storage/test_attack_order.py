"""Messages, edits and recalls in every order, across batches and processes, by everybody: the end is the same."""

import itertools
import random
import shutil
from functools import partial

import pytest

from shared.message import Edit, Identifier, Text
from tests.support.stores import bench, edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)
GROUP = Identifier("whatsapp_group", "a-group")


def named_edit(name: str, text: str, at: int, author=ANN, **more) -> Edit:
    """Give an edit of message 1 with an id of its own, as WhatsApp has them."""
    return Edit(
        channel="whatsapp", via="3", at=at, author=author, event_id=f"wamid.{name}", message_id="wamid.1",
        content=Text(text), **more,
    )  # fmt: skip


async def ends(open_bench, batches) -> tuple:
    """Take batches in and give what stands at the end."""
    async with open_bench() as node:
        for batch in batches:
            await node.take(*batch)
            await node.remove()
        await node.check_keys()
        messages = await node.rows("SELECT subject, at, edited_at, direction FROM message ORDER BY mark")
        events = await node.rows("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind")
        return await node.texts(), messages, events


SAME_SECOND = (message(1, ANN, "first"), named_edit("a", "second", 2000), named_edit("b", "third", 2000))


@pytest.mark.parametrize("together", [True, False])
async def test_edits_of_the_same_second_end_alike_in_every_order(tmp_path, together):
    async with bench(tmp_path / "fresh"):
        pass  # copied for every order, since what is computed under a node's own keys differs between nodes
    found = []
    for place, order in enumerate(itertools.permutations(SAME_SECOND)):
        folder = tmp_path / str(place)
        shutil.copytree(tmp_path / "fresh", folder)
        batches = [order] if together else [[event] for event in order]
        found.append(await ends(partial(bench, folder), batches))
    assert len({str(each) for each in found}) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_an_edit_by_another_does_not_take_the_messages_place(open_bench, order):
    story = (message(1, ANN, "hers"), named_edit("a", "hers, changed", 2000), named_edit("b", "his", 3000, author=BEN))
    texts, messages, events = await ends(open_bench, [[story[index]] for index in order])
    assert texts == ["hers, changed"]
    assert [row[0] for row in messages] == [1 if order[0] != 2 else 2]
    assert events == [("edit", 1)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
async def test_an_edit_by_another_does_not_take_a_group_messages_place(open_bench, order):
    story = (message(1, ANN, "hers", group=GROUP), named_edit("b", "his", 3000, author=BEN, group=GROUP))
    texts, _, events = await ends(open_bench, [[story[index]] for index in order])
    assert (texts, events) == (["hers"], [("edit", 1)])


async def test_a_customers_edit_does_not_change_what_the_business_said(open_bench):
    sent = message(1, None, "ours", direction="out", to=ANN)
    texts, _, events = await ends(open_bench, [[sent], [named_edit("a", "hers", 3000)]])
    assert (texts, events) == (["ours"], [("edit", 1)])


async def test_an_echo_and_its_edit_and_recall_come_in_any_order(open_bench):
    sent = message(1, None, "ours", direction="out", to=ANN)
    changed = named_edit("a", "ours, changed", 3000, author=None, direction="out", to=ANN)
    texts, messages, _ = await ends(open_bench, [[changed], [sent]])
    assert (texts, messages) == (["ours, changed"], [(1, 1000, 3000, "out")])
    assert await ends(open_bench, [[recall(1, ANN)], [sent, changed]]) == ([], [], [])


TWICE = (message(1, ANN, "first"), named_edit("a", "second", 2000), named_edit("b", "third", 3000))


@pytest.mark.parametrize("again", list(itertools.permutations(range(3), 2)))
async def test_what_another_process_repeats_leaves_no_key_behind_and_the_first_time(open_bench, again):
    """A batch of a message and an edit, one of which is there: the keys that sealed nothing go."""
    async with open_bench() as one, open_bench() as two:
        await one.take(TWICE[again[0]])
        await two.take(*(TWICE[index] for index in range(3) if index in (0, *again)))
        await two.take(*TWICE)
        await two.remove()
        assert await two.texts() == ["third"]
        assert await two.rows("SELECT at, edited_at FROM message") == [(1000, 3000)]
        assert await two.key_rows("SELECT count(*) FROM row_key") == [(4,)]  # message, two identities, account
        await two.check_keys()


@pytest.mark.parametrize("seed", range(6))
async def test_any_story_in_any_order_and_number_ends_alike(open_bench, seed):
    """Two processes, every event three times, shuffled."""
    chance = random.Random(seed)
    story = []
    for number in range(12):
        author = (ANN, BEN)[number % 2]
        story += [message(number, author, f"{number}"), edit(number, author, f"{number} a", at=2000)]
        story += [edit(number, author, f"{number} b", at=3000)] * (number % 3 > 0)
        story += [recall(number, author)] * (number % 4 == 3)
    events = story * 3
    chance.shuffle(events)
    async with open_bench() as one, open_bench() as two:
        while events:
            size = chance.randint(1, 9)
            batch, events = events[:size], events[size:]
            node = chance.choice((one, two))
            await node.take(*batch)
            if chance.random() < 0.5:
                await node.remove()
        await one.remove()
        await two.remove()
        assert await one.texts() == sorted(
            f"{number} {'b' if number % 3 else 'a'}" for number in range(12) if number % 4 != 3
        )
        assert set(await one.rows("SELECT at FROM message")) == {(1000,)}
        used = await one.rows("SELECT 5 + count(*) FROM message")
        assert await one.key_rows("SELECT count(*) FROM row_key") == used
        await one.check_keys()


async def test_a_thousand_recalls_in_one_body_before_and_after_their_messages(open_bench):
    async with open_bench() as node:
        await node.take(*(message(number, ANN, "text") for number in range(0, 1000, 2)))
        await node.take(*(recall(number, ANN) for number in range(1000)))
        await node.take(*(message(number, ANN, "text") for number in range(1000)))
        await node.remove()
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        assert await node.rows("SELECT state, count(*) FROM log_entry GROUP BY state") == [("done", 1000)]
        await node.check_keys()
