"""The control plane on PostgreSQL, as real processes: the company works as it does on SQLite.

Cases wait for a node and for the control plane itself, are told once, and finish; the whole program API answers; and
of what customers wrote nothing is found in any byte that the database server writes.
"""

import pytest

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import line_text, line_unsend
from tests.integration.company.cluster import cluster, erase, find, say
from tests.integration.company.test_node_away import one_round
from tests.integration.node.planted import GRETA
from tests.support.node import ABROAD, LINE, until
from tests.support.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]

WORDS = ("Sanddornsaft auf zwei Servern", "Sanddornsaft, als niemand zuhoerte")

READ = ("nodes", "principals", "roster", "proposals", "hooks", "policies", "enrolments", "principals/dpo/tokens")
"""What is asked of the program API besides."""


@pytest.fixture
def company(tmp_path, templates, postgres_url):
    """Give a running company whose control plane keeps everything in a database of its own."""
    with cluster(tmp_path, templates, database_url=postgres_url) as running:
        yield running


LISTS = ("nodes", "principals", "roster", "proposals", "hooks", "policies", "enrolments", "principals/dpo/tokens")


def pages(company, path):
    """Read a list one item a page; give the items."""
    items, cursor = [], ""
    while cursor is not None:
        more = "&" if "?" in path else "?"
        ask = f"/v1/{path}{more}limit=1" + (f"&cursor={cursor}" if cursor else "")
        page = company.control.ask(company.officer, "GET", ask).json()
        items += page["items"]
        cursor = page["next"]
    return items


def test_a_company_works_with_its_control_plane_on_postgres(company, postgres_cluster):
    eu, ap, control = company.eu, company.ap, company.control
    one_round(company, 0.2)

    # Killed while a message is taken back and somebody is erased at a node: told afterwards, once.
    events = [line_text(word, GRETA) for word in WORDS]
    for event in events:
        assert say(eu, LINE, event).status_code == 200
    greta = find(eu, GRETA.line_user)
    company.view(ap, eu, greta)
    before = {case["id"] for case in company.recalls()}
    control.kill()
    assert say(eu, LINE, line_unsend(events[0]["message"]["id"], GRETA)).status_code == 200
    assert say(ap, ABROAD, line_text(WORDS[0], GRETA)).status_code == 200
    case = erase(eu, greta)
    control.start()
    until(lambda: company.finished(case))
    until(lambda: len([each for each in company.recalls() if each["id"] not in before]) == 1)
    until(lambda: all(each["state"] == "finished" for each in company.recalls()))
    signed = {each["receipt"]["node"] for each in pages(company, f"cases/{case}/receipts")}
    assert signed == {"eu", "ap"}

    # A second process takes over while the first still serves; nothing is told twice.
    control.command("restart")
    at_ap = find(ap, GRETA.line_user)
    key = {"idempotency_key": "letter-4711"}
    wanted = {"kind": "erasure", "pseudonym": at_ap, "reason": "subject_request"}
    opened = until(lambda: _opened(control.ask(company.officer, "POST", "/v1/cases", wanted, **key)))
    again = control.ask(company.officer, "POST", "/v1/cases", wanted, **key)
    assert again.json()["id"] == opened
    until(lambda: company.finished(opened))
    listed = [each["id"] for each in pages(company, "cases")]
    assert len(listed) == len(set(listed)) == len(before) + 5  # three of one_round's were one recall and two erasures
    told = control.ask(company.officer, "GET", "/v1/events?follow=false&after=0").text
    assert all(told.count(f'"case":"{each}","kind":"erasure","reason"') <= 1 for each in listed)
    for path in LISTS:
        assert control.ask(company.operator, "GET", f"/v1/{path}").status_code == 200, path
    assert "alert_" not in control.log()

    data = postgres_cluster.data
    assert scan(data, [*WORDS, GRETA.line_user]).hits == []
    assert scan(control.folder, [*WORDS, GRETA.line_user]).hits == []
    assert {hit.word for hit in scan(data, [greta, at_ap]).hits} == {greta, at_ap}  # the scan finds what is there


def _opened(answer):
    """Give the case that was opened; none while its pseudonym is not registered."""
    assert answer.status_code in {201, 404}, answer.text
    return answer.json()["id"] if answer.status_code == 201 else None
