"""Runs the cases of a policy: given, asked, expected; and says which rules and articles no case reaches."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from shared.policy.clocks import names_of_clocks
from shared.policy.conflicts import Happened, Kept, resolve
from shared.policy.deciding import Decision, Question
from shared.policy.deriving import laws_of
from shared.policy.evaluator import Evaluator
from shared.policy.model import (
    Case,
    ClockAsked,
    ClockExpected,
    ConflictAsked,
    ConflictExpected,
    DecisionAsked,
    DecisionExpected,
    JurisdictionAsked,
    JurisdictionExpected,
    Policy,
)
from shared.policy.names import qualified
from shared.policy.proving_people import clock_differences, jurisdiction_differences
from shared.policy.spans import Span, moment_ms, span_of
from shared.policy.supposing import less, removable
from shared.policy.terms import NO_ASKER


class Verdict(msgspec.Struct, frozen=True):
    """How a case came out: what differs from what it expects, in sentences; none, and it passed."""

    case: Case
    differences: tuple[str, ...]
    rules: tuple[str, ...] = ()
    """Rules that it reaches."""
    articles: tuple[str, ...] = ()
    """Articles that the decision it asks for cites."""

    @property
    def passed(self) -> bool:
        """Say whether it came out as it says."""
        return not self.differences


def prove(policy: Policy, told: Callable[[], None] = lambda: None) -> Iterator[Verdict]:
    """Run every case; ``told`` is called after each."""
    whole = Evaluator(policy)
    laws = laws_of((file.code, file.countries) for file in policy.jurisdictions)
    worlds: dict[tuple[str, ...], Evaluator] = {(): whole}
    for case in policy.cases:
        without = case.given.without if case.given is not None else ()
        missing = [name for name in without if name not in set(removable(policy))]
        if missing:
            yield Verdict(case, (f"{missing[0]} is no mechanism, instrument or rule of this policy",))
        else:
            if without not in worlds:
                worlds[without] = Evaluator(less(policy, without))
            yield _run(worlds[without], laws, case)
        told()


def question_of(asked: DecisionAsked) -> Question:
    """Give the question of a case."""
    return Question(
        operation=asked.operation,
        data_class=asked.data_class,
        purpose=asked.purpose,
        subject=asked.subject,
        node=asked.node,
        at=moment_ms(asked.at),
        asker=asked.asker or NO_ASKER,
        role=asked.role or NO_ASKER,
    )


def unreached(policy: Policy, verdicts: Iterable[Verdict]) -> Iterator[tuple[str, str]]:
    """Give table and name of every rule, clock, filing and localisation that no case reaches.

    A clock's acknowledgement is reached by a case of its own.
    """
    found = tuple(verdicts)
    rules = {rule for verdict in found for rule in verdict.rules}
    yield from (("rule", each.id) for each in policy.rules if each.id not in rules)
    clocks = {verdict.case.asked.clock for verdict in found if isinstance(verdict.case.asked, ClockAsked)}
    for file in policy.jurisdictions:
        filings = {qualified(file.code, each.id) for each in file.filing}
        for name in names_of_clocks(file):
            if name not in clocks:
                yield "filing" if name in filings else "clock", name
    localised = {rule.id for rule in policy.rules if rule.localised is not None}
    cited = {article for verdict in found if localised & set(verdict.rules) for article in verdict.articles}
    for file in policy.jurisdictions:
        for each in file.localisation:
            if each.article not in cited:
                yield "localisation", qualified(file.code, each.id)


def _run(evaluator: Evaluator, laws: Mapping[str, str], case: Case) -> Verdict:
    """Run one case."""
    match case.asked, case.expected:
        case DecisionAsked() as asked, DecisionExpected() as expected:
            decision = evaluator.decide(question_of(asked))
            return Verdict(case, tuple(_decision(decision, expected)), decision.rules, decision.citations)
        case ConflictAsked() as asked, ConflictExpected() as expected:
            facts = [Happened(fact.what, moment_ms(fact.at)) for fact in asked.facts]
            at = moment_ms(asked.at)
            kept = resolve(evaluator.tables, (asked.jurisdiction,), asked.data_class, asked.wanted, facts, at)
            return Verdict(case, tuple(_conflict(kept, expected)))
        case ClockAsked() as asked, ClockExpected() as expected:
            return Verdict(case, tuple(clock_differences(evaluator.tables.policy, asked, expected)))
        case JurisdictionAsked() as asked, JurisdictionExpected() as expected:
            return Verdict(case, tuple(jurisdiction_differences(laws, asked, expected)))
    return Verdict(case, ("it asks about one thing and expects another",))


def _decision(decision: Decision, expected: DecisionExpected) -> Iterator[str]:
    """Compare a decision with what is expected of it."""
    for key, came in (
        ("outcome", decision.outcome),
        ("rule", decision.rule),
        ("reason", decision.reason),
        ("form", decision.must.form),
    ):
        yield from _differs(key, getattr(expected, key), came)
    names = [each.mechanism for each in decision.relied]
    if expected.mechanism is not None and expected.mechanism not in names:
        yield f"mechanism: expected {expected.mechanism}, relied upon {', '.join(names) or 'none'}"
    if expected.mechanism_until is not None:
        yield from _differs("mechanism_until", moment_ms(expected.mechanism_until), decision.until)
    for article in expected.cites or ():
        if article not in decision.citations:
            yield f"cites: expected {article} among {', '.join(decision.citations) or 'none'}"
    for key, span in (
        ("retain_at_most", decision.must.retain_at_most),
        ("retain_at_least", decision.must.retain_at_least),
    ):
        yield from _span(key, getattr(expected, key), span)


def _span(key: str, expected: str | None, came: Span | None) -> Iterator[str]:
    """Compare a span with what was written: the span itself, or the parameter that says it."""
    if expected is None:
        return
    same = came is not None and (came.of == expected or (expected[0].isdigit() and _alike(span_of(expected), came)))
    if not same:
        yield f"{key}: expected {expected}, came out {came or 'none'}"


def _alike(one: Span, other: Span) -> bool:
    """Say whether two spans are written alike, whoever wrote them."""
    return (one.value, one.unit) == (other.value, other.unit)


def _conflict(kept: Kept, expected: ConflictExpected) -> Iterator[str]:
    """Compare what became of a record with what is expected."""
    yield from _differs("keep", expected.keep, kept.keep)
    yield from _differs("article", expected.article, kept.article)
    if expected.until is not None:
        yield from _differs("until", moment_ms(expected.until), kept.until)


def _differs(key: str, expected: object, came: object) -> Iterator[str]:
    """Say that two things differ, where one was expected."""
    if expected is not None and expected != came:
        yield f"{key}: expected {expected}, came out {came if came is not None else 'none'}"
