"""A case from its opening to its last receipt, over HTTP, with nodes that speak the real protocol."""

import json
import threading

import pytest

from shared import wire
from shared.roster import write
from shared.wire import CaseNotice, DisclosureTarget, Place, RecallNotice, Result, SubjectTarget
from tests.support.control import now_ms
from tests.support.node import until
from tests.support.node_double import drawn


def erasure(company, pseudonym, **headers):
    return company.control.ask(
        company.officer,
        "POST",
        "/v1/cases",
        {"kind": "erasure", "pseudonym": pseudonym, "reason": "subject_request"},
        **headers,
    )


def view(company, case):
    answer = company.control.ask(company.officer, "GET", f"/v1/cases/{case}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def owed(company, case):
    return {place["node"]: place["owed"] for place in view(company, case)["places"] if place["owed"]}


def newest(node, count=1):
    return node.commands().commands[-count:]


def test_an_erasure_reaches_the_node_and_the_places_its_receipt_names(company):
    subject, shown = drawn(), (drawn(), drawn())
    company.eu.beat(subject)
    case = erasure(company, subject).json()
    assert case["state"] == "open"
    assert owed(company, case["id"]) == {"eu": 1}

    (command,) = newest(company.eu)
    assert (command.case, command.kind, command.target) == (case["id"], "erase", SubjectTarget(subject))
    horizon = Result(store="backups", method="pending", count=3, article=None, until=1_800_000_000_000)
    dated = company.eu.receipt(command, results=(horizon,))
    company.eu.told("receipts", company.eu.push(dated, (Place("ap", shown),)), wire.Accepted)
    assert view(company, case["id"])["state"] == "waiting"
    assert owed(company, case["id"]) == {"ap": 2}

    closing = newest(company.ap, 2)
    assert {each.target for each in closing} == {DisclosureTarget("eu", each) for each in shown}
    assert {each.kind for each in closing} == {"close_view"}
    for each in closing:
        company.ap.sign_for(each)
    done = view(company, case["id"])
    assert (done["state"], done["owed"], done["asked"]) == ("finished", 0, 3)
    assert done["finished_at"] is not None
    receipts = company.control.ask(company.officer, "GET", f"/v1/cases/{case['id']}/receipts").json()["items"]
    assert [each["receipt"]["node"] for each in receipts] == ["eu", "ap", "ap"]
    assert [each["epoch_horizon"] for each in receipts] == ["2027-01-15T08:00:00.000Z", None, None]


def test_an_unknown_pseudonym_is_not_registered_yet(company):
    answer = erasure(company, drawn())
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["retry"]) == ("not_registered_yet", True)


def test_an_erasure_opened_at_a_node_needs_no_command_there_and_asks_the_places(company):
    case, subject, shown = drawn(), drawn(), drawn()
    notice = CaseNotice(
        protocol=1,
        case=case,
        kind="erasure",
        pseudonym=subject,
        reason="subject_request",
        at=now_ms(),
        places=(Place("ap", (shown,)),),
    )
    before = company.eu.commands().next
    for _ in range(2):
        company.eu.told("cases", notice, wire.Accepted)
    assert company.eu.commands(before).commands == ()
    assert owed(company, case) == {"eu": 1, "ap": 1}
    (command,) = newest(company.ap)
    assert command.target == DisclosureTarget("eu", shown)
    own = company.eu.receipt(command=case, case=case)
    company.eu.told("receipts", company.eu.push(own), wire.Accepted)
    company.ap.sign_for(command)
    assert view(company, case)["state"] == "finished"
    # It registered its pseudonym: a program can open another case on it.
    assert erasure(company, subject).status_code == 201


def test_a_recall_asks_every_place_once_however_often_it_is_told(company):
    recall, shown = drawn(), drawn()
    notice = RecallNotice(protocol=1, recall=recall, at=now_ms(), disclosed_to=(Place("eu", (shown,)),))
    before = company.eu.commands().next
    for _ in range(3):
        company.ap.told("recalls", notice, wire.Accepted)
    (command,) = company.eu.commands(before).commands
    assert (command.kind, command.target, command.reason) == (
        "recall",
        DisclosureTarget("ap", shown),
        "sender_recalled",
    )
    assert view(company, command.case)["pseudonym"] is None
    later = RecallNotice(protocol=1, recall=recall, at=now_ms(), disclosed_to=(Place("eu", (shown, drawn())),))
    company.eu.sign_for(command)
    assert view(company, command.case)["state"] == "finished"
    company.ap.told("recalls", later, wire.Accepted)
    assert view(company, command.case)["state"] == "waiting"
    assert len(company.eu.commands(before).commands) == 2


def test_what_expired_is_taken_back_for_that_reason(company):
    recall, shown = drawn(), drawn()
    notice = RecallNotice(
        protocol=1, recall=recall, at=now_ms(), disclosed_to=(Place("eu", (shown,)),), reason="no_longer_needed"
    )
    before = company.eu.commands().next
    company.ap.told("recalls", notice, wire.Accepted)
    (command,) = company.eu.commands(before).commands
    assert (command.kind, command.target, command.reason) == (
        "recall",
        DisclosureTarget("ap", shown),
        "no_longer_needed",
    )
    company.eu.sign_for(command)
    assert view(company, command.case)["reason"] == "no_longer_needed"


def test_a_recall_that_nobody_was_shown_is_finished_at_once(company):
    notice = RecallNotice(protocol=1, recall=drawn(), at=now_ms(), disclosed_to=())
    company.eu.told("recalls", notice, wire.Accepted)
    cases = company.control.ask(company.officer, "GET", "/v1/cases?kind=recall&limit=200").json()["items"]
    assert cases[-1]["state"] == "finished"


def test_the_same_key_opens_one_case(company):
    subject = drawn()
    company.eu.beat(subject)
    key = drawn()
    first, again = (erasure(company, subject, idempotency_key=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = drawn()
    company.eu.beat(other)
    assert erasure(company, other, idempotency_key=key).json()["code"] == "key_reused"
    assert erasure(company, subject).json()["id"] != first.json()["id"]


def test_cases_come_in_pages(company):
    subject = drawn()
    company.ap.beat(subject)
    opened = [erasure(company, subject).json()["id"] for _ in range(5)]
    found, cursor = [], ""
    while cursor is not None:
        page = company.control.ask(company.officer, "GET", f"/v1/cases?limit=2{cursor and f'&cursor={cursor}'}").json()
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
    assert found[-5:] == opened
    assert len(found) == len(set(found))
    assert company.control.ask(company.officer, "GET", "/v1/cases?cursor=bm90").json()["code"] == "cursor_invalid"
    assert company.control.ask(company.officer, "GET", "/v1/cases?sate=open").json()["reason"] == "query"


def test_a_long_poll_is_answered_with_the_command_that_is_written_meanwhile(company):
    subject = drawn()
    company.ap.beat(subject)
    after = company.ap.commands().next
    pages: list[wire.CommandPage] = []
    waiting = threading.Thread(target=lambda: pages.append(company.ap.commands(after, wait=30)))
    waiting.start()
    until(lambda: company.control.metric("homeport_control_command_polls") >= 1)
    assert erasure(company, subject).status_code == 201
    waiting.join(60)
    assert [each.target for each in pages[0].commands] == [SubjectTarget(subject)]


def test_an_empty_long_poll_is_answered_when_its_time_is_over(company):
    after = company.ap.commands().next
    page = company.ap.commands(after, wait=1)
    assert (page.commands, page.next) == ((), after)


@pytest.mark.parametrize("who", ["operator", "program"])
def test_only_whose_role_says_so_opens_a_case(company, who):
    subject = drawn()
    company.eu.beat(subject)
    body = {"kind": "erasure", "pseudonym": subject, "reason": "subject_request"}
    answer = company.control.ask(getattr(company, who), "POST", "/v1/cases", body)
    assert answer.status_code == (201 if who == "program" else 403)


def test_a_retired_node_is_named_and_its_case_ends_as_partial_and_never_as_finished(own_company):
    company = own_company
    subject, shown = drawn(), drawn()
    company.eu.beat(subject)
    case = erasure(company, subject).json()["id"]
    (command,) = newest(company.eu)
    company.eu.sign_for(command, (Place("ap", (shown,)),))
    assert owed(company, case) == {"ap": 1}
    roster = company.control.officers.retire("ap")
    answer = company.control.ask(company.operator, "PUT", "/v1/roster", json.loads(write(roster)))
    assert answer.status_code == 200
    ended = view(company, case)
    assert (ended["state"], ended["asked"], ended["owed"], ended["lapsed"]) == ("partial", 2, 0, 1)
    assert ended["finished_at"] is None
    assert {place["node"]: (place["state"], place["lapsed"]) for place in ended["places"]} == {
        "ap": ("retired", 1),
        "eu": ("active", 0),
    }
    told = company.control.ask(company.program, "GET", "/v1/events?follow=false&after=0").text
    assert "event: case.partial" in told
    assert "event: case.finished" not in told
    nodes = company.control.ask(company.operator, "GET", "/v1/nodes").json()["items"]
    assert {node["name"]: (node["state"], node["owed"]) for node in nodes}["ap"] == ("retired", 0)


def test_a_place_that_the_roster_does_not_know_is_named_and_not_waited_for(company):
    notice = RecallNotice(
        protocol=1, recall=drawn(), at=now_ms(), disclosed_to=(Place("ap", (drawn(),)), Place("nowhere", (drawn(),)))
    )
    company.eu.told("recalls", notice, wire.Accepted)
    (command,) = newest(company.ap)
    assert view(company, command.case)["state"] == "open"
    company.ap.sign_for(command)
    ended = view(company, command.case)
    assert ended["state"] == "partial"
    assert {place["node"]: place["state"] for place in ended["places"]} == {"ap": "active", "nowhere": "unknown"}
    listed = company.control.ask(company.officer, "GET", "/v1/cases?state=partial&limit=200").json()["items"]
    assert command.case in [each["id"] for each in listed]
