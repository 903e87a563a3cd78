"""What a law keeps in its country is data: written in its file, it is denied elsewhere, with its article."""

import pytest

from shared.policy.deciding import Question
from shared.policy.differing import diff
from shared.policy.evaluator import Evaluator
from shared.policy.explaining import explain
from shared.policy.spans import moment_ms
from shared.policy.sure import unsure
from tests.support.policies import CODES, article, jurisdiction, localisation, rule, world

NOW = moment_ms("2026-11-24")
SEEN = rule(
    "seen",
    "deny",
    localised="only_inside",
    operations=("transfer", "view"),
    askers_except=("home",),
    cites=(),
    reason="localised",
)
KEPT = rule("kept", "deny", localised="only_inside", nodes_except=("home",), cites=(), reason="localised")
COPY = rule("copy", "deny", localised="copy_inside", nodes_except=("home",), purposes=("intake",), cites=())
ALLOWS = (rule("all", cites=(article("EU"),)), rule("asked", operations=("transfer", "view")))
RULES = (*ALLOWS, SEEN, KEPT, COPY)


def policy(*stays, rules=RULES):
    """Make a policy whose Thai law keeps something in the country."""
    laws = [jurisdiction(code, localisation=stays if code == "TH" else ()) for code in CODES]
    return world(rules, jurisdictions=laws)


def ask(made, operation="store", data_class="media", subject="TH", node="eu-one", purpose="intake", at=NOW, **who):
    """Ask one question."""
    return Evaluator(made).decide(Question(operation, data_class, purpose, subject, node, at, **who))


def test_a_localisation_changes_answers_by_itself():
    """The same rules; with one table more in the law's file what was allowed is denied, and its article cited."""
    assert ask(policy()).allowed
    decision = ask(policy(localisation()))
    assert (decision.outcome, decision.rule, decision.reason) == ("deny", "kept", "localised")
    assert (decision.citations, decision.rules) == ((article("TH"),), ("kept",))


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ({"node": "th-one"}, True),
        ({"subject": "JP"}, True),
        ({"data_class": "pseudonym"}, True),
        ({"operation": "view", "node": "th-one", "asker": "eu-one", "role": "officer"}, False),
        ({"operation": "transfer", "node": "eu-one", "asker": "th-one", "role": "officer"}, True),
        ({"operation": "transfer", "node": "eu-one", "asker": "eu-two", "role": "officer"}, False),
        ({"at": moment_ms("2026-05-31")}, True),
        ({"at": moment_ms("2026-06-01")}, False),
        ({"at": moment_ms("2027-01-01")}, True),
    ],
)
def test_it_holds_for_its_classes_people_and_time_and_not_at_home(asked, allowed):
    """Data on their way home are let through; others' data, and other classes, are not concerned."""
    made = policy(localisation(valid_from="2026-06-01", valid_until="2027-01-01"))
    assert ask(made, **asked).allowed == allowed


def test_a_copy_that_must_be_inside_lets_others_leave():
    """Only what the rule of that demand names is denied."""
    made = policy(localisation(demands="copy_inside"))
    assert [ask(made, purpose=purpose).allowed for purpose in ("intake", "audit")] == [False, True]
    assert ask(made, "view", node="th-one", asker="eu-one", role="agent").allowed


def test_what_several_articles_keep_is_denied_by_one_rule_with_all_of_them():
    """The rule is named once."""
    made = policy(localisation("one"), localisation("two", article=article("EU"), classes="any"))
    decision = ask(made)
    assert decision.rules == ("kept",)
    assert decision.citations == (article("EU"), article("TH"))
    assert ask(made, data_class="pseudonym").rule == "kept"


def test_a_rule_may_narrow_what_it_carries_out():
    """By class, by person and by time: both must hold."""
    narrow = rule(
        "kept",
        "deny",
        localised="only_inside",
        nodes_except=("home",),
        classes=("media",),
        subjects_except=("JP",),
        valid_from="2026-06-01",
        valid_until="2027-06-01",
        cites=(),
    )
    made = policy(localisation(valid_from="2026-01-01", valid_until="2027-01-01"), rules=(*ALLOWS, narrow))
    assert not ask(made).allowed
    assert ask(made, data_class="message_text").allowed
    assert ask(made, at=moment_ms("2026-05-31")).allowed
    assert ask(made, at=moment_ms("2027-01-01")).allowed
    never = policy(localisation(valid_until="2026-06-01"), rules=(*ALLOWS, narrow))
    assert Evaluator(never).tables.instants == (), "what never holds leaves no edge in time"


def test_a_diff_of_a_localisation_is_more_restrictive_only():
    """No second officer is asked for."""
    found = diff(policy(), policy(localisation()))
    assert found.count("more_permissive") == 0
    assert found.count("more_restrictive") > 0


def test_the_law_is_told_and_how_sure_it_is():
    """By name, in its own words, with its mark; strict mode refuses one that is not sure, and says which rule it is."""
    stays = localisation(certainty="memory", valid_from="2026-06-01")
    made = policy(stays)
    told = explain(Evaluator(made), Question("store", "media", "intake", "TH", "eu-one", NOW))
    assert "TH.stays (Art. 1 TH): It stays. Since 2026-06-01. [memory]" in told.parts[0].lines
    refused = {each.name: each.used_by for each in unsure(made)}
    assert refused == {"TH.stays": "rule kept"}
