"""Faults on demand: each does what it says, as often as ordered, and what a node's client makes of it."""

import httpx
import pytest

from deploy.sandbox.names import TARO
from deploy.sandbox.world import Bot
from edge_node.platforms.client import PlatformClient
from shared.errors import PlatformUnavailable
from shared.errors.replying import SendUnclear
from tests.integration.sandbox.business import Business

PUSH = ("v2", "bot", "message", "push")
BODY = {"to": TARO.line_user, "messages": [{"type": "text", "text": "x"}]}


@pytest.fixture
def business(sandbox):
    return Business(sandbox.platforms)


async def deliver(sandbox, seconds_max=10.0):
    async with PlatformClient(sandbox.platforms, Bot().token, seconds_max=seconds_max) as client:
        return await client.deliver(*PUSH, body=BODY)


@pytest.mark.parametrize("count", [1, 3])
def test_a_fault_is_met_as_often_as_ordered_and_by_its_endpoint_only(client, business, count):
    client.fault("line.push", "status", status=500, count=count)
    assert business.line("GET", "/v2/bot/info").status_code == 200
    assert [business.push(TARO.line_user, "x").status_code for _ in range(count + 1)] == [500] * count + [200]
    assert len(client.sent()) == 1


def test_every_endpoint_fails_until_the_faults_are_cleared(client, business):
    client.fault("*", "status", status=503, count=None)
    answers = [business.push(TARO.line_user, "x"), business.say("1"), business.line("GET", "/v2/bot/info")]
    assert {answer.status_code for answer in answers} == {503}
    client.clear_faults()
    assert business.push(TARO.line_user, "x").status_code == 200


def test_faults_are_met_in_the_order_of_their_orders(client, business):
    for status in (429, 500):
        client.fault("line.push", "status", status=status)
    assert [business.push(TARO.line_user, "x").status_code for _ in range(3)] == [429, 500, 200]


def test_a_fault_may_hide_that_all_was_done(client, business):
    client.fault("line.push", "garbage", done=True)
    assert business.push(TARO.line_user, "x").content.startswith(b"<html>")
    assert len(client.sent()) == 1


def test_a_connection_is_reset(client, business):
    client.fault("line.push", "reset")
    with pytest.raises(httpx.TransportError):
        business.push(TARO.line_user, "x")
    assert business.push(TARO.line_user, "x").status_code == 200


def test_a_graph_error_is_answered_by_code(client, business):
    client.fault("whatsapp.messages", "code", code=131016)
    answer = business.say("1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, 131016)


def test_what_was_asked_is_on_record_with_its_fault(client, business):
    client.fault("line.push", "status", status=500)
    business.push(TARO.line_user, "x")
    business.line("GET", "/v2/nothing")
    first, second = client.requests()
    assert (first["endpoint"], first["status"], first["fault"]) == ("line.push", 500, "status")
    assert (second["endpoint"], second["status"]) == ("unknown", 404)


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [
        ("timeout", {"seconds": 30}, "timeout"),
        ("slow", {"seconds": 30}, "timeout"),
        ("huge", {}, "answer_too_large"),
        ("reset", {}, None),
    ],
)
async def test_a_message_whose_answer_cannot_be_read_is_unclear(sandbox, client, kind, more, reason):
    client.fault("line.push", kind, **more)
    with pytest.raises(SendUnclear) as caught:
        await deliver(sandbox, 0.3 if reason == "timeout" else 10.0)
    assert reason is None or caught.value.details == {"reason": reason}
    assert Bot().token not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("status", [302, 400, 429, 500, 503])
async def test_an_answer_to_a_message_is_given_back_whatever_its_status(sandbox, client, status):
    if status == 302:
        client.fault("line.push", "redirect")
    else:
        client.fault("line.push", "status", status=status)
    answer = await deliver(sandbox)
    assert (answer.status, answer.good, answer.unclear) == (status, False, status >= 500)
    assert sandbox.sandbox.world.seen_elsewhere == []


async def test_where_nobody_listens_nothing_was_sent():
    async with PlatformClient("http://127.0.0.1:1", "token") as client:
        with pytest.raises(PlatformUnavailable):
            await client.deliver(*PUSH, body=BODY)
