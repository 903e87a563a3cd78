"""No field of the wire has room for words or identifiers: a walk over every type of every message, itself put to test.

The walk knows nothing of what messages mean.  A field may be a named leaf of ``shared.wire.types``, a code from a
closed list, a truth value, a bounded tuple of such things, or a struct of this package that keeps the same rule.
"""

import datetime as dt
import importlib
import pkgutil
import re
import types
import typing
from typing import Annotated, Any, Literal, NewType, Union

import msgspec
import pytest
from msgspec import Meta

import shared.wire
from shared import wire
from shared.crypto.dsse import Envelope, PayloadBytes, Signature
from shared.wire import types as leaves
from shared.wire.head import Head
from shared.wire.receipt import Receipt
from shared.wire.types import LEAVES, Ciphertext, OneTimeSecret, OpaqueId, Pseudonym

PACKAGE = "shared.wire"
FROM_ELSEWHERE = (Envelope, Signature)
ONLY_IN = {
    Ciphertext: ("shared.wire.relay",),
    PayloadBytes: ("shared.crypto.dsse",),
    OneTimeSecret: ("shared.wire.uplink",),
    leaves.ErrorCode: ("shared.wire.downlink",),
}
"""Leaves that only some pages may use: content between nodes only, a receipt's bytes, a secret on its one way."""
CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")


def complaints(struct: type) -> list[str]:
    """Say what is wrong with the fields of a struct and of every struct below it."""
    found, seen, waiting = [], set(), [struct]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        if not here.__struct_config__.frozen:
            found.append(f"{here.__name__} can be changed")
        if here.__module__.partition(".sealed")[1] or not (
            here.__module__.startswith(PACKAGE) or here in FROM_ELSEWHERE
        ):
            found.append(f"{here.__name__} is none of the wire's structs")
        for name, hint in typing.get_type_hints(here, include_extras=True).items():
            if name not in here.__struct_fields__:
                continue
            for part, wrong in parts(hint, here.__module__):
                if wrong:
                    found.append(f"{here.__name__}.{name}: {wrong}")
                else:
                    waiting.append(part)
    return found


def parts(hint: Any, module: str) -> list[tuple[Any, str]]:
    """Give (struct to walk, "") and (hint, complaint) for one type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in LEAVES:
        places = ONLY_IN.get(hint)
        return [] if places is None or module in places else [(hint, "a leaf that belongs elsewhere")]
    if hint is bool or hint is types.NoneType:
        return []
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [(hint, "")]
    if origin is Literal:
        wrong = [value for value in arguments if not isinstance(value, str) or not CODE.fullmatch(value)]
        return [(hint, f"no code: {value!r}") for value in wrong]
    if origin in {Union, types.UnionType}:
        return [each for argument in arguments for each in parts(argument, module)]
    if origin is Annotated and typing.get_origin(arguments[0]) is tuple:
        items, meta = typing.get_args(arguments[0]), arguments[1]
        if len(items) == 2 and items[1] is Ellipsis and isinstance(meta, Meta) and meta.max_length:
            return parts(items[0], module)
    return [(hint, f"{hint} is none of the leaves")]


@pytest.mark.parametrize("message", [*wire.MESSAGES, Receipt, Head], ids=lambda message: message.__name__)
def test_no_field_has_room_for_words(message):
    """Every message, and what travels as bytes inside one: a receipt, a head."""
    assert complaints(message) == []


def struct(hint: Any, *, module: str = "shared.wire.uplink", frozen: bool = True) -> type:
    """Give a struct of the wire with one field."""
    made = msgspec.defstruct("Bad", [("field", hint)], frozen=frozen, module=module)
    made.__annotations__ = {"field": hint}
    return made


class Inner(msgspec.Struct, frozen=True):
    note: str


Inner.__module__ = "shared.wire.parts"


@pytest.mark.parametrize(
    "hint",
    [
        str,
        bytes,
        float,
        int,
        dict,
        dict[str, Pseudonym],
        Any,
        object,
        dt.datetime,
        dt.date,
        msgspec.Raw,
        list[Pseudonym],
        set[Pseudonym],
        tuple,
        tuple[Pseudonym, ...],
        tuple[Pseudonym, Pseudonym],
        Annotated[tuple[Pseudonym, ...], Meta(min_length=1)],
        Annotated[tuple[str, ...], Meta(max_length=3)],
        Annotated[str, Meta(pattern="^[0-9a-f]{32}$", max_length=32)],
        Annotated[str, Meta(max_length=32)],
        Annotated[bytes, Meta(max_length=32)],
        Annotated[int, Meta(ge=0, le=5)],
        NewType("Name", str),
        Pseudonym | str,
        str | None,
        Literal["one", "Free words"],
        Literal[1],
        Literal[b"x"],
        Inner,
        Annotated[tuple[Inner, ...], Meta(max_length=3)],
        Ciphertext,
        PayloadBytes,
        leaves.ErrorCode,
    ],
    ids=str,
)
def test_the_walk_finds_what_has(hint):
    """Each of these would let words, identifiers or raw bytes through; each is found, however deep."""
    assert complaints(struct(hint))
    outer = struct(struct(hint))
    assert complaints(outer)


@pytest.mark.parametrize(
    "hint",
    [
        Pseudonym,
        OpaqueId | None,
        Literal["one", "two_three"],
        bool,
        wire.Place,
        Annotated[tuple[wire.Place, ...], Meta(max_length=3)],
        wire.SubjectTarget | wire.DisclosureTarget,
    ],
    ids=str,
)
def test_the_walk_lets_sound_structs_pass(hint):
    """It can say yes."""
    assert complaints(struct(hint)) == []


def test_the_walk_refuses_structs_that_change_or_come_from_elsewhere():
    """A struct must be frozen and of this package, and what is sealed is no part of it."""
    assert complaints(struct(Pseudonym, frozen=False))
    assert complaints(struct(Pseudonym, module="shared.message.events"))
    assert complaints(struct(Pseudonym, module="shared.wire.sealed"))
    assert not complaints(struct(Ciphertext, module="shared.wire.relay"))


def test_every_message_there_is_is_known():
    """A message that is defined but not in the list would cross unwatched."""
    modules = [importlib.import_module(f"{PACKAGE}.{each.name}") for each in pkgutil.iter_modules(shared.wire.__path__)]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, wire.Message) and value is not wire.Message
    }
    assert found == {*wire.MESSAGES}
    unions = {*typing.get_args(wire.Uplink), *typing.get_args(wire.Downlink), *typing.get_args(wire.Relay)}
    assert unions == found


WORDS = (
    *("Mirabel Fonteyn", "mirabel@example.org", "+44 7700 900123", "447700900123", "4915123456789", "ask for Mirabel"),
    *("wamid.HBgMNDQ3NzAwOTAwMTIzFQIAEhggQUJDREVG", "U4af4980629aaaaaaaaaaaaaaaaaaaaaaa", "ゆき", "a b", "", " "),
    *("https://example.org/447700900123", "https://example.org?q=mirabel", "https://mirabel@example.org", "a\n", "\n"),
)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__metadata__[0].title)
def test_every_leaf_is_bounded_and_named(leaf):
    """A leaf has its name, an upper bound, and a form in which no sentence, number or platform id fits."""
    kind, meta = typing.get_args(leaf)
    assert [name for name, value in vars(leaves).items() if value == leaf] == [meta.title]
    if kind is int:
        assert meta.ge is not None
        assert meta.le is not None
    elif kind is bytes:
        assert meta.max_length
    else:
        assert kind is str
        for word in WORDS:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(word, leaf)


def test_a_line_end_is_no_part_of_a_name():
    """``$`` alone would let one through."""
    for leaf, good in ((leaves.NodeName, "eu"), (Pseudonym, "0" * 32), (leaves.Address, "https://eu.example:1")):
        assert msgspec.convert(good, leaf) == good
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(good + "\n", leaf)


def test_codes_are_words_of_ours():
    """Every closed list of the types page holds codes."""
    lists = [value for name, value in vars(leaves).items() if typing.get_origin(value) is Literal]
    assert len(lists) >= 9
    assert not [code for values in lists for code in typing.get_args(values) if not CODE.fullmatch(code)]
