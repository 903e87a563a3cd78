"""Two forms agree where they give equal events, and nowhere else; the original is what is taken."""

import json

import pytest

from edge_node.channels.agreement import agreed_events
from edge_node.channels.contract import Enclosed
from edge_node.channels.line import LINE
from shared.errors import BodyMalformed, TooManyUpdates
from shared.errors.bus import FormsDiffer
from shared.limits import BODY_UPDATES_MAX
from tests.channels.line.cases import FIXTURES, body_of, text_event

ORDINARY = text_event("Where is my parcel?")
NEW = {"type": "ofTomorrow", "n": 1.50, "big": 2**70, "list": ["one"], "flag": True, "none": None}


def agreed(original, rendering):
    return agreed_events(LINE, Enclosed(original, b"", rendering))


def changes(value):
    """Give every way to change one thing in a JSON value: drop it, re-type it, wrap it, spell it otherwise."""
    if isinstance(value, dict):
        for name, inner in value.items():
            rest = {other: kept for other, kept in value.items() if other != name}
            yield rest
            yield {**rest, name + "x": inner}
            yield from ({**value, name: changed} for changed in changes(inner))
        yield {**value, "added": 1}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], changed, *value[place + 1 :]] for changed in changes(inner))
        yield [*value, 1]
        yield value[0] if len(value) == 1 else [value]
    elif isinstance(value, bool):
        yield from (not value, str(value).lower(), int(value))
    elif isinstance(value, int | float):
        yield from (value + 1, str(value))
    elif isinstance(value, str):
        yield from (value + " ", value + "\u0301", [value], None)
        if value.isdigit():
            yield int(value)
    else:
        yield from ("", "null", {})


@pytest.mark.parametrize("event", [ORDINARY, NEW], ids=["known", "unknown"])
def test_every_single_change_is_found_where_it_is(event):
    original = body_of(text_event(), event)
    changed = list(changes(event))
    assert len(changed) > 20
    missed, places = [], set()
    for each in changed:
        try:
            events = agreed(original, body_of(text_event(), each))
        except FormsDiffer as differs:
            places.add(differs.details["event"])
        else:
            assert events == LINE.parse(original)
            missed.append(each)
    assert places == {1}
    # What LINE may leave out in a known event means the same when it is left out; nothing else may pass.
    without = [{name: value for name, value in event.items() if name != gone} for gone in ("deliveryContext", "mode")]
    assert missed == ([] if event is NEW else [without[0], {**event, "deliveryContext": {}}, without[1]])


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_an_event_less_or_more_is_found(fixture):
    body = fixture.read_bytes()
    value = json.loads(body)
    if not value.get("events"):
        with pytest.raises(FormsDiffer):
            agreed(body, body_of(text_event()))
        return
    for events in (value["events"][:-1], [*value["events"], text_event()]):
        with pytest.raises(FormsDiffer):
            agreed(body, json.dumps(value | {"events": events}).encode())


def test_another_order_of_events_is_another_webhook():
    with pytest.raises(FormsDiffer):
        agreed(body_of(ORDINARY, NEW), body_of(NEW, ORDINARY))


def test_spelling_and_order_of_properties_do_not_count():
    for event in (ORDINARY, NEW):
        other = json.dumps({"events": [dict(reversed(event.items()))], "destination": "U" + "0" * 29 + "b07"}, indent=3)
        assert agreed(body_of(event), other.replace("1.5", "15e-1").encode()) == LINE.parse(body_of(event))


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        (b"100", b"1e2", True),
        (b"1.50", b"1.5", True),
        (b"-0.0", b"0", True),
        (b"0.1", b"0.10000000000000001", False),
        (b"36893488147419103232", b"36893488147419103233", False),
        (b"1e9999999999999999999", b"1e9999999999999999999", True),
        (b"1e9999999999999999999", b'"1e9999999999999999999"', False),
        (b"1e9999999999999999999", b"1e9999999999999999998", False),
        (b"1", b"true", False),
        (b"0", b"false", False),
        (b'"1"', b"1", False),
        (b"null", b'""', False),
        (b"[]", b"{}", False),
        (b"[]", b"null", False),
        (rb'"\ud83e"', rb'"\ufffd"', True),
        (rb'"\ud83e"', rb'"?"', False),
        (b"[" * 900 + b"]" * 900, b"[" * 100 + b"]" * 100, False),
    ],
)
def test_values_of_an_unknown_event_are_compared_exactly(ours, theirs, alike):
    original, rendering = (b'{"destination":"U","events":[{"type":"new","x":%b}]}' % each for each in (ours, theirs))
    if alike:
        assert agreed(original, rendering) == LINE.parse(original)
    else:
        with pytest.raises(FormsDiffer):
            agreed(original, rendering)


def test_a_flag_is_not_a_number_in_an_addition_either():
    with pytest.raises(FormsDiffer):
        agreed(body_of(ORDINARY | {"added": True}), body_of(ORDINARY | {"added": 1}))


def test_the_original_alone_decides_what_is_wrong_with_it():
    full = [text_event(message_id=str(number)) for number in range(BODY_UPDATES_MAX)]
    with pytest.raises(TooManyUpdates):
        agreed(body_of(*full, text_event()), body_of(*full))
    with pytest.raises(FormsDiffer):
        agreed(body_of(*full), body_of(*full, text_event()))
    with pytest.raises(BodyMalformed):
        agreed(b"{", b"{}")
