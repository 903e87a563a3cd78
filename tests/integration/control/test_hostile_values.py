"""Values of the right form, or nearly, that are meant to break what reads them: answered as documented, never 5xx."""

import httpx
import pytest

from shared import wire
from shared.canonical import INTEGER_MAX
from shared.wire import Result
from tests.support.node import PATIENCE_S
from tests.support.node_double import drawn

BODIES = {
    "nested too deeply": b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "nested almost too deeply": b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
    "no UTF-8": b'{"a":"\xff"}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "a number beyond every bound": b'{"a":' + b"9" * 5_000 + b"}",
}
TAKERS = (
    "PUT /v1/roster",
    "POST /v1/cases",
    "POST /v1/principals",
    "POST /v1/hooks",
    "POST /v1/enrolment-tokens",
    "POST /v1/principals/ops/tokens",
)


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_no_reader_can_hold_is_refused_by_name(company, taker, body):
    method, path = taker.split()
    token = company.officer if path == "/v1/cases" else company.operator
    answer = httpx.request(
        method,
        company.control.address + path,
        content=body,
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        trust_env=False,
        timeout=PATIENCE_S,
    )
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"request_malformed", "roster_refused"}


def test_a_receipt_that_dates_something_after_every_calendar_is_shown(company):
    """A node may sign any instant of the wire; what it signed is shown all the same."""
    subject = drawn()
    company.eu.beat(subject)
    wanted = {"kind": "erasure", "pseudonym": subject, "reason": "objection"}
    case = company.control.ask(company.officer, "POST", "/v1/cases", wanted).json()["id"]
    command = company.eu.commands().commands[-1]
    never = Result(store="backups", method="pending", count=1, article=None, until=INTEGER_MAX)
    company.eu.told("receipts", company.eu.push(company.eu.receipt(command, results=(never,))), wire.Accepted)
    answer = company.control.ask(company.officer, "GET", f"/v1/cases/{case}/receipts")
    assert answer.status_code == 200, answer.text
    (shown,) = answer.json()["items"]
    assert shown["epoch_horizon"] is None
    assert shown["receipt"]["results"][0]["until"] == INTEGER_MAX


@pytest.mark.parametrize("query", ["state=open&state=any", "limit=1&limit=2", "kind=recall&kind=any"])
def test_a_filter_that_is_given_twice_is_refused(company, query):
    """Which of two counts must not depend on who reads them."""
    answer = company.control.ask(company.officer, "GET", f"/v1/cases?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "request_malformed")
