"""Whose key seals an event, and what makes two deliveries the same one."""

import msgspec

from edge_node.core.custody import portions
from edge_node.core.marks import mark_parts
from shared.message import (
    Edit,
    Identifier,
    Message,
    Notice,
    Person,
    Reaction,
    Recall,
    Relation,
    Status,
    Text,
    Unclassified,
)

ANN = Person((Identifier("line_user", "Uann"),))
BEN = Person((Identifier("line_user", "Uben"),))
LINE = {"channel": "line", "via": "Ubot", "at": 5}


def test_inbound_is_its_authors_and_outbound_the_one_addressed():
    incoming = Message(**LINE, author=ANN, message_id="1", content=Text("x"))
    outgoing = Message(**LINE, direction="out", to=BEN, message_id="1", content=Text("x"))
    assert portions(incoming)[0].person == ANN
    assert portions(outgoing)[0].person == BEN
    assert portions(Status(**LINE, message_id="1", status="read", recipient=BEN))[0].person == BEN


def test_who_is_not_named_is_nobody():
    withheld = Message(**LINE, author=Person(), message_id="1", content=Text("x"))
    assert portions(withheld)[0].person is None
    assert portions(Notice(**LINE, topic="quality", detail={}))[0].person is None


def test_an_event_about_several_is_split():
    event = Relation(**LINE, change="member_joined", members=(ANN, BEN), event_id="E")
    parts = portions(event)
    assert [part.person for part in parts] == [ANN, BEN]
    assert [part.event.members for part in parts] == [(ANN,), (BEN,)]
    assert len({mark_parts("a", part.event) for part in parts}) == 2


def test_marks_tell_kinds_accounts_and_states_apart():
    message = Message(**LINE, author=ANN, message_id="1", content=Text("x"))
    edit = Edit(**LINE, author=ANN, message_id="1", content=Text("y"))
    later_edit = Edit(channel="line", via="Ubot", at=6, author=ANN, message_id="1", content=Text("y"))
    recall = Recall(**LINE, author=ANN, message_id="1")
    reaction = Reaction(**LINE, author=ANN, message_id="1", target_message_id="0")
    sent, read = (Status(**LINE, message_id="1", status=word, recipient=BEN) for word in ("sent", "read"))
    events = [message, edit, later_edit, recall, reaction, sent, read]
    marks = {mark_parts("a", event) for event in events} | {mark_parts("b", message)}
    assert len(marks) == len(events) + 1


def test_a_repeated_delivery_has_the_same_mark():
    for event in (
        Message(**LINE, author=ANN, message_id="1", content=Text("x")),
        Notice(**LINE, topic="quality", detail={"a": 1}),
        Unclassified(**LINE, reason="unknown_kind", raw=b"{}"),
    ):
        again = msgspec.structs.replace(event, redelivered=True)
        assert mark_parts("a", event) == mark_parts("a", again)
