"""Requests are held to the vendors' OpenAPI files, and to what the vendors' pages have added since."""

import json

import pytest

from deploy.sandbox.contract import DATA, Contract, Described
from deploy.sandbox.exchange import Asked
from deploy.sandbox.hand_rules import line_message_errors
from deploy.sandbox.names import ANNA, ROSA, TARO
from deploy.sandbox.routes import ROUTES
from tests.integration.sandbox.business import Business

SEND = Described("whatsapp", "/{Version}/{Phone-Number-ID}/messages")
PUSH = Described("line", "/v2/bot/message/push")
REPLY = Described("line", "/v2/bot/message/reply")
TEXT = {"messaging_product": "whatsapp", "recipient_type": "individual", "type": "text", "text": {"body": "x"}}
HELLO = {"type": "text", "text": "x"}


@pytest.fixture(scope="module")
def contract(shared_data):
    """Give the vendors' files."""
    found = Contract(shared_data)
    assert found.state == "on"
    return found


def problems(contract, described, body, method="POST", query=None, **headers):
    known = {"authorization": "Bearer token", "content-type": "application/json"} | headers
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = Asked(method, "/x", query or {}, known, content)
    return [violation.where for violation in contract.violations(asked, described)]


@pytest.mark.parametrize(
    "body",
    [
        TEXT | {"to": ANNA.phone},
        TEXT | {"recipient": ROSA.bsuid},
        TEXT | {"to": ANNA.phone, "biz_opaque_callback_data": "x", "context": {"message_id": "wamid.x"}},
        {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"},
        {"messaging_product": "whatsapp", "status": "read", "message_id": "w", "typing_indicator": {"type": "text"}},
        {k: v for k, v in TEXT.items() if k != "text"}
        | {"to": "1", "type": "template", "template": {"name": "n", "language": {"code": "de"}}},
    ],
)
def test_what_meta_takes_breaks_nothing(contract, body):
    assert problems(contract, SEND, body) == []


@pytest.mark.parametrize(
    "body",
    [
        TEXT,
        TEXT | {"to": ROSA.bsuid},
        TEXT | {"recipient": ANNA.phone},
        TEXT | {"to": "1", "text": {"words": "x"}},
        TEXT | {"to": "1", "text": {"body": ""}},
        TEXT | {"to": "1", "text": {"body": "x" * 4_097}},
        TEXT | {"to": "1", "type": "telegram"},
        TEXT | {"to": 49_30, "text": {"body": "x"}},
        TEXT | {"to": "1", "biz_opaque_callback_data": "x" * 513},
        TEXT | {"to": "1", "priority": "high"},
        {"messaging_product": "whatsapp", "status": "read"},
        b"no json",
        b"",
    ],
)
def test_what_meta_does_not_describe_is_a_violation(contract, body):
    assert set(problems(contract, SEND, body)) == {"body"}


@pytest.mark.parametrize(
    ("described", "body", "headers"),
    [
        (PUSH, {"to": TARO.line_user, "messages": [HELLO] * 5}, {}),
        (
            PUSH,
            {"to": TARO.line_user, "messages": [HELLO]},
            {"x-line-retry-key": "123e4567-e89b-42d3-a456-426614174000"},
        ),
        (REPLY, {"replyToken": "t", "messages": [HELLO | {"quoteToken": "q"}]}, {}),
    ],
)
def test_what_line_takes_breaks_nothing(contract, described, body, headers):
    assert problems(contract, described, body, **headers) == []


@pytest.mark.parametrize(
    ("described", "body", "headers", "where"),
    [
        (PUSH, {"messages": [HELLO]}, {}, "body"),
        (PUSH, {"to": "U", "messages": []}, {}, "body"),
        (PUSH, {"to": "U", "messages": [HELLO] * 6}, {}, "body"),
        (PUSH, {"to": "U", "messages": [{"type": "text"}]}, {}, "body"),
        (PUSH, {"to": "U", "messages": [{"type": "file", "text": "x"}]}, {}, "body"),
        (PUSH, {"to": "U", "messages": [HELLO]}, {"x-line-retry-key": "twice"}, "header"),
        (PUSH, {"to": "U", "messages": [HELLO]}, {"authorization": "Basic x"}, "header"),
        (PUSH, {"to": "U", "messages": [HELLO]}, {"content-type": "text/plain"}, "body"),
        (REPLY, {"messages": [HELLO]}, {}, "body"),
    ],
)
def test_what_line_does_not_describe_is_a_violation(contract, described, body, headers, where):
    assert problems(contract, described, body, **headers) == [where]


def test_operations_and_queries_that_nobody_describes_are_violations(contract):
    assert problems(contract, PUSH, b"", method="DELETE") == ["operation"]
    assert problems(contract, Described("line", "/v2/bot/info"), b"", method="GET", query={"x": "1"}) == ["query"]
    assert problems(contract, Described("line", "/v2/bot/info"), b"{}", method="GET") == ["body"]


def test_every_route_that_claims_to_be_described_is(contract, shared_data):
    for route in ROUTES:
        if route.described is not None:
            described = Described("line" if route.auth == "line" else "whatsapp", route.described)
            assert "operation" not in problems(contract, described, b"", method=route.method), route.name


def test_a_request_over_http_is_checked_and_recorded(unchecked, shared_data):
    business = Business(unchecked.platforms)
    before = unchecked.client.state()["checked"]
    business.push(TARO.line_user, "fine")
    assert unchecked.client.violations() == []
    business.line("POST", "/v2/bot/message/push", {"to": TARO.line_user, "messages": "x"})
    (violation,) = unchecked.client.violations()
    assert (violation["path"], violation["where"]) == ("/v2/bot/message/push", "body")
    assert unchecked.client.state()["checked"] == before + 2


def test_without_the_files_nothing_is_checked_and_that_is_said(tmp_path):
    absent = Contract(tmp_path)
    assert "messaging-api.yml" in absent.state
    assert problems(absent, SEND, b"nonsense") == []
    assert Contract(None).state == "off"


def test_the_files_are_looked_for_beside_the_checkout(pytestconfig):
    assert pytestconfig.rootpath.parent / "shared" / "data" == DATA


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        ({"type": "text", "text": "🙂" * 2_500}, None),
        ({"type": "text", "text": "🙂" * 2_501}, "text"),
        ({"type": "text", "text": ""}, "text"),
        ({"type": "flex", "altText": "x" * 1_501}, "altText"),
        (
            {"type": "image", "originalContentUrl": "http://x.example/a", "previewImageUrl": "https://x/"},
            "originalContentUrl",
        ),
        ({"type": "audio", "originalContentUrl": "https://x.example/a"}, "duration"),
        ({"type": "sticker", "packageId": "1"}, "stickerId"),
        ({"type": "location", "title": "x", "address": "y" * 101}, "address"),
        ({"type": "file"}, "type"),
        ({}, "type"),
    ],
)
def test_what_lines_file_does_not_say_is_asked_by_hand(message, wrong):
    found = [detail["property"] for detail in line_message_errors([message])]
    assert found == ([] if wrong is None else [f"messages[0].{wrong}"])


@pytest.mark.parametrize("messages", [None, [], [HELLO] * 6, "x"])
def test_one_to_five_messages_are_sent_at_once(messages):
    assert [detail["property"] for detail in line_message_errors(messages)] == ["messages"]
