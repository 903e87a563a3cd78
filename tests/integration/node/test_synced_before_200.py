"""Durable before 200, seen from the kernel: both stores are written and synced, keys first, before a 200 is written.

A power cut cannot be tried on a running machine; what the processes asked of the kernel, and in which order, can be
seen.  Where there is no strace, or it may not look into a process that is not dumpable, this is skipped; the test of
the checker itself is in ``test_trace_checker.py`` and always runs.
"""

import contextlib
import random
import shutil
import sqlite3
import subprocess
import sys
from typing import NamedTuple

import pytest

from deploy.sandbox.webhooks import (
    ANNA,
    ROSA,
    TARO,
    draw_subjects,
    line_batch,
    line_body,
    line_edited,
    line_text,
    line_unsend,
    whatsapp_body,
    whatsapp_edit,
    whatsapp_revoke,
    whatsapp_text,
)
from edge_node.stores import CONTENT_FILE
from tests.integration.node.load import GROUP, Post, send_all
from tests.integration.node.traced import STRACE, SYNCS, Exchange, Trace, calls_of
from tests.integration.node.wire import ask
from tests.support.node import NOWHERE, NOWHERE_CHANNEL, OTHER_SECRET, RealNode, sign_line

NOT_DUMPABLE = "import ctypes, sys; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); open(sys.argv[1], 'w').write('seen')"
QUIET = "[custody]\ndecisions_seconds = 3600"
"""Nothing but webhooks writes while they are looked at: what was decided is written when a worker leaves."""
BATCH, AT_ONCE = 300, 40


@pytest.fixture(scope="module")
def strace(tmp_path_factory):
    """Give the words that trace a program into a file; skip where that cannot be done."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder = tmp_path_factory.mktemp("probe")
    words = [*STRACE, "-o", str(folder / "trace"), sys.executable, "-c", NOT_DUMPABLE, str(folder / "probe")]
    done = subprocess.run(words, capture_output=True, check=False)
    told = (folder / "trace").read_text() if done.returncode == 0 else ""
    if not any(call.target == str(folder / "probe") and '"seen"' in call.text for call in calls_of(told.splitlines())):
        pytest.skip("strace may not trace, or not look into a process that is not dumpable")
    return [*STRACE, "-o"]


class Told(NamedTuple):
    """What was told to a node under strace, as the kernel saw it; ``sent`` says what each webhook was."""

    trace: Trace
    sent: list[str]

    def exchanges(self, kind: str) -> list[Exchange]:
        """Give the webhooks of a kind."""
        found = [each for what, each in zip(self.sent, self.trace.exchanges, strict=True) if what == kind]
        assert found
        return found

    def unsafe(self, kind: str, wants: tuple[str, ...]) -> list[list[str]]:
        """Give what is wrong with each webhook of a kind of which something is."""
        found = [list(self.trace.unsafe(exchange, wants)) for exchange in self.exchanges(kind)]
        return [each for each in found if each]


BACKGROUND = ("judging", "remover", "upkeep", "epochs", "retention", "media", "news", "views", "uplink")


def hold_leases(settings):
    """Keep background work from writing beside what is looked at: somebody else has its leases."""
    with contextlib.closing(sqlite3.connect(settings.data_dir / CONTENT_FILE)) as link, link:
        link.executemany(
            "INSERT OR REPLACE INTO lease (name, holder, until) VALUES (?, 'somebody else', ?)",
            [(name, 2**62) for name in BACKGROUND],
        )


TEXTS = [line_text(f"text {number}", TARO, group=GROUP) for number in range(5)]
UPDATES = [whatsapp_text(f"text {number}", person) for number, person in enumerate((ANNA, ROSA, ANNA, ANNA))]


def story():
    """Give what is sent, one after the other: what it is, its channel, its body."""
    ids = [event["message"]["id"] for event in TEXTS]
    for event in TEXTS:
        yield "message", "line", line_body(event)
    for update in UPDATES:
        yield "message", "whatsapp", whatsapp_body(update)
    yield "message", "line", line_batch(BATCH, subjects=list(draw_subjects(20, random.Random(3))))
    yield "message", "line", line_body(line_edited(ids[0], "edited", GROUP, TARO))
    yield "message", "whatsapp", whatsapp_body(whatsapp_edit(UPDATES[0].id, "edited", ANNA))
    yield "repeat", "line", line_body(TEXTS[1])
    yield "repeat", "whatsapp", whatsapp_body(UPDATES[1], UPDATES[3])
    yield "recall", "line", line_body(line_unsend(ids[2], TARO, group=GROUP))
    yield "recall", "line", line_body(line_unsend("530000000000000001", TARO))
    yield "recall", "whatsapp", whatsapp_body(whatsapp_revoke(UPDATES[2].id, ANNA))
    unsend = line_unsend(ids[3], TARO, group=GROUP)
    yield "message", "line", line_body(line_text("said beside an unsend", TARO), unsend)


def story_of_the_next_worker():
    """Give what is sent to a worker that remembers nothing of what the first one took in."""
    yield "message", "line", line_body(line_text("after a restart", TARO))
    yield "repeat", "line", line_body(TEXTS[1])
    yield "repeat", "line", line_body(TEXTS[2])
    yield "mixed", "whatsapp", whatsapp_body(UPDATES[1], whatsapp_text("new beside a repeated one", ROSA))


@pytest.fixture(scope="module")
def told(strace, node_template, tmp_path_factory):
    """Tell the story to a node under strace; a new worker hears its end, and then everybody speaks at once."""
    folder = tmp_path_factory.mktemp("traced")
    node = RealNode(folder / "node", node_template, QUIET)
    hold_leases(node.settings)
    sent = []

    def tell(webhooks):
        for kind, channel, body in webhooks:
            assert node.post(channel, body).status_code == 200
            sent.append(kind)

    try:
        node.start(*strace, str(folder / "trace"))
        tell(story())
        refused = line_body(line_text("refused"), channel=NOWHERE_CHANNEL)
        signature = {"x-line-signature": sign_line(OTHER_SECRET, refused)}
        assert ask(node.public, f"/webhooks/line/{NOWHERE}", signature, refused).status == 200
        sent.append("refusal")
        node.restart()
        # The first worker writes to the key store as it leaves.
        node.running(draining=())
        tell(story_of_the_next_worker())
        posts = [Post("line", line_body(line_text(f"at once {number}", TARO))) for number in range(AT_ONCE)]
        assert set(send_all(node, posts, 8)) == {200}
        sent += ["at once"] * AT_ONCE
        assert node.stop() == 0
    finally:
        node.end()
    trace = Trace((folder / "trace").read_text(errors="replace").splitlines())
    assert [exchange.status for exchange in trace.exchanges] == [200] * len(sent)
    return Told(trace, sent)


def test_before_each_message_is_acknowledged_its_keys_and_then_its_content_are_synced(told):
    assert told.unsafe("message", ("keys", "content")) == []


def test_before_a_recall_is_acknowledged_its_tombstone_is_synced(told):
    assert told.unsafe("recall", ("content",)) == []


def test_before_events_are_refused_their_record_is_synced(told):
    assert told.unsafe("refusal", ("content",)) == []


def test_what_is_safe_already_is_acknowledged_without_writing_it_again(told):
    assert told.unsafe("repeat", ()) == []
    first = told.exchanges("repeat")[0]
    span = first.read.ended, first.answer.began
    assert told.trace.keys.writes(*span) + told.trace.content.writes(*span) == []


def test_beside_a_repeated_message_a_new_one_is_synced_all_the_same(told):
    assert told.unsafe("mixed", ("content",)) == []


def test_of_many_at_once_each_is_acknowledged_after_a_whole_commit(told):
    assert [exchange for exchange in told.exchanges("at once") if told.trace.unproven(exchange)] == []


def test_before_the_first_acknowledgement_the_names_of_the_new_logs_are_synced_too(told):
    assert told.trace.unnamed(told.exchanges("message")[0]) == []


@pytest.mark.parametrize("store", ["keys.db", "content.db"])
def test_the_same_trace_without_the_syncs_of_one_store_is_found_out(told, store):
    names = tuple(f" {sync}(" for sync in SYNCS)
    spoilt = Told(told.trace.without(lambda line: store in line and any(name in line for name in names)), told.sent)
    wrong = spoilt.unsafe("message", ("keys", "content"))
    assert len(wrong) == len(told.exchanges("message"))
    assert all(f"{store} was written and not synced before the answer" in each for each in wrong)
    assert all(spoilt.trace.unproven(exchange) for exchange in spoilt.exchanges("at once"))
