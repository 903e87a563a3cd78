"""One value of a field whose updates are understood one by one: its lists to canonical events.  Pure.

The order is: messages, echoes, statuses, preferences, id updates, errors, what is in ``standby``, then what is left
over.  Left over are properties that Meta added to the envelope (``unknown_field``) and entries of ``contacts[]`` that
no update speaks of (``unexpected_shape``).  They are not put into some update's ``extra``, because they may speak of
another person.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from edge_node.channels.reading import Reader, too_deep
from edge_node.channels.whatsapp.frame import Frame
from edge_node.channels.whatsapp.leftovers import (
    Names,
    decoded,
    members,
    present,
    read,
    recall_of,
    text,
    unclassified,
    unclassified_parts,
    unclassified_update,
)
from edge_node.channels.whatsapp.normalise_messages import FROM, TO, event_of
from edge_node.channels.whatsapp.normalise_sent import event_of_sent
from edge_node.channels.whatsapp.normalise_updates import (
    DELETED,
    OTHER_SPELLING,
    PARTICIPANT,
    RECIPIENT,
    SUBJECT,
    id_update_of,
    preference_of,
    recall_told_by,
    status_of,
)
from edge_node.channels.whatsapp.payload_messages import AnyMessage
from edge_node.channels.whatsapp.payload_sent import AnySent, SentEcho
from edge_node.channels.whatsapp.payloads import (
    ECHO_FIELDS,
    Contact,
    IdUpdateObject,
    OrdinaryValue,
    PreferenceObject,
    StatusObject,
    Value,
    WholeValue,
)
from edge_node.channels.whatsapp.people import Extra, People, joined
from edge_node.channels.whatsapp.value_parts import Budget, contacts_of, value_of
from shared.message import Event, Message, Problem

_MESSAGE: Reader[AnyMessage] = Reader(AnyMessage)
_SENT: Reader[SentEcho] = Reader(SentEcho)
_STATUS: Reader[StatusObject] = Reader(StatusObject)
_PREFERENCE: Reader[PreferenceObject] = Reader(PreferenceObject)
_ID_UPDATE: Reader[IdUpdateObject] = Reader(IdUpdateObject)
_ERRORS: Reader[list[dict[str, Any]]] = Reader(list[dict[str, Any]])
_ANY = msgspec.json.Decoder()

_KINDS = frozenset(str(kind.__struct_config__.tag) for kind in AnyMessage.__args__)
"""Every ``type`` of message this release knows."""

_ECHO_KINDS = _KINDS | {str(kind.__struct_config__.tag) for kind in AnySent.__args__}
"""The same for echoes, which may be requests to send."""


def careful(
    topic: str, raw: msgspec.Raw, via: str, extra: Extra, budget: Budget, *, within: bool = False
) -> list[Event] | None:
    """Turn any value into events, ``None`` where it is no object; raises ``TooManyUpdates``.

    ``topic`` is the change's field.  ``via`` is the WABA id, used where the value names no phone number id; ``extra``
    goes with every event.  ``within``: the value is what another one holds in ``standby``.
    """
    found = value_of(raw)
    if found is None:
        return None
    value, unknown, misfits = found
    contacts = value.contacts or []
    count = _count(value)
    standby = present(value.standby)
    budget.take(count if standby and not within else max(count, 1), len(contacts))
    known, places, bad = contacts_of(contacts)
    frame = Frame(_via(value, via), topic, extra, People(known, count))
    events = _events(value, frame)
    if present(value.conversation_context) and not _in_context(events, value):
        misfits["conversation_context"] = value.conversation_context
    if present(value.errors) and _problem(value, frame) is None:
        misfits["errors"] = value.errors
    if standby:
        seen = None if within else careful(topic, value.standby, frame.via, extra, budget, within=True)
        if seen is None:
            misfits["standby"] = value.standby
        else:
            events += [msgspec.structs.replace(event, standby=True) for event in seen]
    if value.messaging_product not in {None, "whatsapp"}:
        unknown["messaging_product"] = value.messaging_product
    for place, person in frame.people.unused():
        events.append(
            unclassified("unexpected_shape", contacts[places[place]], frame.via, extra, topic=topic, author=person)
        )
    events += [unclassified("unexpected_shape", contact, frame.via, extra, topic=topic) for contact in bad]
    if misfits:
        events.append(unclassified_parts("unexpected_shape", misfits, frame.via, extra, topic))
    if unknown:
        events.append(unclassified_parts("unknown_field", unknown, frame.via, extra, topic))
    return events


def ordinary(topic: str, value: OrdinaryValue, via: str, extra: Extra, budget: Budget) -> list[Event] | None:
    """Do the same for a value without a surprise in its envelope; ``None`` where there is one after all.

    Most bodies are of this kind, and it takes half the time.
    """
    contacts: list[Contact] = value.contacts or []
    count = _count(value)
    budget.take(max(count, 1), len(contacts))
    frame = Frame(_via(value, via), topic, extra, People([(contact, None) for contact in contacts], count))
    events = _events(value, frame)
    odd = present(value.errors) and _problem(value, frame) is None
    if odd or not events or frame.people.unused() or value.messaging_product not in {None, "whatsapp"}:
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


def _events(value: Value, frame: Frame) -> list[Event]:
    """Turn the lists of a value into events."""
    events: list[Event] = []
    if value.messages:
        _messages(events, value.messages, frame.topic in ECHO_FIELDS, frame)
    if value.message_echoes:
        _messages(events, value.message_echoes, True, frame)
    if value.statuses:
        _updates(events, value.statuses, _status, frame)
    if value.user_preferences:
        _updates(events, value.user_preferences, _preference, frame)
    if value.user_id_update:
        _updates(events, value.user_id_update, _id, frame)
    if present(value.errors) and (problem := _problem(value, frame)) is not None and problem.errors:
        events.append(problem)
    return events


def _problem(value: Value, frame: Frame) -> Problem | None:
    """Return what went wrong beyond a single message; ``None`` where ``errors`` is no list of objects."""
    errors = read(value.errors, _ERRORS)
    if errors is None:
        return None
    return Problem(channel="whatsapp", via=frame.via, at=0, extra=frame.extra, errors=tuple(errors[0]))


def _in_context(events: list[Event], value: WholeValue) -> bool:
    """Put the summary of what was said before with the first message, if all messages are one person's.

    Of several people it might be anybody's.
    """
    messages = events[: len(value.messages or ())]  # each has become one event, and they come first
    place = next((place for place, event in enumerate(messages) if isinstance(event, Message)), None)
    authors = {event.author for event in messages}
    context = bytes(value.conversation_context)
    summary = None if too_deep(context) else decoded(context, _ANY)
    if place is None or len(authors) != 1 or None in authors or summary is None:
        return False
    extra = joined(events[place].extra, {"value.conversation_context": summary})
    events[place] = msgspec.structs.replace(events[place], extra=extra)
    return True


def _messages(events: list[Event], raws: list[msgspec.Raw], out: bool, frame: Frame) -> None:
    """Add the events of messages, or of echoes (``out``)."""
    via, extra, people = frame.via, frame.extra, frame.people
    for raw in raws:
        found = read(raw, _MESSAGE)
        if found is None:
            events.append(_unusual(raw, out, frame))
        else:
            message, unknown = found
            more = unknown if extra is None else joined(unknown, extra)
            events.append(event_of(message, more, via, people, out, raw))


def _unusual(raw: msgspec.Raw, out: bool, frame: Frame) -> Event:
    """Return the event of what has not the shape of a message."""
    if out and (echo := read(raw, _SENT)) is not None:
        return event_of_sent(echo[0], echo[1], frame)
    names = TO if out else FROM
    recall = recall_of(raw, names, frame)
    return recall or unclassified_update(raw, names, _ECHO_KINDS if out else _KINDS, frame)


_Make = Callable[[msgspec.Raw, Frame], Event | None]
"""Makes an update's event; ``None`` where it does not fit."""


def _updates(events: list[Event], raws: list[msgspec.Raw], make: _Make, frame: Frame) -> None:
    """Add the events of statuses, preferences or id updates."""
    for raw in raws:
        event = make(raw, frame)
        if event is None:
            names = _recipient(raw) if make is _status else SUBJECT
            event = unclassified_update(raw, names, None, frame)
        events.append(event)


def _status(raw: msgspec.Raw, frame: Frame) -> Event | None:
    """Return a status's event, ``None`` where it does not fit."""
    found = read(raw, _STATUS)
    if found is None:
        return None
    status = status_of(found[0], joined(found[1], frame.extra), frame.via, frame.people)
    return recall_told_by(status) if status.status == DELETED else status


def _preference(raw: msgspec.Raw, frame: Frame) -> Event | None:
    """Return a preference's event, ``None`` where it does not fit."""
    found = read(raw, _PREFERENCE)
    return None if found is None else preference_of(found[0], joined(found[1], frame.extra), frame.via, frame.people)


def _id(raw: msgspec.Raw, frame: Frame) -> Event | None:
    """Return an id update's event, ``None`` where it does not fit."""
    found = read(raw, _ID_UPDATE)
    return None if found is None else id_update_of(found[0], joined(found[1], frame.extra), frame.via, frame.people)


def _recipient(raw: msgspec.Raw) -> Names:
    """Return the properties that name the person of a status that does not fit."""
    parts = members(raw)
    if text(parts.get("recipient_type")) != "group" and parts.keys().isdisjoint(PARTICIPANT):
        return RECIPIENT
    return PARTICIPANT if OTHER_SPELLING not in parts else (*PARTICIPANT[:2], OTHER_SPELLING)
