"""Reading a platform's JSON: what is no JSON, what is another shape, what is kept beside the known, and times."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.channels.reading import (
    DEPTH_MAX,
    MILLISECONDS_MAX,
    NotTheEnvelope,
    Reader,
    decode_body,
    milliseconds,
    read_body,
    read_struct,
    too_deep,
)
from shared.errors import BodyMalformed


class Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class Leaf(Strict, tag="leaf", tag_field="type"):
    long_name: Annotated[int, msgspec.Meta(ge=0)]
    whole: msgspec.Raw = msgspec.Raw()


class Branch(Strict, tag="branch", tag_field="type"):
    leaves: list[Leaf] = []
    named: dict[str, Leaf] = {}
    either: Leaf | int | list[Leaf] | None = None


class Envelope(Strict):
    events: list[msgspec.Raw]
    to: str = ""


class Open(Strict):
    detail: dict[str, Any]


TREES: Reader[Leaf | Branch] = Reader(Leaf | Branch)
ENVELOPES: Reader[Envelope] = Reader(Envelope)
OPEN: Reader[Open] = Reader(Open)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"events":[1}',
        b'{"events":[]} x',
        b"NaN",
        b'{"events":[NaN]}',
        b"\xef\xbb\xbf{}",
        b'{"events":["\xff"]}',
        b'{"events":["\xed\xa0\xbd"]}',
        '{"events":[]}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 5_000 + b"]" * 5_000,
        b'{"to":1, nonsense',
    ],
)
def test_what_is_no_json_is_malformed_and_says_nothing_of_it(body):
    for read in (lambda: decode_body(body, ENVELOPES.decoder), lambda: read_body(body, ENVELOPES)):
        with pytest.raises(BodyMalformed) as caught:
            read()
        assert caught.value.__context__ is None
        assert caught.value.details == {}


@pytest.mark.parametrize("body", [b"1", b"null", b"[]", b"{}", b'{"events":{}}', b'{"events":[],"to":5}', b'"\\ud83d"'])
def test_json_of_another_shape_is_told_apart(body):
    for read in (lambda: decode_body(body, ENVELOPES.decoder), lambda: read_body(body, ENVELOPES)):
        with pytest.raises(NotTheEnvelope) as caught:
            read()
        assert caught.value.__context__ is None


def test_properties_beside_the_envelope_are_kept_with_the_events_bytes():
    body = rb'{"more":{"a":[1]},"events":[ {"t":"\ud83d\ude00", "n":1.50} ],"to":"x"}'
    envelope, unknown = read_body(body, ENVELOPES)
    assert [bytes(event) for event in envelope.events] == [rb'{"t":"\ud83d\ude00", "n":1.50}']
    assert (envelope.to, unknown) == ("x", {"more": {"a": [1]}})
    with pytest.raises(NotTheEnvelope):
        decode_body(body, ENVELOPES.decoder)


def test_an_unpaired_surrogate_does_not_cost_the_body():
    body = rb'{"to":"a\uD83D b","events":["\ude00\ud83d\ude00","\\ud83d"]}'
    envelope = decode_body(body, ENVELOPES.decoder)
    assert envelope.to == "a\ufffd b"
    assert [msgspec.json.decode(event) for event in envelope.events] == ["\ufffd\U0001f600", "\\ud83d"]


def test_the_common_case_has_nothing_beside():
    assert read_struct(b'{"type":"leaf","longName":1}', TREES) == (Leaf(1), None)
    assert read_struct(msgspec.Raw(b'{"longName":1,"type":"leaf"}'), TREES) == (Leaf(1), None)


def test_unknown_properties_are_kept_by_path_at_any_depth():
    raw = b"""{"x":null,"type":"branch","leaves":[{"type":"leaf","longName":1},{"longName":2,"type":"leaf","y":[{}]}],
      "named":{"k":{"type":"leaf","longName":3,"long_name":4}},"either":[{"type":"leaf","longName":5,"z":"\\u00e9"}]}"""
    tree, unknown = read_struct(raw, TREES)
    assert tree == Branch([Leaf(1), Leaf(2)], {"k": Leaf(3)}, [Leaf(5)])
    assert unknown == {"x": None, "leaves[1].y": [{}], "named.k.long_name": 4, "either[0].z": "é"}


def test_a_name_that_looks_like_a_path_hides_no_other():
    tree, unknown = read_struct(
        b'{"type":"leaf","longName":1,"a.b":1,"a":{"b":2},"x[0]":3,"":4,"\\u0022":5,"whole":{}}', TREES
    )
    assert tree
    assert unknown == {'["a.b"]': 1, "a": {"b": 2}, '["x[0]"]': 3, '[""]': 4, '["\\""]': 5}
    assert read_struct(b'{"type":"branch","leaves":[{"longName":1,"type":"leaf","n.m":1}]}', TREES)[1] == {
        'leaves[0]["n.m"]': 1
    }


def test_of_a_name_that_stands_twice_the_last_counts_on_either_way():
    for more in (b"", b',"new":1'):
        assert read_struct(b'{"type":"leaf","longName":1,"longName":2%b}' % more, TREES)[0] == Leaf(2)


def test_raw_parts_stay_byte_exact_beside_unknown_properties():
    tree, unknown = read_struct(
        rb'{"new":1,"type":"leaf","longName":1,"whole": {"e":"\ud83d\ude00", "f":1.50 } }', TREES
    )
    assert isinstance(tree, Leaf)
    assert bytes(tree.whole) == rb'{"e":"\ud83d\ude00", "f":1.50 }'
    assert unknown == {"new": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b"1",
        b"[]",
        b"{}",
        b'{"type":"other"}',
        b'{"type":1}',
        b'{"type":"leaf"}',
        b'{"type":"leaf","longName":"1"}',
        b'{"type":"leaf","longName":-1,"secret":1}',
        b'{"type":"leaf","longName":1e999,"secret":1}',
        b'{"type":"leaf","longName":1,"secret":1e999}',
        b'{"type":"leaf","longName":1,"secret":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"type":"branch","leaves":{"secret":1}}',
        b'{"type":"branch","either":"secret"}',
        b"{secret",
        b'{"type":"leaf","longName":1,"secret":"\xff"}',
    ],
)
def test_what_does_not_fit_is_refused_without_a_word_of_it(raw):
    with pytest.raises(msgspec.ValidationError) as caught:
        read_struct(raw, TREES)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("levels", "kept"), [(DEPTH_MAX - 1, True), (DEPTH_MAX, False)])
def test_values_kept_as_they_came_are_bounded_in_depth(levels, kept):
    """In an open event every level counts; beside a closed one, those of the value that is kept."""
    deep = b"[" * levels + b"]" * levels
    cases = [(b'{"detail":{"a":%b}}' % deep[1:-1], OPEN), (b'{"type":"leaf","longName":1,"n":[%b]}' % deep, TREES)]
    for raw, reader in cases:
        if kept:
            assert read_struct(raw, reader)
        else:
            with pytest.raises(msgspec.ValidationError):
                read_struct(raw, reader)


@pytest.mark.parametrize(
    ("json", "deep"),
    [
        (b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, False),
        (b"[" * 65 + b"]" * 65, True),
        (b'{"a":' * 65 + b"1" + b"}" * 65, True),
        (b"[" + b"[]," * 500 + b"1]", False),
        (b'["' + b"[" * 500 + b'"]', False),
        (rb'["\"' + b"{" * 500 + rb'\\"]', False),
        (b"[" + b'{"]":[1,{}]},' * 500 + b"1]", False),
        (b"[1," * 63 + b'[{"}":0}]' + b"]" * 63, True),
        (b"[1," * 62 + b'[{"}":0}]' + b"]" * 62, False),
        (b'[[],{"a":' * 32 + b"{}" + b"}]" * 32, True),
    ],
)
def test_depth_counts_what_is_open_at_once_outside_of_strings(json, deep):
    assert too_deep(json) is deep


def test_shapes_that_would_lose_something_are_refused_when_made():
    class Lax(msgspec.Struct):
        name: str

    class Holder(Strict):
        inner: list[Lax] | None = None

    class Half(Strict):
        raw: msgspec.Raw | None = None

    for shape in (Lax, Holder, Half):
        with pytest.raises(TypeError):
            Reader(shape)


class Loop(Strict):
    inner: "Loop | None" = None


def test_a_shape_may_hold_itself():
    tree, unknown = read_struct(b'{"inner":{"inner":{"new":1}}}', Reader[Loop](Loop))
    assert tree == Loop(Loop(Loop()))
    assert unknown == {"inner.inner.new": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1749416383", 1_749_416_383_000),
        (1749416383, 1_749_416_383_000),
        ("1749416383123", 1_749_416_383_123),
        (1749416383123, 1_749_416_383_123),
        (1749416383.5, 1_749_416_383_500),
        ("1749416383.5", 1_749_416_383_500),
        (10**11 - 1, 99_999_999_999_000),
        (10**11, 10**11),
        (" 1749416383 ", 1_749_416_383_000),
        (MILLISECONDS_MAX, MILLISECONDS_MAX),
        (MILLISECONDS_MAX + 1, 0),
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("١٧٤٩٤١٦٣٨٣", 0),
        ("-5", 0),
        (-5, 0),
        (-1e306, 0),
        ("-1e306", 0),
        (1e308, 0),
        (True, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ("inf", 0),
        ("1e400", 0),
        (10**400, 0),
        ("9" * 4_500, 0),
    ],
)
def test_milliseconds(value, expected):
    assert milliseconds(value) == expected


@given(st.none() | st.text() | st.integers() | st.floats())
def test_milliseconds_of_anything_is_a_time_or_zero(value):
    assert 0 <= milliseconds(value) <= MILLISECONDS_MAX
