"""A webhook body to canonical events: the walk over ``entry[]`` and ``changes[]``.  Pure.

Every list is read item by item: what is not understood becomes one ``Unclassified`` event with its own bytes, and its
neighbours are unaffected.  Properties that Meta added to the envelope are kept in one too (``unknown_field``; the bytes
are an object of path and value).

Not carried over, because the account's own record says them: ``entry[].id`` where the value names the phone number id,
``metadata.display_phone_number``, ``messaging_product`` and ``object`` (the channel).
"""

import msgspec

from edge_node.channels.reading import NotTheEnvelope, Reader, decode_body, read_body
from edge_node.channels.whatsapp.leftovers import (
    decoded,
    items,
    members,
    read,
    unclassified,
    unclassified_parts,
)
from edge_node.channels.whatsapp.normalise_updates import notice_of
from edge_node.channels.whatsapp.normalise_value import Budget, careful, contacts_of, ordinary
from edge_node.channels.whatsapp.payloads import (
    ITEM_FIELDS,
    NOTICE_FIELDS,
    OBJECT,
    Change,
    Entry,
    OrdinaryWebhook,
    Webhook,
)
from edge_node.channels.whatsapp.people import Extra, People
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event

_ORDINARY: Reader[OrdinaryWebhook] = Reader(OrdinaryWebhook)
_WEBHOOK: Reader[Webhook] = Reader(Webhook)
_ENTRY: Reader[Entry] = Reader(Entry)
_CHANGE: Reader[Change] = Reader(Change)
_ID = msgspec.json.Decoder(str | int)


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
    found = read(raw, _ENTRY)
    if found is None:
        budget.take(1)
        return [unclassified("unexpected_shape", raw, str(decoded(members(raw).get("id"), _ID) or ""))]
    entry, unknown = found
    via = "" if entry.id is None else str(entry.id)
    extra: Extra = None if entry.time is None else {"entry.time": entry.time}
    events: list[Event] = []
    for change in entry.changes:
        events += _change(change, via, extra, entry, budget)
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, via, extra))
    return events


def _change(raw: msgspec.Raw, via: str, extra: Extra, entry: Entry, budget: Budget) -> list[Event]:
    """Turn one field's change into events; raises ``TooManyUpdates``."""
    found = read(raw, _CHANGE)
    if found is None:
        budget.take(1)
        return [unclassified("unexpected_shape", raw, _number(members(raw).get("value"), via), extra)]
    change, unknown = found
    events: list[Event] | None
    if change.field in ITEM_FIELDS:
        events = careful(change.field, change.value, via, extra, budget)
    else:
        budget.take(1)
        events = _whole(change, raw, via, extra, entry)
    if events is None:
        budget.take(1)
        return [unclassified("unexpected_shape", raw, via, extra)]
    if not events:
        events.append(unclassified("unexpected_shape", raw, _number(change.value, via), extra))
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, _number(change.value, via), extra))
    return events


def _whole(change: Change, raw: msgspec.Raw, via: str, extra: Extra, entry: Entry) -> list[Event] | None:
    """Turn a change that is kept as a whole into its event: a notice, or, of a field not known, its bytes."""
    via = _number(change.value, via)
    if change.field not in NOTICE_FIELDS:
        return [unclassified("unknown_field", raw, via, extra)]
    contacts = items(members(change.value).get("contacts")) or []
    people = People(contacts_of(contacts[:2])[0], 1)
    notice = notice_of(change.field, bytes(change.value), via, entry.time, extra, people)
    return None if notice is None else [notice]


def _number(value: msgspec.Raw | None, via: str) -> str:
    """Return the phone number id that a value names, else ``via``."""
    found = decoded(members(members(value).get("metadata")).get("phone_number_id"), _ID)
    return via if found is None or found == "" else str(found)
