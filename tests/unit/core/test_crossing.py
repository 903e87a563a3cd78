"""Each message between programs is a question of the policy, as policies/README.md has it; what has no row stays."""

import re
from pathlib import Path
from typing import get_args

import pytest

from edge_node.core.crossing import (
    OWN_STATE,
    QUESTIONS,
    REGISTRATIONS,
    law_of_text,
    law_text,
    own_state,
)
from edge_node.core.governing import own_refusal
from shared import wire
from shared.policy.deciding import Decision
from shared.policy.deriving import Derived
from shared.wire.relay import Relay
from shared.wire.uplink import Uplink

README = Path(__file__).parents[3] / "policies" / "README.md"
ROW = re.compile(r"^\| (?P<what>[`a-z].*?) \| (?P<class>.*?) \| (?P<purpose>.*?) \|$", re.MULTILINE)
TAGS = {each.__struct_config__.tag: each for each in wire.MESSAGES}


def union(of):
    """Give the messages of a union of unions."""
    return {message for each in get_args(of) for message in (union(each) or {each})}


def table():
    """Read the officers' table: by tag, what is said of classes and of purpose."""
    text = README.read_text().split("## What leaves a region", 1)[1].split("\n## ", 1)[0]
    rows = {}
    for found in ROW.finditer(text):
        tags, direction = re.findall(r"`([a-z_.]+)`", found["what"]), ""
        for tag in tags:
            direction = tag.partition(".")[0] if "." in tag else direction
            name = tag if "." in tag else f"{direction}.{tag}"
            part = found["what"].partition("`: ")[2]
            rows[name, part] = (found["class"], found["purpose"])
    return rows


def test_every_message_of_the_uplink_and_the_relay_has_a_row():
    assert union(Uplink) | union(Relay) == set(QUESTIONS)
    assert all(QUESTIONS.values())


def test_the_rows_are_those_that_officers_read():
    asked = {(type_.__struct_config__.tag, ""): rows for type_, rows in QUESTIONS.items()}
    asked["uplink.beat", "health"] = asked.pop(("uplink.beat", ""))
    asked["uplink.beat", "registrations"] = (REGISTRATIONS,)
    read = table()
    assert read.keys() == asked.keys()
    for about, (classes, purpose) in read.items():
        rows = asked[about]
        named = re.findall(r"`([a-z_]+)`", classes) if "that of" not in classes else [""]
        assert [row.data_class for row in rows] == named, about
        stated = re.match(r"`([a-z_]+)`", purpose)
        assert {row.purpose for row in rows} == {stated[1] if stated else ""}, about


@pytest.mark.parametrize("reason", ["policy_missing", "region_unknown", "asker_missing", "jurisdiction_not_derived"])
def test_a_nodes_own_state_leaves_where_the_question_cannot_be_put(reason):
    assert own_state(own_refusal("policy_missing")).allowed
    assert own_state(Decision("deny", None, reason)).reason == "own_state_unasked"


@pytest.mark.parametrize(
    "said",
    [
        Decision("deny", "no-state-abroad", "state_stays"),
        Decision("deny", None, "no_rule"),
        Decision("deny", "a", "no_mechanism"),
    ],
)
def test_but_not_where_the_policy_says_no(said):
    assert own_state(said) is said
    assert OWN_STATE.data_class == "operational"


@pytest.mark.parametrize(
    ("jurisdiction", "others", "text"),
    [("EU", (), "EU"), ("EU", ("GB",), "EU"), (None, ("CA", "US"), "CA US"), (None, (), "")],
)
def test_a_law_is_read_as_it_was_kept(jurisdiction, others, text):
    derived = Derived(jurisdiction=jurisdiction, country=None, basis="nothing_known", certainty="none", others=others)
    assert law_text(derived) == text
    again = law_of_text(text)
    assert (law_text(again) if again else "") == text
