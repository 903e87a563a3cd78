"""The same webhook many times, at once, later, after a restart: taken in once."""

import json
import random

import pytest

from deploy.sandbox.webhooks import (
    TARO,
    draw_subjects,
    line_batch,
    line_body,
    line_follow,
    line_text,
    whatsapp_batch,
    whatsapp_body,
    whatsapp_status,
    whatsapp_text,
)
from tests.integration.node.load import Post, send_all
from tests.integration.node.opened import Opened, faults


@pytest.mark.parametrize("channel", ["line", "whatsapp"])
def test_one_webhook_fifty_times_at_once_is_one_message(node, channel):
    text = f"once and only once on {channel}"
    body = line_body(line_text(text)) if channel == "line" else whatsapp_body(whatsapp_text(text))
    assert send_all(node, [Post(channel, body)] * 50, 50) == [200] * 50
    stored = Opened(node.settings)
    assert [held.text for held in stored.messages].count(text) == 1
    assert faults(stored) == []


@pytest.mark.parametrize("channel", ["line", "whatsapp"])
def test_a_full_body_of_many_people_comes_four_times_at_once(make_node, channel):
    node = make_node().start()
    people = list(draw_subjects(37, random.Random(3)))
    body = (line_batch if channel == "line" else whatsapp_batch)(1_000, subjects=people)
    assert send_all(node, [Post(channel, body)] * 4, 4) == [200] * 4
    node.restart()
    assert send_all(node, [Post(channel, body)] * 2, 2) == [200] * 2
    stored = Opened(node.settings)
    assert len(stored.texts(channel)) == 1_000
    spread = stored.content("SELECT count(*) FROM message GROUP BY subject ORDER BY 1")
    assert sorted(count for (count,) in spread) == [27] * 36 + [28]
    assert stored.content("SELECT count(*) FROM subject") == [(37,)]
    assert faults(stored) == []


def test_line_sends_again_with_the_same_event_id(make_node):
    node = make_node().start()
    events = [line_text("said once"), line_follow(TARO)]
    again = json.loads(json.dumps(events))
    for event in again:
        event["deliveryContext"]["isRedelivery"] = True
        event.pop("replyToken")
    for restarted in (False, True):
        if restarted:
            node.restart()
        assert node.post("line", line_body(*events)).status_code == 200
        assert node.post("line", line_body(*reversed(again))).status_code == 200
    stored = Opened(node.settings)
    assert [held.text for held in stored.messages] == ["said once"]
    assert len(stored.events) == 1


def test_the_redelivery_may_come_first_and_bring_neighbours(make_node):
    node = make_node().start()
    first, second = line_text("first"), line_text("second")
    first["deliveryContext"]["isRedelivery"] = True
    assert node.post("line", line_body(first, second, first)).status_code == 200
    assert node.post("line", line_body(second)).status_code == 200
    assert sorted(held.text for held in Opened(node.settings).messages) == ["first", "second"]


def test_statuses_of_one_message_are_told_apart_and_each_kept_once(make_node):
    node = make_node().start()
    statuses = [whatsapp_status("wamid.SENT", word, at=1_795_000_000_000) for word in ("sent", "delivered", "read")]
    for order in (statuses, statuses[::-1], statuses + statuses):
        assert node.post("whatsapp", whatsapp_body(*order)).status_code == 200
    assert sorted(event.status for event in Opened(node.settings).events) == ["delivered", "read", "sent"]
