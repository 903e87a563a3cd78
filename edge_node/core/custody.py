"""Whose key a word is sealed under: the one rule, for every kind of event.

Inbound under its author's; what the business said, and what became of it, under the subject addressed; where the
platform names nobody, under a key of that conversation or account, drawn anew each day.  An event about several
people is split, so that each part goes when its person goes.
"""

import re
from typing import Any, NamedTuple

import msgspec

from shared.message import Edit, Event, Identifier, Message, Person, Reaction, Recall, Relation, Status

_OF_MEMBER = re.compile(r"[^\[]*\bmembers\[([0-9]{1,9})\]")
"""A property in ``extra`` that is about one member, by the member's place."""


class Portion(NamedTuple):
    """One sealed row to be: an event (or one person's part of it) and the subject it belongs to."""

    event: Event
    person: Person | None
    """The subject whose key seals it; ``None``: the group's key if the event names a group, else the account's."""


def portions(event: Event) -> list[Portion]:
    """Split an event into the rows it becomes, in order; never none."""
    if type(event) is Message:  # by far the most frequent kind, so it is asked for first
        return [Portion(event, _named(event.author if event.direction == "in" else event.to))]
    if isinstance(event, Relation) and event.members:
        return _by_member(event)
    return [Portion(event, _named(subject_of(event)))]


def _by_member(event: Relation) -> list[Portion]:
    """Split an event about members: to each their own, and what is nobody's or another's in a row of nobody.

    That row holds members whom the platform does not name (all of them, as nothing tells them apart), whoever else the
    event names, and properties that this release does not know and that are no one member's.
    """
    own: list[dict[str, Any]] = [{} for _ in event.members]
    shared: dict[str, Any] = own[0] if len(own) == 1 else {}
    for path, value in (event.extra or {}).items():
        place = int(found[1]) if (found := _OF_MEMBER.match(path)) else len(own)
        (own[place] if place < len(own) else shared)[path] = value
    if len(own) == 1:
        shared = {}
    rows: dict[Identifier, tuple[list[Person], dict[str, Any]]] = {}
    unnamed: list[Person] = []
    for member, extra in zip(event.members, own, strict=True):
        if person := _named(member):
            members, said = rows.setdefault(person.identifiers[0], ([], {}))
            members.append(member)
            said |= extra
        else:
            unnamed.append(member)
            shared |= extra
    parts = [
        Portion(msgspec.structs.replace(event, members=tuple(members), extra=said or None, author=None), members[0])
        for members, said in rows.values()
    ]
    if unnamed or shared or event.author is not None:
        rest = msgspec.structs.replace(event, members=tuple(unnamed), extra=shared or None)
        parts.append(Portion(rest, None))
    return parts


def subject_of(event: Event) -> Person | None:
    """Give the one person an event belongs to, if the platform says who; of a message, too."""
    if isinstance(event, Message | Edit | Recall | Reaction) and event.direction == "out":
        return event.to
    if isinstance(event, Status):
        return event.recipient
    return event.author


def _named(person: Person | None) -> Person | None:
    """Treat a person whom the platform gives no identifier for as nobody known."""
    return person if person is not None and person.identifiers else None
