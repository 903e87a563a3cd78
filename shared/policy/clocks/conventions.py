"""How days and hours are counted: which day is the first, what happens at weekends, what a pause takes out.

A convention is chosen by name in a definition.  What the law of a jurisdiction was not read for is counted by
``no_roll``: of the conventions that leave out the day of the event, it gives the earliest deadline.
"""

import msgspec

from shared.policy.terms import PauseReason


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """A way of counting.  In each, the day of the event is not counted, and a day ends at midnight of the zone."""

    source: str
    rolls_forward: bool
    """A period of days, weeks, months or years that would end on a day without work ends with the next working day."""
    two_working_days: bool = False
    """A period of two days or more includes at least two working days."""
    whole_hours: bool = False
    """The hour of the event is not counted: hours run from the next full hour."""
    pause_includes_resumption: bool = False
    """The day on which a pause ends does not count either; else only the days from its first to the one before."""
    months_extend_from_start: bool = False
    """One month and two more are three months from the start; else two months from where the first one ended."""
    restarts: tuple[PauseReason, ...] = ()
    """Reasons after which the whole period begins anew, instead of going on."""


COUNTING: dict[str, Counting] = {
    "no_roll": Counting(source="assumed; the strictest of these, for laws that were not read", rolls_forward=False),
    "roll_forward": Counting(
        source="for a law that moves a last day without work to the next working day", rolls_forward=True
    ),
    "eu_1182_71": Counting(
        source="Regulation (EEC, Euratom) 1182/71 Art. 3(1), 3(2), 3(4), 3(5)",
        rolls_forward=True,
        two_working_days=True,
        whole_hours=True,
    ),
    "uk_gdpr": Counting(
        source="UK GDPR Art. 12A (Data (Use and Access) Act 2025 s. 76), as DPA 2018 s. 54; ICO, Right of access",
        rolls_forward=True,
        pause_includes_resumption=True,
        months_extend_from_start=True,
        restarts=("identity_unverified", "fee_unpaid"),
    ),
}
"""By name.  Art. 3(5) is not applied to hours, which keeps 72 hours 72 hours; Art. 3(4) leaves hours out itself.  Two
further months are counted from the end of the first in the EU, which is never later than three from the start.

DPA 2018 s. 54(3) lets the month begin at the latest of receipt, proof of identity and fee; s. 54(3C) takes out "the
period beginning with the day on which the controller makes the request and ending with the day on which the controller
receives the information".  The ICO counts an extension "as three months from the original start date"."""

COUNTING_OF: dict[str, str] = {"EU": "eu_1182_71", "GB": "uk_gdpr"}
"""The convention of each jurisdiction whose law on counting was read; :func:`counting_for` knows about the others."""


def counting_for(code: str, right: str) -> str:
    """Give the name of the convention for a right under a jurisdiction's law.

    Where the law on counting was not read, a deadline is counted to its earliest day, and a time to preserve something
    to its latest: neither can be too lax.
    """
    return COUNTING_OF.get(code, "roll_forward" if right == "preservation" else "no_roll")
