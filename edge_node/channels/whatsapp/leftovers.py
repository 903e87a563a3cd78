"""What is not understood, kept as it came: the one way to an ``Unclassified`` event.  Pure.

The bytes are kept whole; beside them stands whatever can be told without understanding them: the time, the id and the
person spoken of.  By the person the node finds it again when that subject is erased.
"""

from typing import Any, Literal, TypeVar

import msgspec

from edge_node.channels.reading import Reader, read_struct
from edge_node.channels.whatsapp.normalise_messages import moment
from edge_node.channels.whatsapp.people import Extra, People, joined
from shared.message import Identifier, Person, Unclassified

T = TypeVar("T")

Names = tuple[str, str, str]
"""The properties that name a person: BSUID, parent BSUID, phone."""

Reason = Literal["unknown_kind", "unknown_field", "unexpected_shape"]

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_STAMP = msgspec.json.Decoder(str | int | float)

_REFUSALS = (msgspec.DecodeError, RecursionError)
"""What msgspec raises for bytes of another shape, or nested deeper than it reads."""


def read(raw: bytes | msgspec.Raw, reader: Reader[T]) -> tuple[T, Extra] | None:
    """Return one part and the properties its structs do not name, or ``None`` where it does not fit."""
    try:
        return read_struct(raw, reader)
    except _REFUSALS:
        return None


def present(raw: msgspec.Raw) -> bool:
    """Say whether an optional raw part was there and not null."""
    return bytes(raw) not in {b"", b"null"}


def decoded(raw: bytes | msgspec.Raw | None, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Return a part as ``decoder`` reads it, or ``None`` where it is absent or does not fit."""
    try:
        return None if raw is None else decoder.decode(raw)
    except _REFUSALS:
        return None


def members(raw: bytes | msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """Return an object's members, none where it is no object."""
    return decoded(raw, _MEMBERS) or {}


def items(raw: bytes | msgspec.Raw | None) -> list[msgspec.Raw] | None:
    """Return a list's items, or ``None`` where it is no list."""
    return decoded(raw, _LIST)


def text(raw: bytes | msgspec.Raw | None) -> str | None:
    """Return a string, or ``None`` where it is none."""
    return decoded(raw, _TEXT)


def unclassified(
    reason: Reason, raw: bytes | msgspec.Raw, via: str, extra: Extra = None, author: Person | None = None
) -> Unclassified:
    """Return the event that keeps ``raw``."""
    return Unclassified(channel="whatsapp", via=via, at=0, author=author, extra=extra, reason=reason, raw=bytes(raw))


def unclassified_update(
    raw: msgspec.Raw, names: Names, kinds: frozenset[str] | None, via: str, extra: Extra, people: People
) -> Unclassified:
    """Return the event that keeps one update; ``names`` are the properties that name its subject.

    The reason is ``unknown_kind`` where its ``type`` is none of ``kinds``, else ``unexpected_shape``.  The person is
    named as ``author`` also where it is the one addressed, as ``author`` is all that this event has.
    """
    parts = members(raw)
    kind = text(parts.get("type"))
    user, parent, phone = (text(parts.get(name)) for name in names)
    author, more = people.person(names, user, parent, phone)
    group = text(parts.get("group_id"))
    at, _ = moment(decoded(parts.get("timestamp"), _STAMP), None)
    return Unclassified(
        channel="whatsapp",
        via=via,
        at=at,
        event_id=text(parts.get("id")),
        author=author,
        group=Identifier("whatsapp_group", group) if group else None,
        extra=joined(extra, more),
        reason="unknown_kind" if kinds is not None and kind is not None and kind not in kinds else "unexpected_shape",
        raw=bytes(raw),
        message_id=_message_of(parts) if kinds is not None else None,
    )


def _message_of(parts: dict[str, msgspec.Raw]) -> str | None:
    """Name the message that an update is or edits."""
    return text(members(parts.get("edit")).get("original_message_id")) or text(parts.get("id"))


def unclassified_parts(reason: Reason, parts: dict[str, Any], via: str, extra: Extra = None) -> Unclassified:
    """Return the event that keeps parts of an envelope, as an object of path and value."""
    return unclassified(reason, msgspec.json.encode(parts), via, extra)
