"""The words of the policy language: ids, dates, spans of time, and every closed list of codes.

A wildcard is written ``"any"``; an empty list is an error, never a wildcard.  Dates and moments are strings in the
model, so that a bundle has one canonical form; TOML's own dates are read as well.  A date means 00:00 UTC of that day.
"""

from typing import Annotated, Literal

from msgspec import Meta

from shared.canonical import INTEGER_MAX
from shared.wire.types import ArticleCode, JurisdictionCode, RegionName

__all__ = ["ArticleCode", "JurisdictionCode", "RegionName"]

_NAME = r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*"
CODE = r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?"
"""A pattern: ISO 3166 codes of countries and their parts."""
_SPAN = "(?:hour|day|business day|week|month|year)"
_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:Z|[+-][01][0-9]:[0-5][0-9])"

Name = Annotated[str, Meta(pattern=rf"^{_NAME}$(?!\n)", max_length=64)]
"""A name within the bundle: lower case, digits, single - or _ between: ``store-at-home``, ``message_text``."""
Ref = Annotated[str, Meta(pattern=rf"^(?:{CODE}\.)?{_NAME}$(?!\n)", max_length=72)]
"""A name of a jurisdiction file from outside it: ``TH.access_limit``; within the file ``access_limit``."""
Place = Annotated[str, Meta(pattern=rf"^(?:{CODE}|{_NAME})$(?!\n)", max_length=64)]
"""A jurisdiction (``TH``), a region (``th-bangkok``), a group of either, or one of :data:`RELATIVE`."""
Text = Annotated[str, Meta(min_length=1, max_length=2_000)]
"""A sentence for people."""
Moment = Annotated[str, Meta(pattern=rf"^{_DATE}(?:[Tt ]{_TIME})?$(?!\n)", max_length=25)]
"""A date (00:00 UTC of that day) or a moment with its offset: ``2026-01-26``, ``2026-07-01T00:00:00+07:00``."""
Day = Annotated[str, Meta(pattern=rf"^{_DATE}$(?!\n)", max_length=10)]
"""A date."""
Number = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""A whole number."""
Period = Annotated[
    str,
    Meta(
        pattern=rf"^(?:[1-9][0-9]{{0,5}} {_SPAN}s?|{CODE}\.{_NAME})$(?!\n)",
        max_length=72,
    ),
]
"""A span of time, ``"30 days"``, or a parameter of a jurisdiction that says how long, ``"IN.logs_minimum"``."""

Operation = Literal["store", "view", "transfer", "link", "process", "retain", "log"]
ASKING: frozenset[str] = frozenset({"view", "transfer"})
"""Operations in which somebody asks: who, and from where, is part of the question there and nowhere else."""
NO_ASKER = "-"
"""What stands for asker and role in a question of another operation."""
ANY: Literal["any"] = "any"
RELATIVE: frozenset[str] = frozenset({"home", "here"})
"""Places that depend on the question: ``home``, the subject's jurisdiction; ``here``, the node's jurisdiction."""

Effect = Literal["allow", "deny"]
Outcome = Literal["allow", "deny"]
Nature = Literal["content", "identifier", "personal", "pseudonymous", "aggregate", "none"]
"""What a class is: words and what is made of them; what names a person; other data on a person; what stands for a
person without naming; counts over many; nothing personal."""
Certainty = Literal["primary", "confirmed", "memory", "disputed", "unverified"]
"""How sure a value is: seen in the law's own text; seen in a cited secondary source; remembered, not looked up;
sources disagree; nobody here could check it."""
SURE: frozenset[str] = frozenset({"primary", "confirmed"})
"""What strict mode lets stand by itself."""
Unit = Literal[
    "hours",
    "days",
    "business_days",
    "weeks",
    "months",
    "years",  # spans of time; ``days`` are calendar days
    "without_delay",  # no number of days in the law: ``value`` is left out
    "people",
    "records",
    "percent",
]
MechanismKind = Literal[
    "none_needed",  # this law asks for nothing where data goes there
    "adequacy",  # a decision, list or treaty names the destination
    "standard_clauses",
    "binding_rules",
    "contract",  # an agreement that is neither of the two above
    "certification",
    "assessment",  # an assessment or filing that an authority passed
    "consent",
    "derogation",
]
BY_LAW: frozenset[str] = frozenset({"none_needed", "adequacy"})
"""Mechanisms that hold by themselves; all others need an instrument of the company's own (``kind = "instruments"``)."""
Right = Literal[
    "access",
    "portability",
    "rectification",
    "erasure",
    "restriction",
    "objection",
    "withdrawal",
    "complaint",
    "breach_authority",
    "breach_subjects",
    "filing",
    "preservation",
    "recipients",
    "takedown",
]
Start = Literal[
    "received",
    "identity_verified",
    "determined",
    "detected",
    "decided",
    "refused",
    "withdrawn",
    "first_transfer",
    "stored",
    "last_contact",
    "placed",
]
Fact = Literal[
    "stored",
    "decided",
    "refused",
    "last_contact",
    "hold_placed",
    "hold_released",
    "restriction_placed",
    "restriction_lifted",
]
"""What happened to a record, as a conflict looks at it."""
Phase = Literal[
    "acknowledge", "decide", "answer", "execute", "notify", "report", "assess", "file", "preserve", "confirm"
]
PauseReason = Literal["identity_unverified", "clarification", "fee_unpaid", "third_party"]
_Halts = Literal["paused", "resumed", "identity_requested", "clarification_requested", "clarification_received"]
_Works = Literal["third_party_involved", "extended", "phase_done", "completed"]
Happening = Start | _Halts | _Works
"""What can happen to a case: what starts a clock, and what comes after.  ``identity_requested`` pauses for
``identity_unverified`` until ``identity_verified``; the two of clarification do the same for ``clarification``."""
ClockState = Literal["waiting", "running", "paused", "due", "overdue", "met", "missed"]
"""``waiting``: nothing started it yet.  ``due``: at most a day is left, or it is to be done at once."""
WrongExtension = Literal[
    "extension_not_provided",
    "extension_without_notice",
    "extension_too_often",
    "extension_too_late",
    "extension_before_start",
]
_WrongPause = Literal["resume_without_pause", "pause_twice", "pause_not_permitted", "pause_too_late"]
_WrongElse = Literal["completed_before_start", "third_party_too_late", "phase_unknown"]
_Unreached = Literal["holidays_unknown", "holidays_unannounced"]
ClockFault = _WrongPause | WrongExtension | _WrongElse | _Unreached
"""What does not fit in what happened to a case, or in the calendar it is counted by."""
LawSource = Literal["declared_residence", "platform_country", "number_plan", "account_country"]
"""What says whose law applies to a person, the most believed first."""
LawBasis = LawSource | Literal["nothing_known"]
LawCertainty = Literal["none", "assumed", "indicated", "platform_stated", "declared"]
"""How certain it is whose law applies, from the weakest to the strongest."""
Demand = Literal["copy_inside", "only_inside"]
"""What a law asks for that keeps data in its country.  ``copy_inside``: what is taken in rests in the country, copies
may leave on their own ground.  ``only_inside``: none may leave."""
DutyKind = Literal["hold", "minimum", "preservation", "restriction", "blocking"]
Removal = Literal["recall", "erase", "expire"]
KeepState = Literal["active", "restricted", "blocked", "held", "tombstoned", "expunged"]
Form = Literal["full", "masked", "metadata"]
Field = Literal["text", "numbers", "names", "addresses", "media", "location", "contact_points", "identifiers"]
Notified = Literal["subject", "officer", "operator", "authority"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
