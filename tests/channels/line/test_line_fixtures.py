"""Every LINE fixture gives exactly the canonical events written beside it; every kind has a fixture."""

import json

import pytest

from edge_node.channels.line import LINE
from edge_node.channels.line.payload_messages import MESSAGE_TYPES
from edge_node.channels.line.payloads import EVENT_TYPES
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Message, Unclassified
from tests.channels.line.cases import EVENT, FIXTURES, HERE, body_of, canonical, text_event


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_fixture_gives_its_expected_events(fixture):
    """To change one on purpose: homeport edge parse --channel line FIXTURE > EXPECTED, and read it."""
    expected = (HERE / "expected" / f"{fixture.stem}.jsonl").read_bytes().splitlines()
    events = LINE.parse(fixture.read_bytes())
    assert [canonical(event) for event in events] == [json.loads(line) for line in expected]
    assert events == [EVENT.decode(line) for line in expected]


def test_no_expectation_without_a_fixture():
    written = {path.stem for path in (HERE / "expected").glob("*.jsonl")}
    assert written == {path.stem for path in FIXTURES}


def test_all_twenty_kinds_of_event_and_all_kinds_of_message_have_a_fixture():
    events = [event for path in FIXTURES for event in json.loads(path.read_bytes()).get("events", ())]
    events = [event for event in events if isinstance(event, dict)]
    assert len(EVENT_TYPES) == 20
    assert {event.get("type") for event in events} >= EVENT_TYPES
    messages = [event["message"] for event in events if event.get("type") == "message"]
    assert {message["type"] for message in messages} >= MESSAGE_TYPES


def test_a_body_may_carry_a_thousand_updates_and_no_more():
    full = [text_event(message_id=str(number)) for number in range(BODY_UPDATES_MAX)]
    events = LINE.parse(body_of(*full))
    assert [event.message_id for event in events] == [str(number) for number in range(BODY_UPDATES_MAX)]
    with pytest.raises(TooManyUpdates):
        LINE.parse(body_of(*full, text_event()))


def test_a_large_property_beside_the_events_is_kept_once():
    events = LINE.parse(body_of(text_event(), text_event(), added="x" * 1000))
    assert [event.extra for event in events] == [{"body:added": "x" * 1000}, None]


def test_an_unclassified_event_keeps_its_own_bytes_and_no_others():
    odd = '{ "type" : "new\\u002dkind",\t"n": 1.50 }'
    body = b'{"destination":"U1","events":[%b, %b]}' % (json.dumps(text_event()).encode(), odd.encode())
    neighbour, kept = LINE.parse(body)
    assert isinstance(neighbour, Message)
    assert isinstance(kept, Unclassified)
    assert (kept.reason, kept.raw, kept.via) == ("unknown_kind", odd.encode(), "U1")
