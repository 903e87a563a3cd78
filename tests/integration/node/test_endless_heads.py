"""Requests whose head does not end: bounded in bytes and in seconds, on both listeners, and logged nowhere."""

import contextlib
import threading

import pytest

from deploy.sandbox.webhooks import line_body, line_text
from shared.process.protocol import HEAD_BYTES_MAX
from tests.integration.node.wire import Wire
from tests.support.node import until

WORD = b"Quittengelee-mit-Rosmarin"
ENDLESS = {
    "one header": (b"POST /webhooks/line/line-desk HTTP/1.1\r\nx-line-signature: ", WORD),
    "many headers": (b"POST /webhooks/line/line-desk HTTP/1.1\r\n", b"x-a: " + WORD + b"\r\n"),
    "a target": (b"GET /webhooks/whatsapp/wa-shop?hub.verify_token=", WORD),
}


def send_until_answered(wire, first, then):
    """Send one piece after the other, as long as the node reads them, and give its answer."""
    wire.sock.settimeout(None)
    with contextlib.suppress(OSError):
        wire.sock.sendall(first)
        for _ in range(64 * HEAD_BYTES_MAX // len(then)):
            wire.sock.sendall(then)
    return wire.answer()


@pytest.mark.parametrize("listener", ["public", "private"])
@pytest.mark.parametrize("head", ENDLESS)
def test_a_head_without_end_is_refused_at_its_limit(node, head, listener):
    before = node.log()
    with Wire(getattr(node, listener)) as wire:
        answer = send_until_answered(wire, *ENDLESS[head])
    assert answer.status == 431
    assert WORD.decode() not in str(answer)
    assert node.log() == before
    assert node.post("line", line_body(line_text("after it"))).status_code == 200


@pytest.mark.long
def test_a_head_that_comes_drop_by_drop_is_cut_off(node):
    before, ended = node.log(), []

    def drip(address):
        with Wire(address) as wire, contextlib.suppress(OSError):
            wire.sock.sendall(b"POST /webhooks/line/line-desk HTTP/1.1\r\nx-slow: ")
            wire.sock.settimeout(0.2)
            while True:
                wire.sock.sendall(b"y")
                with contextlib.suppress(TimeoutError):
                    ended.append(wire.sock.recv(1))
                    break

    threads = [threading.Thread(target=drip, args=(address,)) for address in (node.public, node.private)]
    for thread in threads:
        thread.start()
    until(lambda: len(ended) == 2)
    for thread in threads:
        thread.join()
    assert ended == [b"", b""]
    assert node.log() == before
    assert node.post("line", line_body(line_text("after it"))).status_code == 200
