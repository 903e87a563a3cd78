"""What one law asks for: articles, values, mechanisms, deadlines, duties; a file for each jurisdiction."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.policy.model.base import Chosen, Codes, Part, Sourced
from shared.policy.terms import (
    ArticleCode,
    Demand,
    DutyKind,
    JurisdictionCode,
    KeepState,
    MechanismKind,
    Moment,
    Name,
    Number,
    PauseReason,
    Phase,
    Removal,
    Right,
    Start,
    Text,
    Unit,
    Weekday,
)


class Law(Sourced, frozen=True, kw_only=True):
    """A law, regulation, or terms of a platform."""

    id: Name
    name: Text
    in_force: Moment | None = None


class Article(Sourced, frozen=True, kw_only=True):
    """A provision that rules, parameters and duties stand on."""

    id: ArticleCode
    """A handle, one in the whole bundle: ``gdpr-17-3-b``, ``pdpa-th-30``."""
    law: Name
    cite: Text
    """As a lawyer writes it: ``Art. 17(3)(b) GDPR``."""
    says: Text
    """What it says, in one plain sentence."""


class Parameter(Sourced, frozen=True, kw_only=True):
    """One value of a law: a period, a threshold."""

    id: Name
    value: Number | None = None
    unit: Unit
    article: ArticleCode
    says: Text | None = None


class Mechanism(Sourced, frozen=True, kw_only=True):
    """A ground on which this jurisdiction's law lets data go to others."""

    id: Name
    kind: MechanismKind
    to: Literal["any"] | Codes
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    """From then on it holds no more; left out while no end is known."""
    article: ArticleCode
    filing: Name | None = None
    """A filing of this file that relying on it sets off."""
    counter: Name | None = None
    """A counter of this file that relying on it feeds."""
    says: Text | None = None


class Localisation(Sourced, frozen=True, kw_only=True):
    """A duty to keep data in the country."""

    id: Name
    classes: Chosen
    demands: Demand
    """Rules that are ``localised`` by it say what that forbids; without one it forbids nothing, and lint says so."""
    article: ArticleCode
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    says: Text


class ClockPhase(Part, frozen=True, kw_only=True):
    """One stage of a clock; a later stage starts when the one before it is done."""

    phase: Phase
    limit: Name
    """Parameter of this file."""
    extension: Name | None = None
    """Parameter: how much longer, once, with notice given within the limit."""
    third_party: Name | None = None
    """Parameter: the limit instead, where a processor or third party is involved."""
    third_party_extension: Name | None = None


class Clock(Part, frozen=True, kw_only=True):
    """A deadline: what it is for, what starts it, its stages."""

    id: Name
    right: Right
    starts: Start
    phase: Annotated[tuple[ClockPhase, ...], Meta(min_length=1, max_length=5)]
    pauses: tuple[PauseReason, ...] = ()
    """Reasons for which the law lets it stand still; none where it does not say so."""
    acknowledge: Name | None = None
    """Parameter: by when receipt is acknowledged, beside the stages."""
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    applies: Text | None = None
    """To which cases, where there are several clocks of one right."""


class Duty(Part, frozen=True, kw_only=True):
    """A duty to keep: it stops removals, and says how what is kept is kept meanwhile."""

    id: Name
    kind: DutyKind
    """``minimum``: kept for a minimum period; ``hold``: for a legal claim or an authority; ``preservation``: after a
    refused request; ``restriction``: unused while a dispute lasts; ``blocking``: locked away before it is deleted."""
    classes: Chosen
    beats: Annotated[tuple[Removal, ...], Meta(min_length=1, max_length=3)]
    keeps: KeepState
    """``restricted``, ``blocked`` or ``held``."""
    starts: Start
    period: Name | None = None
    """Parameter: how long; left out where it lasts until somebody lifts it."""
    article: ArticleCode
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    says: Text


class Filing(Part, frozen=True, kw_only=True):
    """Something that an authority must be given in time."""

    id: Name
    starts: Start
    limit: Name
    article: ArticleCode
    says: Text


class CounterStep(Part, frozen=True, kw_only=True):
    """From a number on, one of these mechanisms is needed."""

    above: Name
    """Parameter with a unit of people or records."""
    kinds: Annotated[tuple[MechanismKind, ...], Meta(min_length=1, max_length=9)]


class Counter(Part, frozen=True, kw_only=True):
    """What is counted over a year because the law asks for more from a number on."""

    id: Name
    counts: Literal["subjects", "records", "sensitive_subjects"]
    window: Literal["calendar_year", "twelve_months"]
    step: Annotated[tuple[CounterStep, ...], Meta(min_length=1, max_length=10)]
    article: ArticleCode
    says: Text


class JurisdictionFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="jurisdiction"):
    """``jurisdictions/<code>.toml``: what one law asks for."""

    code: JurisdictionCode
    name: Text
    countries: Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1, max_length=100)]
    """ISO 3166 codes of the countries and parts whose people it protects; in no other jurisdiction's list."""
    time_zone: Text | None = None
    """IANA name; where there are several, of the authority's seat."""
    weekend: Annotated[tuple[Weekday, ...], Meta(max_length=3)] = ("saturday", "sunday")
    holidays: Annotated[str, Meta(pattern=r"^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$(?!\n)")] | None = None
    """Which calendar of public holidays business days are counted by."""
    law: tuple[Law, ...] = ()
    article: tuple[Article, ...] = ()
    parameter: tuple[Parameter, ...] = ()
    mechanism: tuple[Mechanism, ...] = ()
    localisation: tuple[Localisation, ...] = ()
    clock: tuple[Clock, ...] = ()
    duty: tuple[Duty, ...] = ()
    filing: tuple[Filing, ...] = ()
    counter: tuple[Counter, ...] = ()
