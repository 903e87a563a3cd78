"""Message, edits and recall in every order and any number of times: the end is the same."""

import itertools
import random

import pytest

from deploy.sandbox.names import draw_line_message_id, draw_wamid
from deploy.sandbox.webhooks import (
    ANNA,
    TARO,
    line_body,
    line_edited,
    line_text,
    line_unsend,
    whatsapp_body,
    whatsapp_echo,
    whatsapp_edit,
    whatsapp_revoke,
    whatsapp_text,
)
from tests.integration.node.load import GROUP, T0, Post, send_all
from tests.integration.node.opened import Opened, at_rest, faults
from tests.support.node import LINE, WHATSAPP, until

BODY = {"line": line_body, "whatsapp": whatsapp_body, "echo": whatsapp_body}
CHANNEL = {"line": "line", "whatsapp": "whatsapp", "echo": "whatsapp"}
ACCOUNT = {"line": LINE, "whatsapp": WHATSAPP, "echo": WHATSAPP}
STATE = "SELECT subject, conversation, kind, direction, at, edited_at, keep FROM message WHERE mark = ?"


def story_of(kind, *, recalled, edits=2):
    """Give a message's id and its events in the order in which they happened: text, edits, perhaps the recall."""
    times = [T0 + second * 1_000 for second in range(edits + 2)]
    if kind == "line":
        own = draw_line_message_id()
        story = [line_text("v0", TARO, message_id=own, group=GROUP, at=times[0])]
        story += [line_edited(own, f"v{n}", GROUP, TARO, at=times[n]) for n in range(1, edits + 1)]
        return own, story + [line_unsend(own, TARO, group=GROUP, at=times[-1])] * recalled
    own = draw_wamid(ANNA.phone)
    if kind == "whatsapp":
        story = [whatsapp_text("v0", ANNA, message_id=own, at=times[0])]
        story += [whatsapp_edit(own, f"v{n}", ANNA, at=times[n]) for n in range(1, edits + 1)]
        return own, story + [whatsapp_revoke(own, ANNA, at=times[-1])] * recalled
    story = [whatsapp_echo("text", {"body": "v0"}, ANNA, message_id=own, at=times[0])]
    for n in range(1, edits + 1):
        content = {"original_message_id": own, "message": {"type": "text", "text": {"body": f"v{n}"}}}
        story.append(whatsapp_echo("edit", content, ANNA, at=times[n]))
    return own, story + [whatsapp_echo("revoke", {"original_message_id": own}, ANNA, at=times[-1])] * recalled


def states(stored, kind, ids):
    """Give the end of each message: its row and its words, or that it has gone for good."""
    words = stored.texts(CHANNEL[kind])
    found = []
    for each in ids:
        rows = stored.content(STATE, (stored.mark_of(ACCOUNT[kind], each),))
        tombstoned = stored.tombstone_of(ACCOUNT[kind], each) in stored.tombstones
        found.append((rows, words.get(each), tombstoned))
    return found


def deliver_in_every_order(node, kind, stories, orders, *, together):
    """Deliver each story in its order: all stories step by step, or each in a body of its own."""
    if together:
        bodies = [BODY[kind](*(story[step] for step in order)) for story, order in zip(stories, orders, strict=True)]
    else:
        steps = zip(*orders, strict=True)
        bodies = [BODY[kind](*(story[n] for story, n in zip(stories, step, strict=True))) for step in steps]
    for body in bodies:
        assert node.post(CHANNEL[kind], body).status_code == 200


@pytest.mark.parametrize("together", [False, True], ids=["apart", "in one body"])
@pytest.mark.parametrize("kind", BODY)
def test_the_newest_edit_wins_in_every_order(node, kind, together):
    orders = list(itertools.permutations(range(4)))
    ids, stories = zip(*(story_of(kind, recalled=False, edits=3) for _ in orders), strict=True)
    deliver_in_every_order(node, kind, stories, orders, together=together)
    until(lambda: at_rest(node.settings))
    stored = Opened(node.settings)
    ends = states(stored, kind, ids)
    assert [end for end in ends if end != ends[0]] == []
    (row,), words, tombstoned = ends[0]
    assert (words, tombstoned) == ("v3", False)
    assert row[4:] == (T0, T0 + 3_000, "active")
    assert faults(stored) == []


@pytest.mark.parametrize("together", [False, True], ids=["apart", "in one body"])
@pytest.mark.parametrize("kind", BODY)
def test_a_recall_wins_in_every_order_and_for_good(node, kind, together):
    orders = list(itertools.permutations(range(4)))
    ids, stories = zip(*(story_of(kind, recalled=True) for _ in orders), strict=True)
    deliver_in_every_order(node, kind, stories, orders, together=together)
    until(lambda: at_rest(node.settings))
    assert set(map(repr, states(Opened(node.settings), kind, ids))) == {repr(([], None, True))}
    node.restart()
    for story in stories:
        assert node.post(CHANNEL[kind], BODY[kind](*story)).status_code == 200
    until(lambda: at_rest(node.settings))
    stored = Opened(node.settings)
    assert set(map(repr, states(stored, kind, ids))) == {repr(([], None, True))}
    assert faults(stored) == []


@pytest.mark.parametrize("seed", range(2))
def test_everything_mixed_over_many_connections_and_a_restart_ends_the_same(make_node, seed):
    node = make_node().start()
    chance = random.Random(f"mixed {seed}")
    expected, deliveries = {}, []
    for kind in ("line", "whatsapp"):
        for number in range(60):
            recalled = number % 3 == 0
            own, story = story_of(kind, recalled=recalled)
            expected[kind, own] = ([], None, True) if recalled else ("v2", False)
            deliveries += [(kind, event) for event in story for _ in range(chance.randint(1, 3))]
    chance.shuffle(deliveries)
    posts = []
    while deliveries:
        size = chance.randint(1, 6)
        some, deliveries = deliveries[:size], deliveries[size:]
        for kind in ("line", "whatsapp"):
            mine = [event for each, event in some if each == kind]
            posts += [Post(kind, BODY[kind](*mine))] if mine else []
    half = len(posts) // 2
    assert set(send_all(node, posts[:half], 6)) == {200}
    node.restart()
    assert set(send_all(node, posts[half:], 6)) == {200}
    check_mixed(node, expected)


def check_mixed(node, expected):
    """See every message where it has to be in the end."""
    until(lambda: at_rest(node.settings))
    stored = Opened(node.settings)
    for (kind, own), end in expected.items():
        ((rows, words, tombstoned),) = states(stored, kind, [own])
        assert end == (rows, words, tombstoned) if len(end) == 3 else end == (words, tombstoned), (kind, own)
        assert len(rows) == (0 if len(end) == 3 else 1)
    assert faults(stored) == []
