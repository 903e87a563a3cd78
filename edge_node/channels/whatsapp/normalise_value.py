"""One value of a field whose updates are understood one by one: its lists to canonical events.  Pure.

The order is: messages, echoes, statuses, preferences, id updates, errors, then what is left over.  Left over are
properties that Meta added to the envelope (``unknown_field``) and entries of ``contacts[]`` that no update speaks of
(``unexpected_shape``).  They are not put into some update's ``extra``, because they may speak of another person.
"""

from typing import Any

import msgspec

from edge_node.channels.reading import Reader
from edge_node.channels.whatsapp.leftovers import (
    Names,
    items,
    present,
    read,
    text,
    unclassified,
    unclassified_parts,
    unclassified_update,
)
from edge_node.channels.whatsapp.normalise_messages import FROM, TO, event_of
from edge_node.channels.whatsapp.normalise_updates import (
    PARTICIPANT,
    RECIPIENT,
    SUBJECT,
    id_update_of,
    preference_of,
    status_of,
)
from edge_node.channels.whatsapp.payload_messages import AnyMessage
from edge_node.channels.whatsapp.payloads import (
    ECHO_FIELDS,
    Contact,
    IdUpdateObject,
    LooseValue,
    Metadata,
    PreferenceObject,
    StatusObject,
    Value,
)
from edge_node.channels.whatsapp.people import Extra, People, joined
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event, Problem

_VALUE: Reader[Value] = Reader(Value)
_LOOSE_VALUE: Reader[LooseValue] = Reader(LooseValue)
_METADATA: Reader[Metadata] = Reader(Metadata)
_CONTACT: Reader[Contact] = Reader(Contact)
_MESSAGE: Reader[AnyMessage] = Reader(AnyMessage)
_STATUS: Reader[StatusObject] = Reader(StatusObject)
_PREFERENCE: Reader[PreferenceObject] = Reader(PreferenceObject)
_ID_UPDATE: Reader[IdUpdateObject] = Reader(IdUpdateObject)
_ERRORS: Reader[list[dict[str, Any]]] = Reader(list[dict[str, Any]])

_LISTS = ("contacts", "messages", "message_echoes", "statuses", "user_preferences", "user_id_update")

_KINDS = frozenset(str(kind.__struct_config__.tag) for kind in AnyMessage.__args__)
"""Every ``type`` of message this release knows."""


class Budget:
    """How many updates a body may still carry; contacts are counted by themselves, as they accompany updates."""

    __slots__ = ("_contacts", "_updates")

    def __init__(self) -> None:
        """Allow what a platform may send."""
        self._contacts = self._updates = BODY_UPDATES_MAX

    def take(self, updates: int, contacts: int = 0) -> None:
        """Count updates before they are read; raises ``TooManyUpdates`` over the limit."""
        self._updates -= updates
        self._contacts -= contacts
        if self._updates < 0 or self._contacts < 0:
            raise TooManyUpdates(limit=BODY_UPDATES_MAX)


def events_of(field: str, raw: msgspec.Raw, via: str, extra: Extra, budget: Budget) -> list[Event] | None:
    """Turn a value into events, ``None`` where it is no object; raises ``TooManyUpdates``.

    ``via`` is the WABA id, used where the value names no phone number id; ``extra`` goes with every event.
    """
    found = _read_value(raw)
    if found is None:
        return None
    value, unknown, misfits = found
    contacts = value.contacts or []
    count = sum(len(getattr(value, name) or ()) for name in _LISTS[1:])
    budget.take(max(count, 1), len(contacts))
    if value.metadata is not None and value.metadata.phone_number_id not in (None, ""):
        via = str(value.metadata.phone_number_id)
    if value.messaging_product not in (None, "whatsapp"):
        unknown["messaging_product"] = value.messaging_product
    events: list[Event] = []
    people, places, bad = people_of(contacts, count)
    _messages(events, value, field in ECHO_FIELDS, via, extra, people)
    _updates(events, value, via, extra, people)
    if present(value.errors):
        errors = read(value.errors, _ERRORS)
        if errors is None:
            misfits["errors"] = value.errors
        elif errors[0]:
            events.append(Problem(channel="whatsapp", via=via, at=0, extra=extra, errors=tuple(errors[0])))
    for place, person, _ in people.unused():
        events.append(unclassified("unexpected_shape", contacts[places[place]], via, extra, person))
    events += [unclassified("unexpected_shape", contact, via, extra) for contact in bad]
    if misfits:
        events.append(unclassified_parts("unexpected_shape", misfits, via, extra))
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, via, extra))
    return events


def people_of(contacts: list[msgspec.Raw], updates: int) -> tuple[People, list[int], list[msgspec.Raw]]:
    """Read a value's contacts.

    Returns them for ``updates`` updates, the place in ``contacts`` of each that was read, and those that do not fit.
    """
    known: list[tuple[Contact, Extra]] = []
    places: list[int] = []
    bad: list[msgspec.Raw] = []
    for place, raw in enumerate(contacts):
        contact = read(raw, _CONTACT)
        if contact is None:
            bad.append(raw)
        else:
            known.append(contact)
            places.append(place)
    return People(known, updates), places, bad


def _messages(events: list[Event], value: Value, out: bool, via: str, extra: Extra, people: People) -> None:
    """Add the events of messages and echoes."""
    for raws, sent in ((value.messages, out), (value.message_echoes, True)):
        for raw in raws or ():
            found = read(raw, _MESSAGE)
            if found is None:
                events.append(unclassified_update(raw, TO if sent else FROM, _KINDS, via, extra, people))
            else:
                message, unknown = found
                events.append(event_of(message, joined(unknown, extra), via, people, sent, bytes(raw)))


def _updates(events: list[Event], value: Value, via: str, extra: Extra, people: People) -> None:
    """Add the events of statuses, preferences and id updates."""
    for raws, make in ((value.statuses, _status), (value.user_preferences, _preference), (value.user_id_update, _id)):
        for raw in raws or ():
            event = make(raw, via, extra, people)
            if event is None:
                names = _recipient(raw) if make is _status else SUBJECT
                event = unclassified_update(raw, names, None, via, extra, people)
            events.append(event)


def _status(raw: msgspec.Raw, via: str, extra: Extra, people: People) -> Event | None:
    """Return a status's event, ``None`` where it does not fit."""
    found = read(raw, _STATUS)
    return None if found is None else status_of(found[0], joined(found[1], extra), via, people)


def _preference(raw: msgspec.Raw, via: str, extra: Extra, people: People) -> Event | None:
    """Return a preference's event, ``None`` where it does not fit."""
    found = read(raw, _PREFERENCE)
    return None if found is None else preference_of(found[0], joined(found[1], extra), via, people)


def _id(raw: msgspec.Raw, via: str, extra: Extra, people: People) -> Event | None:
    """Return an id update's event, ``None`` where it does not fit."""
    found = read(raw, _ID_UPDATE)
    return None if found is None else id_update_of(found[0], joined(found[1], extra), via, people)


def _recipient(raw: msgspec.Raw) -> Names:
    """Return the properties that name the person of a status that does not fit."""
    return PARTICIPANT if b'"recipient_participant_' in bytes(raw) else RECIPIENT


def _read_value(raw: msgspec.Raw) -> tuple[Value, dict[str, Any], dict[str, Any]] | None:
    """Return a value, the properties its struct does not name, and those parts that are of another type.

    Where a part does not fit, each is read by itself, so that the others are understood all the same.
    """
    found = read(raw, _VALUE)
    if found is not None:
        return found[0], found[1] or {}, {}
    loose = read(raw, _LOOSE_VALUE)
    if loose is None:
        return None
    parts, unknown = loose
    known: dict[str, Any] = {"errors": parts.errors}
    misfits: dict[str, Any] = {}
    for name in (*_LISTS, "messaging_product", "metadata"):
        part = getattr(parts, name)
        if not present(part):
            continue
        if name == "metadata":
            metadata = read(part, _METADATA)
            known[name], more = metadata if metadata is not None else (None, None)
            unknown = {f"metadata.{path}": said for path, said in (more or {}).items()} | (unknown or {})
        else:
            known[name] = text(part) if name == "messaging_product" else items(part)
        if known[name] is None:
            misfits[name] = part
    return Value(**known), unknown or {}, misfits
