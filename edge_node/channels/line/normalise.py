"""A LINE webhook body to canonical events, in order, one bad event never harming its neighbours.  Pure.

Every event is cut out as raw bytes first and read alone.  One that this release does not know is kept as those bytes,
with as much of its common part as can be read, so that it too is deduped and sealed under its own subject.
"""

from typing import Any, Literal, TypeVar

import msgspec

from edge_node.channels.line.normalise_events import Header, NotUnderstood, event, group, person
from edge_node.channels.line.payload_messages import MESSAGE_TYPES
from edge_node.channels.line.payloads import EVENT_TYPES, AnyEvent, LooseWebhook, Moment, Source, Webhook
from edge_node.channels.reading import NotTheEnvelope, Reader, read_body, read_struct, too_deep
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event, Recall, Unclassified

T = TypeVar("T")

BODY_PREFIX = "body:"
"""Marks in ``extra`` a property of the whole body, which LINE may add beside ``events``."""

_WEBHOOKS: Reader[Webhook] = Reader(Webhook)
_LOOSE_WEBHOOKS: Reader[LooseWebhook] = Reader(LooseWebhook)
_EVENTS: Reader[AnyEvent] = Reader(AnyEvent)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()
_STRING = msgspec.json.Decoder(str)
_FLAG = msgspec.json.Decoder(bool)
_MOMENT: msgspec.json.Decoder[int] = msgspec.json.Decoder(Moment)


def parse(body: bytes) -> list[Event]:
    """Turn a verified body into canonical events; see :meth:`Channel.parse`.

    Raises ``BodyMalformed`` where the bytes are no JSON and ``TooManyUpdates`` above ``BODY_UPDATES_MAX`` events.  JSON
    without ``events`` is one ``Unclassified``; no events are none.
    """
    try:
        webhook, beside = read_body(body, _WEBHOOKS)
        raws, via = webhook.events, webhook.destination
    except NotTheEnvelope:
        found = _events_of(body)
        if found is None:
            return [Unclassified(channel="line", via="", at=0, reason="unexpected_shape", raw=body)]
        (raws, beside), via = found, ""
    if len(raws) > BODY_UPDATES_MAX:
        raise TooManyUpdates(updates=len(raws), limit=BODY_UPDATES_MAX)
    events = [_one(raw, via) for raw in raws]
    if beside and not events:
        return [Unclassified(channel="line", via=via, at=0, reason="unknown_field", raw=body)]
    if beside:
        # Kept once, with the first event: a thousand copies of a large property would be a thousandfold body.
        extra = {**(events[0].extra or {}), **{BODY_PREFIX + name: value for name, value in beside.items()}}
        events[0] = msgspec.structs.replace(events[0], extra=extra)
    return events


def _events_of(body: bytes) -> tuple[list[msgspec.Raw], dict[str, Any]] | None:
    """Return the events of a body whose destination does not fit, and all that is beside them; ``None`` without events.

    The account is then that of the address, whose secret signed.
    """
    try:
        webhook, beside = read_body(body, _LOOSE_WEBHOOKS)
    except NotTheEnvelope:
        return None
    said = bytes(webhook.destination)
    destination = said.decode() if too_deep(said) else _value(_ANY, said)
    return webhook.events, {"destination": destination, **(beside or {})}


def _one(raw: msgspec.Raw, via: str) -> Event:
    """Read one event, in doubt as unclassified."""
    try:
        payload, unknown = read_struct(raw, _EVENTS)
        return event(payload, via, unknown or {})
    except msgspec.ValidationError:
        return _left(bytes(raw), via)
    except NotUnderstood as why:
        return _left(bytes(raw), via, why.reason)


def _left(
    raw: bytes, via: str, reason: Literal["unknown_kind", "unexpected_shape"] | None = None
) -> Unclassified | Recall:
    """Keep an event as it came, under the names that can be read from it.

    An unsend that still names its message is honoured: what was taken back must go, whatever else has changed.
    """
    members = _members(raw)
    header = _loose_header(members, via)
    unsent = _value(_STRING, _members(members.get("unsend")).get("messageId"))
    if unsent and _value(_STRING, members.get("type")) == "unsend":
        return Recall(**header, message_id=unsent, extra={"raw": raw.decode()})
    message_id = _value(_STRING, _members(members.get("message")).get("id"))
    return Unclassified(**header, reason=reason or _reason(members), raw=raw, message_id=message_id or None)


def _reason(members: dict[str, msgspec.Raw]) -> Literal["unknown_kind", "unexpected_shape"]:
    """Say whether an event that does not fit is of a kind not known, or of a known one in another shape."""
    kind = _value(_STRING, members.get("type"))
    if kind is None:
        return "unexpected_shape"
    if kind not in EVENT_TYPES:
        return "unknown_kind"
    if kind in ("message", "messageEdited"):
        form = _value(_STRING, _members(members.get("message")).get("type"))
        if form is not None and form not in MESSAGE_TYPES:
            return "unknown_kind"
    return "unexpected_shape"


def _loose_header(members: dict[str, msgspec.Raw], via: str) -> Header:
    """Read the common part property by property, leaving out what does not fit."""
    source = _members(members.get("source"))
    loose = Source(
        type="",
        user_id=_value(_STRING, source.get("userId")),
        group_id=_value(_STRING, source.get("groupId")),
        room_id=_value(_STRING, source.get("roomId")),
    )
    context = _members(members.get("deliveryContext"))
    return {
        "channel": "line",
        "via": via,
        "at": _value(_MOMENT, members.get("timestamp")) or 0,
        "event_id": _value(_STRING, members.get("webhookEventId")),
        "redelivered": _value(_FLAG, context.get("isRedelivery")) is True,
        "standby": (_value(_STRING, members.get("mode")) or "active") != "active",
        "author": person(loose.user_id),
        "group": group(loose),
        "reply_token": _value(_STRING, members.get("replyToken")),
    }


def _members(raw: bytes | msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """Return an object's properties, none where it is no object."""
    return _value(_MEMBERS, raw) or {}


def _value(decoder: msgspec.json.Decoder[T], raw: Any) -> T | None:
    """Decode one property, or ``None`` where it is absent or does not fit."""
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
