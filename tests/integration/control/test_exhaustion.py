"""Hostile peers cannot fill the store, keep every connection, or be told what they lost the right to hear."""

import concurrent.futures
import json
import threading

import httpx

from control_plane.http.api_events import STREAMS_MAX, STREAMS_OF_ONE_MAX
from shared import wire
from shared.roster import write
from shared.roster.edits import set_node_keys
from tests.support.control import START_MS
from tests.support.node import until
from tests.support.node_double import NodeDouble, drawn


def nonces(company):
    async def count(opened):
        async with opened.store.database.read() as t:
            return (await t.fetch("SELECT count(*) FROM nonce"))[0][0]

    return company.control.within(count)


def test_an_enrolment_without_a_good_secret_leaves_nothing_in_the_store(company):
    stranger = NodeDouble("stranger", company.control.address, company.control.introduction.keys)
    before = nonces(company)
    token = company.control.enrolment_token("stranger")
    for _ in range(3):
        assert stranger.enrol(token, secret=bytes(32)).status_code == 401
    assert nonces(company) == before
    assert stranger.enrol(token).status_code == 200
    assert nonces(company) == before + 1


def test_keys_that_were_given_up_during_a_long_poll_are_told_no_more_commands(own_company):
    company, subject = own_company, drawn()
    company.ap.beat(subject)
    answers = []
    ask = wire.CommandAsk(protocol=1, after=0, wait_seconds=20)
    request = company.ap.request("/node/v1/commands", wire.encode(ask))
    waiting = threading.Thread(target=lambda: answers.append(company.ap.send(request)))
    waiting.start()
    until(lambda: company.control.metric("homeport_control_command_polls") >= 1)
    later = NodeDouble("ap", company.control.address, company.control.introduction.keys)
    company.control.officers.roster = set_node_keys(company.control.officers.roster, later.introduction, START_MS)
    body = json.loads(write(company.control.officers.next()))
    assert company.control.ask(company.operator, "PUT", "/v1/roster", body).status_code == 200
    order = {"kind": "erasure", "pseudonym": subject, "reason": "objection"}
    assert company.control.ask(company.officer, "POST", "/v1/cases", order).status_code == 201
    waiting.join(60)
    assert (answers[0].status_code, answers[0].content) == (401, b"")
    assert len(later.commands().commands) == 1


def test_a_node_that_asks_again_and_again_keeps_few_requests_waiting(company):
    after = company.ap.commands().next
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        pages = [pool.submit(company.ap.commands, after, 5) for _ in range(12)]
        done, open_ = concurrent.futures.wait(pages, timeout=3)
        assert len(open_) <= 4
        assert len(done) >= 8
    assert all(page.result().commands == () for page in pages)


def test_streams_leave_room_for_everybody_else(company):
    """Of one program: no more than its share.  Of all: none is taken from nodes."""
    url = f"{company.control.address}/v1/events"
    owners = [(f"reader-{number}", f"team-{number}", "program") for number in range(STREAMS_MAX // STREAMS_OF_ONE_MAX)]
    tokens = company.control.appoint(*owners)
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(trust_env=False, timeout=30, limits=limits) as client:

        def ask(token):
            bearer = {"authorization": f"Bearer {token}"}
            return client.send(client.build_request("GET", url, headers=bearer), stream=True)

        def refused(token):
            answer = ask(token)
            answer.read()
            return answer.status_code, answer.json()["code"]

        before = int(company.control.metric("homeport_control_event_streams"))
        streams = [ask(tokens[0]) for _ in range(STREAMS_OF_ONE_MAX)]
        until(lambda: company.control.metric("homeport_control_event_streams") == before + STREAMS_OF_ONE_MAX)
        assert refused(tokens[0]) == (503, "queue_full")
        room = STREAMS_MAX - before - STREAMS_OF_ONE_MAX
        streams += [ask(tokens[1 + number // STREAMS_OF_ONE_MAX]) for number in range(room)]
        assert {stream.status_code for stream in streams} == {200}
        until(lambda: company.control.metric("homeport_control_event_streams") == STREAMS_MAX)
        assert refused(company.officer) == (503, "queue_full")
        assert company.ap.beat().protocol == 1
        for stream in streams:
            stream.close()
    until(lambda: company.control.metric("homeport_control_event_streams") < STREAMS_MAX)
