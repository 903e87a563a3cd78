"""The id of a key that a log entry orders destroyed never comes to name the key of something that lives."""

import random

from deploy.sandbox.names import draw_line_message_id
from deploy.sandbox.webhooks import draw_subjects, line_body, line_edited, line_text
from tests.integration.node.load import GROUP, T0, Post, send_all
from tests.integration.node.opened import Opened, at_rest, faults
from tests.support.node import until


def test_messages_that_come_while_replaced_keys_are_destroyed_keep_their_own(make_node):
    node = make_node().start()
    texts = []
    for number, person in enumerate(draw_subjects(3, random.Random(11))):
        ids = [draw_line_message_id() for _ in range(300)]
        newer = [line_edited(each, "newer", GROUP, person, at=T0 + 2_000) for each in ids]
        older = [line_edited(each, "older", GROUP, person, at=T0 + 1_000) for each in ids]
        first = [line_text("first", person, message_id=each, group=GROUP, at=T0) for each in ids]
        assert node.post("line", line_body(*newer, *older, *first)).status_code == 200
        new = [line_text(f"new {number} {count}", person) for count in range(120)]
        texts += [event["message"]["text"] for event in new]
        assert set(send_all(node, [Post("line", line_body(each)) for each in new], 4)) == {200}
    until(lambda: at_rest(node.settings))
    stored = Opened(node.settings)
    missing = set(texts) - {held.text for held in stored.messages}
    assert faults(stored) == []
    assert not missing
