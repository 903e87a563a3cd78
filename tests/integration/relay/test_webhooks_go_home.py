"""A webhook that belongs in another region: stored there alone, acknowledged after, never written where it came in."""

import http.server
import socket
import threading

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import TARO, Subject, line_text, line_unsend
from shared import wire
from tests.integration.relay.conftest import DESK, SHOP, post
from tests.support.node import until

HANA = Subject("Hana", None, "", "U" + "b7" * 16, "hana")
"""Writes in one test alone: the account that somebody first wrote to says whose law is assumed."""
WORD = "Stachelbeergelee-mit-Zimt"


def rests(member):
    """Count the messages that rest at a node."""
    return member.read("SELECT count(*) FROM message WHERE keep = 'active'")[0][0]


def counted(member, name):
    """Read a counter of a node, summed over its labels or of one."""
    lines = member.node.ask("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_it_rests_at_home_alone(company):
    before = rests(company.ap), rests(company.eu)
    event = line_text(WORD)
    assert post(company.eu, "shop", event).status_code == 200
    assert (rests(company.ap), rests(company.eu)) == (before[0] + 1, before[1])
    planted = [WORD, TARO.line_user, event["message"]["id"]]
    assert scan(company.eu.node.folder, planted).hits == []
    assert scan(company.ap.node.folder, planted).hits == []
    assert company.eu.read("SELECT count(*) FROM refusal") == [(0,)]


def test_what_policy_lets_rest_elsewhere_alone_goes_there(company):
    """The account is at home at both nodes; its customers' law lets their words rest at ap, and not at eu."""
    before = rests(company.ap), rests(company.eu)
    event = line_text(WORD, HANA)
    assert post(company.eu, "japan", event).status_code == 200
    assert (rests(company.ap), rests(company.eu)) == (before[0] + 1, before[1])
    assert scan(company.eu.node.folder, [WORD, event["message"]["id"]]).hits == []
    assert company.eu.read("SELECT count(*) FROM refusal") == [(0,)]
    assert company.ap.read("SELECT jurisdiction, restricted FROM subject ORDER BY id DESC LIMIT 1") == [("JP", 0)]
    transfer = "SELECT DISTINCT outcome, rule FROM decision WHERE operation = 'transfer' AND purpose = 'intake'"
    assert until(lambda: company.eu.read(transfer + " AND subject = 'JP'")) == [("allow", "all-asked")]


def test_a_repetition_is_acknowledged_and_stored_once(company):
    event = line_text("once")
    before = rests(company.ap)
    assert [post(company.eu, "shop", event).status_code for _ in range(3)] == [200, 200, 200]
    assert post(company.ap, "shop", event).status_code == 200
    assert rests(company.ap) == before + 1


def test_received_at_is_when_it_came_to_the_company(company):
    event = line_text("when")
    assert post(company.eu, "shop", event).status_code == 200
    rows = company.ap.read("SELECT at, received_at FROM message ORDER BY id DESC LIMIT 1")
    assert rows[0][0] == event["timestamp"]
    assert abs(rows[0][1] - event["timestamp"]) < 60_000


def test_an_unsend_goes_home_too(company):
    event = line_text("take me back")
    assert post(company.eu, "shop", event).status_code == 200
    before = rests(company.ap)
    assert post(company.eu, "shop", line_unsend(event["message"]["id"])).status_code == 200
    until(lambda: rests(company.ap) == before - 1)
    until(lambda: not company.ap.read("SELECT 1 FROM log_entry WHERE state <> 'done'"))


def test_the_other_direction_goes_home_too(company):
    """Each way has its own home, and a webhook stays where it was sent."""
    before = rests(company.ap), rests(company.eu)
    assert post(company.ap, "desk", line_text("to eu")).status_code == 200
    assert (rests(company.ap), rests(company.eu)) == (before[0], before[1] + 1)


def test_an_account_that_moves_takes_new_messages_along_and_old_ones_back_where_they_are(own_company):
    eu, ap = own_company.eu, own_company.ap
    old, new = line_text("before the move"), line_text("after the move")
    assert post(eu, "desk", old).status_code == 200
    assert (rests(eu), rests(ap)) == (1, 0)
    # While ap takes eu for the account's home, it passes nothing on and takes nothing in: the platform sends again.
    eu.node.command("account", "set-home", "desk", "ap")
    until(lambda: post(eu, "desk", new).status_code == 503)
    assert '"home_elsewhere"' in ap.node.log()
    stored = rests(eu)
    ap.node.command("account", "set-home", "desk", "none")
    ap.node.command("account", "set-relayed-by", "desk", "eu")
    until(lambda: post(eu, "desk", new).status_code == 200)
    assert (rests(eu), rests(ap)) == (stored, 1)
    assert post(eu, "desk", line_unsend(old["message"]["id"])).status_code == 200
    until(lambda: rests(eu) == stored - 1)


def test_home_away_means_send_again_and_nothing_is_kept(own_company):
    eu, ap = own_company.eu, own_company.ap
    ap.node.kill()
    event = line_text(WORD, message_id="560000000000000001")
    answer = post(eu, "shop", event)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.elapsed.total_seconds() < 10
    assert rests(eu) == 0
    assert scan(eu.node.folder, [WORD, TARO.line_user, event["message"]["id"]]).hits == []
    # The signing, proving and sealing go on by themselves when it is back.
    ap.node.start()
    assert post(eu, "shop", event).status_code == 200
    assert rests(ap) == 1
    eu.node.stop()
    assert scan(eu.node.folder, [WORD, TARO.line_user, SHOP.bot_user_id, DESK.bot_user_id]).hits == []


def test_home_killed_while_asked_is_stored_once(own_company):
    """Whatever instant the home node dies at, what was acknowledged is there, and what is sent again is there once."""
    eu, ap = own_company.eu, own_company.ap
    events = [line_text(f"number {number}") for number in range(12)]
    acknowledged = []
    for number, event in enumerate(events):
        if number == 4:
            ap.node.kill(supervisor=False)
            ap.node.running()
        if post(eu, "shop", event).status_code == 200:
            acknowledged.append(event)
    assert rests(ap) >= len(acknowledged) > 0
    for event in events:
        until(lambda event=event: post(eu, "shop", event).status_code == 200)
    assert rests(ap) == len(events)


class Liar(http.server.BaseHTTPRequestHandler):
    """Says that everything is stored, and signs nothing."""

    asked = 0

    def do_POST(self):
        Liar.asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        body = wire.encode(wire.RelayAnswer(protocol=1, outcome="stored"))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def test_whoever_does_not_answer_or_prove_itself_has_stored_nothing(own_company):
    eu, ap = own_company.eu, own_company.ap
    ap.node.kill()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        eu.enrol(own_company.roster(2, relays={"ap": f"http://127.0.0.1:{silent.getsockname()[1]}"}))
        silent.settimeout(0.0)

        def reached():
            """Say whether the node has come this far with its webhook; it is answered all the same."""
            assert post(eu, "shop", line_text(WORD)).status_code == 503
            try:
                return silent.accept()
            except BlockingIOError:
                return None

        until(reached)
        assert '"node_unreachable"' in eu.node.log()
    with http.server.HTTPServer(("127.0.0.1", 0), Liar) as liar:
        threading.Thread(target=liar.serve_forever, daemon=True).start()
        eu.enrol(own_company.roster(3, relays={"ap": f"http://127.0.0.1:{liar.server_port}"}))

        def asked():
            """Say whether the liar was asked; it is not believed."""
            assert post(eu, "shop", line_text(WORD)).status_code == 503
            return Liar.asked

        until(asked)
        liar.shutdown()
    assert rests(ap) == rests(eu) == 0
    assert scan(eu.node.folder, [WORD, TARO.line_user]).hits == []
