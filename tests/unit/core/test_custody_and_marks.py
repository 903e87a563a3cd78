"""Whose key seals an event, and what makes two deliveries the same one."""

from typing import Any

import msgspec
import pytest

from edge_node.core.custody import portions
from edge_node.core.marks import mark_parts
from shared.message import (
    Edit,
    Identifier,
    Message,
    Notice,
    Person,
    Preference,
    Problem,
    Reaction,
    Recall,
    Relation,
    Status,
    Text,
    Unclassified,
)

ANN = Person((Identifier("line_user", "Uann"),))
BEN = Person((Identifier("line_user", "Uben"),))
GROUP = Identifier("whatsapp_group", "g")
LINE: dict[str, Any] = {"channel": "line", "via": "Ubot", "at": 5}
WHATSAPP: dict[str, Any] = {"channel": "whatsapp", "via": "100", "at": 5}


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


def test_what_is_said_of_one_member_is_sealed_with_nobody_else():
    said = {"joined.members[0].displayName": "Ann", "joined.members[1].displayName": "Ben", "joined.link": "x"}
    event = Relation(**LINE, change="member_joined", members=(ANN, BEN), event_id="E", extra=said)
    parts = portions(event)
    assert [(part.person, part.event.members, part.event.extra) for part in parts] == [
        (ANN, (ANN,), {"joined.members[0].displayName": "Ann"}),
        (BEN, (BEN,), {"joined.members[1].displayName": "Ben"}),
        (None, (), {"joined.link": "x"}),
    ]
    assert len({mark_parts("a", part.event) for part in parts}) == 3


def test_what_is_said_beside_a_single_member_stays_with_them():
    event = Relation(**LINE, change="member_left", members=(ANN,), extra={"left.why": "x", "left.members[7].y": 1})
    assert portions(event) == [(event, ANN)]


def test_members_without_a_name_share_one_row_of_nobody_and_none_is_lost():
    extra = {"joined.members[1].a": 1, "joined.members[2].a": 2}
    event = Relation(**LINE, change="member_joined", members=(ANN, Person(), Person()), event_id="E", extra=extra)
    named, nobody = portions(event)
    assert (named.person, named.event.extra) == (ANN, None)
    assert (nobody.person, nobody.event.members, nobody.event.extra) == (None, (Person(), Person()), extra)
    assert mark_parts("a", named.event) != mark_parts("a", nobody.event)


def test_a_member_named_twice_has_one_row_with_all_that_is_said():
    extra = {"joined.members[0].a": 1, "joined.members[1].b": 2}
    event = Relation(**LINE, change="member_joined", members=(ANN, ANN), event_id="E", extra=extra)
    assert [(part.person, part.event.members, part.event.extra) for part in portions(event)] == [
        (ANN, (ANN, ANN), extra)
    ]


def test_who_did_it_is_not_named_under_a_members_key():
    event = Relation(**LINE, change="member_joined", author=BEN, members=(ANN,), event_id="E")
    member, rest = portions(event)
    assert (member.person, member.event.author) == (ANN, None)
    assert (rest.person, rest.event.author, rest.event.members) == (None, BEN, ())


def test_a_thousand_members_with_something_said_of_each_cost_no_more_than_their_number():
    people = tuple(Person((Identifier("line_user", f"U{number}"),)) for number in range(5_000))
    said = {f"joined.members[{number}].n": number for number in range(5_000)}
    parts = portions(Relation(**LINE, change="member_joined", members=people, event_id="E", extra=said))
    assert [part.event.extra for part in parts] == [{f"joined.members[{number}].n": number} for number in range(5_000)]


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


def test_a_status_in_a_group_is_told_by_person_and_without_one_by_its_time():
    first, second = (
        Status(channel="whatsapp", via="100", at=at, group=GROUP, message_id="1", status="read") for at in (1, 2)
    )
    of_ann, of_ben = (msgspec.structs.replace(first, recipient=person) for person in (ANN, BEN))
    assert len({mark_parts("a", event) for event in (first, second, of_ann, of_ben)}) == 4
    assert mark_parts("a", of_ann) == mark_parts("a", msgspec.structs.replace(of_ann, at=2))


def test_a_status_outside_a_group_is_the_same_under_whichever_name_its_recipient_comes():
    """A message has one recipient; of their names the platform may tell another one in a repetition."""
    status = Status(**WHATSAPP, message_id="1", status="read", recipient=ANN)
    assert mark_parts("a", status) == mark_parts("a", msgspec.structs.replace(status, recipient=BEN))
    assert mark_parts("a", status) == mark_parts("a", msgspec.structs.replace(status, recipient=None))


def test_what_is_not_understood_is_told_apart_by_its_bytes_and_number():
    first = Unclassified(**WHATSAPP, reason="unexpected_shape", raw=b'{"id":"1","status":"sent","pricing":[]}')
    second = msgspec.structs.replace(first, raw=b'{"id":"1","status":"read","pricing":[]}')
    other_number = msgspec.structs.replace(first, via="200")
    assert len({mark_parts("a", event) for event in (first, second, other_number)}) == 3


@pytest.mark.parametrize(
    "event",
    [
        Preference(**WHATSAPP, category="marketing_messages", value="stop"),
        Notice(**WHATSAPP, topic="account_update", detail={"timestamp": 5}),
    ],
)
def test_a_repetition_that_meta_sent_at_another_time_is_the_same(event: Any):
    first = msgspec.structs.replace(event, extra={"entry.time": 7, "new": 1})
    again = msgspec.structs.replace(event, extra={"new": 1, "entry.time": 8})
    another = msgspec.structs.replace(event, extra={"new": 2, "entry.time": 7})
    assert mark_parts("a", first) == mark_parts("a", again) != mark_parts("a", another)


def test_the_order_of_properties_does_not_count():
    first = Notice(**WHATSAPP, topic="flows", detail={"a": 1, "b": {"c": 1, "d": 2}})
    again = Notice(**WHATSAPP, topic="flows", detail={"b": {"d": 2, "c": 1}, "a": 1})
    assert mark_parts("a", first) == mark_parts("a", again)


def test_without_a_time_of_its_own_an_event_is_told_apart_by_when_it_was_sent():
    first, second = (
        Problem(channel="whatsapp", via="100", at=0, errors=({"code": 131035},), extra={"entry.time": sent})
        for sent in (7, 8)
    )
    assert mark_parts("a", first) != mark_parts("a", second)
