"""Canonical bytes: one value has one form, every other form is refused, and what has no form is never encoded."""

import datetime as dt
import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from shared import canonical
from shared.errors.trust import NotCanonical

Small = Annotated[int, Meta(ge=-(2**53) + 1, le=canonical.INTEGER_MAX)]


class Part(msgspec.Struct, frozen=True):
    b: bytes
    a: str


class Sample(msgspec.Struct, frozen=True, tag_field="type", tag="sample"):
    zeta: Small
    alpha: tuple[Part, ...]
    kind: Literal["one", "two"]
    note: str | None = None
    flag: bool = False


VALUE = Sample(7, (Part(b"\x00\xff", 'ü"\\\n\x01/\u2028'),), "two")
BYTES = (
    '{"alpha":[{"a":"ü\\"\\\\\\n\\u0001/\u2028","b":"AP8="}],"flag":false,"kind":"two","note":null,"type":"sample","zeta":7}'
).encode()


def test_the_form_is_the_one_stated():
    """Sorted members, the tag among them, no space, nothing left out, the escapes of RFC 8785."""
    assert canonical.encode(VALUE) == BYTES
    assert canonical.decode(Sample, BYTES) == VALUE


def test_it_is_what_another_program_would_write():
    """Python's own JSON, sorted and compact, gives the same bytes."""
    again = json.dumps(json.loads(BYTES), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again.encode() == BYTES


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'"zeta":7', b'"zeta": 7'),
        lambda data: data.replace(b'"zeta":7', b'"zeta":7.0'),
        lambda data: data.replace(b'"zeta":7', b'"zeta":7,"zeta":7'),
        lambda data: data.replace(b'"zeta":7', b'"zeta":7,"zulu":1'),
        lambda data: data.replace(b'"note":null,', b""),
        lambda data: data.replace(b'"note":null,', b"").replace(b'"flag"', b'"note":null,"flag"'),
        lambda data: data.replace("ü".encode(), b"\\u00fc"),
        lambda data: data.replace(b"\\n", b"\\u000a"),
        lambda data: data.replace(b"/", b"\\/"),
        lambda data: data.replace(b"AP8=", b"AP8"),
        lambda data: data.replace(b"AP8=", b"AP9="),
        lambda data: data + b"\n",
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: b"[" * 100_000,
        lambda data: data.replace("ü".encode(), b"\xff"),
    ],
)
def test_every_other_form_is_refused(change):
    """The same value in other bytes, and what is no value at all."""
    assert change(BYTES) != BYTES
    with pytest.raises(NotCanonical):
        canonical.decode(Sample, change(BYTES))


@pytest.mark.parametrize(
    "type_",
    [
        float,
        int,
        Annotated[int, Meta(le=2**53)],
        Any,
        dict[str, str],
        set[str],
        list[str],
        dt.datetime,
        tuple[float, ...],
        float | None,
    ],
)
def test_a_type_without_one_form_is_never_encoded(type_):
    """Floats, mappings, moments, integers without a bound: the struct that has one is a fault of the program."""
    bad = msgspec.defstruct("Bad", [("x", type_)], frozen=True)
    with pytest.raises(TypeError):
        canonical.encode(bad(None))
    with pytest.raises(TypeError):
        canonical.decode(bad, b'{"x":null}')
