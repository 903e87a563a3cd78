"""Whatever a body holds, parsing it gives events or one of two named errors, and a bad event harms no other."""

import copy
import json
import re

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_node.channels.line import LINE
from shared.errors import BodyMalformed, TooManyUpdates
from shared.message import Message, Text, Unclassified
from tests.channels.line.cases import EVENT, FIXTURES, body_of, text_event

NEIGHBOUR = text_event()
[ALONE] = LINE.parse(body_of(NEIGHBOUR))

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    SCALARS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BODIES = [fixture.read_bytes() for fixture in FIXTURES]
KNOWN = [
    event
    for fixture in FIXTURES
    if not fixture.stem.startswith(("unknown", "unexpected", "unsend-of", "no-events", "text-unpaired"))
    for event in json.loads(fixture.read_bytes())["events"]
]


def parse(body):
    """Parse, and see that what came out can be written and read again; ``None`` for a named refusal."""
    try:
        events = LINE.parse(body)
    except (BodyMalformed, TooManyUpdates):
        return None
    for event in events:
        assert EVENT.decode(msgspec.json.encode(event)) == event
    return events


def places(value, path=()):
    """Yield the path of every value within."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes(body):
    parse(body)


@settings(deadline=None)
@given(JSON)
def test_any_json_as_body_is_kept_whole_or_empty(value):
    body = json.dumps(value).encode()
    events = parse(body)
    assert events is not None
    if not isinstance(value, dict) or not isinstance(value.get("events"), list):
        assert [event.raw for event in events] == [body]


@settings(deadline=None)
@given(st.lists(JSON, max_size=5))
def test_any_json_as_events_gives_one_event_each(values):
    events = parse(body_of(*values))
    assert len(events) == len(values)
    for value, event in zip(values, events, strict=True):
        assert isinstance(event, Unclassified)
        assert json.loads(event.raw) == value


@settings(deadline=None)
@given(st.sampled_from(KNOWN), st.data())
def test_any_value_in_the_place_of_another_leaves_the_neighbours_alone(known, data):
    changed = copy.deepcopy(known)
    *parents, last = data.draw(st.sampled_from([path for path in places(changed) if path]))
    at(changed, parents)[last] = data.draw(JSON)
    before, _, after = parse(body_of(NEIGHBOUR, changed, NEIGHBOUR))
    assert (before, after) == (ALONE, ALONE)


@settings(deadline=None)
@given(st.sampled_from(KNOWN), st.data())
def test_any_property_missing_leaves_the_neighbours_alone(known, data):
    changed = copy.deepcopy(known)
    *parents, last = data.draw(st.sampled_from([path for path in places(changed) if path]))
    del at(changed, parents)[last]
    before, _, after = parse(body_of(NEIGHBOUR, changed, NEIGHBOUR))
    assert (before, after) == (ALONE, ALONE)


@settings(deadline=None)
@given(st.sampled_from(KNOWN), st.text(max_size=6).map("new".__add__), JSON, st.data())
def test_a_new_property_anywhere_in_a_known_event_is_kept_by_its_path(known, name, value, data):
    changed = copy.deepcopy(known)
    objects = [path for path in places(changed) if isinstance(at(changed, path), dict) and path[-1:] != ("params",)]
    where = data.draw(st.sampled_from(objects))
    assume(name not in at(changed, where))
    at(changed, where)[name] = value
    path = ""
    for key in (*where, name):
        odd = isinstance(key, int) or set(key) & set('.[]":')
        path += f"[{msgspec.json.encode(key).decode()}]" if odd else f".{key}" if path else key
    [before] = LINE.parse(body_of(known))
    [after] = parse(body_of(changed))
    if isinstance(before, Unclassified):
        return
    assert msgspec.structs.replace(after, extra=before.extra) == before
    assert after.extra == {**(before.extra or {}), path: value}


@settings(deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_any_byte_changed(body, data):
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    parse(bytes(changed))


@settings(deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_a_truncated_body_is_malformed(body, data):
    whole = body.rstrip()
    assert parse(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@settings(deadline=None)
@given(st.lists(st.sampled_from([rb"\ud83e", rb"\udd28", rb"\uD83E\uDD28", "é".encode(), rb"\\ud83e", rb"\"", b"a"])))
def test_unpaired_surrogates_are_read_as_replacement_characters(parts):
    """A pair that comes together by chance is a pair; the standard library says what the rest is."""
    body = body_of(text_event("@@"), NEIGHBOUR).replace(b"@@", b"".join(parts))
    text = json.loads(b'"%b"' % b"".join(parts))
    said, neighbour = parse(body)
    assert said.content == Text(re.sub("[\ud800-\udfff]", "\ufffd", text))
    assert neighbour == ALONE


@pytest.mark.parametrize("levels", [64, 65, 200, 900, 5_000, 100_000])
def test_nesting_is_kept_refused_or_unclassified_but_never_fatal(levels):
    deep = b"[" * levels + b"]" * levels
    events = parse(body_of(text_event("x"), NEIGHBOUR).replace(b'"mode"', b'"new": %b, "mode"' % deep, 1))
    if levels == 64:
        assert [type(event) for event in events] == [Message, Message]
    elif levels < 900:
        assert [type(event) for event in events] == [Unclassified, Message]
    elif levels >= 5_000:
        assert events is None


def torture(shared_data):
    """Return the parser cases."""
    return sorted((shared_data / "torture/json").iterdir())


def test_torture_files_as_body(shared_data):
    """What must parse is kept, what must not is malformed, the rest is either."""
    for file in torture(shared_data):
        events = parse(file.read_bytes())
        if file.name.startswith("y_"):
            assert [event.raw for event in events] == [file.read_bytes()], file.name
        if file.name.startswith("n_"):
            assert events is None, file.name


def test_torture_files_as_an_event_between_others(shared_data):
    for file in torture(shared_data):
        value = file.read_bytes()
        neighbour = json.dumps(NEIGHBOUR).encode()
        events = parse(b'{"destination":"%b","events":[%b,%b,%b]}' % (ALONE.via.encode(), neighbour, value, neighbour))
        if file.name.startswith("y_"):
            assert [events[0], events[-1]] == [ALONE, ALONE], file.name
            assert [event.raw for event in events[1:-1]] == [value.strip()], file.name


def test_naughty_strings_are_said_as_they_are(shared_data):
    strings = json.loads((shared_data / "torture/blns.json").read_bytes())
    events = [
        event
        for part in range(0, len(strings), 500)
        for event in parse(body_of(*map(text_event, strings[part : part + 500])))
    ]
    assert [event.content for event in events] == [Text(string) for string in strings]


def test_a_long_destination_cannot_make_a_body_a_thousandfold():
    body = json.dumps({"destination": "U" * 100_000, "events": [NEIGHBOUR] * 1_000}).encode()
    first, *others = parse(body)
    assert (first.via, first.extra) == ("", {"body:destination": "U" * 100_000})
    assert others == [msgspec.structs.replace(ALONE, via="")] * 999


@pytest.mark.parametrize("destination", [None, 7, [], {"a": [1]}, [[[]] * 70], True])
def test_a_destination_of_another_shape_costs_no_event(destination):
    events = parse(body_of(NEIGHBOUR, NEIGHBOUR, destination=destination))
    assert [event.content for event in events] == [ALONE.content] * 2
    assert events[0].extra == {"body:destination": destination}


def test_a_destination_nested_deeper_than_can_be_kept_is_kept_as_text():
    deep = "[" * 200 + "]" * 200
    first, second = parse(body_of(NEIGHBOUR, NEIGHBOUR).replace(b'"U000', deep.encode() + b',"x":"U000', 1))
    assert first.extra == {"body:destination": deep, "body:x": ALONE.via}
    assert second.content == ALONE.content


def test_without_events_what_stands_beside_them_is_kept():
    body = body_of(eventsOfTomorrow=[NEIGHBOUR])
    [event] = parse(body)
    assert (event.reason, event.raw, event.via) == ("unknown_field", body, ALONE.via)
    assert parse(body_of()) == []
