"""Webhooks that wait for a store: bounded, turned away whole, committed before a stop; a store that takes no more.

A store is made to wait by a writer of another program, and to fail by a bound on the size of the files that the worker
may write: the disk is full.
"""

import contextlib
import resource
import sqlite3
import threading

import pytest

from deploy.sandbox.webhooks import line_batch, line_body, line_text, whatsapp_body, whatsapp_text
from edge_node.stores import CONTENT_FILE, KEYS_FILE
from tests.integration.node.opened import Opened, faults
from tests.integration.node.wire import Wire, ask, head
from tests.support.node import CHANNELS, until

WORD = "Quittengelee-mit-Rosmarin"
MEBIBYTE = 1024 * 1024


@contextlib.contextmanager
def held(node, file=CONTENT_FILE):
    """Keep a store's writer from committing inside the block, for less than the 10 s that it waits."""
    with contextlib.closing(sqlite3.connect(node.settings.data_dir / file, isolation_level=None)) as link:
        link.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            link.execute("ROLLBACK")


def waiting(node):
    """Give how many events wait, by the node's own metrics."""
    lines = node.ask("/metrics").text.splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("homeport_edge_waiting_events "))


def begin(stack, node, channel, body):
    """Send a webhook and leave its answer to be read later."""
    known = CHANNELS[channel]
    wire = stack.enter_context(Wire(node.public))
    wire.send(head("POST", known.path, known.headers(body) | {"content-length": str(len(body))}), body)
    return wire


def texts(count, channel="line"):
    """Give bodies of one text each."""
    words = [f"waits {number}" for number in range(count)]
    return [line_body(line_text(each)) if channel == "line" else whatsapp_body(whatsapp_text(each)) for each in words]


def is_turned_away(answer, node):
    """See a webhook turned away with the time after which to repeat it, and without a word of it."""
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert WORD not in str(answer.headers) + answer.body.decode() + node.log()
    return True


def post(node, channel, body):
    """Send a webhook and read its answer."""
    return ask(node.public, CHANNELS[channel].path, CHANNELS[channel].headers(body), body)


@pytest.mark.parametrize("file", [CONTENT_FILE, KEYS_FILE])
def test_beyond_as_many_events_as_may_wait_a_webhook_is_turned_away_whole(make_node, file):
    node = make_node(settings="[limits]\nqueue_events_max = 1000").start()
    full, more = line_batch(1_000, text="waits"), {"line": line_body(line_text(WORD)), "whatsapp": None}
    more["whatsapp"] = whatsapp_body(whatsapp_text(WORD), whatsapp_text(WORD))
    with contextlib.ExitStack() as stack:
        with held(node, file):
            first = begin(stack, node, "line", full)
            until(lambda: waiting(node) == 1_000)
            for channel, body in more.items():
                answer = post(node, channel, body)
                assert is_turned_away(answer, node)
                assert b"queue_full" in answer.body
            # Whoever cannot sign learns nothing of how full it is.
            assert ask(node.public, CHANNELS["line"].path, {"x-line-signature": "A" * 44}, full).status == 401
        assert first.answer().status == 200
    stored = Opened(node.settings)
    assert len(stored.messages) == 1_000
    assert not any(WORD in held.text for held in stored.messages)
    assert faults(stored) == []
    assert [post(node, channel, body).status for channel, body in more.items()] == [200, 200]
    stored = Opened(node.settings)
    assert [held.text for held in stored.messages].count(WORD) == 3
    assert faults(stored) == []
    assert waiting(node) == 0


def test_beyond_as_many_bytes_as_may_wait_a_webhook_is_turned_away_whole(make_node):
    node = make_node(settings="[limits]\nqueue_bytes_max = 6291456").start()
    # White space after the JSON counts, too: what is bounded is what is held.
    large = [body.ljust(3 * MEBIBYTE) for body in texts(2)]
    with contextlib.ExitStack() as stack:
        with held(node):
            wires = [begin(stack, node, "line", body) for body in large]
            until(lambda: waiting(node) == 2)
            assert is_turned_away(post(node, "line", line_body(line_text(WORD))), node)
        assert [wire.answer().status for wire in wires] == [200, 200]
    assert post(node, "line", line_body(line_text(WORD))).status == 200
    stored = Opened(node.settings)
    assert sorted(held.text for held in stored.messages) == [WORD, "waits 0", "waits 1"]
    assert faults(stored) == []


def test_a_stop_commits_and_answers_what_waits_and_what_open_connections_still_send(make_node):
    node = make_node().start()
    bodies = [*texts(4), *texts(4, "whatsapp")]
    channels = ["line"] * 4 + ["whatsapp"] * 4
    ended = []
    with contextlib.ExitStack() as stack:
        idle = begin(stack, node, "line", line_body(line_text("said before")))
        assert idle.answer().status == 200
        with held(node):
            wires = [begin(stack, node, channel, body) for channel, body in zip(channels, bodies, strict=True)]
            until(lambda: waiting(node) == 8)
            stop = threading.Thread(target=lambda: ended.append(node.stop()))
            stop.start()
            until(lambda: "draining" in node.log())
            late, known = line_body(line_text("said during the stop")), CHANNELS["line"]
            idle.send(head("POST", known.path, known.headers(late) | {"content-length": str(len(late))}), late)
            assert ended == []
        for wire in (*wires, idle):
            answer = wire.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert wire.closed()
        stop.join()
    assert ended == [0]
    stored = Opened(node.settings)
    words = [f"waits {number}" for number in range(4)]
    assert sorted(held.text for held in stored.messages) == sorted(
        ["said before", "said during the stop", *words, *words]
    )
    assert faults(stored) == []
    assert stored.keys("SELECT count(*) FROM intent") == [(0,)]


def test_a_sender_who_hangs_up_while_waiting_takes_nobody_with_it(make_node):
    node = make_node().start()
    bodies = texts(3)
    with contextlib.ExitStack() as stack:
        with held(node):
            wires = [begin(stack, node, "line", body) for body in bodies]
            until(lambda: waiting(node) == 3)
            wires[1].__exit__()
        assert [wires[0].answer().status, wires[2].answer().status] == [200, 200]
    assert [post(node, "line", body).status for body in bodies] == [200] * 3
    stored = Opened(node.settings)
    assert sorted(held.text for held in stored.messages) == ["waits 0", "waits 1", "waits 2"]
    assert faults(stored) == []


@pytest.mark.parametrize("file", [CONTENT_FILE, KEYS_FILE])
def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_is_half_done(make_node, file):
    node = make_node().start()
    assert post(node, "line", texts(1)[0]).status == 200
    worker = node.running().worker
    unlimited = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    # One bound holds for every file: the content's log is the longer one, so that keys still find room below its end.
    room = (node.settings.data_dir / f"{file}-wal").stat().st_size
    keys = Opened(node.settings).keys("SELECT count(*) FROM row_key")
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (room, unlimited[1]))
    body = line_body(line_text(WORD), line_text(WORD))
    assert is_turned_away(post(node, "line", body), node)
    stored = Opened(node.settings)
    assert (stored.keys("SELECT count(*) FROM row_key") == keys) == (file == KEYS_FILE)
    assert is_turned_away(post(node, "line", body), node)
    stored = Opened(node.settings)
    assert [held.text for held in stored.messages] == ["waits 0"]
    assert faults(stored) == []
    resource.prlimit(worker, resource.RLIMIT_FSIZE, unlimited)
    assert post(node, "line", body).status == 200
    stored = Opened(node.settings)
    assert [held.text for held in stored.messages].count(WORD) == 2
    assert faults(stored) == []
    assert (node.running().worker, node.running().crashes) == (worker, 0)
