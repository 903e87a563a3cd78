"""Who is this?  The one rule by which the identifiers in an event lead to a subject.

Identifiers come most lasting first (BSUID, parent BSUID, phone).  The most lasting one that is known decides.  A
phone number alone is weak: numbers are given to other people, so a known number with an unknown BSUID is the same
subject only while that subject has no other BSUID.  Subjects are never merged here: that is a link, and links are
earned.
"""

from collections.abc import Callable, Container, Mapping, Sequence

import msgspec

from shared.message import Identifier, IdentifierKind

WEAK: frozenset[IdentifierKind] = frozenset({"whatsapp_phone"})
"""Kinds that the platform may give to another person."""


class Resolution(msgspec.Struct, frozen=True):
    """Which subject, and what changes about identities.

    ``subject`` is ``None`` for a first contact.  ``attach`` are identifiers (by position) that become this
    subject's; ``close`` are those among them that end for the subject who had them.
    """

    subject: int | None
    attach: tuple[int, ...]
    close: tuple[int, ...]


def resolve(
    identifiers: Sequence[Identifier],
    known: Mapping[int, int],
    has_other_lasting: Callable[[int, IdentifierKind], bool],
    later: Container[int] = (),
) -> Resolution:
    """Decide from the subjects that identifiers (by position) are ``known`` to be now.

    ``has_other_lasting(subject, kind)`` says whether a subject holds another open identity of a lasting kind.
    ``later`` are positions of weak identifiers that are somebody's only since after the event: a late delivery must
    not give them back to whom they were before.
    """
    positions = range(len(identifiers))
    strong = [i for i in positions if identifiers[i].kind not in WEAK]
    passed_on = [i for i in positions if strong and i not in strong and i in later]
    subject = next((known[i] for i in strong if i in known), None)
    if subject is None:
        weak = next((i for i in positions if i not in strong and i in known and i not in passed_on), None)
        if weak is not None and not any(has_other_lasting(known[weak], identifiers[i].kind) for i in strong):
            subject = known[weak]
    attach = tuple(i for i in positions if i not in passed_on and (known.get(i) != subject or i not in known))
    close = tuple(i for i in attach if i in known and identifiers[i].kind in WEAK)
    strays = tuple(i for i in attach if i in known and i not in close)
    return Resolution(subject, tuple(i for i in attach if i not in strays), close)
