"""A lying or replaying peer: refused, counted, and nothing of it in the log."""

import pytest

from shared import wire
from shared.http_signatures import Request
from shared.roster import write
from shared.wire import CaseNotice, Place
from tests.support.control import now_ms
from tests.support.node_double import NodeDouble, drawn


@pytest.fixture
def stranger(company):
    return NodeDouble("eu", company.control.address, company.control.introduction.keys)


def ask(node):
    return node.request("/node/v1/commands", wire.encode(wire.CommandAsk(protocol=1, after=0, wait_seconds=0)))


def refused(company, request, reason, sender=None):
    """Send a request that must be answered 401, empty and unsigned, and counted under a reason."""
    before = company.control.metric("homeport_control_refused_requests_total", reason=reason)
    answer = (sender or company.eu).send(request)
    assert (answer.status_code, answer.content) == (401, b"")
    assert "signature" not in answer.headers
    assert company.control.metric("homeport_control_refused_requests_total", reason=reason) == before + 1


def command_for(company, node):
    """Open a case on a subject of a node; give its command."""
    subject = drawn()
    node.beat(subject)
    body = {"kind": "erasure", "pseudonym": subject, "reason": "objection"}
    assert company.control.ask(company.officer, "POST", "/v1/cases", body).status_code == 201
    return node.commands().commands[-1]


def counted(company, code):
    return company.control.metric("homeport_control_node_errors_total", code=code)


def test_a_signature_of_another_key_is_refused(company, stranger):
    refused(company, ask(stranger), "signature")


def test_a_forged_signature_is_refused(company):
    request = ask(company.eu)
    forged = tuple(
        (name, "homeport=:" + "A" * 86 + "==:" if name == "signature" else value) for name, value in request.fields
    )
    refused(company, request._replace(fields=forged), "signature")


def test_another_body_than_was_signed_is_refused(company):
    request = ask(company.eu)
    refused(company, request._replace(body=request.body.replace(b'"after":0', b'"after":1')), "signature")


def test_a_request_without_a_signature_is_refused(company):
    refused(company, Request("POST", f"{company.control.address}/node/v1/beats", (), b"{}"), "lines")


def test_an_old_request_is_refused(company):
    old = company.eu.request("/node/v1/beats", wire.encode(company.eu.beat_message()), at=now_ms() - 61_000)
    refused(company, old, "created")


def test_a_request_of_tomorrow_is_refused(company):
    new = company.eu.request("/node/v1/beats", wire.encode(company.eu.beat_message()), at=now_ms() + 62_000)
    refused(company, new, "created")


def test_another_tag_is_refused(company):
    body = wire.encode(company.eu.beat_message())
    refused(company, company.eu.request("/node/v1/beats", body, tag="homeport-relay"), "tag")


def test_a_replay_is_refused(company):
    request = ask(company.eu)
    assert company.eu.checked(request).status_code == 200
    refused(company, request, "request_replayed")


def test_a_node_that_is_not_in_the_roster_is_refused(company):
    unknown = NodeDouble("mars", company.control.address, company.control.introduction.keys)
    refused(company, ask(unknown), "signature", unknown)


def test_a_node_speaks_for_itself_only(company):
    status, code, _ = company.eu.refused("beats", company.eu.beat_message(node="ap"))
    assert (status, code) == (400, "request_malformed")


def test_a_replay_is_refused_after_a_restart_too(own_company):
    request = ask(own_company.eu)
    assert own_company.eu.checked(request).status_code == 200
    own_company.control.kill()
    own_company.control.start()
    refused(own_company, request, "request_replayed")
    assert own_company.eu.commands().commands == ()


def test_a_receipt_signed_by_another_node_is_refused(company):
    command = command_for(company, company.eu)
    forged = company.eu.push(company.eu.receipt(command), keys=company.ap.keys)
    before = counted(company, "receipt_unsigned")
    assert company.eu.refused("receipts", forged) == (422, "receipt_unsigned", False)
    assert counted(company, "receipt_unsigned") == before + 1


def test_a_receipt_of_another_node_is_refused(company):
    command = command_for(company, company.eu)
    mine = company.ap.push(company.ap.receipt(command))
    assert company.ap.refused("receipts", mine) == (422, "receipt_misplaced", False)
    claimed = company.ap.push(company.ap.receipt(command, node="eu"))
    assert company.ap.refused("receipts", claimed) == (422, "receipt_misplaced", False)
    stolen = company.eu.push(company.eu.receipt(command))
    assert company.ap.refused("receipts", stolen) == (422, "receipt_unsigned", False)


@pytest.mark.parametrize("change", [{"case": drawn()}, {"kind": "recall"}])
def test_a_receipt_for_another_case_or_act_is_refused(company, change):
    command = command_for(company, company.eu)
    assert company.eu.refused("receipts", company.eu.push(company.eu.receipt(command, **change))) == (
        422,
        "receipt_misplaced",
        False,
    )


def test_a_receipt_for_what_is_not_known_may_be_repeated(company):
    push = company.eu.push(company.eu.receipt())
    assert company.eu.refused("receipts", push) == (404, "not_known_yet", True)


def test_the_first_receipt_stands_and_the_same_again_is_accepted(company):
    command = command_for(company, company.eu)
    receipt = company.eu.receipt(command)
    for _ in range(2):  # signed anew: signatures differ, what is signed does not
        company.eu.told("receipts", company.eu.push(receipt), wire.Accepted)
    other = company.eu.push(company.eu.receipt(command, results=()))
    assert company.eu.refused("receipts", other) == (409, "receipt_contradicts", False)
    receipts = company.control.ask(company.officer, "GET", f"/v1/cases/{command.case}/receipts").json()["items"]
    assert len(receipts) == 1
    assert receipts[0]["receipt"]["results"][0]["count"] == 3


def test_a_pseudonym_stays_with_the_node_that_registered_it(company):
    subject = drawn()
    company.eu.beat(subject)
    before = company.control.metric("homeport_control_claimed_pseudonyms_total")
    company.ap.beat(subject)
    assert company.control.metric("homeport_control_claimed_pseudonyms_total") == before + 1
    notice = CaseNotice(
        protocol=1,
        case=drawn(),
        kind="erasure",
        pseudonym=subject,
        reason="subject_request",
        at=now_ms(),
        places=(),
    )
    assert company.ap.refused("cases", notice)[1] == "pseudonym_claimed"
    body = {"kind": "erasure", "pseudonym": subject, "reason": "objection"}
    assert company.control.ask(company.officer, "POST", "/v1/cases", body).json()["node"] == "eu"
    assert subject not in company.control.log()


def test_another_nodes_case_is_not_taken_over(company):
    facts = {"protocol": 1, "case": drawn(), "kind": "erasure", "reason": "subject_request", "at": now_ms()}
    notice = CaseNotice(**facts, pseudonym=drawn(), places=())
    company.eu.told("cases", notice, wire.Accepted)
    other = CaseNotice(**facts, pseudonym=drawn(), places=(Place("eu", (drawn(),)),))
    assert company.ap.refused("cases", other)[1] == "conflict"


@pytest.mark.parametrize(("protocol", "code"), [(0, "protocol_too_old"), (2, "protocol_too_new")])
def test_another_protocol_is_refused_by_name(company, protocol, code):
    body = wire.encode(company.eu.beat_message()).replace(b'"protocol":1', b'"protocol":%d' % protocol)
    answer = company.eu.checked(company.eu.request("/node/v1/beats", body))
    problem = wire.decode(wire.Problem, answer.content)
    assert (answer.status_code, problem.code, problem.retry) == (400, code, False)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"type":"uplink.beat","protocol":1}'])
def test_what_is_no_message_is_refused_by_name(company, body):
    answer = company.eu.checked(company.eu.request("/node/v1/beats", body))
    assert (answer.status_code, wire.decode(wire.Problem, answer.content).code) == (400, "wire_malformed")


def test_a_body_over_the_bound_is_turned_away(company):
    request = company.eu.request("/node/v1/beats", b" " * (4 * 1024 * 1024 + 1))
    assert company.eu.send(request).status_code == 413


@pytest.mark.parametrize(
    ("path", "method", "status"), [("beats", "GET", 405), ("roster", "POST", 405), ("x", "POST", 404)]
)
def test_other_paths_and_methods_are_turned_away(company, path, method, status):
    assert company.eu.send(company.eu.request(f"/node/v1/{path}", b"", method)).status_code == status


def test_a_roster_without_enough_signatures_is_refused(company):
    officers = company.control.officers
    candidate = officers.next()
    answer = company.control.ask(
        company.operator, "PUT", "/v1/roster", wire_json(officers.signed(candidate.roster, by=("ann",)))
    )
    assert (answer.status_code, answer.json()["reason"]) == (422, "roster_undersigned")
    again = company.control.command(
        "roster", "put", str(company.control.write_roster(officers.signed(candidate.roster, by=("ben",)))), fails=True
    )
    assert "roster_undersigned" in again
    assert company.control.ask(company.operator, "PUT", "/v1/roster", wire_json(candidate)).status_code == 200
    old = officers.signed(officers.roster.__class__(**fields(officers.roster) | {"version": 1}))
    answer = company.control.ask(company.operator, "PUT", "/v1/roster", wire_json(old))
    assert answer.json()["reason"] == "roster_older"


def test_the_log_holds_nothing_of_what_was_refused(company, stranger):
    canary = drawn()
    company.eu.send(company.eu.request(f"/node/v1/{canary}", canary.encode()))
    stranger.send(stranger.request("/node/v1/beats", canary.encode(), keyid=canary))
    company.control.ask(canary, "GET", f"/v1/cases/{canary}?cursor={canary}")
    company.eu.post("receipts", company.eu.push(company.eu.receipt(command=canary, case=canary)))
    log = company.control.log()
    assert "request_refused" in log
    assert canary not in log


def fields(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def wire_json(signed):
    import json

    return json.loads(write(signed))
