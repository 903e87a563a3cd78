"""What a node decides about beats, caps, suppression and look-ups, by itself."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.asking import ERASURE_REASONS, PURPOSES
from edge_node.core.beats import registrations
from edge_node.core.erasing import (
    HOUR,
    Counts,
    Remnants,
    allowance,
    epoch_horizon,
    erasure_results,
    retraction_results,
)
from edge_node.core.lookup import identifiers_of
from edge_node.core.suppression import stays_out, suppressed_until
from shared.canonical import encode
from shared.clock import DAY
from shared.message import Identifier
from shared.wire import Receipt
from shared.wire import epoch_horizon as receipt_horizon
from tests.support.trust import Seeded, drawn

NAMES = [drawn(str(number)) for number in range(40)]


@pytest.mark.parametrize(("new", "told"), [(0, 0), (1, 8), (7, 8), (8, 8), (9, 9), (40, 40)])
def test_a_beat_names_nobody_or_at_least_eight(new, told):
    found = registrations(NAMES[:new], Seeded(f"beat {new}"))
    assert len(set(found)) == told
    assert set(NAMES[:new]) <= set(found)


def test_the_order_of_a_beat_says_nothing():
    places = Counter(registrations(NAMES[:1], Seeded(f"beat {number}")).index(NAMES[0]) for number in range(800))
    assert set(places) == set(range(8))
    assert all(50 < count < 160 for count in places.values())


def test_dummies_are_never_drawn_twice():
    entropy = Seeded("beats")
    dummies = [name for _ in range(50) for name in registrations(NAMES[:1], entropy) if name != NAMES[0]]
    assert len(set(dummies)) == len(dummies) == 350


@given(st.lists(st.integers(0, 4 * HOUR), max_size=60), st.integers(0, 60))
def test_no_hour_ever_holds_more_than_the_cap(attempts, cap):
    done = []
    for moment in sorted(attempts):
        if allowance(done, moment, cap).now > 0:
            done.append(moment)
    for moment in done:
        assert sum(moment - HOUR < each <= moment for each in done) <= cap


def test_the_cap_says_when_the_next_may_go():
    assert allowance([], 0, 2).now == 2
    assert allowance([10, 20], 30, 2) == allowance([20, 10], 30, 2)
    assert allowance([10, 20], 30, 2).next_at == 10 + HOUR
    assert allowance([10, 20], 10 + HOUR, 2).now == 1
    assert allowance([5, 10, 20], 30, 2).next_at == 10 + HOUR
    assert (allowance([], 0, 0).now, allowance([], 0, 0).next_at) == (0, None)


@pytest.mark.parametrize(
    ("at", "erased", "out"), [(10, [10], True), (11, [10], False), (5, [], False), (11, [3, 12], True)]
)
def test_what_was_sent_before_the_erasure_stays_out(at, erased, out):
    assert stays_out(at, erased) is out


def test_a_name_that_had_ended_is_kept_out_until_its_end():
    assert suppressed_until(100, None) == 100
    assert suppressed_until(100, 40) == 40
    assert suppressed_until(100, 140) == 100


def test_a_receipt_says_what_went_what_is_pending_and_what_is_out_of_reach():
    counts = Counts(keys=7, messages=4, identities=2)
    results = erasure_results(counts, Remnants(horizon=9))
    assert [(each.store, each.method, each.count, each.until) for each in results] == [
        ("keys", "destroyed", 7, None),
        ("messages", "removed", 4, None),
        ("identities", "removed", 2, None),
        ("backups", "pending", 7, 9),
        ("platform", "not_reachable", 4, None),
    ]
    pending = erasure_results(counts, Remnants(horizon=None, rows_pending=True, rows_until=5))
    assert [(each.store, each.method, each.count, each.until) for each in pending] == [
        ("keys", "destroyed", 7, None),
        ("messages", "pending", 4, 5),
        ("identities", "pending", 2, 5),
        ("backups", "pending", 7, None),
        ("platform", "not_reachable", 4, None),
    ]
    assert [(each.store, each.method, each.until) for each in retraction_results(1, 2, Remnants(9, True, 5))] == [
        ("keys", "destroyed", None),
        ("views", "pending", 5),
        ("backups", "pending", 9),
    ]
    assert erasure_results(Counts(), Remnants(9)) == retraction_results(0, 0, Remnants(9)) == ()
    receipt = Receipt(
        command=drawn("c"), case=drawn("d"), node="eu", kind="erase", started_at=1, finished_at=2, results=results,
        roster_version=1, bundle=None, provider="file",
    )  # fmt: skip
    assert encode(receipt)
    assert receipt_horizon(receipt) == 9


@pytest.mark.parametrize(
    ("since", "days", "now", "horizon"),
    [(0, 30, 5, 31 * DAY), (0, 0, 5, None), (0, 1, 9 * DAY, 10 * DAY)],
    ids=["in time", "by hand", "overdue"],
)
def test_the_epoch_horizon_is_one_beat_and_what_it_takes(since, days, now, horizon):
    assert epoch_horizon(since, days, now) == horizon


@pytest.mark.parametrize(
    ("typed", "country", "found"),
    [
        ("U" + "0a" * 16, None, [("line_user", "U" + "0a" * 16)]),
        (" US.13491208655302741918\n", None, [("whatsapp_user", "US.13491208655302741918")]),
        ("US.ENT.11815799212886844830", None, [("whatsapp_parent_user", "US.ENT.11815799212886844830")]),
        ("+62 812-3456-7890", None, [("whatsapp_phone", "6281234567890")]),
        ("0812 3456 7890", "ID", [("whatsapp_phone", "6281234567890")]),
        ("030 901820", "DE", [("whatsapp_phone", "4930901820")]),
        ("+55 11 96123-4567", None, [("whatsapp_phone", "5511961234567"), ("whatsapp_phone", "551161234567")]),
        ("+55 11 6123 4567", None, [("whatsapp_phone", "551161234567"), ("whatsapp_phone", "5511961234567")]),
        ("+55 11 3123 4567", None, [("whatsapp_phone", "551131234567")]),
        ("+52 55 1234 5678", None, [("whatsapp_phone", "525512345678"), ("whatsapp_phone", "5215512345678")]),
        ("+52 1 55 1234 5678", None, [("whatsapp_phone", "525512345678"), ("whatsapp_phone", "5215512345678")]),
        ("5215512345678", None, [("whatsapp_phone", "525512345678"), ("whatsapp_phone", "5215512345678")]),
        ("6281234567890", None, [("whatsapp_phone", "6281234567890")]),
        ("0812 3456 7890", None, []),
        ("Anna", "ID", []),
        ("", None, []),
        ("U" + "0A" * 16, None, []),
        ("+" + "1" * 300, None, []),
    ],
)
def test_what_a_letter_says_is_what_a_platform_would_say(typed, country, found):
    assert list(identifiers_of(typed, country)) == [Identifier(kind, value) for kind, value in found]


@given(st.text(max_size=60))
def test_nothing_typed_is_ever_an_error(typed):
    assert isinstance(identifiers_of(typed, "BR"), tuple)


def test_nobody_is_erased_for_the_reasons_of_a_message():
    assert "sender_recalled" not in ERASURE_REASONS
    assert "subject_request" in ERASURE_REASONS
    assert "complaint" in PURPOSES
