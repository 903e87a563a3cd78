"""Whose law?  What the identifiers in an event, and the account it came to, say of the person it is about.

Only codes of countries come out (:mod:`shared.policy.deriving`).  What becomes known later is added to what is known;
weaker evidence never takes the place of stronger.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from edge_node.core.custody import subject_of
from shared.message import Event, Identifier, IdentityChange, Message, Person, Relation
from shared.policy.deriving import CERTAINTIES, Clues, Derived, NumberHint, country_of_bsuid, derive

Identifiers = tuple[Identifier, ...]

_STATING = ("whatsapp_user", "whatsapp_parent_user")
"""Kinds of identifier in which WhatsApp states a country."""


def persons_of(event: Event) -> tuple[Identifiers, ...]:
    """Give the identifiers of every person an event is about; none where the platform names nobody."""
    if type(event) is Message:  # by far the most frequent kind, so it is asked for first
        person = event.author if event.direction == "in" else event.to
        return (person.identifiers,) if person is not None and person.identifiers else ()
    people: list[Person | None] = [subject_of(event)]
    if isinstance(event, Relation):
        people += event.members
    if isinstance(event, IdentityChange) and event.author is None:
        return tuple(filter(None, (event.current or event.previous,)))
    return tuple(dict.fromkeys(each.identifiers for each in people if each is not None and each.identifiers))


def clues_of(
    identifiers: Iterable[Identifier],
    account: str | None,
    hint: Callable[[str], NumberHint | None],
) -> Clues:
    """Give what identifiers say, and ``account``, the account's country; ``hint`` reads a number in E.164."""
    named: dict[str, str] = {}
    for each in identifiers:
        named.setdefault(each.kind, each.value)
    stated = (country_of_bsuid(named[kind]) for kind in _STATING if kind in named)
    number = named.get("whatsapp_phone")
    return Clues(
        platform=next((country for country in stated if country is not None), None),
        number=hint(number) if number is not None else None,
        account=account,
    )


def joined(known: Clues, heard: Clues, laws: Mapping[str, str]) -> Clues:
    """Add to what is known of a subject what was heard of them now.

    Of the same source the newer word counts, unless less would be certain then; the first account's country stays.  A
    source that had said nothing is always heard: a number of several countries may leave none certain where the
    account's had been assumed, and then the laws of all of them count.
    """
    newer = Clues(
        declared=known.declared,
        platform=heard.platform or known.platform,
        number=heard.number or known.number,
        account=known.account or heard.account,
    )
    if _certainty(newer, laws) >= _certainty(known, laws):
        return newer
    return Clues(
        declared=known.declared,
        platform=known.platform or heard.platform,
        number=known.number or heard.number,
        account=newer.account,
    )


def laws_in(derived: Derived) -> tuple[str, ...]:
    """Give the jurisdictions that have to allow what is done with a subject's data."""
    return (derived.jurisdiction,) if derived.jurisdiction is not None else derived.others


class Region(msgspec.Struct, frozen=True):
    """Another node that might be an event's home."""

    node: str
    region: str
    jurisdiction: str | None
    """Whose law applies in that region; ``None`` where the policy does not know it."""


def nearest(regions: Iterable[Region], laws: Iterable[str]) -> list[Region]:
    """Order nodes as homes of a subject of these laws: those where one of them applies first, then by name."""
    own = frozenset(laws)
    return sorted(regions, key=lambda each: (each.jurisdiction not in own, each.node))


def _certainty(clues: Clues, laws: Mapping[str, str]) -> int:
    """Say how certain a derivation would be."""
    return CERTAINTIES.index(derive(clues, laws).certainty)
