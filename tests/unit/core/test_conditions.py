"""A platform's conditions: a yes stays one only where the account of the data meets what its own platform asks for."""

import msgspec
import pytest

from edge_node.core.accounts import Account, LineIds, WhatsAppIds, validate
from edge_node.core.conditions import SEEN_TO, UNMET, demanded, of_channel, stateable, unmet, with_conditions
from edge_node.core.stated import MET_MAX, Met
from shared.errors import AccountInvalid
from shared.policy.deciding import NOTHING, Decision, Question
from shared.policy.evaluator import Evaluator
from shared.policy.loading import load
from tests.support.house import ROOT
from tests.support.policies import platform, rule, world

LINE = Account("line-shop", LineIds("U" + "a" * 32), "1656")
WHATSAPP = Account("shop", WhatsAppIds("1", ("2",), ("3",)), "555")
PAGE, UNSENT, NOTICE = "provider_page_published", "not_taken_back", "notice_given"


POLICY = world(
    [rule("all", operations=("store", "link"))],
    platforms=(platform("line", PAGE, UNSENT), platform("whatsapp", NOTICE)),
)
KNOWN = demanded(POLICY)


def ask(operation="link"):
    """Ask the policy, which allows it."""
    return Evaluator(POLICY, "b" * 64).decide(Question(operation, "media", "intake", "EU", "eu-one", 0))


def stating(account, *demands):
    """Give an account of which somebody stated something."""
    return msgspec.structs.replace(account, met=tuple(Met(each, "Ada, DPO", 1_000) for each in demands))


def test_what_is_not_stated_is_refused_with_the_platforms_article():
    """The rule allowed it; the platform's terms do not."""
    found = with_conditions(ask(), LINE, KNOWN)
    assert (found.outcome, found.reason, found.rule, found.citations) == ("deny", UNMET, None, ("line-1",))
    assert (found.must, found.relied, found.rules, found.bundle) == (NOTHING, (), (), "b" * 64)


def test_what_is_stated_is_allowed_as_it_was():
    """Nothing of the decision is lost."""
    decision = ask()
    assert with_conditions(decision, stating(LINE, PAGE), KNOWN) is decision


def test_another_platforms_conditions_do_not_count():
    """What LINE asks for is nothing to data that came over WhatsApp, and the other way round."""
    assert with_conditions(ask(), WHATSAPP, KNOWN).citations == ("whatsapp-1",)
    assert with_conditions(ask(), stating(WHATSAPP, NOTICE), KNOWN).allowed
    assert not with_conditions(ask(), stating(LINE, NOTICE), KNOWN).allowed


def test_a_no_stays_as_it_is():
    """Conditions only take away."""
    no = Decision("deny", "a-rule", "because", ("law-eu-1",))
    assert with_conditions(no, LINE, KNOWN) is no
    untouched = Evaluator(POLICY).decide(Question("log", "media", "intake", "EU", "eu-one", 0))
    assert with_conditions(untouched, LINE, KNOWN) is untouched


def test_a_condition_that_the_policy_does_not_know_is_not_met():
    """A decision by another bundle than the conditions are of: nobody can say what it asks for."""
    assert [each.name for each in unmet(["line-new"], stating(LINE, PAGE), KNOWN)] == ["line-new"]
    assert not with_conditions(ask(), stating(LINE, PAGE), {}).allowed


def test_what_the_node_sees_to_need_not_be_stated_and_cannot_be():
    """It is so for every account."""
    assert [each.demands for each in of_channel(KNOWN, "line")] == [UNSENT, PAGE]
    assert stateable(KNOWN, "line") == [PAGE]
    assert [each.demands for each in unmet(KNOWN, LINE, KNOWN)] == [PAGE]


def test_every_condition_of_the_shipped_policies_is_seen_to_or_can_be_stated():
    """And the node claims to see to nothing that no platform asks for."""
    known = demanded(load(ROOT / "policies").sound().policy)
    assert set(SEEN_TO) <= {each.demands for each in known.values()}
    assert set(stateable(known, "line")) == {PAGE, "privacy_policy_published", "unlink_offered"}
    assert set(stateable(known, "whatsapp")) == {"contact_book_delete_asked", "local_storage_recorded"}


@pytest.mark.parametrize(
    "met",
    [
        (Met("Provider page", "Ada", 0),),
        (Met(PAGE, "", 0),),
        (Met(PAGE, "Ada\nBen", 0),),
        (Met(PAGE, "Ada", 0, "x" * 201),),
        (Met(PAGE, "Ada", 0), Met(PAGE, "Ben", 0)),
        tuple(Met(f"demand_{number}", "Ada", 0) for number in range(MET_MAX + 1)),
    ],
)
def test_a_word_that_is_not_of_its_form_is_refused(met):
    """On one line each, each once."""
    validate(stating(LINE, PAGE))
    with pytest.raises(AccountInvalid):
        validate(msgspec.structs.replace(LINE, met=met))
