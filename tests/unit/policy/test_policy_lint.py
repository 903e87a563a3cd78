"""Lint finds what it is there for, and leaves alone what is right."""

import msgspec
import pytest

from shared.policy.assembling import Assembled
from shared.policy.checking import findings
from shared.policy.model import (
    BundleFile,
    Case,
    Clock,
    ClockAsked,
    ClockExpected,
    ClockPhase,
    DecisionAsked,
    DecisionExpected,
    Duty,
    Filing,
    Group,
    Instrument,
    Localisation,
    Need,
    Obligations,
    Parameter,
)
from shared.policy.spans import moment_ms
from tests.support.policies import CLASSES, CODES, SOURCE, article, jurisdiction, localisation, mechanism, rule, world

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
    fields = {"parameter": (day,), "clock": clocks, "duty": (hold,), "time_zone": "Etc/UTC", **more}
    return jurisdiction(code, mechanisms, **fields)


def case(name="a-case", expected="allow", **asked):
    """Make a case that asks to store."""
    return Case(
        id=name,
        says="-",
        asked=msgspec.structs.replace(ASKED, **asked),
        expected=DecisionExpected(outcome=expected),
    )


def clock_cases(laws):
    """Make a case of every clock."""
    asked = (ClockAsked(clock=f"{file.code}.{each.id}", on="2026-11-24") for file in laws for each in file.clock)
    return tuple(
        Case(id=f"clock-{number}", says="-", asked=each, expected=ClockExpected(state="waiting"))
        for number, each in enumerate(asked)
    )


def found(rules, **more) -> set[tuple[str, str]]:
    """Give codes and entries of what lint finds, over a world in which there is nothing to find."""
    laws = more.pop("jurisdictions", tuple(whole(code) for code in CODES))
    fields = {"cases": (case(), *clock_cases(laws)), "groups": (), **more}
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


def test_a_localisation_that_no_rule_carries_out_or_without_a_home_is_found():
    """And a rule that carries out what no law asks for."""
    laws = (whole("EU"), whole("JP", localisation=(localisation(code="JP", classes=("media",)),)), whole("TH"))
    kept = rule("kept", "deny", localised="only_inside", nodes_except=("home",), cites=())
    assert ("gap", "JP.stays") in found([STORE], jurisdictions=laws)
    homeless = found([STORE, kept], jurisdictions=laws)
    assert ("gap", "JP.stays") in homeless
    at_home = (whole("EU"), whole("JP"), whole("TH", localisation=(localisation(classes=("media",)),)))
    assert ("gap", "TH.stays") in found([STORE], jurisdictions=at_home)
    seen_to = found([STORE, kept], jurisdictions=at_home)
    assert {each for each in seen_to if each[1] == "TH.stays"} == {("no_case", "TH.stays")}
    denied = (case(), case("kept-out", "deny", subject="TH"), *clock_cases(at_home))
    assert found([STORE, kept], jurisdictions=at_home, cases=denied) == set()
    assert ("unreachable", "kept") in found([STORE, kept])


def test_a_clock_that_no_case_reaches_is_found():
    """Its acknowledgement, and a filing, need cases of their own."""
    acknowledged = Clock(
        id="notice", right="withdrawal", starts="received", phase=(ClockPhase(phase="answer", limit="day"),)
    )
    acknowledged = msgspec.structs.replace(acknowledged, acknowledge="day")
    filing = Filing(id="dossier", starts="first_transfer", limit="day", article=article("TH"), says="-")
    thai = whole("TH", filing=(filing,))
    laws = (whole("EU"), whole("JP"), msgspec.structs.replace(thai, clock=(*thai.clock, acknowledged)))
    seen = found([STORE], jurisdictions=laws)
    assert {each for each in seen if each[0] == "no_case"} == {
        ("no_case", "TH.dossier"),
        ("no_case", "TH.notice_acknowledge"),
    }


def test_a_case_that_fails_is_found():
    """With what differs."""
    assert ("unproved", "wrong") in found([STORE], cases=(case(), case("wrong", "deny")))
