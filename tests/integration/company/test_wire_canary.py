"""What crosses between the programs, recorded byte by byte at the socket: nothing planted, in any encoding.

A story with planted words, names, numbers and ids is told to both nodes: relayed, shown, answered, taken back, found,
erased.  Searched is whatever went to the control plane and came from it, to and from nodes and programs, whatever it
wrote, and whatever the nodes said to each other.  What must be in there (pseudonyms, cases, disclosures) is found, so
the recording is no empty page.
"""

import json
from typing import NamedTuple

import httpx
import pytest

from deploy.demo.scanner import missed, scan, write_controls
from deploy.sandbox.webhooks import ANNA, TARO, line_body, line_text, line_unsend
from tests.integration.company.cluster import Cluster, Places, erase, find, say, settle_accounts
from tests.integration.company.recorder import recorders
from tests.integration.node.opened import at_rest
from tests.integration.node.planted import GRETA, HARU, WORDS, own_posts, words_of
from tests.integration.relay.watching import Watch
from tests.integration.sandbox.business import arrivals
from tests.support.node import (
    ABROAD,
    ACCESS_TOKEN,
    LINE,
    LINE_SECRET,
    OTHER_SECRET,
    PATIENCE_S,
    VERIFY_TOKEN,
    WHATSAPP_SECRET,
    until,
)
from tests.support.sandbox import sandbox_process

ASKED, ANSWERED = "Liegt die Zwetschgenkiste noch im Keller?", "Ja, hinter dem Fass aus Pflaumenholz"
RELAYED = ("Pflaumenkern, einmal um die Welt", "Pflaumenkern, wieder nach Hause")
SECRETS = {VERIFY_TOKEN, ACCESS_TOKEN, *(each.decode() for each in (LINE_SECRET, WHATSAPP_SECRET, OTHER_SECRET))}


class Told(NamedTuple):
    """A story that was told while everything was recorded."""

    company: Cluster
    words: set[str]
    """What was planted."""
    at_control: list[bytes]
    """What passed the control plane's public listener, both ways, and what it told a system of the company's."""
    between_nodes: list[bytes]
    """What passed the nodes' relay listeners, both ways."""
    answers: list[bytes]
    """What the control plane's private listener and commands said."""
    crossed: set[str]
    """Names that must cross to the control plane: pseudonyms, cases, disclosures."""
    shown: set[str]
    """Disclosures that one node named to the other."""


def tell_webhooks(company, words):
    """Tell eu everything that both people say on both channels, and relay two messages to ap."""
    for channel, body in own_posts():
        words |= words_of(body)
        assert company.eu.node.post(channel, body).status_code == 200
    events = [line_text(word, HARU) for word in RELAYED]
    for event in events:
        words |= words_of(line_body(event))
        assert say(company.eu, ABROAD, event).status_code == 200
    assert company.ap.read("SELECT count(*) FROM message WHERE keep = 'active'") == [(2,)]
    return events


def answer_somebody(company, sandbox, words):
    """Let a customer ask over the sandbox, and answer."""
    words |= {ASKED, ANSWERED, ANNA.bsuid, ANNA.name, str(ANNA.phone)}
    words.add(sandbox.client.act("anna", "whatsapp", text=ASKED))
    assert sandbox.client.idle()
    reply = company.eu.node.command("reply", "--subject", find(company.eu, ANNA.bsuid), typed=ANSWERED.encode())
    assert reply.startswith("Sent over ")
    assert sandbox.client.idle()
    words.update(each.id for each in sandbox.client.sent())


def show_and_take_back(company, words):
    """Show each node a person of the other's; one message is taken back while the desk looks at it, two are erased."""
    eu, ap = company.members
    regretted = line_text(WORDS[0], TARO)
    gone = line_unsend(regretted["message"]["id"], TARO)
    words |= words_of(line_body(regretted, gone)) | {TARO.name}
    assert say(eu, LINE, regretted).status_code == 200
    # Greta has a pseudonym for each channel; Haru's at ap is a third person's, as far as anybody can tell.
    taro, greta, haru = find(eu, TARO.line_user), find(eu, GRETA.line_user), find(ap, HARU.line_user)
    view = company.view(ap, eu, taro)["view"]
    with ap.desk as desk:
        watch = Watch(desk, view)
        assert watch.wait("shown")[0].data["content"]["text"] == WORDS[0]
        assert say(eu, LINE, gone).status_code == 200
        watch.wait("retracted")
    for asker, holder, pseudonym in ((ap, eu, greta), (eu, ap, haru)):
        company.view(asker, holder, pseudonym)
    shown = {name for member in company.members for (name,) in member.read("SELECT disclosure FROM shown")}
    assert len(shown) > 4
    return {taro, greta, haru}, shown


def erase_both(company, words):
    """Erase one person by the program API and one at a node; close what is left."""
    at_eu, at_ap = find(company.eu, GRETA.line_user), find(company.ap, HARU.line_user)
    cases = [company.open_case(at_ap), erase(company.eu, at_eu)]
    until(lambda: all(company.finished(case) for case in cases))
    until(lambda: all(each["state"] == "finished" for each in company.recalls()))
    until(lambda: at_rest(company.eu.node.settings))
    # A view that its desk closes is told to the other node.
    assert say(company.eu, LINE, line_text(WORDS[1], HARU)).status_code == 200
    view = company.view(company.ap, company.eu, find(company.eu, HARU.line_user))["view"]
    with company.ap.desk as desk:
        desk.delete(f"/views/{view}")
    until(lambda: not company.eu.read("SELECT 1 FROM disclosure WHERE view = ? AND closed_at IS NULL", (view,)))
    words |= {HARU.name, GRETA.name}
    return cases


def look_around(company, cases):
    """Ask what programs and operators ask."""
    control = company.control
    paths = ["cases", "nodes", "events?follow=false&after=0", "principals", "roster", "proposals", "hooks"]
    for path in (*paths, *(f"cases/{case}{more}" for case in cases for more in ("", "/receipts"))):
        assert control.ask(company.officer, "GET", f"/v1/{path}").status_code == 200, path
    private = [f"http://{control.private}{path}" for path in ("/metrics", "/health/ready", "/health/live")]
    found = [httpx.get(url, trust_env=False, timeout=PATIENCE_S) for url in private]
    return [repr(each.headers).encode() + each.content for each in found] + [control.command("status").encode()]


@pytest.fixture(scope="module")
def told(tmp_path_factory, templates):
    """Tell the story once, and stop every program."""
    words = set(SECRETS)
    with recorders(4) as (front, eu, ap, system), sandbox_process() as sandbox, arrivals() as events:
        known = Places(front.address, eu.address, ap.address, system.address)
        folder = tmp_path_factory.mktemp("recorded")
        company = Cluster(folder, templates, known, sandbox.platforms)
        front.stand_before(company.control.listen)
        for recorder, member in ((eu, company.eu), (ap, company.ap)):
            recorder.stand_before(f"127.0.0.1:{member.port}")
        try:
            company.start()
            system.stand_before(events.url.removeprefix("http://").partition("/")[0])
            hook = {"url": f"{system.address}/hook"}
            assert company.control.ask(company.operator, "POST", "/v1/hooks", hook).status_code == 201
            settle_accounts(sandbox, company.eu.node)
            tell_webhooks(company, words)
            answer_somebody(company, sandbox, words)
            pseudonyms, shown = show_and_take_back(company, words)
            cases = erase_both(company, words)
            answers = look_around(company, cases)
            until(lambda: sum(b"case.finished" in body for body in events.bodies) > len(cases))
            at_control, between_nodes = [*front.spoken, *system.spoken], [*eu.spoken, *ap.spoken]
            yield Told(company, words, at_control, between_nodes, answers, {*pseudonyms, *cases}, shown)
        finally:
            company.end()


def seen(data, names):
    """Give the names that occur in what was recorded."""
    whole = b"\0".join(data)
    return {name for name in names if name.encode() in whole}


UPLINK = {f"/node/v1/{what} HTTP" for what in ("enrolments", "beats", "recalls", "cases", "commands", "receipts")}
PROGRAMS = {
    "GET /v1/events",
    "POST /v1/cases",
    "GET /v1/cases/",
    "case.finished",
    "POST /hook HTTP",
    'keyid="eu"',
    'keyid="ap"',
}
RELAY = {"/relay/v1/webhooks HTTP", "/relay/v1/views HTTP", "/relay/v1/views/closed HTTP", "relay.shown_content"}


def test_the_recording_holds_what_must_cross(told):
    wanted = UPLINK | PROGRAMS | told.crossed
    assert wanted - seen(told.at_control, wanted) == set()
    # Whoever is shown somebody is told by name of each message, not of what it says.
    wanted = RELAY | told.shown
    assert wanted - seen(told.between_nodes, wanted) == set()
    assert not seen([each.lower() for each in told.at_control + told.between_nodes], {"content-encoding"})


def test_nothing_planted_reaches_the_control_plane_or_is_written_or_said_by_it(told):
    found = scan(told.company.control.folder, told.words, [*told.at_control, *told.answers])
    assert found.hits == []
    assert {file.name for file in told.company.control.folder.rglob("*")} >= {"control.db", "control.db-wal", "log"}
    assert len(told.words) > 150


def test_nothing_planted_is_readable_between_the_nodes(told, tmp_path):
    assert sum(map(len, told.between_nodes)) > 10_000
    assert scan(tmp_path, told.words, told.between_nodes).hits == []


def test_nothing_planted_rests_at_a_node_unsealed(told):
    for member in told.company.members:
        assert scan(member.node.folder, told.words).hits == []


def test_the_scanner_finds_each_planted_word_in_each_encoding(told, tmp_path):
    assert write_controls(tmp_path, told.words) >= 16
    assert missed(tmp_path, told.words) == []


def test_a_word_that_did_cross_is_found_in_the_recording(told, tmp_path):
    """A stranger's word passes the proxy, is answered, and is nowhere written."""
    company = told.company
    with recorders(1) as (front,):
        front.stand_before(company.control.listen)
        httpx.post(f"{front.address}/node/v1/beats", content=json.dumps(WORDS[2]), trust_env=False, timeout=PATIENCE_S)
        (hit,) = scan(tmp_path, told.words, front.spoken).hits
        assert (hit.place, hit.word, hit.encoding) == ("an answer", WORDS[2], "json")
    assert scan(company.control.folder, told.words).hits == []
