"""Whether cases ask something that can be asked: names are there, moments exist, both halves go together."""

from collections.abc import Iterator

from shared.clock import DAY
from shared.policy.assembling import Assembled
from shared.policy.clocks import names_of_clocks
from shared.policy.clocks.calendar import NOW_MS_MAX
from shared.policy.model import (
    Case,
    ClockAsked,
    ClockExpected,
    ConflictAsked,
    ConflictExpected,
    DecisionAsked,
    DecisionExpected,
    JurisdictionAsked,
)
from shared.policy.names import Names, near
from shared.policy.problems import Problem
from shared.policy.spans import moment_ms


def case_problems(made: Assembled, names: Names) -> Iterator[Problem]:
    """Look at every case."""
    clocks = {name for file in made.policy.jurisdictions for name in names_of_clocks(file)}
    for case in made.policy.cases:
        where = made.where("case", case.id, "asked")
        if type(case.asked).__struct_config__.tag != type(case.expected).__struct_config__.tag:
            yield Problem("case_mixed", where, "asks about one thing and expects another.", "The same about in both.")
        if case.given is not None and not isinstance(case.asked, DecisionAsked):
            what = "thinks something away that plays no part in what it asks."
            yield Problem("case_mixed", made.where("case", case.id, "given"), what, "Only decisions have a given.")
        yield from (
            Problem("moment_wrong", where, what, "A date, or a moment with its offset.")
            for what in _wrong_moments(case)
        )
        for key, axis, name in _names(case):
            if name is not None and name not in names.members[axis]:
                what = f"{name} is none of the {axis} of this policy."
                yield Problem("name_unknown", made.where("case", case.id, f"asked.{key}"), what, near(names, name))
        if isinstance(case.asked, ClockAsked) and case.asked.clock not in clocks:
            alike = sorted(each for each in clocks if each.partition(".")[0] == case.asked.clock.partition(".")[0])
            what = f"{case.asked.clock} is no clock of this policy."
            where = made.where("case", case.id, "asked.clock")
            yield Problem("name_unknown", where, what, f"Is it {', '.join(alike)}?" if alike else "")
        if isinstance(case.asked, JurisdictionAsked) and case.asked.number_of and case.asked.number_prefix:
            what = "gives number_of and number_prefix, which say the same of one number."
            yield Problem("case_mixed", where, what, "One of them.")


def _wrong_moments(case: Case) -> Iterator[str]:
    """Name moments that do not exist, and those of a clock that lie where nothing is computed."""
    for moment in _moments(case):
        try:
            at = moment_ms(moment)
        except ValueError:
            yield f"{moment} is no moment there is."
        else:
            if isinstance(case.asked, ClockAsked) and not DAY <= at < NOW_MS_MAX - DAY:
                yield f"{moment} lies outside of what is computed, 1970 to 2899."


def _moments(case: Case) -> Iterator[str]:
    """Give every moment that a case names."""
    asked, expected = case.asked, case.expected
    if isinstance(asked, DecisionAsked | ConflictAsked):
        yield asked.at
    if isinstance(asked, ConflictAsked):
        yield from (fact.at for fact in asked.facts)
    if isinstance(asked, ClockAsked):
        yield asked.on
        yield from (event.on for event in asked.events)
    until = (
        expected.mechanism_until
        if isinstance(expected, DecisionExpected)
        else expected.until
        if isinstance(expected, ConflictExpected)
        else expected.due
        if isinstance(expected, ClockExpected)
        else None
    )
    if until is not None:
        yield until


def _names(case: Case) -> Iterator[tuple[str, str, str | None]]:
    """Give key, axis and name of all that a case asks with."""
    match case.asked:
        case DecisionAsked() as asked:
            yield "class", "classes", asked.data_class
            yield "purpose", "purposes", asked.purpose
            yield "subject", "jurisdictions", asked.subject
            yield "node", "regions", asked.node
            yield "asker", "regions", asked.asker
            yield "role", "roles", asked.role
        case ConflictAsked() as asked:
            yield "class", "classes", asked.data_class
            yield "jurisdiction", "jurisdictions", asked.jurisdiction
