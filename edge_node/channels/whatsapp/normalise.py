"""A webhook body to canonical events: the walk over ``entry[]`` and ``changes[]``.  Pure.

Every list is read item by item: what is not understood becomes one ``Unclassified`` event with its own bytes, and its
neighbours are unaffected.  Properties that Meta added to the envelope are kept in one too (``unknown_field``; the bytes
are an object of path and value).

Not carried over, because the account's own record says them: ``entry[].id`` where the value names the phone number id,
``metadata.display_phone_number``, ``messaging_product`` and ``object`` (the channel).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_node.channels.reading import NotTheEnvelope, Reader, decode_body, read_body
from edge_node.channels.whatsapp.leftovers import decoded, items, members, read, unclassified, unclassified_parts
from edge_node.channels.whatsapp.normalise_notices import notices_of
from edge_node.channels.whatsapp.normalise_value import careful, ordinary
from edge_node.channels.whatsapp.payloads import (
    ITEM_FIELDS,
    NOTICE_FIELDS,
    OBJECT,
    Change,
    Entry,
    OrdinaryWebhook,
    Short,
    Webhook,
)
from edge_node.channels.whatsapp.people import Extra
from edge_node.channels.whatsapp.value_parts import Budget
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event

_ORDINARY: Reader[OrdinaryWebhook] = Reader(OrdinaryWebhook)
_WEBHOOK: Reader[Webhook] = Reader(Webhook)
_ENTRY: Reader[Entry] = Reader(Entry)
_CHANGE: Reader[Change] = Reader(Change)
_ID: msgspec.json.Decoder[str | int] = msgspec.json.Decoder(Short | int)
_TIME: msgspec.json.Decoder[str | int | float] = msgspec.json.Decoder(Short | int | float)
_KNOWN_FIELDS = ITEM_FIELDS | NOTICE_FIELDS


def parse(body: bytes) -> list[Event]:
    """Turn a verified body into canonical events, in the body's order.

    Raises ``BodyMalformed`` only where the bytes are no JSON, ``TooManyUpdates`` over ``BODY_UPDATES_MAX``.  JSON of
    another shape, or of another of Meta's products, becomes one ``Unclassified`` event without ``via``.
    """
    return _ordinary(body) or _careful(body)


def _ordinary(body: bytes) -> list[Event] | None:
    """Turn a body without a surprise in its envelope into events; ``None`` where there is one."""
    try:
        webhook = decode_body(body, _ORDINARY.decoder)
    except NotTheEnvelope:
        return None
    if webhook.object != OBJECT:
        return None
    budget = Budget()
    events: list[Event] = []
    for entry in webhook.entry:
        via = "" if entry.id is None else str(entry.id)
        extra: Extra = None if entry.time is None else {"entry.time": entry.time}
        for change in entry.changes:
            if change.field not in ITEM_FIELDS:
                return None
            found = ordinary(change.field, change.value, via, extra, budget)
            if found is None:
                return None
            events += found
    return events


def _careful(body: bytes) -> list[Event]:
    """Turn any body into events, each part of it read by itself."""
    try:
        webhook, unknown = read_body(body, _WEBHOOK)
    except NotTheEnvelope:
        return [unclassified("unexpected_shape", body, "")]
    if webhook.object != OBJECT:
        return [unclassified("unexpected_shape", body, "")]
    if len(webhook.entry) > BODY_UPDATES_MAX:
        raise TooManyUpdates(limit=BODY_UPDATES_MAX)
    budget = Budget()
    events: list[Event] = []
    for raw in webhook.entry:
        events += _entry(raw, budget)
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, ""))
    return events


def _entry(raw: msgspec.Raw, budget: Budget) -> list[Event]:
    """Turn one business account's entry into events; raises ``TooManyUpdates``."""
    found = _entry_of(raw)
    if found is None:
        budget.take(1)
        return [unclassified("unexpected_shape", raw, str(decoded(members(raw).get("id"), _ID) or ""))]
    entry, unknown, misfits = found
    via = "" if entry.id is None else str(entry.id)
    extra: Extra = None if entry.time is None else {"entry.time": entry.time}
    events: list[Event] = []
    for change in entry.changes:
        events += _change(change, via, extra, entry, budget)
    if misfits:
        events.append(unclassified_parts("unexpected_shape", misfits, via, extra))
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, via, extra))
    return events


def _entry_of(raw: msgspec.Raw) -> tuple[Entry, dict[str, Any], dict[str, Any]] | None:
    """Return an entry, the properties its struct does not name, and its parts that do not fit.

    ``None`` where it holds no list of changes; else these are understood whatever stands beside them.
    """
    found = read(raw, _ENTRY)
    if found is not None:
        return found[0], found[1] or {}, {}
    parts = members(raw)
    changes = items(parts.get("changes"))
    if changes is None:
        return None
    entry = Entry(changes=changes, id=decoded(parts.get("id"), _ID), time=decoded(parts.get("time"), _TIME))
    known = {"changes": changes, "id": entry.id, "time": entry.time}
    return entry, {}, {name: part for name, part in parts.items() if known.get(name) is None}


def _change(raw: msgspec.Raw, via: str, extra: Extra, entry: Entry, budget: Budget) -> Sequence[Event]:
    """Turn one field's change into events; raises ``TooManyUpdates``."""
    found = read(raw, _CHANGE)
    if found is None:
        budget.take(1)
        return [unclassified("unexpected_shape", raw, _number(members(raw).get("value"), via), extra)]
    change, unknown = found
    value, topic = change.value, change.field if change.field in _KNOWN_FIELDS else None
    number = _number(value, via)
    events: Sequence[Event] | None
    if topic is None:
        budget.take(1)
        events = [unclassified("unknown_field", raw, number, extra)]
    elif topic in ITEM_FIELDS or _is_of_items(topic, value):
        events = careful(topic, value, via, extra, budget)
    else:
        budget.take(1)
        events = notices_of(topic, bytes(value), number, entry.time, extra, budget)
    if not events:
        if events is None:
            budget.take(1)
        events = [unclassified("unexpected_shape", raw, number, extra, topic=topic)]
    if unknown:
        return [*events, unclassified_parts("unknown_field", unknown, number, extra, topic)]
    return events


def _is_of_items(topic: str, value: msgspec.Raw) -> bool:
    """Say whether a change brings the files of a chat history, which come later, as messages."""
    return topic == "history" and not members(value).keys().isdisjoint({"messages", "message_echoes"})


def _number(value: msgspec.Raw | None, via: str) -> str:
    """Return the phone number id that a value names, else ``via``."""
    parts = members(value)
    for name in ("metadata", "recipient"):
        found = decoded(members(parts.get(name)).get("phone_number_id"), _ID)
        if found is not None and found != "":
            return str(found)
    return via
