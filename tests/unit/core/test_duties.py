"""Duties as the store looks them up, holds as the law bounds them, periods as policy and settings say them together."""

import random

import pytest

from edge_node.core.duties import AHEAD, Backing, backing_of, blocked_until, law_duties
from edge_node.core.retention import Ruled, due_before, ruled_by
from edge_node.core.stored import CLASSES, EVERYTHING, kinds_kept
from shared.clock import DAY
from shared.policy.compiling import compile_tables
from shared.policy.deciding import Decision, Must
from shared.policy.spans import FOR_EVER, Span, after, before, moment_ms
from tests.support.house_policy import vocabulary

NOW = moment_ms("2027-09-01")
ALL = frozenset({"recall", "erase", "expire"})


@pytest.fixture(scope="module")
def tables():
    """Give the shipped policy, compiled."""
    return compile_tables(vocabulary())


def test_duties_that_begin_by_themselves_are_rows(tables):
    found = {(each.duty, each.law): each for each in law_duties(tables, "IN", NOW)}
    year = found["IN.one-year", "IN"]
    assert (year.kept_after, year.kinds, year.article) == (moment_ms("2026-09-01"), EVERYTHING, "dpdr-in-8-3")
    assert found["IN.one-year", ""] == year._replace(law="")
    assert found["MX.block-then-suppress", "MX"].kept_after == FOR_EVER
    assert ("VN.local-storage", "") not in found
    # What the store has no row of (evidence) needs none; nor does what begins with an officer's word.
    assert not {"TR.destruction-records", "EU.legal-claims"} & {name for name, _ in found}


def test_a_duty_is_there_before_it_begins_and_not_long_before(tables):
    begins = moment_ms("2027-05-13")
    assert any(each.law == "IN" for each in law_duties(tables, None, begins - AHEAD))
    assert not any(each.law == "IN" for each in law_duties(tables, None, begins - AHEAD - 1))


@pytest.mark.parametrize(
    ("laws", "reason", "expected"),
    [
        (("EU",), "legal_claim", ("hold", "held", "gdpr-17-3-e", ALL)),
        (("KR",), "legal_claim", ("hold", "restricted", "pipa-kr-21-3", ALL)),
        (("XX",), "legal_claim", ("hold", "held", "", ALL)),
        ((), "complaint", ("hold", "held", "", ALL)),
        (("SG",), "access_refused", ("preservation", "held", "pdpa-sg-22a", ALL)),
        (("EU",), "access_refused", ("hold", "held", "gdpr-17-3-e", ALL)),
        (("EU",), "restriction", ("restriction", "restricted", "gdpr-18-2", ALL - {"recall"})),
        (("AR",), "restriction", ("restriction", "blocked", "ldp-ar-16-6", frozenset({"erase", "expire"}))),
    ],
)
def test_a_hold_is_backed_and_bounded_by_law(tables, laws, reason, expected):
    found = backing_of(tables, laws, reason, ALL, NOW)
    assert (found.kind, found.keeps, found.article) == expected[:3]
    assert found.stops <= expected[3]
    assert (found.ends_at is not None) == (found.kind == "preservation")


def test_a_restriction_stands_only_where_a_law_knows_it(tables):
    assert backing_of(tables, ("TH",), "restriction", ALL, NOW) is None
    assert backing_of(None, ("EU",), "restriction", ALL, NOW) is None
    assert backing_of(None, ("EU",), "legal_claim", ALL, NOW) == Backing(stops=ALL)


def test_what_is_blocked_ends_where_the_law_says_when():
    assert blocked_until("", NOW) is None
    assert blocked_until("24 months", NOW) == moment_ms("2029-09-01")


def test_every_kind_of_row_is_of_a_class_and_all_of_them_are_everything():
    everything = {name for kinds in CLASSES.values() for name in kinds.values()}
    assert kinds_kept({*everything, "identifier", "disclosure_record", "unclassified"}) == EVERYTHING
    assert "|message/text|" in kinds_kept({"message_text"})
    assert kinds_kept({"evidence"}) == kinds_kept(())


def test_a_span_is_over_for_all_that_began_until_then_and_for_nothing_after():
    draw = random.Random(7)
    for _ in range(2_000):
        at = NOW + draw.randrange(900 * DAY)
        span = Span(draw.choice((1, 2, 12, 13, 24)), draw.choice(("months", "years", "days", "weeks")))
        sure, last = before(at, span), before(at, span, latest=True)
        assert sure <= last
        assert all(after(sure - draw.randrange(5 * DAY), span) <= at for _ in range(5))
        assert after(last, span) <= at
        assert all(after(last + 1 + draw.randrange(5 * DAY), span) > at for _ in range(5))


def answer(at_most=None, at_least=None, outcome="allow", reason="because"):
    """Give a decision on keeping."""
    return Decision(outcome, "a-rule", reason, must=Must(retain_at_most=at_most, retain_at_least=at_least))


@pytest.mark.parametrize(
    ("period", "answers", "days"),
    [
        (None, [], None),
        (50, [], 50),
        (None, [answer()], None),
        (None, [answer(Span(30, "days"))], 30),
        (50, [answer(Span(30, "days"))], 30),
        (10, [answer(Span(30, "days"))], 10),
        (10, [answer(Span(30, "days"), Span(20, "days"))], 20),
        (None, [answer(Span(30, "days"), Span(40, "days"))], 40),
        (None, [answer(Span(30, "days")), answer(Span(20, "days"))], 20),
        # What may not be kept is restricted, not destroyed.
        (50, [answer(outcome="deny")], 50),
        (None, [answer(outcome="deny", reason="no_rule")], None),
        (50, [answer(Span(30, "days")), answer(outcome="deny")], 30),
        (50, [answer(outcome="deny", reason="region_unknown")], 50),
        (None, [answer(Span(30, "days")), answer(outcome="deny", reason="evaluator_failed")], None),
    ],
)
def test_settings_shorten_what_policy_allows_and_nothing_goes_because_a_question_failed(period, answers, days):
    found = due_before(NOW, None if period is None else period * DAY, ruled_by(answers))
    assert found is None if days is None else 0 <= found - (NOW - days * DAY) <= 1


def test_what_is_ruled_alike_reads_alike():
    assert str(Ruled(Span(30, "days"), Span(24, "months"))) == "24 months..30 days"
    assert len({str(each) for each in (Ruled(), Ruled(Span(1, "days")), Ruled(None, Span(1, "days")))}) == 3
