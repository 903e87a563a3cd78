"""The policies that are shipped hold together, say what the compliance notes say, and every case comes out."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from shared.policy.assembling import Assembled
from shared.policy.deciding import Question
from shared.policy.evaluator import Evaluator
from shared.policy.explaining import explain
from shared.policy.loading import load
from shared.policy.localising import spelled_out
from shared.policy.model import (
    Case,
    ClockAsked,
    ClockExpected,
    ConflictAsked,
    DecisionAsked,
    JurisdictionAsked,
    JurisdictionExpected,
    JurisdictionFile,
    Parameter,
    Sourced,
)
from shared.policy.names import names_of
from shared.policy.proving import Verdict, prove, unreached
from shared.policy.spans import moment_ms
from shared.policy.supposing import less
from shared.policy.sure import unsure
from shared.policy.terms import SURE, ClockState, Operation
from shared.wire.relay import Relay
from shared.wire.uplink import Uplink

POLICIES = Path(__file__).parents[3] / "policies"
NOTES, NOTES_DAY = "compliance notes 2026-11-22", "2026-11-22"
CODES = {
    "AE",
    "AR",
    "AU",
    "BR",
    "CH",
    "CL",
    "CN",
    "CO",
    "EU",
    "GB",
    "ID",
    "IN",
    "JP",
    "KR",
    "MX",
    "MY",
    "PH",
    "SA",
    "SG",
    "TH",
    "TR",
    "TW",
    "US-CA",
    "VN",
}

# Read off section 3 of the compliance notes by hand: value, unit, mark; the day of the notes where the mark is P or C.
SAMPLE = {
    "AR.erasure_limit": (5, "business_days", "primary", NOTES_DAY),
    "AR.access_limit": (10, "days", "confirmed", NOTES_DAY),
    "BR.access_limit": (15, "days", "confirmed", NOTES_DAY),
    "BR.app_logs_minimum": (6, "months", "memory", None),
    "CL.breach_authority_limit": (72, "hours", "disputed", None),
    "CL.request_limit": (15, "business_days", "disputed", None),
    "CN.contract_threshold": (100_000, "people", "confirmed", NOTES_DAY),
    "CO.access_limit": (10, "business_days", "memory", None),
    "CO.erasure_limit": (15, "business_days", "primary", NOTES_DAY),
    "GB.request_extension": (2, "months", "confirmed", NOTES_DAY),
    "ID.access_limit": (72, "hours", "memory", None),
    "ID.restriction_limit": (72, "hours", "primary", NOTES_DAY),
    "IN.grievance_limit": (90, "days", "memory", None),
    "IN.logs_minimum": (1, "years", "primary", NOTES_DAY),
    "JP.access_limit": (None, "without_delay", "memory", None),
    "KR.erasure_limit": (10, "days", "primary", NOTES_DAY),
    "MX.execute_limit": (15, "business_days", "memory", None),
    "MY.breach_subjects_limit": (7, "days", "confirmed", NOTES_DAY),
    "PH.request_limit": (30, "business_days", "confirmed", NOTES_DAY),
    "SG.preservation_minimum": (30, "days", "primary", NOTES_DAY),
    "TH.access_limit": (30, "days", "primary", NOTES_DAY),
    "TR.erasure_limit": (30, "days", "primary", NOTES_DAY),
    "TW.erasure_limit": (30, "days", "memory", None),
    "US-CA.acknowledge_limit": (10, "business_days", "confirmed", NOTES_DAY),
    "US-CA.request_limit": (45, "days", "confirmed", NOTES_DAY),
    "VN.acknowledge_limit": (2, "business_days", "confirmed", NOTES_DAY),
    "VN.dossier_limit": (60, "days", "confirmed", NOTES_DAY),
    "VN.withdrawal_third_party": (20, "days", "confirmed", NOTES_DAY),
}


@cache
def shipped() -> Assembled:
    """Read the shipped bundle once."""
    return load(POLICIES).sound()


@cache
def verdicts() -> tuple[Verdict, ...]:
    """Run every case once."""
    return tuple(prove(shipped().policy))


def parameters() -> Iterator[tuple[str, JurisdictionFile, Parameter]]:
    """Give every parameter by its name outside its file."""
    for file in shipped().policy.jurisdictions:
        for each in file.parameter:
            yield f"{file.code}.{each.id}", file, each


def sourced() -> Iterator[tuple[str, Sourced]]:
    """Give everything that says where it was read."""
    policy = shipped().policy
    for file in policy.jurisdictions:
        for table in (file.law, file.article, file.parameter, file.mechanism, file.localisation):
            yield from ((f"{file.code}.{each.id}", each) for each in table)
    for platform in policy.platforms:
        for table in (platform.law, platform.article, platform.condition):
            yield from ((f"{platform.channel}.{each.id}", each) for each in table)


def cases(kind: type) -> Iterator[tuple[Case, object]]:
    """Give the cases that ask one kind of thing."""
    for case in shipped().policy.cases:
        if isinstance(case.asked, kind):
            yield case, case.asked


def test_every_file_is_read_and_holds_together() -> None:
    """Nothing is wrong, and no file in the folder is left out."""
    assert not load(POLICIES).problems
    read = {file for file in shipped().origins.values() if file.endswith(".toml")}
    there = {str(each.relative_to(POLICIES)) for each in POLICIES.rglob("*.toml")} - {"bundle.toml"}
    assert read == there


def test_the_jurisdictions_are_these() -> None:
    """The twenty-two of the issue, the Emirates and Türkiye; the file is called as its code."""
    assert {file.code for file in shipped().policy.jurisdictions} == CODES
    assert {each.stem for each in (POLICIES / "jurisdictions").iterdir()} == CODES


def test_the_bundle_is_labelled_a_demonstration() -> None:
    """Whoever reads it is told; so is whoever reads the company's made-up contracts."""
    assert shipped().bundle.label == "demonstration"
    assert all(each.reference.startswith("Demonstration") for each in shipped().policy.instruments)


def test_every_parameter_has_article_source_and_certainty() -> None:
    """A value stands on an article of its own file, and its unit has a number or needs none."""
    for name, file, each in parameters():
        assert each.article in {article.id for article in file.article}, name
        assert each.source, name
        assert each.certainty, name
        assert (each.value is None) == (each.unit == "without_delay"), name


def test_days_of_verification_are_not_invented() -> None:
    """Sure values bear the day they were looked up, all others none; the notes' day is the notes'."""
    for name, each in sourced():
        assert (each.verified_on is not None) == (each.certainty in SURE), name
        if each.source == NOTES and each.verified_on is not None:
            assert each.verified_on == NOTES_DAY, name
        if each.certainty == "disputed":
            assert each.note, f"{name}: both readings are told"


def test_values_and_marks_are_those_of_the_notes() -> None:
    """A sample, read off the notes by hand."""
    found = {name: (each.value, each.unit, each.certainty, each.verified_on) for name, _, each in parameters()}
    assert {name: found[name] for name in SAMPLE} == SAMPLE


def test_every_case_comes_out_as_it_says() -> None:
    """Hundreds, of all four kinds."""
    assert [(each.case.id, each.differences) for each in verdicts() if not each.passed] == []
    assert sum(1 for _ in cases(DecisionAsked)) >= 100
    assert sum(1 for _ in cases(ConflictAsked)) >= 40
    assert sum(1 for _ in cases(ClockAsked)) >= 100
    assert sum(1 for _ in cases(JurisdictionAsked)) >= 20


def test_every_law_decides_about_somebody() -> None:
    """A case leads to each jurisdiction, and some to none."""
    found = {
        case.expected.jurisdiction for case in shipped().policy.cases if isinstance(case.expected, JurisdictionExpected)
    }
    assert found == CODES | {"none"}


def test_whatever_can_happen_to_a_deadline_happens_in_a_case() -> None:
    """Every kind of state, pauses and answers to them, extensions, third parties, stages."""
    states = {case.expected.state for case in shipped().policy.cases if isinstance(case.expected, ClockExpected)}
    assert states == set(get_args(ClockState))
    happened = {event.what for _, asked in cases(ClockAsked) if isinstance(asked, ClockAsked) for event in asked.events}
    assert happened >= {"identity_requested", "identity_verified", "clarification_requested", "clarification_received"}
    assert happened >= {"paused", "extended", "third_party_involved", "phase_done", "completed", "first_transfer"}


def test_every_case_is_one_sentence_of_its_own() -> None:
    """A lawyer reads the title, and no two say the same."""
    titles = [case.says for case in shipped().policy.cases]
    assert len(set(titles)) == len(titles)
    assert [each for each in titles if len(each) > 190 or each[-1] not in ".:"] == []


def test_every_rule_is_reached_and_every_article_stands_under_something() -> None:
    """No sentence is there for show."""
    policy = shipped().policy
    assert list(unreached(policy, verdicts())) == [], "rules, clocks, filings, localisations"
    standing = {article for rule in policy.rules for article in rule.cites}
    standing |= {each.article for platform in policy.platforms for each in platform.condition}
    standing |= {article for rule in spelled_out(policy, names_of(policy)) for article in rule.cites}
    for file in policy.jurisdictions:
        assert {article.id for article in file.article} <= standing, file.code
    for platform in policy.platforms:
        assert {article.id for article in platform.article} <= standing, platform.channel


def test_every_operation_and_class_is_asked_about() -> None:
    """Cases reach the whole vocabulary."""
    asked = [each for _, each in cases(DecisionAsked) if isinstance(each, DecisionAsked)]
    assert {each.operation for each in asked} == set(get_args(Operation))
    conflicts = [each for _, each in cases(ConflictAsked) if isinstance(each, ConflictAsked)]
    classes = {each.data_class for each in (*asked, *conflicts)}
    never = {each.id for each in shipped().policy.classes} - classes
    assert never <= {"dialogue_slot", "routing_label", "interaction", "disclosure_record"}


@pytest.mark.parametrize("union", [Uplink, Relay])
def test_every_message_of_the_wire_stands_in_the_table(union: object) -> None:
    """The README says of each message which question it is, and a case asks it of each that nodes send up."""
    readme = (POLICIES / "README.md").read_text()
    told = " ".join(case.says for case in shipped().policy.cases)
    for message in get_args(union):
        tag = message.__struct_config__.tag
        assert tag in readme or tag.replace("relay.", "", 1) in readme, tag
        assert union is not Uplink or tag in told, tag


def test_whatever_arrives_may_rest_at_home() -> None:
    """Every class of personal data is decided at intake, what nobody understands among them."""
    policy = shipped().policy
    evaluator = Evaluator(policy)
    at = moment_ms("2026-12-10")
    for region in policy.regions:
        for each in policy.classes:
            question = Question("store", each.id, "intake", region.jurisdiction, region.name, at)
            assert evaluator.decide(question).allowed == (each.nature not in {"aggregate", "none"}), (region, each)


def test_an_officer_is_told_of_the_thai_transcript() -> None:
    """An officer learns whether it may be read, on what ground, for how long it is kept, and what a lapse changes."""
    policy = shipped().policy
    at = moment_ms("2026-12-10")
    asked = Question("view", "transcript", "customer_service", "TH", "th-bangkok", at, "eu-frankfurt", "agent")
    told = explain(Evaluator(policy), asked)
    words = {part.heading: " ".join(part.lines) for part in told.parts}
    assert told.answer == "Yes"
    assert "TH.standard-clauses" in words["Ground"]
    assert "s. 29 PDPA" in words["Ground"]
    assert "masked" in words["What must be done"]
    assert "at most 400 days" in words["How long it is kept"]
    assert (
        "What is shown in eu-frankfurt (the European Union): it is kept for at most 1 day"
        in words["How long it is kept"]
    )
    alone = explain(Evaluator(policy), msgspec.structs.replace(asked, purpose="complaint"))
    assert alone.answer == "No"
    assert "In other cases rule view-complaint-across-borders allows it" in " ".join(alone.parts[0].lines)
    assert "What is shown in" not in str(alone.parts)
    assert explain(Evaluator(less(policy, ["TH.standard-clauses"])), asked).answer == "No"
    assert explain(Evaluator(less(policy, ["EU.adequacy-jp"])), asked).answer == "Yes"


def test_strict_mode_lists_what_it_refuses() -> None:
    """Not empty, and the disputed values are in it."""
    refused = {each.name: each for each in unsure(shipped().policy)}
    assert len(refused) > 100
    assert refused["CL.request_limit"].certainty == "disputed"
    assert refused["ID.access_limit"].certainty == "memory"
    assert refused["pdpa-th-33-2"].certainty == "unverified"
    assert "TH.access_limit" not in refused
