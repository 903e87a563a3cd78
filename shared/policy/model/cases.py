"""Cases: what was given, what is asked, what is expected; examples for lawyers and tests of the bundle at once."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.policy.model.base import Articles, Part
from shared.policy.terms import (
    ArticleCode,
    Fact,
    Form,
    JurisdictionCode,
    KeepState,
    Moment,
    Name,
    Operation,
    Outcome,
    Period,
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


class Case(Part, frozen=True, kw_only=True):
    """An example that must come out as it says."""

    id: Name
    says: Text
    """The case in words a lawyer reads, with why."""
    given: Given | None = None
    asked: DecisionAsked | ConflictAsked
    expected: DecisionExpected | ConflictExpected


class CasesFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="cases"):
    """``cases/*.toml``."""

    case: tuple[Case, ...] = ()
