"""Changes of fields about the account, kept as they came, to notices.  Pure.

Most speak of nobody.  Where one speaks of exactly one person, or of one group, the notice names them, so that the node
can keep it with them.  Calls, a group's participants, a chat history and an address book may speak of many: such a
change becomes one notice for each person, with their part of it only, and one for what is nobody's, if anything is.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from edge_node.channels.reading import milliseconds, too_deep
from edge_node.channels.whatsapp.leftovers import items, members
from edge_node.channels.whatsapp.notice_parts import Place, items_of, part_of, rest_of
from edge_node.channels.whatsapp.people import Extra, People
from edge_node.channels.whatsapp.value_parts import Budget, contacts_of
from shared.limits import BODY_UPDATES_MAX
from shared.message import Identifier, Notice, Person

REPEATED_BYTES_MAX = 1_000_000
"""What the parts of one change repeat, such as ``metadata``, in total: over it, the change is left in one piece."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])


class _Item(NamedTuple):
    """A part of a change that speaks of one person, or of nobody known."""

    place: Place
    person: Person | None


class _Change(NamedTuple):
    """A change, and what its notices have in common."""

    topic: str
    detail: dict[str, Any]
    via: str
    extra: Extra
    sent_at: int
    """The entry's time: when nothing else tells one."""


def notices_of(
    topic: str, value: bytes, via: str, time: str | float | None, extra: Extra, budget: Budget
) -> list[Notice] | None:
    """Turn a change into notices that hold its value; ``None`` where it is no object or is nested too deeply.

    ``time`` is the entry's.  A change that cannot be split within the budget is one notice of nobody: a chat history
    alone may speak of thousands of messages.
    """
    if too_deep(value):
        return None
    try:
        detail = _OBJECT.decode(value)
    except msgspec.DecodeError:
        return None
    change = _Change(topic, detail, via, extra, milliseconds(time))
    contacts = items(members(value).get("contacts")) or []
    if len(contacts) > BODY_UPDATES_MAX:
        return [_notice(change, detail, None)]
    known, places, _ = contacts_of(contacts)
    listed = items_of(topic, detail)
    people = People(known, len(listed))
    found = [_Item(place, people.person(*names)[0]) for place, names in listed]
    found += [_Item(("contacts", place), people.of(n)) for n, place in enumerate(places)]
    misfits = len(contacts) - len(known)
    return _split(change, found, misfits, budget)


def _split(change: _Change, found: list[_Item], misfits: int, budget: Budget) -> list[Notice]:
    """Give each person their part of a change; ``misfits`` are its contacts of whom nothing is known."""
    persons, nobodys = _by_person(found)
    if len(persons) == 1 and not nobodys and not misfits:
        return [_notice(change, change.detail, persons[0][0])]
    if not persons or not budget.allows(len(persons)):
        return [_notice(change, change.detail, None)]
    rest, says = rest_of(change.detail, (item.place for _, mine in persons for item in mine))
    if len(persons) * len(msgspec.json.encode(rest)) > REPEATED_BYTES_MAX:
        return [_notice(change, change.detail, None)]
    budget.take(len(persons))
    notices = [
        _notice(change, part_of(change.detail, (item.place for item in mine)), person) for person, mine in persons
    ]
    return [*notices, _notice(change, rest, None)] if says else notices


def _by_person(found: Iterable[_Item]) -> tuple[list[tuple[Person, list[_Item]]], int]:
    """Sort items by whom they speak of, and count those that speak of nobody.

    Two items speak of one person where they share an identifier; the first tells the names.
    """
    persons: list[tuple[Person, list[_Item]]] = []
    nobodys = 0
    index: dict[Identifier, int] = {}
    for item in found:
        if item.person is None or not item.person.identifiers:
            nobodys += 1
            continue
        identifiers = item.person.identifiers
        number = next((index[each] for each in identifiers if each in index), len(persons))
        if number == len(persons):
            persons.append((item.person, []))
        persons[number][1].append(item)
        for each in identifiers:
            index.setdefault(each, number)
    return persons, nobodys


def _notice(change: _Change, detail: dict[str, Any], person: Person | None) -> Notice:
    """Return a notice of a change, or of a part of it."""
    groups = {group for part in _objects(detail.get("groups")) if isinstance(group := part.get("group_id"), str)}
    return Notice(
        channel="whatsapp",
        via=change.via,
        at=next((at for stamp in _stamps(detail) if (at := _at(stamp))), change.sent_at),
        author=person,
        group=Identifier("whatsapp_group", groups.pop()) if len(groups) == 1 and "" not in groups else None,
        extra=change.extra,
        topic=change.topic,
        detail=detail,
    )


def _stamps(detail: dict[str, Any]) -> Iterator[Any]:
    """Give what may be the time of a change, the outermost first."""
    yield detail.get("timestamp")
    for name in ("groups", "calls", "statuses"):
        for part in _objects(detail.get(name)):
            yield part.get("timestamp")
    for part in _objects(detail.get("state_sync")):
        yield part["metadata"].get("timestamp") if isinstance(part.get("metadata"), dict) else None


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, if it is one."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _at(value: Any) -> int:
    """Return a time in milliseconds, or 0."""
    return milliseconds(value) if isinstance(value, str | int | float) else 0
