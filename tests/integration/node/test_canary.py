"""Planted words are found nowhere: in no file that a process of the node wrote, at no moment, and in no answer.

Every encoding of DESIGN rule 4 is looked for, and the scanner itself is shown to find each planted word in each of
them.  What a process has in its memory is not looked at, but that none of it is ever dumped.
"""

import contextlib
import gzip
import json
import socket

import pytest

from deploy.demo.scanner import missed, scan, write_controls
from deploy.sandbox.webhooks import line_body, line_edited, line_text, line_unsend, whatsapp_body, whatsapp_text
from tests.integration.node.kept import let_leases_run_out
from tests.integration.node.load import GROUP, PEOPLE
from tests.integration.node.opened import Opened, at_rest, faults
from tests.integration.node.planted import GRETA, HARU, WORDS, fixture_posts, is_json, own_posts, words_of
from tests.integration.node.wire import Answer, Wire, ask, head
from tests.support.node import (
    ABROAD,
    ABROAD_CHANNEL,
    ACCESS_TOKEN,
    CHANNELS,
    LINE_SECRET,
    NOWHERE,
    NOWHERE_CHANNEL,
    OTHER_SECRET,
    VERIFY_TOKEN,
    WHATSAPP_SECRET,
    RealNode,
    sign_line,
    until,
)

SECRETS = {VERIFY_TOKEN, ACCESS_TOKEN, *(each.decode() for each in (LINE_SECRET, WHATSAPP_SECRET, OTHER_SECRET))}
IN_THE_ADDRESS = "Quittengelee-in-der-Adresse"


class Story:
    """A node that is told things, everything that was planted, and everything that it answered."""

    def __init__(self, node: RealNode) -> None:
        """Begin with the secrets of its accounts."""
        self.node = node
        self.words = {*SECRETS, IN_THE_ADDRESS}
        self.answers: list[bytes] = []
        self.statuses: list[int] = []

    def hear(self, answer: Answer) -> None:
        """Keep an answer, whole."""
        self.answers.append(repr(answer.headers).encode() + answer.body)
        self.statuses.append(answer.status)

    def post(self, channel: str, body: bytes, path: str = "", **headers: str | bytes) -> None:
        """Send a signed webhook; ``headers`` go over those that the platform would send."""
        known = CHANNELS[channel]
        self.words |= words_of(body) if is_json(body) else set()
        self.hear(ask(self.node.public, path or known.path, {**known.headers(body), **headers}, body))

    def look_around(self) -> None:
        """Ask for what an operator's programs ask, and run what an operator runs."""
        for path in ("/metrics", "/health/live", "/health/ready", f"/{IN_THE_ADDRESS}"):
            self.hear(ask(self.node.private, path, method="GET"))
        self.node.command("status")
        self.node.command("account", "list")


def tell_refused(story):
    """Send what is refused: bad signatures, broken bodies, other accounts, other addresses; every one full of words."""
    for channel, whole in (
        ("line", line_body(line_text(WORDS[0], GRETA))),
        ("whatsapp", whatsapp_body(whatsapp_text(WORDS[1], HARU))),
    ):
        header, path = CHANNELS[channel].header, CHANNELS[channel].path
        story.post(channel, whole, **{header: "A" * 44})
        story.post(channel, whole, **{header: f"sha256={WORDS[0]}".encode()})
        story.post(channel, whole, path=f"{path}-unknown")
        story.post(channel, whole, path=f"{path}/{IN_THE_ADDRESS}?{IN_THE_ADDRESS}={IN_THE_ADDRESS}")
        story.post(channel, gzip.compress(whole), **{"content-encoding": "gzip"})
        for cut in (1, len(whole) // 2, len(whole) - 1):
            story.post(channel, whole[:cut])
        story.post(channel, whole[:-1] + b',"x":' + json.dumps(WORDS).encode() + b"}}")
        story.post(channel, json.dumps(WORDS[0]).encode())
        with Wire(story.node.public) as wire:
            wire.send(head("POST", path, CHANNELS[channel].headers(whole) | {"content-length": "9999"}), whole)
            wire.sock.shutdown(socket.SHUT_WR)
            wire.closed()
    for account, channel in ((NOWHERE, NOWHERE_CHANNEL), (ABROAD, ABROAD_CHANNEL)):
        body = line_body(line_text(WORDS[3], HARU), line_text(WORDS[4], GRETA), channel=channel)
        signature = sign_line(OTHER_SECRET, body)
        story.post("line", body, path=f"/webhooks/line/{account}", **{"x-line-signature": signature})
    with Wire(story.node.public) as wire:
        wire.send(WORDS[0].encode() + b"\r\n\r\n")
        story.hear(wire.answer())
    for token in (VERIFY_TOKEN, ACCESS_TOKEN):
        query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"
        story.hear(ask(story.node.public, f"{CHANNELS['whatsapp'].path}?{query}", method="GET"))


def kill_in_the_middle(story):
    """Kill supervisor and worker while messages, edits and recalls are under way."""
    node, who = story.node, PEOPLE[0]
    events = [line_text(f"{WORDS[0]}, im Fluge {number}", who, group=GROUP) for number in range(60)]
    story.post("line", line_body(*events[:20]))
    begun = [*(line_body(event) for event in events[20:])]
    begun += [line_body(line_edited(each["message"]["id"], WORDS[1], GROUP, who)) for each in events[:10]]
    begun += [line_body(line_unsend(each["message"]["id"], who, group=GROUP)) for each in events[10:20]]
    with contextlib.ExitStack() as stack:
        for body in begun:
            story.words |= words_of(body)
            wire = stack.enter_context(Wire(node.public))
            headers = CHANNELS["line"].headers(body) | {"content-length": str(len(body))}
            wire.send(head("POST", CHANNELS["line"].path, headers), body)
        node.kill()


def tell_and_look(story, look):
    """Tell a node everything; ``look`` while it runs, after a crash, after a start and after a stop."""
    node = story.node.start()
    for channel, body in (*own_posts(), *fixture_posts()):
        story.post(channel, body)
    tell_refused(story)
    story.look_around()
    until(lambda: at_rest(node.settings))
    look("while it runs")
    kill_in_the_middle(story)
    look("after a crash")
    node.start()
    let_leases_run_out(node.settings)
    node.restart()
    until(lambda: at_rest(node.settings))
    story.look_around()
    look("after a start")
    assert faults(Opened(node.settings)) == []
    assert node.stop() == 0
    look("after a stop")


WRITTEN = {
    *(f"{store}.db{part}" for store in ("content", "keys") for part in ("", "-wal", "-shm", "-lock")),
    *("tombstones.jsonl", "log", "node.pid"),
}


def test_no_file_and_no_answer_holds_a_planted_word_at_any_moment(make_node):
    story, scans, written = Story(make_node()), {}, set()

    def look(moment):
        scans[moment] = scan(story.node.folder, story.words, story.answers)
        written.update(file.name for file in story.node.written())

    tell_and_look(story, look)
    assert len(story.words) > 500
    assert {200, 400, 401, 404, 415, 503} <= set(story.statuses)
    assert written >= WRITTEN
    for moment, found in scans.items():
        assert found.hits == [], moment
        assert found.size > 100_000


def test_the_scanner_finds_each_planted_word_in_each_encoding(tmp_path):
    words = SECRETS.union(*(words_of(post.body) for post in (*own_posts(), *fixture_posts()) if is_json(post.body)))
    assert len(words) > 500
    assert write_controls(tmp_path, words) >= 16
    assert missed(tmp_path, words) == []


@pytest.mark.parametrize("place", ["data/content.db-wal", "log", "tmp/spooled", "data/Quittengelee mit Rosmarin"])
def test_a_word_that_slips_into_a_nodes_folder_is_found(make_node, place):
    node, words = make_node(), {*SECRETS, *WORDS, HARU.name}
    assert scan(node.folder, words).hits == []
    with (node.folder / place).open("ab") as file:
        file.write(b"\0" * 4_097 + HARU.name.encode("utf-16-be") + b"\0" * 100)
    hits = scan(node.folder, words).hits
    assert (place, HARU.name, "utf-16-be") in [(hit.place, hit.word, hit.encoding) for hit in hits]
    assert {hit.place for hit in hits} - {place} == ({f"name of {place}"} if WORDS[0] in place else set())


def test_a_word_in_an_answer_is_found(tmp_path):
    (hit,) = scan(tmp_path, WORDS, [b"date: now", b'{"x": "' + json.dumps(WORDS[2])[1:-1].encode() + b'"}']).hits
    assert (hit.place, hit.word, hit.encoding) == ("an answer", WORDS[2], "json")
