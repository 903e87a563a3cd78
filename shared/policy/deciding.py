"""The question, the answer, and how the obligations of several rules become one: on each, the strictest wins."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from shared.policy.model import Obligations
from shared.policy.spans import Span
from shared.policy.terms import NO_ASKER, Field, Form, Notified, Outcome

FORMS: tuple[Form, ...] = ("metadata", "masked", "full")
"""How much is shown, the least first."""

OwnReason = Literal[
    "no_rule",  # nothing allows it
    "no_mechanism",  # a rule would, but the law's way is not open
    "evaluator_failed",  # a fault; alert
    "operation_unknown",
    "class_unknown",
    "purpose_unknown",
    "jurisdiction_unknown",
    "region_unknown",
    "role_unknown",
    "asker_missing",  # view and transfer say who asks, and from where
    "asker_unexpected",  # nothing else does
]
"""Reasons that no rule gives; all of them deny."""


class Question(msgspec.Struct, frozen=True, gc=False):
    """May this be done?  Names are those of the policy in force."""

    operation: str
    data_class: str
    purpose: str
    subject: str
    """The jurisdiction of the subject: derived by policy, never chosen by a caller."""
    node: str
    """The node's region."""
    at: int
    """When, in milliseconds since 1970-01-01T00:00:00Z."""
    asker: str = NO_ASKER
    """The region of whoever asks; view and transfer only."""
    role: str = NO_ASKER


class Relied(msgspec.Struct, frozen=True):
    """A mechanism that an answer rests on."""

    mechanism: str
    """Its name outside its file: ``TH.clauses``."""
    kind: str
    source: str
    """The jurisdiction whose law it is."""
    to: str
    article: str
    instrument: str | None = None
    """What the company concluded, where the law alone is not enough."""
    until: int | None = None
    """The moment (ms) from which it holds no more; ``None`` while no end is known."""
    filing: str | None = None
    counter: str | None = None


class Must(msgspec.Struct, frozen=True):
    """What whoever acts on an allow must do."""

    form: Form = "full"
    mask: tuple[Field, ...] = ()
    log_for: Span | None = None
    notify: tuple[Notified, ...] = ()
    second_approver: tuple[str, ...] = ()
    retain_at_most: Span | None = None
    retain_at_least: Span | None = None
    conditions: tuple[str, ...] = ()
    """Of platforms: what must be so where the data came over that platform."""
    filings: tuple[str, ...] = ()
    """What relying on the mechanism sets off."""
    counters: tuple[str, ...] = ()
    """What relying on the mechanism feeds."""


NOTHING = Must()


class Decision(msgspec.Struct, frozen=True):
    """The answer to one question."""

    outcome: Outcome
    rule: str | None
    """The rule that decided; ``None`` where none did."""
    reason: str
    citations: tuple[str, ...] = ()
    """Articles, by handle: those of the jurisdictions concerned and of platforms."""
    must: Must = NOTHING
    relied: tuple[Relied, ...] = ()
    rules: tuple[str, ...] = ()
    """Every rule that decided alike: all denies that match, or all allows that hold."""
    bundle: str = ""
    """The hash of the bundle."""

    @property
    def allowed(self) -> bool:
        """Say whether it may be done."""
        return self.outcome == "allow"

    @property
    def until(self) -> int | None:
        """Give the moment (ms) at which the first of what it rests on ends; ``None`` where no end is known."""
        return min((each.until for each in self.relied if each.until is not None), default=None)


def united(
    obligations: Iterable[Obligations], spans: Mapping[str, Span], relied: Iterable[Relied], conditions: Iterable[str]
) -> Must:
    """Unite what several allows ask for; ``spans`` gives every period that they write."""
    given = tuple(obligations)
    relied = tuple(relied)
    return Must(
        form=min((each.form for each in given if each.form is not None), key=FORMS.index, default="full"),
        mask=tuple(sorted({field for each in given for field in each.mask})),
        log_for=_longest(spans[each.log_for] for each in given if each.log_for is not None),
        notify=tuple(sorted({who for each in given for who in each.notify})),
        second_approver=tuple(sorted({role for each in given for role in each.second_approver})),
        retain_at_most=_shortest(spans[each.retain_at_most] for each in given if each.retain_at_most is not None),
        retain_at_least=_longest(spans[each.retain_at_least] for each in given if each.retain_at_least is not None),
        conditions=tuple(sorted(conditions)),
        filings=tuple(sorted({each.filing for each in relied if each.filing is not None})),
        counters=tuple(sorted({each.counter for each in relied if each.counter is not None})),
    )


def looser(before: Must, after: Must) -> bool:
    """Say whether ``after`` asks for less than ``before`` in any respect."""
    sets = ("mask", "notify", "second_approver", "conditions", "filings", "counters")
    return (
        FORMS.index(after.form) > FORMS.index(before.form)
        or any(set(getattr(before, name)) - set(getattr(after, name)) for name in sets)
        or _hours(after.log_for, 0) < _hours(before.log_for, 0)
        or _hours(after.retain_at_most, _UNLIMITED) > _hours(before.retain_at_most, _UNLIMITED)
        or _hours(after.retain_at_least, 0) < _hours(before.retain_at_least, 0)
    )


_UNLIMITED = 2**62


def _hours(span: Span | None, default: int) -> int:
    """Give the rough length of a span, or what its absence means."""
    return default if span is None else span.hours


def _order(span: Span) -> tuple[int, int, str, str]:
    """Order spans by length; alike ones by how they are written, so that the order of rules does not matter."""
    return span.hours, span.value, span.unit, span.of or ""


def _longest(spans: Iterable[Span]) -> Span | None:
    """Give the longest of some spans."""
    return max(spans, key=_order, default=None)


def _shortest(spans: Iterable[Span]) -> Span | None:
    """Give the shortest of some spans."""
    return min(spans, key=_order, default=None)
