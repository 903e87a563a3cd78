"""One value of a field whose updates are understood one by one: its lists to canonical events.  Pure.

The order is: messages, echoes, statuses, preferences, id updates, errors, then what is left over.  Left over are
properties that Meta added to the envelope (``unknown_field``) and entries of ``contacts[]`` that no update speaks of
(``unexpected_shape``).  They are not put into some update's ``extra``, because they may speak of another person.
"""

from collections.abc import Callable
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
    OrdinaryValue,
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


def careful(field: str, raw: msgspec.Raw, via: str, extra: Extra, budget: Budget) -> list[Event] | None:
    """Turn any value into events, ``None`` where it is no object; raises ``TooManyUpdates``.

    ``via`` is the WABA id, used where the value names no phone number id; ``extra`` goes with every event.
    """
    found = _read_value(raw)
    if found is None:
        return None
    value, unknown, misfits = found
    contacts = value.contacts or []
    count = _count(value)
    budget.take(max(count, 1), len(contacts))
    via = _via(value, via)
    known, places, bad = contacts_of(contacts)
    people = People(known, count)
    events = _events(field, value, via, extra, people)
    if present(value.errors) and _problem(value, via, extra) is None:
        misfits["errors"] = value.errors
    for place, person in people.unused():
        events.append(unclassified("unexpected_shape", contacts[places[place]], via, extra, person))
    events += [unclassified("unexpected_shape", contact, via, extra) for contact in bad]
    if misfits:
        events.append(unclassified_parts("unexpected_shape", misfits, via, extra))
    if value.messaging_product not in {None, "whatsapp"}:
        unknown["messaging_product"] = value.messaging_product
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, via, extra))
    return events


def ordinary(field: str, value: OrdinaryValue, via: str, extra: Extra, budget: Budget) -> list[Event] | None:
    """Do the same for a value without a surprise in its envelope; ``None`` where there is one after all.

    Most bodies are of this kind, and it takes half the time.
    """
    contacts: list[Contact] = value.contacts or []
    count = _count(value)
    budget.take(max(count, 1), len(contacts))
    people = People([(contact, None) for contact in contacts], count)
    via = _via(value, via)
    events = _events(field, value, via, extra, people)
    odd = present(value.errors) and _problem(value, via, extra) is None
    if odd or not events or people.unused() or value.messaging_product not in {None, "whatsapp"}:
        return None
    return events


def _count(value: Value) -> int:
    """Return the number of a value's updates."""
    count = len(value.messages or ())
    for updates in (value.message_echoes, value.statuses, value.user_preferences, value.user_id_update):
        if updates:
            count += len(updates)
    return count


def _via(value: Value, via: str) -> str:
    """Return the phone number id, else ``via``."""
    number = value.metadata.phone_number_id if value.metadata is not None else None
    return via if number is None or number == "" else str(number)


def _events(field: str, value: Value, via: str, extra: Extra, people: People) -> list[Event]:
    """Turn the lists of a value into events."""
    events: list[Event] = []
    if value.messages:
        _messages(events, value.messages, field in ECHO_FIELDS, via, extra, people)
    if value.message_echoes:
        _messages(events, value.message_echoes, True, via, extra, people)
    if value.statuses:
        _updates(events, value.statuses, _status, via, extra, people)
    if value.user_preferences:
        _updates(events, value.user_preferences, _preference, via, extra, people)
    if value.user_id_update:
        _updates(events, value.user_id_update, _id, via, extra, people)
    if present(value.errors) and (problem := _problem(value, via, extra)) is not None and problem.errors:
        events.append(problem)
    return events


def _problem(value: Value, via: str, extra: Extra) -> Problem | None:
    """Return what went wrong beyond a single message; ``None`` where ``errors`` is no list of objects."""
    errors = read(value.errors, _ERRORS)
    if errors is None:
        return None
    return Problem(channel="whatsapp", via=via, at=0, extra=extra, errors=tuple(errors[0]))


def contacts_of(contacts: list[msgspec.Raw]) -> tuple[list[tuple[Contact, Extra]], list[int], list[msgspec.Raw]]:
    """Read a value's contacts.

    Returns those that fit, the place in ``contacts`` of each of these, and those that do not.
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
    return known, places, bad


def _messages(events: list[Event], raws: list[msgspec.Raw], out: bool, via: str, extra: Extra, people: People) -> None:
    """Add the events of messages, or of echoes (``out``)."""
    for raw in raws:
        found = read(raw, _MESSAGE)
        if found is None:
            events.append(unclassified_update(raw, TO if out else FROM, _KINDS, via, extra, people))
        else:
            message, unknown = found
            more = unknown if extra is None else joined(unknown, extra)
            events.append(event_of(message, more, via, people, out, raw))


_Make = Callable[[msgspec.Raw, str, Extra, People], Event | None]
"""Makes an update's event: bytes, ``via``, extra, people; ``None`` where it does not fit."""


def _updates(events: list[Event], raws: list[msgspec.Raw], make: _Make, via: str, extra: Extra, people: People) -> None:
    """Add the events of statuses, preferences or id updates."""
    for raw in raws:
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
