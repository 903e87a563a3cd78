"""The control plane is killed and stays away from a company under load: everything of a node's own goes on.

Afterwards everything is told, once: who came, what was taken back, the case with its receipts.
"""

import time

from deploy.sandbox.webhooks import ANNA, ROSA, TARO, line_text, line_unsend
from tests.integration.company.cluster import cluster, erase, find, say, settle_accounts
from tests.integration.node.kept import nothing_acknowledged_is_missing
from tests.integration.node.load import Book, pressed
from tests.integration.node.opened import Opened, at_rest, faults
from tests.support.node import CHANNELS, LINE, until
from tests.support.sandbox import sandbox_process

AWAY_SECONDS, AWAY_SECONDS_LONG = 8, 600
PAUSES_S, PAUSES_S_LONG = (0.02,), (0.5,)
"""Between two webhooks of a connection; for ten minutes slower, so that what rests can still be opened and compared."""

ASKED, ANSWERED = "Kommt der Sanddornsaft noch?", "Er ist unterwegs, versprochen"
TAKEN_BACK, KEPT = "Sanddorn, nimm es zurueck", "Sanddorn, behalte es"


def go_on_alone(company, sandbox, taken_back):
    """Do at a node, while the control plane is away, what must not need it; give the case that was opened."""
    eu, started = company.eu, len(sandbox.client.sent())
    # A customer asks and is answered.
    sandbox.client.act("anna", "whatsapp", text=ASKED)
    assert sandbox.client.idle()
    anna = find(eu, ANNA.bsuid)
    assert eu.node.command("reply", "--subject", anna, typed=ANSWERED.encode()).startswith("Sent over ")
    assert [each.message["text"]["body"] for each in sandbox.client.sent()[started:]] == [ANSWERED]
    # Another takes something back that the other node was shown.
    assert say(eu, LINE, line_unsend(taken_back["message"]["id"], TARO)).status_code == 200
    until(lambda: eu.read("SELECT 1 FROM outbox WHERE kind = 'recall' AND accepted_at IS NULL"))
    until(lambda: at_rest(eu.node.settings))
    # A third is erased, whose words the other node was shown, too.
    rosa = find(eu, ROSA.line_user)
    case = erase(eu, rosa)
    assert eu.read("SELECT keep FROM subject WHERE pseudonym = ?", (rosa,)) == [("gone",)]
    waiting = {kind for (kind,) in eu.read("SELECT kind FROM outbox WHERE accepted_at IS NULL")}
    assert waiting == {"recall", "case", "receipt"}
    return case


def everything_was_told_once(company, case):
    """Compare what the control plane has with what the nodes have."""
    until(lambda: company.finished(case))
    (recall,) = until(lambda: [each for each in company.recalls() if each["state"] == "finished"])
    until(lambda: not any(member.read("SELECT 1 FROM outbox WHERE accepted_at IS NULL") for member in company.members))
    until(lambda: not any(member.read("SELECT 1 FROM subject WHERE registered = 0") for member in company.members))
    # Whoever came is registered for the node that has them: nobody is missing; what is more are dummies.
    for member in company.members:
        here = {name for (name,) in member.read("SELECT pseudonym FROM subject")}
        assert here <= {n for (n,) in company.told("SELECT pseudonym FROM registration WHERE node = ?", member.name)}
    # One case of each kind, each with its commands and one receipt for each of them.
    assert company.told("SELECT id, kind, node, state FROM case_file ORDER BY kind") == [
        (case, "erasure", "eu", "finished"),
        (recall["id"], "recall", "eu", "finished"),
    ]
    asked = company.told("SELECT case_id, node, kind FROM command ORDER BY kind, node")
    assert asked == [(case, "ap", "close_view"), (case, "eu", "erase"), (recall["id"], "ap", "recall")]
    assert company.told("SELECT command FROM receipt ORDER BY command") == company.told(
        "SELECT id FROM command ORDER BY id"
    )
    carried_out = [row for member in company.members for row in member.read("SELECT id, state FROM command")]
    assert sorted(carried_out) == [(id_, "done") for (id_,) in company.told("SELECT id FROM command ORDER BY id")]
    assert company.ap.read("SELECT count(*) FROM shown") == [(0,)]
    events = company.control.ask(company.officer, "GET", "/v1/events?follow=false&after=0").text
    told = {kind: events.count(f"event: case.{kind}") for kind in ("opened", "receipt", "finished", "reopened")}
    assert told == {"opened": 2, "receipt": 3, "finished": 2, "reopened": 0}


def nothing_is_missing_at_the_node(node, book):
    """See everything acknowledged resting once, what was taken back gone, and both stores whole."""
    assert book.refused == [], "a webhook was not answered 200"
    until(lambda: at_rest(node.settings))
    nothing_acknowledged_is_missing(node, book)
    stored = Opened(node.settings)
    for channel in CHANNELS:
        found, wanted = stored.texts(channel), book.texts[channel]
        assert {each: found[each] for each in wanted} == wanted
        assert not book.recalled[channel] & found.keys()
    assert faults(stored) == []
    words = {held.text for held in stored.messages}
    assert {ASKED, ANSWERED} <= words
    assert not {TAKEN_BACK, KEPT} & words


def test_a_company_under_load_goes_on_without_its_control_plane_and_tells_everything_once(
    tmp_path, templates, long_run
):
    book, away_seconds = Book("control plane away"), AWAY_SECONDS_LONG if long_run else AWAY_SECONDS
    with sandbox_process() as sandbox, cluster(tmp_path, templates, platforms=sandbox.platforms) as company:
        eu = company.eu
        settle_accounts(sandbox, eu.node)
        taken_back = line_text(TAKEN_BACK, TARO)
        for event in (taken_back, line_text(KEPT, ROSA)):
            assert say(eu, LINE, event).status_code == 200
        for who in (TARO, ROSA):
            company.view(company.ap, eu, find(eu, who.line_user))
        with pressed(eu.node, book, pauses_s=PAUSES_S_LONG if long_run else PAUSES_S):
            until(lambda: len(book.sent) > 50)
            company.control.kill()
            killed, before = time.monotonic(), len(book.sent)
            case = go_on_alone(company, sandbox, taken_back)
            time.sleep(max(0.0, away_seconds - (time.monotonic() - killed)))
            assert eu.read("SELECT 1 FROM subject WHERE registered = 0"), "nobody new came meanwhile"
            meanwhile = len(book.sent) - before
            company.control.start()
            until(lambda: company.finished(case))
        assert sandbox.client.idle()
        assert meanwhile > 50
        everything_was_told_once(company, case)
        nothing_is_missing_at_the_node(eu.node, book)
        print(f"{meanwhile} webhooks and all else in {time.monotonic() - killed:.0f} s, of which {away_seconds} s away")
