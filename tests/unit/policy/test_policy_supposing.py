"""What if something were not there, or ended; and what would open a way that is not open."""

import msgspec

from shared.policy.deciding import Question
from shared.policy.evaluator import Evaluator
from shared.policy.explaining import explain
from shared.policy.model import Instrument, Need
from shared.policy.spans import moment_ms
from shared.policy.supposing import lapsing, less, removable
from tests.support.policies import jurisdiction, mechanism, rule, world

NOW = moment_ms("2026-11-24")
NEED = (Need(kinds=("adequacy", "standard_clauses"), from_="subject", to="asker"),)
SEE = rule("see", operations=("view",), needs=NEED)
ASKED = Question("view", "media", "audit", "EU", "eu-one", NOW, "th-one", "agent")


def policy(*mechanisms, instruments=(), rules=(SEE,)):
    """Make a policy whose European law leaves some ways open."""
    return world(
        rules,
        jurisdictions=[jurisdiction("EU", mechanisms), jurisdiction("JP"), jurisdiction("TH")],
        instruments=instruments,
    )


def clauses(**validity):
    """Make what the company concluded."""
    return Instrument(id="clauses", kind="standard_clauses", from_=("EU",), to=("TH",), reference="-", **validity)


def why(made):
    """Give why a question is denied."""
    return explain(Evaluator(made), ASKED).parts[0].lines


def test_what_may_be_thought_away_is_listed():
    """Mechanisms by their name outside the file, instruments, rules."""
    made = policy(mechanism(), instruments=(clauses(),))
    assert list(removable(made)) == ["EU.adequacy", "clauses", "see"]
    bare = less(made, removable(made))
    assert (bare.rules, bare.instruments) == ((), ())
    assert not any(file.mechanism for file in bare.jurisdictions)


def test_what_lapses_ends_on_the_day_and_lasts_no_longer_than_before():
    """What ends earlier stays; what would begin later never does."""
    early, open_, late = (
        mechanism("early", valid_until="2026-12-01"),
        mechanism("open", "standard_clauses"),
        mechanism("late", "contract", valid_from="2027-06-01"),
    )
    made = lapsing(
        policy(early, open_, late, instruments=(clauses(),)),
        ["EU.early", "EU.open", "EU.late", "clauses", "see"],
        "2027-01-01",
    )
    ends = {each.id: each.valid_until for each in made.jurisdictions[0].mechanism}
    assert ends == {"early": "2026-12-01", "open": "2027-01-01"}
    assert (made.instruments[0].valid_until, made.rules[0].valid_until) == ("2027-01-01", "2027-01-01")
    untouched = lapsing(made, ["JP.nothing"], "2020-01-01")
    assert untouched == made


def test_a_lapse_denies_from_its_day_on_and_not_before():
    """The way is open until then."""
    made = Evaluator(lapsing(policy(mechanism()), ["EU.adequacy"], "2027-01-01"))
    before, after = (moment_ms(day) for day in ("2026-12-31", "2027-01-01"))
    assert made.decide(msgspec.structs.replace(ASKED, at=before)).allowed
    assert made.decide(msgspec.structs.replace(ASKED, at=after)).reason == "no_mechanism"


def test_a_no_says_what_each_way_lacks():
    """It ended, it has not begun, the company concluded nothing, what it concluded is over or to come."""
    ended, coming = mechanism(valid_until="2026-06-01"), mechanism(valid_from="2027-01-01")
    assert "EU.adequacy (adequacy, Art. 1 EU) ended on 2026-06-01." in why(policy(ended))
    assert "EU.adequacy (adequacy, Art. 1 EU) begins on 2027-01-01." in why(policy(coming))
    offered = mechanism("scc", "standard_clauses")
    name = "EU.scc (standard clauses, Art. 1 EU) would do:"
    assert f"{name} the company has concluded none with that place (instruments.toml)." in why(policy(offered))
    over, later = clauses(valid_until="2026-06-01"), clauses(valid_from="2027-01-01")
    assert f"{name} the company's clauses ended on 2026-06-01." in why(policy(offered, instruments=(over,)))
    assert f"{name} the company's clauses begins on 2027-01-01." in why(policy(offered, instruments=(later,)))
    assert "The law's file names no way there of any of these kinds: adequacy, standard clauses." in why(policy())


def test_a_need_of_several_rules_is_told_once():
    """However many of them would allow."""
    again = rule("see-too", operations=("view",), needs=NEED)
    lines = why(policy(rules=(SEE, again)))
    assert len(lines) == len(set(lines))
    assert lines.count("No way is open from EU to TH.") == 1
