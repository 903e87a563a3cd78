"""The policy's answers made one: all must allow, the strictest form wins, what cannot be met is a no."""

import itertools
from typing import get_args

import pytest

from edge_node.core.governing import own_refusal
from edge_node.core.viewing import Seen, Unseen, named_rule, seen
from shared.policy.deciding import FORMS, Decision, Must
from shared.policy.spans import Span
from shared.policy.terms import Field
from shared.wire.types import ShowingRule

NOW = 1_800_000_000_000
YEAR = 366 * 86_400_000


def yes(rule="view-it", **must):
    """Give an allow that obliges."""
    return Decision("allow", rule, "allowed", must=Must(**must), bundle="b")


@pytest.mark.parametrize(("view", "transfer"), list(itertools.product(FORMS, repeat=2)))
def test_the_stricter_form_wins(view, transfer):
    answer = seen([yes(form=view), yes(form=transfer)], NOW)
    assert isinstance(answer, Seen)
    assert answer.form == min((view, transfer), key=FORMS.index)


@pytest.mark.parametrize("field", get_args(Field))
def test_what_is_to_be_withheld_is(field):
    answer = seen([yes(mask=(field,))], NOW)
    assert answer.form == ("metadata" if field in {"text", "names"} else "masked")
    assert seen([yes(mask=(field,)), yes(form="metadata")], NOW).form == "metadata"


def test_what_several_rules_ask_for_is_all_done():
    answer = seen([yes("a", log_for=Span(1, "years"), notify=("officer",)), yes("b", log_for=Span(3, "years"))], NOW)
    assert (answer.rule, answer.bundle, answer.notify) == ("a+b", "b", ("officer",))
    assert 2.9 * YEAR < answer.kept_until - NOW < 3.1 * YEAR
    assert seen([yes()], NOW).kept_until == 0
    assert seen([yes(log_for=Span(9, "business_days"))], NOW).kept_until > NOW + 9 * 86_400_000


def test_what_wants_a_second_person_is_refused_until_there_can_be_one():
    answer = seen([yes(), yes("for-two", second_approver=("officer",))], NOW)
    assert (answer.code, answer.rule) == ("second_approver_needed", "for-two")


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (Decision("deny", "never", "never_shown"), "policy_denied"),
        (Decision("deny", "maybe", "no_mechanism"), "no_mechanism"),
        (Decision("deny", None, "no_rule"), "no_rule"),
        (Decision("deny", None, "role_unknown"), "policy_denied"),
        (Decision("deny", "odd", "no_rule"), "policy_denied"),
        (own_refusal("policy_missing"), "policy_missing"),
        (own_refusal("policy_stale"), "policy_stale"),
        (own_refusal("jurisdiction_not_derived"), "jurisdiction_not_derived"),
    ],
)
def test_a_no_is_named_in_the_wires_words(decision, code):
    answer = seen([yes(), decision], NOW)
    assert isinstance(answer, Unseen)
    assert answer.code == code
    assert code in get_args(ShowingRule)
    assert answer.rule == decision.rule


@pytest.mark.parametrize(("rule", "named"), [("view-it", "view-it"), ("a_b", "a_b"), ("rule-7", None), (None, None)])
def test_a_rule_is_named_where_the_wire_has_room_for_it(rule, named):
    assert named_rule(rule) == named
