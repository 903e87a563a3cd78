"""Does an event of somebody who was erased stay out?  The one rule, and what a suppression mark is made of.

A platform may deliver an event again long after it was sent.  After an erasure such an event must not bring the person
back: what the platform says was sent at the erasure or before it stays out, what was sent later is a new contact.
"""

from collections.abc import Iterable


def stays_out(at: int, erased: Iterable[int]) -> bool:
    """Say whether an event of platform time ``at`` (ms) stays out, given the times of erasure of its identities."""
    return any(at <= moment for moment in erased)


def suppressed_until(ordered_at: int, valid_to: int | None) -> int:
    """Give until when (ms) events of one identity stay out after an erasure ordered at ``ordered_at``.

    An identity that had ended for this person before (a number given to somebody else) is kept out only until then:
    what came later was another's.
    """
    return ordered_at if valid_to is None else min(valid_to, ordered_at)
