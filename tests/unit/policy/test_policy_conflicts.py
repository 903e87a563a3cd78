"""What becomes of a record that somebody wants gone where duties keep it: a state, and the article that won."""

import itertools

import pytest

from shared.policy.compiling import compile_tables
from shared.policy.conflicts import ORDER, REMOVALS, Happened, resolve
from shared.policy.model import Duty, Parameter
from shared.policy.spans import moment_ms
from tests.support.policies import SOURCE, article, jurisdiction, rule, world

STORED, LATER = moment_ms("2026-01-31"), moment_ms("2026-06-01")
KEEPS = {
    "hold": "held",
    "minimum": "restricted",
    "preservation": "held",
    "restriction": "restricted",
    "blocking": "blocked",
}
STARTS = {
    "hold": "placed",
    "minimum": "stored",
    "preservation": "refused",
    "restriction": "placed",
    "blocking": "decided",
}
FACTS = {
    "hold": "hold_placed",
    "minimum": "stored",
    "preservation": "refused",
    "restriction": "restriction_placed",
    "blocking": "decided",
}


def tables(*kinds, beats=REMOVALS, classes="any", period=None):
    """Compile a policy whose law has these duties."""
    duties = tuple(
        Duty(
            id=kind,
            kind=kind,
            classes=classes,
            beats=beats,
            keeps=KEEPS[kind],
            starts=STARTS[kind],
            period="long" if period and kind not in {"hold", "restriction"} else None,
            article=article("EU"),
            says="-",
        )
        for kind in kinds
    )
    value, unit = period or (1, "years")
    long = Parameter(id="long", value=value, unit=unit, article=article("EU"), **SOURCE)
    laws = [jurisdiction("EU", duty=duties, parameter=(long,)), jurisdiction("JP"), jurisdiction("TH")]
    return compile_tables(world([rule()], jurisdictions=laws))


def kept(made, wanted, *facts, at=LATER, jurisdictions=("EU",), data_class="media"):
    """Resolve a conflict."""
    return resolve(made, jurisdictions, data_class, wanted, [Happened(*fact) for fact in facts], at)


def test_what_nothing_keeps_goes():
    """Each removal, under a law without duties."""
    for removal in REMOVALS:
        found = kept(tables(), (removal,), ("stored", STORED))
        assert (found.keep, found.won, found.article) == ("tombstoned", removal, None)


@pytest.mark.parametrize("kind", ORDER)
@pytest.mark.parametrize("removal", REMOVALS)
def test_each_duty_keeps_what_it_beats_and_nothing_else(kind, removal):
    """State, duty and article are named; another removal than those it beats goes through."""
    found = kept(tables(kind), (removal,), (FACTS[kind], STORED))
    assert (found.keep, found.won, found.article, found.duty) == (KEEPS[kind], kind, "law-eu-1", f"EU.{kind}")
    assert found.waiting == (removal,)
    other = next(each for each in REMOVALS if each != removal)
    assert kept(tables(kind, beats=(other,)), (removal,), (FACTS[kind], STORED)).keep == "tombstoned"


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(ORDER, 2)))
def test_of_two_duties_the_first_in_order_wins(one, two):
    """Whatever the order in which things happened."""
    for facts in itertools.permutations([(FACTS[one], STORED), (FACTS[two], STORED + 1)]):
        found = kept(tables(one, two), ("erase",), *facts)
        assert (found.won, found.keep) == (one, KEEPS[one])


def test_a_removal_that_none_beats_is_carried_out_though_another_waits():
    """A recall that nothing stops takes the record with it."""
    found = kept(tables("minimum", beats=("erase",)), ("erase", "recall"), ("stored", STORED))
    assert (found.keep, found.won) == ("tombstoned", "recall")


@pytest.mark.parametrize(
    ("period", "end"),
    [
        ((1, "months"), "2026-02-28"),
        ((1, "years"), "2027-01-31"),
        ((12, "hours"), "2026-01-31T12:00:00Z"),
        ((2, "weeks"), "2026-02-14"),
    ],
)
def test_a_period_ends_on_its_day(period, end):
    """A month later is the last day of a shorter month; at that moment the record goes."""
    made, until = tables("minimum", period=period), moment_ms(end)
    found = kept(made, ("erase",), ("stored", STORED), at=until - 1)
    assert (found.keep, found.until) == ("restricted", until)
    assert kept(made, ("erase",), ("stored", STORED), at=until).keep == "tombstoned"


def test_a_hold_stands_until_as_many_were_released():
    """One release ends one hold."""
    made = tables("hold")
    facts = [("hold_placed", STORED), ("hold_placed", STORED + 1), ("hold_released", STORED + 2)]
    assert kept(made, ("erase",), *facts).keep == "held"
    assert kept(made, ("erase",), *facts, ("hold_released", STORED + 3)).keep == "tombstoned"
    assert kept(made, ("erase",), *facts, ("hold_released", LATER + 1)).keep == "held"


def test_a_hold_without_an_article_keeps_and_says_so():
    """What is destroyed cannot be brought back: an officer decides."""
    found = kept(tables(), ("erase",), ("hold_placed", STORED))
    assert (found.keep, found.reason, found.article) == ("held", "hold_unbacked", None)
    assert kept(tables("hold", beats=("expire",)), ("recall",), ("hold_placed", STORED)).keep == "tombstoned"


def test_blocking_begins_when_erasure_is_decided_or_ordered():
    """First locked away, then deleted."""
    made = tables("blocking", period=(30, "days"))
    assert kept(made, ("erase",), ("stored", STORED)).keep == "blocked"
    assert kept(made, ("erase",), ("decided", STORED), at=STORED + 1).keep == "blocked"
    assert kept(made, ("erase",), ("decided", STORED)).keep == "tombstoned"


def test_what_nobody_wants_gone_is_active_unless_limited():
    """A hold changes nothing that anyone sees."""
    made = tables(*ORDER)
    assert kept(made, (), ("stored", STORED), ("hold_placed", STORED)).keep == "active"
    assert kept(made, (), ("restriction_placed", STORED)).keep == "restricted"
    assert kept(made, (), ("restriction_placed", STORED), ("restriction_lifted", STORED)).keep == "active"
    assert kept(made, (), ("decided", STORED), ("restriction_placed", STORED)).keep == "blocked"


def test_only_the_classes_and_laws_concerned_keep():
    """A duty of another class or another jurisdiction is none; two laws are asked together."""
    made = tables("minimum", classes=("words",))
    assert kept(made, ("erase",), ("stored", STORED), data_class="pseudonym").keep == "tombstoned"
    assert kept(made, ("erase",), ("stored", STORED), jurisdictions=("TH",)).keep == "tombstoned"
    assert kept(made, ("erase",), ("stored", STORED), jurisdictions=("TH", "EU")).keep == "restricted"
