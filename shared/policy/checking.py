"""Lint: what is likely to be a mistake in a policy that holds together; every finding is a warning.

``unreachable``   a rule that no question matches
``overruled``     an allow that never comes to hold: always denied, or no way ever open for its needs
``contradiction`` an allow and a deny of the same questions; a longest period that is shorter than the shortest
``gap``           a class that may rest nowhere, a jurisdiction without a deadline, a hold that no article backs
``expired``       what is valid no more, or soon not
``unused``        what nothing refers to: parameters, groups, instruments, articles
``no_case``       a rule, clock, filing or localisation that no case reaches
``unproved``      a case that does not come out as it says
"""

from collections.abc import Iterator

from shared.policy.assembling import Assembled
from shared.policy.checking_law import law_findings
from shared.policy.checking_places import place_findings
from shared.policy.deciding import Decision
from shared.policy.evaluator import Column, Evaluator
from shared.policy.matrix import Space, decided, space_of
from shared.policy.model import Rule
from shared.policy.problems import Problem
from shared.policy.proving import prove, unreached

_AXES = ("operations", "classes", "purposes", "subjects", "nodes", "askers", "roles")


def findings(made: Assembled, now_ms: int) -> list[Problem]:
    """Give everything that somebody should look at, at a moment (ms)."""
    evaluator = Evaluator(made.policy)
    survey = _Survey(evaluator)
    found = [
        *_rules(made, survey),
        *_twins(made),
        *_periods(made, survey),
        *_classes(made, survey),
        *law_findings(made, now_ms),
        *place_findings(made, evaluator, survey.space),
        *_proofs(made),
    ]
    return sorted(found, key=lambda each: (each.where.file, each.code, each.where))


class _Survey:
    """Walks every column and row once, alike ones together."""

    def __init__(self, evaluator: Evaluator) -> None:
        """Collect which rules match, which come to hold, and what is answered."""
        self.evaluator = evaluator
        self.space: Space = space_of(evaluator)
        self.matched = 0
        self.holding = 0
        self.denied: int = evaluator.tables.deny
        self.stored: dict[str, set[str]] = {}
        """By class: outcomes and reasons of storing it."""
        self.decisions: set[Decision] = set()
        for asking in (False, True):
            self._walk(asking=asking)

    def _walk(self, *, asking: bool) -> None:
        """Look at the operations in which somebody asks, or at the others."""
        evaluator, tables = self.evaluator, self.evaluator.tables
        bits = tables.asking if asking else tables.plain
        alike: dict[int, list[str]] = {}
        for row in self.space.rows(asking=asking):
            alike.setdefault(bits[row], []).extend([row[1]] if row[0] == "store" else [])
        for column in self._columns(asking=asking):
            for row_bits, stored in alike.items():
                matched = row_bits & column.mask
                self.matched |= matched
                outcome, deciding, reason = evaluator.weigh(matched, column.met)
                if outcome == "allow":
                    self.holding |= deciding
                    self.decisions.add(decided(evaluator, column, matched))
                for data_class in stored:
                    self.stored.setdefault(data_class, set()).add(reason or outcome)

    def _columns(self, *, asking: bool) -> list[Column]:
        """Give every column, each once."""
        found: dict[int, Column] = {}
        for interval in range(self.space.intervals):
            own = self.evaluator.interval(self.space.since(interval))
            for place in self.space.places(asking=asking):
                column = self.evaluator.column(own, place)
                found[id(column)] = column
        return list(found.values())


def _rules(made: Assembled, survey: _Survey) -> Iterator[Problem]:
    """Find rules that no question matches, and allows that never hold."""
    compiled = survey.evaluator.tables.rules
    matched, holding = (
        {rule.id for number, rule in enumerate(compiled) if bits >> number & 1}
        for bits in (survey.matched, survey.holding)
    )
    for rule in made.policy.rules:
        if rule.id not in matched and rule.localised is not None:
            what = f"matches no question: no law here has a [[localisation]] for it that demands {rule.localised}."
            yield _finding(made, "unreachable", rule, what, "Mend what it chooses, or remove it.")
        elif rule.id not in matched:
            what = "matches no question at all."
            yield _finding(made, "unreachable", rule, what, "Mend what it chooses, or remove it.")
        elif rule.effect == "allow" and rule.id not in holding:
            what = "never comes to hold: every question that it matches is denied, or has no way open."
            yield _finding(
                made, "overruled", rule, what, "Look at the denies beside it, and at mechanisms and instruments."
            )


def _twins(made: Assembled) -> Iterator[Problem]:
    """Find an allow and a deny that say the same of the same questions."""
    seen: dict[tuple[object, ...], Rule] = {}
    for rule in made.policy.rules:
        keys = [getattr(rule, key, None) for axis in _AXES for key in (axis, f"{axis}_except")]
        key = (
            *(frozenset(each) if isinstance(each, tuple) else each for each in keys),
            rule.localised,
            rule.valid_from,
            rule.valid_until,
        )
        other = seen.setdefault(key, rule)
        if other.effect != rule.effect:
            what = f"says the opposite of {other.id}, of the same questions."
            yield _finding(made, "contradiction", rule, what, "The deny wins; remove one of them.")


def _periods(made: Assembled, survey: _Survey) -> Iterator[Problem]:
    """Find answers by which something is kept longer than it may be."""
    told: set[tuple[str, ...]] = set()
    for decision in sorted(survey.decisions, key=lambda each: each.rules):
        least, most = decision.must.retain_at_least, decision.must.retain_at_most
        if least is not None and most is not None and least.hours > most.hours and decision.rules not in told:
            told.add(decision.rules)
            rule = next(each for each in made.policy.rules if each.id == decision.rule)
            what = f"together with {', '.join(decision.rules)}: at least {least}, but at most {most}."
            yield _finding(made, "contradiction", rule, what, "Raise the longest period, or lower the shortest.")


def _classes(made: Assembled, survey: _Survey) -> Iterator[Problem]:
    """Find classes of data that may rest nowhere, or of which nothing is said."""
    for data_class in made.policy.classes:
        reasons = survey.stored.get(data_class.id, set())
        where = made.where("data_class", data_class.id)
        if reasons <= {"no_rule"}:
            wants = "Every policy decides every class: write an allow, or a deny that says why."
            yield Problem("gap", where, "is decided by no rule when it is to be stored.", wants, "warning")
        elif "allow" not in reasons:
            yield Problem("gap", where, "may be stored nowhere.", "If that is meant, leave it so.", "warning")


def _proofs(made: Assembled) -> Iterator[Problem]:
    """Find rules that no case reaches, and cases that fail."""
    verdicts = tuple(prove(made.policy))
    for verdict in verdicts:
        if not verdict.passed:
            where = made.where("case", verdict.case.id)
            yield Problem("unproved", where, f"{verdict.differences[0]}.", "homeport policy test shows it.")
    for table, name in unreached(made.policy, verdicts):
        wants = "Write an example that a lawyer can check."
        yield Problem("no_case", made.where(table, name), "is reached by no case.", wants, "warning")


def _finding(made: Assembled, code: str, rule: Rule, what: str, wants: str) -> Problem:
    """Write down something about a rule."""
    return Problem(code, made.where("rule", rule.id), what, wants, "warning")
