"""``kill -9`` between any two steps loses no accepted case, command or receipt; a restart refuses nobody."""

import threading

import httpx
import pytest

from shared import wire
from shared.wire import CaseNotice, Place, RecallNotice
from tests.support.control import now_ms
from tests.support.node import until
from tests.support.node_double import drawn


def case_of(company, case):
    return company.control.ask(company.officer, "GET", f"/v1/cases/{case}").json()


def again(company):
    company.control.kill()
    company.control.start()


def test_a_case_goes_on_after_a_kill_between_all_of_its_steps(own_company):
    company = own_company
    subject, shown, key = drawn(), drawn(), drawn()
    company.eu.beat(subject)
    body = {"kind": "erasure", "pseudonym": subject, "reason": "subject_request"}
    opened = company.control.ask(company.officer, "POST", "/v1/cases", body, idempotency_key=key)
    again(company)
    repeated = company.control.ask(company.officer, "POST", "/v1/cases", body, idempotency_key=key)
    assert opened.json() == repeated.json()
    (command,) = company.eu.commands().commands
    assert company.eu.commands().commands == (command,)
    push = company.eu.push(company.eu.receipt(command), (Place("ap", (shown,)),))
    company.eu.told("receipts", push, wire.Accepted)
    again(company)
    company.eu.told("receipts", push, wire.Accepted)
    (closing,) = company.ap.commands().commands
    company.ap.sign_for(closing)
    done = case_of(company, opened.json()["id"])
    assert (done["state"], done["asked"], done["owed"]) == ("finished", 2, 0)
    kinds = company.control.ask(company.program, "GET", "/v1/events?follow=false&after=0").text
    assert kinds.count("event: case.finished") == 1
    log = company.control.log()
    assert "worker_ready" in log
    assert [name for name in (subject, shown, key) if name in log] == []


@pytest.mark.parametrize("moment", [0.0, *(pytest.param(n / 300, marks=pytest.mark.long) for n in range(1, 20))])
def test_what_was_accepted_under_load_is_there_after_a_kill(own_company, moment):
    company = own_company
    accepted: list[str] = []

    def load() -> None:
        try:
            for _ in range(200):
                notice = RecallNotice(protocol=1, recall=drawn(), at=now_ms(), disclosed_to=(Place("ap", (drawn(),)),))
                company.eu.told("recalls", notice, wire.Accepted)
                accepted.append(notice.disclosed_to[0].disclosures[0])
        except (httpx.HTTPError, AssertionError):
            return

    loading = threading.Thread(target=load)
    loading.start()
    until(lambda: len(accepted) > 3)
    threading.Event().wait(moment)
    company.control.kill()
    loading.join()
    company.control.start()
    commands = []
    while page := company.ap.commands(commands[-1].cursor if commands else 0).commands:
        commands += page
    assert accepted
    assert len({each.target.disclosure for each in commands}) == len(commands)
    assert set(accepted) <= {each.target.disclosure for each in commands}
    assert len(commands) <= len(accepted) + 1


def test_a_restart_hands_over_and_ends_long_polls_with_an_answer(own_company):
    company = own_company
    pages: list[wire.CommandPage] = []
    waiting = threading.Thread(target=lambda: pages.append(company.ap.commands(0, wait=25)))
    waiting.start()
    threading.Event().wait(0.5)
    company.control.command("restart")
    assert "running" in company.control.command("status")
    waiting.join(10)
    assert [page.commands for page in pages] == [()]
    notice = CaseNotice(
        protocol=1, case=drawn(), kind="erasure", pseudonym=drawn(), reason="objection", at=now_ms(), places=()
    )
    company.eu.told("cases", notice, wire.Accepted)
    company.control.command("stop")
    assert company.control.process.wait(60) == 0


def test_two_processes_wake_each_others_nodes(own_company):
    """While a restart overlaps, the old process still waits for a node whose command the new one writes."""
    company = own_company
    subject = drawn()
    company.ap.beat(subject)
    pages: list[wire.CommandPage] = []
    waiting = threading.Thread(target=lambda: pages.append(company.ap.commands(0, wait=25)))
    waiting.start()
    threading.Event().wait(0.3)

    async def act(opened):
        from control_plane.usecases.casework import open_erasure

        async with opened.store.work() as work:
            await open_erasure(work, subject, "objection", "another process")

    company.control.within(act)
    waiting.join(10)
    assert len(pages[0].commands) == 1
