"""How long what is kept: classes, their periods, and what becomes of each when its time is over.

Content expires through the one removal mechanism (log entry, journal, key, row); bookkeeping, which names nobody or
only by pseudonym, is deleted.  Policy says how long a class of data of a jurisdiction's people may and must be kept;
settings shorten what it allows, never what it asks for.  Where neither gives a period, content is kept until it is
removed otherwise: how long people's words may rest is for them to say, not for a default.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec

from shared.clock import DAY, Milliseconds
from shared.errors import SettingsInvalid
from shared.policy.deciding import Decision
from shared.policy.spans import Span, before

Class = Literal[
    "message",  # messages, with the edits that are in them
    "interaction",  # reactions, postbacks, edits by others, what nobody knows yet
    "status",  # what became of messages sent: delivered, read, failed
    "relation",  # follows, joins, account links, changed numbers
    "preference",  # what a person allowed and forbade
    "notice",  # what a platform says of the account
    "lookup",  # that somebody searched for a person
    "disclosure",  # that something was shown to another node, once the copy there is gone
    "decision",  # how the policy answered, by question and second; of disclosures beside, as long as its rules ask
    "refusal",  # that something was turned away
    "log_entry",  # that a removal was carried out
]
CONTENT: tuple[Class, ...] = ("message", "interaction", "status", "relation", "preference", "notice")
CLASSES: tuple[Class, ...] = get_args(Class)

KINDS: dict[Class, tuple[str, ...]] = {
    "interaction": ("edit", "postback", "reaction", "unclassified"),
    "status": ("status",),
    "relation": ("account_link", "identity_change", "relation"),
    "preference": ("preference",),
    "notice": ("notice", "problem"),
}
"""By class: the kinds of event it holds."""

DEFAULT_DAYS: dict[Class, int] = {
    "status": 400,  # over the year that India's DPDP Rules 2025, Rule 8(3), asks of traffic data
    "notice": 400,
    "lookup": 1_095,  # three years: Turkey's By-law on erasure, destruction and anonymisation, records of destruction
    "disclosure": 1_095,
    "decision": 2_190,  # six years, the longest for which a rule of the shipped policy wants a view on record
    "refusal": 400,
    "log_entry": 1_095,
}
"""Days of a class for which no period is given; a class that is not here is then kept until removed otherwise."""

EVENT_DAYS_MIN = 8
"""Platforms deliver again for up to seven days (Meta, "Webhooks: getting started"); an event has no tombstone."""

TOMBSTONE_DAYS_MIN = 30


UNDECIDED = frozenset(
    {
        "policy_missing",
        "jurisdiction_not_derived",
        "evaluator_failed",
        "operation_unknown",
        "class_unknown",
        "purpose_unknown",
        "jurisdiction_unknown",
        "region_unknown",
    }
)
"""Refusals that are no answer: the policy does not know what it is asked.  What they let go could not be brought back,
so nothing goes on their word."""

IMPERSONAL = frozenset({"aggregate", "operational"})
"""Classes that are nothing of a person: settings alone say how long."""

BOOKKEEPING: dict[Class, str] = {
    "lookup": "evidence",
    "disclosure": "disclosure_record",
    "decision": "aggregate",
    "refusal": "aggregate",
    "log_entry": "evidence",
}
"""By class of bookkeeping: what the policy calls it."""


class Ruled(msgspec.Struct, frozen=True):
    """What policy says of how long a class of data of somebody is kept; neither: as long as the settings say."""

    at_most: Span | None = None
    at_least: Span | None = None

    def __str__(self) -> str:
        """Write it, so that what is ruled alike reads alike."""
        return f"{self.at_least or ''}..{self.at_most or ''}"


class RetentionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"of": "class"}):
    """One ``[[retention]]`` of the settings: days after its arrival (or its end) that a class is kept."""

    of: Class
    days: int


class Periods(msgspec.Struct, frozen=True):
    """How long (ms) each class is kept; a class that is not in it, for ever.  Marks live as long as backups may."""

    of: dict[Class, Milliseconds]
    marks: Milliseconds
    """Of tombstones and suppression marks."""

    def kept_for_ever(self) -> tuple[Class, ...]:
        """Name the classes of content without a period."""
        return tuple(each for each in CONTENT if each not in self.of)


def periods_of(entries: Sequence[RetentionEntry], backup_days_max: int) -> Periods:
    """Put what the settings say over the defaults; ``SettingsInvalid`` where it cannot stand."""
    days: dict[Class, int] = dict(DEFAULT_DAYS)
    given: set[Class] = set()
    marks = max(TOMBSTONE_DAYS_MIN, backup_days_max)
    for entry in entries:
        if entry.of in given:
            raise SettingsInvalid(field_name="retention", wants="each class once")
        if not 1 <= entry.days <= 36_500:
            raise SettingsInvalid(field_name="retention", wants="days from 1 to 36500")
        if entry.of in KINDS and entry.days < EVENT_DAYS_MIN:
            raise SettingsInvalid(field_name="retention", wants="8 days or more for events: platforms repeat them")
        given.add(entry.of)
        days[entry.of] = entry.days
    if days["log_entry"] <= marks:
        wants = "more days for log_entry than custody.backup_days_max, and more than 30"
        raise SettingsInvalid(field_name="retention", wants=wants)
    return Periods({each: count * DAY for each, count in days.items()}, marks * DAY)


def ruled_by(decisions: Iterable[Decision]) -> Ruled | None:
    """Unite what the laws that may apply say; ``None`` where one of them could not be asked, or there is none.

    Of several periods the shortest "at most" and the longest "at least" count.  A no gives no period: what may not be
    kept here is restricted (:mod:`edge_node.usecases.governing.rejudging`) until it is moved or somebody has it
    removed; a rule that wants it gone gives a time.
    """
    given = list(decisions)
    if not given or any(each.reason in UNDECIDED for each in given):
        return None
    most = [each.must.retain_at_most for each in given if each.must.retain_at_most is not None]
    least = [each.must.retain_at_least for each in given if each.must.retain_at_least is not None]
    return Ruled(
        min(most, key=lambda each: each.hours, default=None),
        max(least, key=lambda each: each.hours, default=None),
    )


def due_before(now: Milliseconds, period: Milliseconds | None, ruled: Ruled | None) -> Milliseconds | None:
    """Say before which instant (ms) that arrived must have which is due now; ``None``: nothing is.

    ``period`` is what the settings say (ms), ``ruled`` what policy says; ``None`` where they say nothing.
    """
    ends = [] if period is None else [now - period]
    if ruled is not None and ruled.at_most is not None:
        ends.append(before(now, ruled.at_most, latest=True) + 1)
    if not ends:
        return None
    if ruled is not None and ruled.at_least is not None:
        ends = [min(max(ends), before(now, ruled.at_least) + 1)]
    return max(ends)
