"""Requests that no platform sends: a clear answer below 500, and not a word of them in answer or log."""

import gzip
import socket
from pathlib import Path

import pytest

from deploy.sandbox.webhooks import line_body, line_text, whatsapp_body, whatsapp_text
from tests.integration.node.opened import Opened
from tests.integration.node.wire import Wire, ask, chunks, head
from tests.support.node import (
    CHANNELS,
    OTHER_SECRET,
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


SPOILS = {
    "absent": lambda right: None,
    "empty": lambda right: "",
    "of other bytes": lambda right: right[:-6] + ("aaaa" + right[-2:] if right[-6:-2] != "aaaa" else "bbbb"),
    "cut short": lambda right: right[:-1],
    "longer": lambda right: right + "A",
    "twice": lambda right: f"{right}, {right}",
    "in other letters": lambda right: right.swapcase(),
    "with white space within": lambda right: right[:20] + " " + right[20:],
    "not ascii": lambda right: right.encode()[:-2] + b"\xc3\xa9",
    "not utf-8": lambda right: b"\xff\xfe" + right.encode(),
    "of the other algorithm": lambda right: "sha1=" + right[:40],
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_bad_signature_and_an_unknown_account_are_answered_alike(node, channel, spoil):
    body, known = body_of(channel), CHANNELS[channel]
    headers = signed(channel, body)
    assert ask(node.public, f"{known.path}-unknown", headers, body).status == 401
    unknown = ask(node.public, f"{known.path}-unknown", headers, body).without_date
    value = spoil(headers.pop(known.header))
    answer = ask(node.public, known.path, headers | ({} if value is None else {known.header: value}), body)
    assert answer.without_date == unknown
    assert (answer.status, answer.body) == (401, b"")
    assert is_silent(node, answer, body, channel)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_secret_of_another_account_opens_nothing(node, channel):
    body, known = body_of(channel), CHANNELS[channel]
    answer = ask(node.public, known.path, {known.header: known.sign(OTHER_SECRET, body)}, body)
    assert (answer.status, answer.body) == (401, b"")


@pytest.mark.parametrize("account", ["", "-unknown"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "GZIP"])
def test_a_compressed_body_is_refused_alike_for_any_account(node, encoding, account):
    body = gzip.compress(body_of("line"))
    headers = signed("line", body) | {"content-encoding": encoding}
    answer = ask(node.public, CHANNELS["line"].path + account, headers, body)
    assert answer.status == 415
    assert is_silent(node, answer, body, "line")


@pytest.mark.parametrize("channel", CHANNELS)
def test_how_a_signed_body_is_carried_and_called_does_not_matter(node, channel):
    known = CHANNELS[channel]
    for kind in ({}, {"content-type": "text/html"}, {"content-type": b"\xff;="}, {"content-encoding": "identity"}):
        body = body_of(channel)
        assert (
            ask(node.public, known.path, {known.header: signed(channel, body)[known.header], **kind}, body).status
            == 200
        )
    body = body_of(channel)
    headers = signed(channel, body) | {"transfer-encoding": "chunked"}
    with Wire(node.public) as wire:
        wire.send(
            head("POST", known.path, headers), chunks(body[place : place + 7] for place in range(0, len(body), 7))
        )
        assert wire.answer().status == 200
    bad = head("POST", known.path, headers) + b"zz\r\n" + body
    with Wire(node.public) as wire:
        wire.send(bad)
        answer = wire.answer()
        assert answer.status == 400
        assert is_silent(node, answer, body, channel)


def memory_peak(pid):
    """Give the most memory that a process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize("account", ["", "-unknown"])
@pytest.mark.parametrize("how", ["sized", "chunked", "encoded", "put"])
def test_a_body_of_100_mb_is_refused_without_being_kept(node, how, account):
    worker = node.running().worker
    before = memory_peak(worker)
    piece = b"x" * MEBIBYTE
    headers = {"content-type": "application/json", "x-line-signature": "A" * 44}
    if how == "chunked":
        headers["transfer-encoding"] = "chunked"
        parts = [b"%x\r\n%b\r\n" % (len(piece), piece)] * 100 + [b"0\r\n\r\n"]
    else:
        headers["content-length"] = str(100 * MEBIBYTE)
        parts = [piece] * 100
    if how == "encoded":
        headers["content-encoding"] = "gzip"
    method = "PUT" if how == "put" else "POST"
    with Wire(node.public) as wire:
        wire.send(head(method, CHANNELS["line"].path + account, headers), *parts)
        assert wire.answer().status == {"put": 405, "encoded": 415}.get(how, 413)
    assert memory_peak(worker) - before < 64 * MEBIBYTE
    assert node.running().worker == worker


def test_a_slow_body_is_given_up(make_node):
    node = make_node(settings="[limits]\nbody_seconds_max = 0.3").start()
    for account in ("", "-unknown"):
        body = body_of("line")
        with Wire(node.public) as wire:
            headers = signed("line", body) | {"content-length": str(len(body))}
            wire.send(head("POST", CHANNELS["line"].path + account, headers), body[:-1])
            answer = wire.answer()
            assert answer.status == 408
            assert wire.closed()
            assert is_silent(node, answer, body, "line")
    assert node.post("line", body_of("line")).status_code == 200


def test_a_body_cut_short_leaves_nothing(node):
    before = len(Opened(node.settings).messages)
    for channel, known in CHANNELS.items():
        body = body_of(channel)
        for cut in (0, 1, len(body) - 1):
            with Wire(node.public) as wire:
                headers = signed(channel, body) | {"content-length": str(len(body))}
                wire.send(head("POST", known.path, headers), body[:cut])
                wire.sock.shutdown(socket.SHUT_WR)
                assert wire.closed()
    log = node.log()
    assert len(Opened(node.settings).messages) == before
    assert "error" not in [line.partition('"level": "')[2].partition('"')[0] for line in log.splitlines()]


def test_requests_sent_ahead_are_answered_in_turn(node):
    good, wrong = body_of("line"), body_of("line")
    requests = []
    for body, headers in ((good, signed("line", good)), (wrong, signed("line", good)), (good, signed("line", good))):
        requests.append(head("POST", CHANNELS["line"].path, headers | {"content-length": str(len(body))}) + body)
    with Wire(node.public) as wire:
        wire.send(b"".join(requests))
        assert [wire.answer().status for _ in requests] == [200, 401, 200]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW", "post"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_other_methods_are_turned_away(node, channel, method):
    body = b"" if method == "HEAD" else body_of(channel)
    for account in ("", "-unknown"):
        answer = ask(node.public, CHANNELS[channel].path + account, signed(channel, body), body, method=method)
        assert answer.status in {400, 405}
        assert is_silent(node, answer, body, channel)


TARGETS = [
    "/webhooks/line",
    "/webhooks/line/",
    "/webhooks/linex/line-desk",
    "/webhooks/line-desk",
    "/webhooks/line/line-desk/b",
    "/webhooks/line/line-desk%2Fb",
    "/webhooks/line/../whatsapp/line-desk",
    "/webhooks/line/wa-shop",
    "/webhooks/line/LINE-DESK",
    "/webhooks/line/line-desk%00",
    "/webhooks/line/%ff%fe",
    "/webhooks/line/%",
    b"/webhooks/line/\xc3\xa9",
    "/webhooks/line/line-desk;x=1",
    "/webhooks/telegram/line-desk",
    "/webhooks/whatsapp/line-desk",
    "/",
    "/health/ready",
    "/metrics",
    "/schema",
    "/favicon.ico",
    "*",
    "http://elsewhere.example/webhooks/line/x",
    "no-slash",
    f"/webhooks/line/{WORD}",
    f"/{WORD}?{WORD}={WORD}",
    "/webhooks/line/" + "a" * 7_000,
    "/webhooks/line/line-desk-" + "a" * 20_000,
]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("target", TARGETS, ids=range(len(TARGETS)))
def test_an_address_that_is_none_leads_nowhere(node, target, method):
    body = body_of("line")
    answer = ask(node.public, target, signed("line", body), body, method=method)
    assert answer.status in {400, 401, 403, 404, 405, 414, 431}
    assert is_silent(node, answer, body, "line")


@pytest.mark.parametrize(
    "target", ["/webhooks/line//line-desk", "/webhooks/line/line-desk/", "//webhooks/line/line-desk"]
)
def test_another_spelling_of_an_address_opens_no_way_round_the_signature(node, target):
    body = body_of("line")
    assert ask(node.public, target, signed("line", body), body).status in {200, 401, 404}
    answer = ask(node.public, target, signed("line", b"other"), body)
    assert answer.status in {401, 404}
    assert is_silent(node, answer, body, "line")
