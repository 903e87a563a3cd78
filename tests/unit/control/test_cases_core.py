"""Cases as pure decisions: places, what a receipt is worth, when a case is finished."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.core.cases import Asked, Order, erasure_at, judge_receipt, lapse_of, orders_at, standing_of, state_of
from control_plane.core.errors import ReceiptContradicts, ReceiptMisplaced
from shared.wire import Place, Receipt
from tests.support.trust import drawn

ASKED = Asked(drawn("command"), drawn("case"), "eu", "erase", None)


def receipt(**change):
    facts = {
        "command": ASKED.command,
        "case": ASKED.case,
        "node": "eu",
        "kind": "erase",
        "started_at": 1,
        "finished_at": 2,
        "results": (),
        "roster_version": 1,
        "bundle": None,
        "provider": "file",
    }
    return Receipt(**facts | change)


def test_places_of_an_erasure_close_views_and_of_a_recall_recall():
    place = Place("ap", (drawn("1"), drawn("2")))
    assert {order.kind for order in orders_at("erasure", "eu", (place,))} == {"close_view"}
    assert {order.kind for order in orders_at("recall", "eu", (place,))} == {"recall"}
    assert erasure_at("eu", drawn("subject")) == Order("eu", "erase", "", drawn("subject"))


def test_a_node_that_names_itself_is_passed_over():
    assert orders_at("erasure", "eu", (Place("eu", (drawn("1"),)),)) == []


PLACES = st.lists(
    st.builds(
        Place,
        st.sampled_from(["ap", "us", "jp"]),
        st.lists(st.sampled_from([drawn(str(number)) for number in range(4)]), min_size=1).map(tuple),
    )
)


@given(PLACES, st.randoms())
def test_what_is_asked_is_a_set_whatever_the_order_and_however_often(places, chance):
    asked = orders_at("recall", "eu", places)
    assert len(asked) == len(set(asked))
    again = [*places, *places]
    chance.shuffle(again)
    assert orders_at("recall", "eu", again) == asked
    assert {(order.node, order.target) for order in asked} == {
        (place.node, each) for place in places for each in place.disclosures
    }


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_a_case_is_finished_when_everything_was_signed_for_and_only_then(owed, done, lapsed):
    assert (state_of(owed, done, lapsed) == "finished") == (owed == 0 and lapsed == 0)
    assert (state_of(owed, done, lapsed) == "partial") == (owed == 0 and lapsed > 0)
    assert (state_of(owed, done, lapsed) == "open") == (owed > 0 and done == 0)


@pytest.mark.parametrize(
    ("in_roster", "barred", "standing", "lapse"),
    [
        ("active", False, "active", None),
        ("active", True, "barred", None),
        ("retired", True, "retired", "retired"),
        (None, False, "unknown", "unknown"),
    ],
)
def test_a_place_stands_as_officers_decided(in_roster, barred, standing, lapse):
    assert standing_of(in_roster, barred=barred) == standing
    assert lapse_of(in_roster) == lapse


def test_a_receipt_is_new_once():
    assert judge_receipt(receipt(), "eu", ASKED, "a")
    assert not judge_receipt(receipt(), "eu", ASKED._replace(receipt_sha256="a"), "a")
    with pytest.raises(ReceiptContradicts):
        judge_receipt(receipt(), "eu", ASKED._replace(receipt_sha256="b"), "a")


@pytest.mark.parametrize(
    ("change", "signer", "reason"),
    [
        ({"node": "ap"}, "eu", "node"),
        ({"node": "ap"}, "ap", "node"),
        ({}, "ap", "node"),
        ({"command": drawn("other")}, "eu", "command"),
        ({"case": drawn("other")}, "eu", "case"),
        ({"kind": "recall"}, "eu", "kind"),
    ],
)
def test_a_receipt_of_another_is_misplaced(change, signer, reason):
    with pytest.raises(ReceiptMisplaced) as refused:
        judge_receipt(receipt(**change), signer, ASKED, "a")
    assert refused.value.details == {"reason": reason}
