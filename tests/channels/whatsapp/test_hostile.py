"""Whatever the bytes are, parsing gives events or one of two refusals, and the events can be written."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.channels.whatsapp import WHATSAPP, normalise
from shared.errors import BodyMalformed, TooManyUpdates
from shared.message import Event
from tests.channels.whatsapp.cases import DATA, FIXTURES, leaves, objects, replaced

TORTURE = DATA / "torture"
CASES = sorted((TORTURE / "json").glob("*.json"))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    sorted({str(place[-1]) for file in FIXTURES for place, _ in leaves(json.loads(file.read_bytes()))})
)
BODIES = [json.loads(file.read_bytes()) for file in FIXTURES]


def parsed(body: bytes) -> list[Event] | None:
    """Return the events, which must survive being written and read; ``None`` where the body is refused."""
    try:
        events = WHATSAPP.parse(body)
    except (BodyMalformed, TooManyUpdates) as refusal:
        kept = (refusal.__cause__, refusal.__context__)
    else:
        kept = None
    # A decoder's own error would quote the body in a traceback.
    assert kept in {None, (None, None)}
    if kept is not None:
        return None
    assert msgspec.json.decode(msgspec.json.encode(events), type=list[Event]) == events
    return events


def in_an_envelope(value: bytes, place: str) -> bytes:
    """Return a body that carries JSON as a change's value, as a message or as a message's content."""
    inside = {
        "value": b"%b",
        "message": b'{"messages":[%b]}',
        "content": b'{"messages":[{"id":"1","type":"text","text":%b}]}',
    }
    wrapped = inside[place].replace(b"%b", value)
    return (
        b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":%b}]}]}'
        % wrapped
    )


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes):
    parsed(body)


@given(JSON)
def test_any_json(value: Any):
    assert parsed(json.dumps(value).encode()) is not None


@settings(max_examples=200)
@given(st.sampled_from(BODIES), st.data())
def test_a_body_with_a_part_replaced(body: Any, data: st.DataObject):
    place = data.draw(st.sampled_from([place for place, _ in leaves(body)] + list(objects(body))))
    cut = data.draw(st.integers(min_value=0, max_value=len(place)))
    mutated = json.dumps(replaced(body, place[:cut], data.draw(JSON))).encode()
    events = parsed(mutated)
    assert events is not None
    ordinary = normalise._ordinary(mutated)
    assert ordinary is None or ordinary == events == normalise._careful(mutated)


@settings(max_examples=150)
@given(st.sampled_from(BODIES), NAMES, st.data())
def test_a_body_with_a_familiar_name_in_an_unfamiliar_place(body: Any, name: str, data: st.DataObject):
    place = data.draw(st.sampled_from([*objects(body)] or [()]))
    if isinstance(body, dict):
        assert parsed(json.dumps(replaced(body, (*place, name), data.draw(JSON))).encode()) is not None


@settings(max_examples=100)
@given(st.sampled_from(FIXTURES), st.data())
def test_a_body_with_bytes_cut_out(fixture: Path, data: st.DataObject):
    body = fixture.read_bytes()
    start = data.draw(st.integers(min_value=0, max_value=len(body)))
    end = data.draw(st.integers(min_value=start, max_value=min(len(body), start + 40)))
    parsed(body[:start] + data.draw(st.binary(max_size=4)) + body[end:])


@pytest.mark.skipif(not CASES, reason="../shared/data is not beside the checkout")
def test_every_json_torture_case_as_a_body():
    outcome = {case.name: parsed(case.read_bytes()) for case in CASES}
    assert [name for name, events in outcome.items() if name.startswith("y_") and events is None] == []
    assert [name for name, events in outcome.items() if name.startswith("n_") and events is not None] == []


@pytest.mark.skipif(not CASES, reason="../shared/data is not beside the checkout")
@pytest.mark.parametrize("place", ["value", "message", "content"])
def test_every_json_torture_case_within_a_body(place: str):
    for case in CASES:
        events = parsed(in_an_envelope(case.read_bytes(), place))
        if case.name.startswith("y_"):
            assert events, case.name


@pytest.mark.skipif(not CASES, reason="../shared/data is not beside the checkout")
def test_every_naughty_string_is_kept_to_the_letter():
    for text in json.loads((TORTURE / "blns.json").read_bytes()):
        events = parsed(in_an_envelope(json.dumps({"body": text}).encode(), "content"))
        assert events is not None
        assert events[0].content.text == text  # type: ignore[union-attr]  # anything else fails the test


@pytest.mark.parametrize("place", ["value", "message", "content"])
@pytest.mark.parametrize("depth", [60, 70, 300, 900, 1_100, 100_000])
def test_nesting_of_any_depth(place: str, depth: int):
    parsed(in_an_envelope(b"[" * depth + b"]" * depth, place))
    parsed(in_an_envelope(b'{"a":' * depth + b"1" + b"}" * depth, place))


def test_numbers_no_machine_holds():
    for number in (b"1e999", b"-1e999", b"1e308", b"-1e306", b"9" * 400, b"0." + b"9" * 400):
        assert parsed(in_an_envelope(b'{"body":"x","n":%b}' % number, "content"))
        assert parsed(
            in_an_envelope(
                b'{"messages":[{"id":"1","timestamp":%b,"type":"text","text":{"body":"x"}}]}' % number, "value"
            )
        )


LONG = "x" * 100_000


def _thousand(value: dict[str, Any], entry: dict[str, Any], field: str = "messages") -> bytes:
    """Return a body with a thousand short messages of one person."""
    messages = [{"id": f"m{n}", "from": "15550001001", "type": "text", "text": {"body": "x"}} for n in range(1_000)]
    whole = {"contacts": [{"wa_id": "15550001001"}], "messages": messages} | value
    change = {"field": field, "value": {"standby": whole} if field == "standby" else whole}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change], **entry}]}
    ).encode()


@pytest.mark.parametrize("field", ["messages", "standby"])
@pytest.mark.parametrize(
    ("value", "entry"),
    [
        ({}, {"time": LONG}),
        ({}, {"id": LONG}),
        ({"metadata": {"phone_number_id": LONG}}, {}),
        ({"contacts": [{"wa_id": "15550001001", "profile": {"name": LONG}}]}, {}),
        ({"contacts": [{"wa_id": "15550001001", "profile": {"username": LONG}}]}, {}),
        ({"contacts": [{"wa_id": "15550001001", "user_id": LONG}]}, {}),
        ({"contacts": [{"wa_id": "15550001001", "identity_key_hash": LONG}]}, {}),
        ({"contacts": [{"wa_id": "15550001001", "new": LONG}]}, {}),
        ({"new": LONG}, {}),
        ({"conversation_context": {"summary": LONG}}, {}),
    ],
)
def test_what_goes_with_every_message_cannot_make_a_body_a_thousandfold(
    field: str, value: dict[str, Any], entry: dict[str, Any]
):
    body = _thousand(value, entry, field)
    events = parsed(body)
    assert events is not None
    assert len(msgspec.json.encode(events)) < 5 * len(body)


def test_a_standby_within_a_standby_is_kept_and_not_followed():
    value = b'{"standby":' * 900 + b"{}" + b"}" * 900
    body = in_an_envelope(value, "value").replace(b'"field":"messages"', b'"field":"standby"')
    events = parsed(body)
    assert events is not None
    assert len(events) == 1


def test_standby_updates_count_like_all_others():
    full = json.loads(_thousand({}, {}, "standby"))
    assert parsed(json.dumps(full).encode()) is not None
    full["entry"][0]["changes"] *= 2
    with pytest.raises(TooManyUpdates):
        WHATSAPP.parse(json.dumps(full).encode())
    full["entry"][0]["changes"] = [{"field": "standby", "value": {"standby": {}}}] * 1_001
    with pytest.raises(TooManyUpdates):
        WHATSAPP.parse(json.dumps(full).encode())
