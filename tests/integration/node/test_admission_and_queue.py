"""Requests that no platform sends: a clear answer below 500, and not a word of them in answer or log."""

from pathlib import Path

import pytest

from deploy.sandbox.webhooks import line_batch, line_body, line_text, whatsapp_batch, whatsapp_body, whatsapp_text
from tests.integration.node.opened import Opened
from tests.integration.node.wire import Wire, ask
from tests.support.node import (
    ABROAD,
    ABROAD_CHANNEL,
    CHANNELS,
    LINE,
    NOWHERE,
    NOWHERE_CHANNEL,
    OTHER_SECRET,
    VERIFY_TOKEN,
    until,
)

WORD = "Quittengelee-mit-Rosmarin"
JSON = {"content-type": "application/json"}
MEBIBYTE = 1024 * 1024


def body_of(channel):
    """Give a body with a word in it that must never be seen again."""
    return line_body(line_text(WORD)) if channel == "line" else whatsapp_body(whatsapp_text(WORD))


def signed(channel, body):
    """Give the headers of a body, as the platform sends it."""
    return dict(CHANNELS[channel].headers(body))


def is_silent(node, answer, body, channel):
    """Check that neither answer nor log holds a word of the body or the signature that would have been right."""
    right = signed(channel, body)[CHANNELS[channel].header].removeprefix("sha256=")
    for place in (str(answer.headers) + answer.body.decode("latin-1"), node.log()):
        assert WORD not in place
        assert right not in place
    return True


def memory_peak(pid):
    """Give the most memory that a process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_what_is_no_http_is_turned_away(node):
    for nonsense in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        WORD.encode() + b"\r\n\r\n",
    ):
        with Wire(node.public) as wire:
            wire.send(nonsense)
            answer = wire.answer()
            assert answer.status in {400, 404, 505}
            assert WORD not in answer.body.decode("latin-1") + node.log()


def test_the_handshake_is_answered_to_who_knows_the_token(node):
    path = CHANNELS["whatsapp"].path
    right = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY_TOKEN}

    def get(query, account=""):
        return ask(
            node.public, f"{path}{account}?" + "&".join(f"{key}={value}" for key, value in query.items()), method="GET"
        )

    answer = get(right)
    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    refused = get(right, "-unknown").without_date
    assert (refused.status, refused.body) == (403, b"")
    changes = (
        {"hub.verify_token": "x"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": "<b>"},
    )
    for change in (*changes, {"hub.verify_token": "%ff"}, {"hub.challenge": "9" * 300}):
        assert get(right | change).without_date == refused
    assert get({}).without_date == refused
    many = {f"a{number}": "1" for number in range(500)}
    assert get(many | right).without_date == refused
    assert VERIFY_TOKEN not in node.log()
    assert ask(node.public, CHANNELS["line"].path, method="GET").status == 405


@pytest.mark.parametrize("channel", CHANNELS)
def test_more_updates_than_a_platform_sends_are_refused_whole(node, channel):
    before = len(Opened(node.settings).messages)
    body = (line_batch if channel == "line" else whatsapp_batch)(1_001)
    assert ask(node.public, CHANNELS[channel].path, signed(channel, body), body).status == 413
    assert len(Opened(node.settings).messages) == before


def test_events_that_policy_refuses_are_dropped_on_record(node):
    sign = CHANNELS["line"].sign
    body = line_body(line_text(WORD), line_text(WORD), channel=NOWHERE_CHANNEL)
    answer = ask(node.public, f"/webhooks/line/{NOWHERE}", {"x-line-signature": sign(OTHER_SECRET, body)}, body)
    assert (answer.status, answer.body) == (200, b"")
    stored = Opened(node.settings)
    rows = stored.content("SELECT account, reason, events FROM refusal WHERE account = ?", (NOWHERE,))
    assert rows == [(NOWHERE, "policy_denied", 2)]
    assert WORD not in [held.text for held in stored.messages if held.event.via == NOWHERE_CHANNEL.bot_user_id]
    assert "alert_refused_at_intake" in node.log()
    assert is_silent(node, answer, body, "line")


def test_an_account_that_was_removed_is_as_unknown_as_one_that_never_was(make_node):
    node, body = make_node().start(), body_of("line")
    headers = signed("line", body)
    assert ask(node.public, CHANNELS["line"].path, headers, body).status == 200
    node.command("account", "remove", LINE, "--yes")
    gone = until(lambda: removed(ask(node.public, CHANNELS["line"].path, headers, body)))
    assert gone.body == b""
    assert gone.without_date == ask(node.public, "/webhooks/line/nosuch", headers, body).without_date


def removed(answer):
    """Give an answer once it is that of an account nobody knows."""
    return answer if answer.status == 401 else None


def test_events_for_another_nodes_account_are_not_acknowledged_while_it_cannot_be_reached(node):
    body = line_body(line_text(WORD), channel=ABROAD_CHANNEL)
    headers = {"x-line-signature": CHANNELS["line"].sign(OTHER_SECRET, body)}
    answer = ask(node.public, f"/webhooks/line/{ABROAD}", headers, body)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert is_silent(node, answer, body, "line")
    assert all(held.event.via != ABROAD_CHANNEL.bot_user_id for held in Opened(node.settings).messages)
