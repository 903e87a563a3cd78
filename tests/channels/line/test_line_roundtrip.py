"""No field of a known event is lost: each value is in the canonical event, or its meaning is."""

import json
import re
from collections import Counter

import pytest

from edge_node.channels.line import LINE
from shared.message import Unclassified
from tests.channels.line.cases import FIXTURES, canonical, leaves

KINDS = {
    "message": "message",
    "messageEdited": "edit",
    "unsend": "recall",
    "accountLink": "account_link",
    "postback": "postback",
    "beacon": "postback",
    "videoPlayComplete": "postback",
    **dict.fromkeys(("follow", "unfollow", "join", "leave", "memberJoined", "memberLeft", "membership"), "relation"),
    **dict.fromkeys(("module", "activated", "deactivated", "botSuspended", "botResumed", "delivery"), "notice"),
}
FORMS = {"text": "text", "sticker": "sticker", "location": "location"}
CHANGES = {"memberJoined": "member_joined", "memberLeft": "member_left"}
ACTIONS = {"postback": "postback", "beacon": "beacon", "videoPlayComplete": "video_played"}


def by_kind(value, event):
    same = event["kind"] == KINDS[value]
    if event["kind"] == "relation" and value != "membership":
        return same and event["change"] == CHANGES.get(value, value)
    if event["kind"] == "postback":
        return same and event["action"] == ACTIONS[value]
    return same and (event["kind"] != "notice" or event["topic"] == value)


def by_form(value, event):
    content = event["content"]
    if content["form"] == "media":
        return content["media"] == {"file": "document"}.get(value, value)
    return content["form"] == FORMS[value]


def by_place(value, event):
    place = event.get("group", {}).get("kind")
    return place == {"user": None, "group": "line_group", "room": "line_room"}.get(value, place)


MEANINGS = {
    r"type": by_kind,
    r"mode": lambda value, event: event.get("standby", False) == (value != "active"),
    r"deliveryContext\.isRedelivery": lambda value, event: event.get("redelivered", False) == value,
    r"source\.type": by_place,
    r"message\.type": by_form,
    r"message\.contentProvider\.type": lambda value, event: ("external" in event["content"]) == (value != "line"),
    r"(joined|left)\.members\[\d+\]\.type": lambda value, event: event["change"].startswith("member_"),
    r"membership\.type": lambda value, event: (
        value in (event["change"].removeprefix("membership_"), event.get("detail", {}).get("type"))
    ),
}
"""Properties that the canonical event carries by meaning, with the meaning; all others by value."""


def assert_nothing_lost(payload, event):
    """Take each value of the payload out of the canonical event's; say which is missing."""
    own = {name: value for name, value in event.items() if name not in ("kind", "channel", "via")}
    values = Counter((type(value).__name__, value) for _, value in leaves(own))
    for path, value in leaves(payload):
        meaning = next((MEANINGS[pattern] for pattern in MEANINGS if re.fullmatch(pattern, path)), None)
        if meaning is not None:
            assert meaning(value, event), path
            continue
        assert values[type(value).__name__, value] > 0, path
        values[type(value).__name__, value] -= 1


def pairs(body):
    """Return each understood event's payload with its canonical form; one that holds its own bytes has lost nothing."""
    payloads = json.loads(re.sub(rb"\\uD83E(?= )", rb"\\ufffd", body)).get("events", [])
    events = LINE.parse(body)
    assert len(events) == len(payloads) or not payloads
    return [
        (payload, canonical(event))
        for payload, event in zip(payloads, events, strict=False)
        if not isinstance(event, Unclassified) and "raw" not in (event.extra or {})
    ]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_no_field_of_our_fixtures_is_lost(fixture):
    for payload, event in pairs(fixture.read_bytes()):
        assert_nothing_lost(payload, event)


def test_line_sdk_body_27_of_28_understood_with_no_field_lost(shared_data):
    body = (shared_data / "line/sdk-python-webhook.json").read_bytes()
    events = LINE.parse(body)
    assert len(events) == 28
    assert [event for event in events if isinstance(event, Unclassified)] == [events[-1]]
    assert json.loads(events[-1].raw) == json.loads(body)["events"][-1]
    assert (events[-1].reason, events[-1].redelivered) == ("unknown_kind", True)
    understood = pairs(body)
    assert len(understood) == 27
    for payload, event in understood:
        assert_nothing_lost(payload, event)
        assert "extra" not in event


@pytest.mark.parametrize(
    "path",
    [("message", "text"), ("message", "quoteToken"), ("message", "mention", "mentionees", 1, "userId"), ("timestamp",)],
)
def test_the_check_itself_sees_a_lost_field(path):
    """A value changed on one side only is missed by name."""
    [mentions] = [fixture for fixture in FIXTURES if fixture.stem == "text-mentions"]
    [(payload, event)] = pairs(mentions.read_bytes())
    *parents, last = path
    holder = payload
    for step in parents:
        holder = holder[step]
    holder[last] = "lost"
    with pytest.raises(AssertionError, match=str(last)):
        assert_nothing_lost(payload, event)
