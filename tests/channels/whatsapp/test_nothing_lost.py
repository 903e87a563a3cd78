"""Every value Meta sends is found in the events again, except where the README says what stands for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_node.channels.reading import milliseconds
from shared.message import Unclassified
from tests.channels.whatsapp.cases import DATA, FIXTURES, Place, holds, leaves, objects, parse, replaced, said

CANARY = "canary in a coal mine"

FORM = {"type", "voice", "forwarded", "frequently_forwarded", "recipient_type"}
"""Said by the event's kind, form or ``group`` instead."""

ACCOUNT = {"display_phone_number"}
"""Said by the account's own record."""


def _stands_for_itself(body: Any, place: Place, value: Any, found: set[Any], times: set[int]) -> bool:
    """Say whether the value is in the events, or the README names what stands for it."""
    name = place[-1]
    if holds(found, value):
        return True
    if name == "object" or name == "field" or value in ("whatsapp", ""):
        return True
    if name in FORM or name in ACCOUNT or (len(place) == 3 and name == "id"):
        return True
    if name == "timestamp":
        return milliseconds(value) in times
    if name in ("username", "from", "wa_id") and isinstance(value, str) and holds(found, value.lstrip("@+")):
        return True
    return name == "from" and "message_echoes" in place


def _bodies() -> list[Any]:
    fixtures = [
        pytest.param(json.loads(file.read_bytes()), id=file.stem) for file in FIXTURES if "half" not in file.stem
    ]
    file: Path = DATA / "whatsapp" / "vercel-chat-sample-messages.md"
    blocks = file.read_text().split("```json\n")[1:] if file.is_file() else []
    return fixtures + [
        pytest.param(json.loads(block.split("```")[0]), id=f"sample {n}") for n, block in enumerate(blocks)
    ]


@pytest.mark.parametrize("body", _bodies())
def test_every_value_is_found_again(body: Any):
    found, times = said(parse(body))
    lost = [place for place, value in leaves(body) if not _stands_for_itself(body, place, value, found, times)]
    assert lost == []


@pytest.mark.parametrize("body", _bodies())
def test_a_property_meta_adds_anywhere_is_kept(body: Any):
    for place in objects(body):
        events = parse(replaced(body, (*place, "added_by_meta"), CANARY))
        assert holds(said(events)[0], CANARY), place


@pytest.mark.parametrize("body", _bodies())
def test_a_value_that_changes_anywhere_is_kept(body: Any):
    for place, _ in leaves(body):
        if place[-1] in ACCOUNT or (len(place) == 3 and place[-1] == "id"):
            continue
        if place[-1] == "from" and "message_echoes" in place:
            continue
        events = parse(replaced(body, place, CANARY))
        assert holds(said(events)[0], CANARY), place


@pytest.mark.parametrize("broken", [None, 7, "x", [], {}, {"id": 5}, {"type": "text"}, {"type": ["text"]}])
def test_a_bad_update_leaves_its_neighbours_as_they_are(broken: Any):
    body = json.loads(next(file for file in FIXTURES if file.stem == "contacts_in_another_order").read_bytes())
    whole = parse(body)
    place = ("entry", 0, "changes", 0, "value", "messages", 1)
    events = parse(replaced(body, place, broken))
    assert events[0] == whole[0]
    assert events[2:4] == whole[2:4]
    assert isinstance(events[1], Unclassified)
    assert json.loads(events[1].raw) == broken
