"""Whose key a word is sealed under: the one rule, for every kind of event.

Inbound under its author's; what the business said, and what became of it, under the subject addressed; where the
platform names nobody, under a key of that conversation or account, drawn anew each day.  An event about several
people is split, so that each part goes when its person goes.
"""

from typing import NamedTuple

import msgspec

from shared.message import Edit, Event, Message, Person, Reaction, Recall, Relation, Status


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
        return [Portion(msgspec.structs.replace(event, members=(member,)), _named(member)) for member in event.members]
    return [Portion(event, _named(_subject(event)))]


def _subject(event: Event) -> Person | None:
    """Give the one person an event belongs to."""
    if isinstance(event, Message | Edit | Recall | Reaction) and event.direction == "out":
        return event.to
    if isinstance(event, Status):
        return event.recipient
    return event.author


def _named(person: Person | None) -> Person | None:
    """Treat a person whom the platform gives no identifier for as nobody known."""
    return person if person is not None and person.identifiers else None
