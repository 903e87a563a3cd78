"""Cases: what was given, what is asked, what is expected; examples for lawyers and tests of the bundle at once."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.policy.model.base import Articles, Part
from shared.policy.terms import (
    CODE,
    ArticleCode,
    ClockFault,
    ClockState,
    Fact,
    Form,
    Happening,
    JurisdictionCode,
    KeepState,
    LawBasis,
    LawCertainty,
    LawSource,
    Moment,
    Name,
    Operation,
    Outcome,
    PauseReason,
    Period,
    Phase,
    Ref,
    RegionName,
    Removal,
    Text,
)


class Given(Part, frozen=True, kw_only=True):
    """How the world of a case differs from the bundle."""

    without: Annotated[tuple[Ref, ...], Meta(min_length=1, max_length=20)]
    """Mechanisms, instruments or rules that are thought away: ``EU.adequacy-br``, ``scc-eu-th``, ``store-at-home``."""


class DecisionAsked(Part, frozen=True, kw_only=True, tag_field="about", tag="decision"):
    """One question of policy."""

    operation: Operation
    data_class: Name = msgspec.field(name="class")
    purpose: Name
    subject: JurisdictionCode
    node: RegionName
    asker: RegionName | None = None
    """For view and transfer only, as ``role``."""
    role: Name | None = None
    at: Moment


class FactGiven(Part, frozen=True, kw_only=True):
    """Something that happened to a record, and when."""

    what: Fact
    at: Moment


class ConflictAsked(Part, frozen=True, kw_only=True, tag_field="about", tag="conflict"):
    """What becomes of a record that somebody wants gone."""

    jurisdiction: JurisdictionCode
    data_class: Name = msgspec.field(name="class")
    wanted: Annotated[tuple[Removal, ...], Meta(max_length=3)]
    """Removals that were ordered; none where only the duties are of interest."""
    facts: Annotated[tuple[FactGiven, ...], Meta(min_length=1, max_length=20)]
    at: Moment


class EventGiven(Part, frozen=True, kw_only=True):
    """Something that happened to a case with a deadline."""

    what: Happening
    on: Moment
    """A date is that day where the law applies, its noon; a moment gives its offset."""
    reason: PauseReason | None = None
    """Of ``paused`` and ``resumed``."""
    phase: Phase | None = None
    """Of ``phase_done`` and ``extended``: which stage; left out: the one that is running."""
    notice: bool = False
    """Of ``extended``: the person was told of it, with the reason, on that day."""


class ClockAsked(Part, frozen=True, kw_only=True, tag_field="about", tag="clock"):
    """When something is due.  The clock is the one in force when the first of the events happened."""

    clock: Ref
    """A clock or filing of a jurisdiction, ``TH.access``; ``VN.access_acknowledge``: its acknowledgement."""
    events: Annotated[tuple[EventGiven, ...], Meta(max_length=20)] = ()
    """What happened; what comes after ``on`` is not looked at."""
    on: Moment
    """The day on which it is asked."""
    holidays: Annotated[str, Meta(pattern=rf"^{CODE}$(?!\n)")] | None = None
    """Whose public holidays count, where the law's own file names none: of the EU, a member state."""
    time_zone: Text | None = None
    """Likewise, where the act is done: ``Europe/Berlin``."""


class JurisdictionAsked(Part, frozen=True, kw_only=True, tag_field="about", tag="jurisdiction"):
    """Whose law applies to a person of whom so much is known.  Countries are ISO 3166 codes; nothing names a person."""

    declared: JurisdictionCode | None = None
    """Where the person said they live."""
    user_id: JurisdictionCode | None = None
    """The country with which WhatsApp begins its user id of the person."""
    number_of: Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1, max_length=50)] | None = None
    """The countries in whose plan the person's number is valid, the main one of the country code first."""
    number_prefix: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{0,2}$(?!\n)")] | None = None
    """Instead: all that is known of the number is its country code."""
    account: JurisdictionCode | None = None
    """The country of the account that the person wrote to."""


class DecisionExpected(Part, frozen=True, kw_only=True, tag_field="about", tag="decision"):
    """What is expected of a decision; what is left out is not looked at."""

    outcome: Outcome
    rule: Name | None = None
    reason: Name | None = None
    mechanism: Ref | None = None
    """One of those relied upon."""
    mechanism_until: Moment | None = None
    cites: Articles | None = None
    """All of these are among the articles cited."""
    form: Form | None = None
    retain_at_most: Period | None = None
    retain_at_least: Period | None = None


class ConflictExpected(Part, frozen=True, kw_only=True, tag_field="about", tag="conflict"):
    """What is expected of a conflict."""

    keep: KeepState
    article: ArticleCode | None = None
    """Of the duty that won."""
    until: Moment | None = None


class ClockExpected(Part, frozen=True, kw_only=True, tag_field="about", tag="clock"):
    """What is expected of a clock."""

    state: ClockState
    due: Moment | None = None
    """A date: the last day on which it is in time, where the law applies.  A moment: the last instant."""
    phase: Phase | None = None
    """The stage that is running; the last one, where all are done."""
    faults: tuple[ClockFault, ...] | None = None
    """All that does not fit, in any order; ``[]``: everything does."""


class JurisdictionExpected(Part, frozen=True, kw_only=True, tag_field="about", tag="jurisdiction"):
    """What is expected of whose law applies."""

    jurisdiction: Annotated[str, Meta(pattern=rf"^(?:none|{CODE})$(?!\n)")]
    """``none``: none is known; then the strictest answer under the ``others`` counts, and no where there are none."""
    country: JurisdictionCode | None = None
    """The country or part of one that decided."""
    basis: LawBasis | None = None
    certainty: LawCertainty | None = None
    others: tuple[JurisdictionCode, ...] | None = None
    """All other jurisdictions that may be the right one, in any order; ``[]``: none."""
    conflicts: tuple[LawSource, ...] | None = None
    """All sources that name another country than the one that decided."""


Asked = DecisionAsked | ConflictAsked | ClockAsked | JurisdictionAsked
Expected = DecisionExpected | ConflictExpected | ClockExpected | JurisdictionExpected


class Case(Part, frozen=True, kw_only=True):
    """An example that must come out as it says."""

    id: Name
    says: Text
    """The case in words a lawyer reads, with why."""
    given: Given | None = None
    asked: Asked
    expected: Expected


class CasesFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="cases"):
    """``cases/*.toml``."""

    case: tuple[Case, ...] = ()
