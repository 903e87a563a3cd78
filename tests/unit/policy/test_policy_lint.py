"""Lint finds what it is there for, and leaves alone what is right."""

import pytest

from shared.policy.assembling import Assembled
from shared.policy.checking import findings
from shared.policy.model import (
    BundleFile,
    Case,
    Clock,
    ClockPhase,
    DecisionAsked,
    DecisionExpected,
    Duty,
    Group,
    Instrument,
    Localisation,
    Need,
    Obligations,
    Parameter,
)
from shared.policy.spans import moment_ms
from tests.support.policies import CLASSES, CODES, SOURCE, article, jurisdiction, mechanism, rule, world

PAGE = BundleFile(name="x", version=1, label="demonstration", says="-", grace="7 days", includes=("x.toml",))
NOW = moment_ms("2026-11-24")
ASKED = DecisionAsked(
    operation="store", data_class="media", purpose="audit", subject="EU", node="eu-one", at="2026-11-24"
)
NEED = (Need(kinds=("adequacy",), from_="subject", to="node"),)


def whole(code: str, mechanisms=(), **more):
    """Make a jurisdiction that lacks nothing."""
    day = Parameter(id="day", value=1, unit="days", article=article(code), **SOURCE)
    clocks = tuple(
        Clock(id=right, right=right, starts="received", phase=(ClockPhase(phase="answer", limit="day"),))
        for right in ("access", "erasure", "breach_authority")
    )
    hold = Duty(
        id="hold",
        kind="hold",
        classes="any",
        beats=("erase",),
        keeps="held",
        starts="placed",
        article=article(code),
        says="-",
    )
    fields = {"parameter": (day,), "clock": clocks, "duty": (hold,), **more}
    return jurisdiction(code, mechanisms, **fields)


def case(name="a-case", expected="allow", **asked):
    """Make a case that asks to store."""
    import msgspec

    return Case(
        id=name,
        says="-",
        asked=msgspec.structs.replace(ASKED, **asked),
        expected=DecisionExpected(outcome=expected),
    )


def found(rules, **more) -> set[tuple[str, str]]:
    """Give codes and entries of what lint finds, over a world in which there is nothing to find."""
    laws = more.pop("jurisdictions", tuple(whole(code) for code in CODES))
    fields = {"cases": (case(),), "groups": (), **more}
    import msgspec

    groups = fields.pop("groups")
    policy = msgspec.structs.replace(world(rules, jurisdictions=laws, **fields), groups=groups)
    return {(each.code, each.where.entry) for each in findings(Assembled(PAGE, policy, {}), NOW)}


STORE = rule("store")


def test_a_policy_in_which_nothing_is_amiss_has_no_findings():
    """The starting point of all that follows."""
    assert found([STORE]) == set()


@pytest.mark.parametrize(
    ("rules", "finding"),
    [
        ([STORE, rule("idle", subjects=("TH",), nodes=("home",), nodes_except=("th-one",))], ("unreachable", "idle")),
        ([STORE, rule("never", "deny"), rule("z", purposes=("audit",))], ("overruled", "z")),
        ([rule("store", needs=NEED, nodes=("th-one",), subjects=("EU",))], ("overruled", "store")),
        ([STORE, rule("yes", classes=("media",)), rule("no", "deny", classes=("media",))], ("contradiction", "yes")),
        (
            [rule("store", obligations=Obligations(retain_at_most="1 month", retain_at_least="1 year"))],
            ("contradiction", "store"),
        ),
        ([rule("store", classes=("media",))], ("gap", "pseudonym")),
        ([STORE, rule("no", "deny", classes=("media",))], ("gap", "media")),
        ([STORE, rule("other", operations=("log",))], ("no_case", "other")),
        ([rule("store", valid_until="2026-01-01")], ("expired", "store")),
        ([rule("store", valid_until="2027-01-31")], ("expired", "store")),
    ],
)
def test_what_is_amiss_in_rules_is_found(rules, finding):
    """Each kind of finding, by the rule or class it is about."""
    assert finding in found(rules)


def test_the_end_of_a_mechanism_is_told_in_time():
    """Ninety days before, and after; not earlier."""
    for until, told in (("2026-11-24", True), ("2027-02-20", True), ("2027-03-01", False)):
        laws = (whole("EU", [mechanism(valid_until=until)]), whole("JP"), whole("TH"))
        assert (("expired", "EU.adequacy") in found([STORE], jurisdictions=laws)) == told


def test_what_a_law_lacks_or_nobody_uses_is_found():
    """Deadlines, a hold's article, parameters and articles, groups, instruments."""
    idle = Parameter(id="idle", value=1, unit="days", article=article("EU"), **SOURCE)
    laws = (whole("EU", clock=(), duty=(), parameter=(idle,)), whole("JP"), whole("TH"))
    seen = found([STORE], jurisdictions=laws)
    assert {("gap", "EU"), ("unused", "EU.idle")} <= seen
    group = Group(id="idle-group", of="purposes", members=("audit",), says="-")
    signed = Instrument(id="signed", kind="binding_rules", from_=("EU",), to=("TH",), reference="-")
    assert {("unused", "idle-group"), ("unused", "signed")} <= found([STORE], groups=(group,), instruments=(signed,))


@pytest.mark.parametrize(
    ("demands", "rules", "told"),
    [
        ("only_inside", [STORE], True),
        (
            "only_inside",
            [rule("store", subjects_except=("TH",)), rule("home", subjects=("TH",), nodes=("home",))],
            False,
        ),
        ("copy_inside", [STORE], False),
        ("copy_inside", [rule("store", subjects_except=("TH",))], True),
        (
            "only_inside",
            [rule("home", nodes=("home",)), rule("send", operations=("transfer",), nodes=("home",), askers="any")],
            True,
        ),
    ],
)
def test_an_answer_that_contradicts_localisation_is_found(demands, rules, told):
    """Data that must stay may not leave, and must be able to rest at home."""
    stays = Localisation(id="stays", classes=CLASSES, demands=demands, article=article("TH"), says="-", **SOURCE)
    laws = (whole("EU"), whole("JP"), whole("TH", localisation=(stays,)))
    assert (("contradiction", "TH.stays") in found(rules, jurisdictions=laws)) == told


def test_a_case_that_fails_is_found():
    """With what differs."""
    assert ("unproved", "wrong") in found([STORE], cases=(case(), case("wrong", "deny")))
