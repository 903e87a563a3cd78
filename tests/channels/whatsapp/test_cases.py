"""Each fixture is one body as Meta sends it; beside it lie the events it must become, one a line.

A new case needs two files and no code: ``fixtures/NAME.json`` and ``expected/NAME.jsonl``.
"""

import re
from pathlib import Path

import msgspec
import pytest

from edge_node.channels.whatsapp import WHATSAPP, normalise
from edge_node.core.accounts import is_app_level
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event, Message, Unclassified
from tests.channels.whatsapp.cases import DATA, FIXTURES, HERE, parse

_EVENTS = msgspec.json.Decoder(Event)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.stem)
def test_a_body_becomes_its_events(fixture: Path):
    lines = (HERE / "expected" / f"{fixture.stem}.jsonl").read_bytes().splitlines()
    events = WHATSAPP.parse(fixture.read_bytes())
    assert [msgspec.json.encode(event).decode() for event in events] == [line.decode() for line in lines]
    assert [_EVENTS.decode(line) for line in lines] == events


def test_no_expected_file_is_without_its_fixture():
    assert {file.stem for file in (HERE / "expected").iterdir()} == {fixture.stem for fixture in FIXTURES}


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.stem)
def test_the_ordinary_way_and_the_careful_way_agree(fixture: Path):
    body = fixture.read_bytes()
    ordinary = normalise._ordinary(body)
    assert ordinary is None or ordinary == normalise._careful(body)


def test_the_ordinary_way_is_taken():
    assert normalise._ordinary((HERE / "fixtures" / "batch_of_two_accounts.json").read_bytes())


@pytest.mark.parametrize(
    ("stem", "at_home"),
    [
        ("user_id_update", True),
        ("user_preferences", True),
        ("preference_that_does_not_fit", True),
        ("notice_template_status", True),
        ("notice_account_update", True),
        ("notice_business_username", True),
        ("system_user_id_changed", False),
        ("text", False),
        ("standby_message", False),
        ("notice_handover", False),
        ("notice_history", False),
        ("unexpected_status", False),
    ],
)
def test_what_meta_sends_to_the_apps_address_only_is_told_apart(stem: str, at_home: bool):
    events = WHATSAPP.parse((HERE / "fixtures" / f"{stem}.json").read_bytes())
    assert {is_app_level(event) for event in events} == {at_home}


def _samples() -> list[object]:
    """Return the sample bodies that a public project keeps."""
    file = DATA / "whatsapp" / "vercel-chat-sample-messages.md"
    if not file.is_file():
        return []
    return [msgspec.json.decode(block) for block in re.findall(r"```json\n(.*?)```", file.read_text(), re.DOTALL)]


@pytest.mark.skipif(not _samples(), reason="../shared/data is not beside the checkout")
def test_every_sample_of_others_is_understood():
    samples = _samples()
    events = [event for sample in samples for event in parse(sample)]
    assert len(samples) == len(events) == 9
    assert not [event for event in events if isinstance(event, Unclassified)]


def _message(number: int) -> dict[str, object]:
    return {"from": "15550001001", "id": f"wamid.{number}", "timestamp": "1", "type": "text", "text": {"body": "x"}}


def _body(*lists: int) -> dict[str, object]:
    """Return a body with one change for each number, carrying that many messages."""
    changes = [
        {
            "field": "messages",
            "value": {"metadata": {"phone_number_id": "1"}, "messages": [_message(n) for n in range(size)]},
        }
        for size in lists
    ]
    return {"object": "whatsapp_business_account", "entry": [{"id": "2", "changes": changes}]}


def test_a_body_may_carry_as_many_updates_as_meta_states():
    events = parse(_body(BODY_UPDATES_MAX - 1, 1))
    assert [type(event) for event in events] == [Message] * BODY_UPDATES_MAX


@pytest.mark.parametrize(
    "body",
    [
        _body(BODY_UPDATES_MAX + 1),
        _body(BODY_UPDATES_MAX, 1),
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": []}] * (BODY_UPDATES_MAX + 1)},
        {"object": "whatsapp_business_account", "entry": [7] * (BODY_UPDATES_MAX + 1)},
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [7] * (BODY_UPDATES_MAX + 1)}]},
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "new", "value": 1}] * (BODY_UPDATES_MAX + 1)}],
        },
        {
            "object": "whatsapp_business_account",
            "entry": [
                {"id": "1", "changes": [{"field": "messages", "value": {"contacts": [{}] * (BODY_UPDATES_MAX + 1)}}]}
            ],
        },
    ],
    ids=["one list", "two lists", "entries", "bad entries", "bad changes", "unknown fields", "contacts"],
)
def test_one_more_is_refused(body: dict[str, object]):
    with pytest.raises(TooManyUpdates):
        parse(body)
