"""What is not understood, kept as it came: the one way to an ``Unclassified`` event.  Pure.

The bytes are kept whole; beside them stands whatever can be told without understanding them: the time, the id and the
person spoken of.  By the person the node finds it again when that subject is erased.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from edge_node.channels.reading import Reader, read_struct
from edge_node.channels.whatsapp.frame import Frame
from edge_node.channels.whatsapp.normalise_messages import TO, moment
from edge_node.channels.whatsapp.payloads import ABSENT
from edge_node.channels.whatsapp.people import Extra, joined
from shared.message import Identifier, Person, Recall, Unclassified

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
    return raw is not ABSENT and bytes(raw) != b"null"


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
    reason: Reason,
    raw: bytes | msgspec.Raw,
    via: str,
    extra: Extra = None,
    *,
    topic: str | None = None,
    author: Person | None = None,
) -> Unclassified:
    """Return the event that keeps ``raw``; ``topic`` is the change's field where this release knows it."""
    return Unclassified(
        channel="whatsapp", via=via, at=0, author=author, extra=extra, reason=reason, raw=bytes(raw), topic=topic
    )


def unclassified_parts(
    reason: Reason, parts: Mapping[str, Any], via: str, extra: Extra = None, topic: str | None = None
) -> Unclassified:
    """Return the event that keeps parts of an envelope, as an object of path and value."""
    return unclassified(reason, msgspec.json.encode(parts), via, extra, topic=topic)


def unclassified_update(raw: msgspec.Raw, names: Names, kinds: frozenset[str] | None, frame: Frame) -> Unclassified:
    """Return the event that keeps one update; ``names`` are the properties that name its subject.

    ``kinds`` are the kinds of message known, ``None`` for another list than one of messages.  The reason is
    ``unknown_kind`` where the update's ``type`` is none of them, else ``unexpected_shape``.  The person is named as
    ``author`` also where it is the one addressed, as ``author`` is all that this event has.  Only a message's ``id`` is
    its own: a status has that of the message it speaks of.
    """
    parts = _parts(raw)
    author, common = _around(parts, names, frame)
    kind = text(parts.get("type"))
    known = kinds is None or kind is None or kind in kinds
    return Unclassified(
        **common,
        event_id=None if kinds is None else text(parts.get("id")) or None,
        author=author,
        reason="unexpected_shape" if known else "unknown_kind",
        raw=bytes(raw),
        message_id=None if kinds is None else _message_of(parts),
        topic=frame.topic,
    )


def recall_of(raw: msgspec.Raw, names: Names, frame: Frame) -> Recall | None:
    """Return the recall that a ``revoke`` of an unexpected shape still tells of, with its bytes in ``extra``.

    What its sender took back must go, whatever else about the update has changed.
    """
    parts = _parts(raw)
    message_id = text(members(parts.get("revoke")).get("original_message_id"))
    if text(parts.get("type")) != "revoke" or not message_id:
        return None
    person, common = _around(parts, names, frame)
    common["extra"] = joined(common["extra"], {"raw": bytes(raw).decode()})
    common |= {"direction": "out", "to": person} if names is TO else {"author": person}
    return Recall(**common, event_id=text(parts.get("id")) or None, message_id=message_id)


def _parts(raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Return an update's members; what a request to send says within ``message`` counts as its own."""
    parts = members(raw)
    sent = members(parts.get("message"))
    if "recipient" in sent:
        sent["to_user_id"] = sent["recipient"]
    if text(sent.get("recipient_type")) == "group" and "to" in sent:
        sent["group_id"] = sent.pop("to")
    return sent | parts


def _around(parts: dict[str, msgspec.Raw], names: Names, frame: Frame) -> tuple[Person | None, dict[str, Any]]:
    """Return the person that an update names, and what any event made of it has in common."""
    user, parent, phone = (text(parts.get(name)) for name in names)
    person, more = frame.people.person(names, user, parent, phone)
    place = "recipient_id" if text(parts.get("recipient_type")) == "group" else "group_id"
    group = text(parts.get(place)) or text(parts.get("group_id"))
    at, _ = moment(decoded(parts.get("timestamp"), _STAMP), None)
    return person, {
        "channel": "whatsapp",
        "via": frame.via,
        "at": at,
        "group": Identifier("whatsapp_group", group) if group else None,
        "extra": joined(frame.extra, more),
    }


def _message_of(parts: dict[str, msgspec.Raw]) -> str | None:
    """Name the message that an update is or edits."""
    return text(members(parts.get("edit")).get("original_message_id")) or text(parts.get("id")) or None
