"""What programs are told: the stream, where it is taken up again, and hooks that are tried until they answer."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.integration.control.conftest import found_company
from tests.support.control import RealControl, free_port
from tests.support.node import PATIENCE_S, until
from tests.support.node_double import drawn


class Receiver:
    """A system of the company that is told of events; it answers as it is told to."""

    def __init__(self, port: int) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def hooked(tmp_path_factory) -> Iterator[tuple]:
    """Give a company whose operator allows one private host and port, and the receiver there."""
    port = free_port()
    control = RealControl(
        tmp_path_factory.mktemp("hooked"),
        "heartbeat_seconds = 0.2",
        f'retry_first_seconds = 0.05\nattempts_max = 4\nallow = ["127.0.0.1:{port}"]',
    )
    receiver = Receiver(port)
    yield found_company(control), receiver, f"http://127.0.0.1:{port}/told?by=homeport"
    receiver.server.shutdown()
    control.end()


def open_case(company):
    subject = drawn()
    company.eu.beat(subject)
    body = {"kind": "erasure", "pseudonym": subject, "reason": "subject_request"}
    return company.control.ask(company.officer, "POST", "/v1/cases", body).json()


def hook(company, url):
    made = company.control.ask(company.operator, "POST", "/v1/hooks", {"url": url})
    assert made.status_code == 201, made.text
    return made.json()


def events(text):
    """Read server-sent events: (id, kind, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def told(company, after=0, **headers):
    answer = company.control.ask(company.program, "GET", f"/v1/events?follow=false&after={after}", **headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events(answer.text)


def test_a_case_is_told_of_from_its_opening_to_its_end(hooked):
    company, _, _ = hooked
    before = told(company)[-1][0]
    case = open_case(company)
    company.eu.sign_for(company.eu.commands().commands[-1])
    after = told(company, before)
    assert [kind for _, kind, _ in after] == ["case.opened", "case.receipt", "case.finished"]
    assert after[0][2]["data"] == {
        "case": case["id"],
        "kind": "erasure",
        "reason": "subject_request",
        "node": "eu",
        "pseudonym": case["pseudonym"],
    }
    assert [each[2]["type"] for each in after] == [kind for _, kind, _ in after]


def test_a_stream_is_taken_up_where_it_broke(hooked):
    company, _, _ = hooked
    open_case(company)
    everything = told(company)
    numbers = [number for number, _, _ in everything]
    assert numbers == list(range(1, len(numbers) + 1))
    middle = numbers[len(numbers) // 2]
    resumed = told(company, 0, last_event_id=str(middle))
    assert resumed == everything[len(numbers) // 2 + 1 :]


def test_a_stream_tells_what_happens_and_beats_and_ends_with_its_token(hooked):
    company, _, _ = hooked
    order = {"name": "streamer", "person": "crm-team", "role": "program"}
    assert company.control.ask(company.officer, "POST", "/v1/principals", order).status_code == 201
    path = "/v1/principals/streamer/tokens"
    token = company.control.ask(company.officer, "POST", path, {"scopes": ["events:read"]}).json()
    headers = {"authorization": f"Bearer {token['secret']}"}
    with httpx.stream(
        "GET", f"{company.control.address}/v1/events", headers=headers, trust_env=False, timeout=PATIENCE_S
    ) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        case = open_case(company)
        seen = [line for line in _until(lines, "data: ") if line.startswith("data: ")]
        assert case["id"] in seen[0]
        assert ": beat" in list(_until(lines, ": beat"))
        removed = company.control.ask(company.officer, "DELETE", f"{path}/{token['id']}")
        assert removed.status_code == 204
        for _ in lines:  # ends by itself: else the test's patience does
            pass


def _until(lines, start):
    for line in lines:
        yield line
        if line.startswith(start):
            return


def test_a_hook_is_signed_as_standard_webhooks_says(hooked):
    company, receiver, url = hooked
    made = hook(company, url)
    receiver.got.clear()
    case = open_case(company)
    until(lambda: receiver.got)
    headers, body = receiver.got[0]
    assert json.loads(body)["data"]["case"] == case["id"]
    secret = base64.b64decode(made["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    company.control.ask(company.operator, "DELETE", f"/v1/hooks/{made['id']}")


def test_a_hook_that_fails_is_tried_again_under_the_same_id(hooked):
    company, receiver, url = hooked
    made = hook(company, url)
    receiver.got.clear()
    receiver.answers[:] = [500, 302]
    open_case(company)
    until(lambda: len(receiver.got) >= 3)
    assert len({headers["webhook-id"] for headers, _ in receiver.got[:3]}) == 1
    until(lambda: _hook(company, made)["waiting"] == 0)
    assert _hook(company, made)["given_up"] == 0
    company.control.ask(company.operator, "DELETE", f"/v1/hooks/{made['id']}")


def test_a_hook_is_given_up_after_its_attempts(hooked):
    company, receiver, url = hooked
    made = hook(company, url)
    receiver.answers[:] = [503] * 4
    open_case(company)
    until(lambda: _hook(company, made)["given_up"] == 1)
    company.control.ask(company.operator, "DELETE", f"/v1/hooks/{made['id']}")


def test_a_hook_that_says_gone_is_told_nothing_more(hooked):
    company, receiver, url = hooked
    made = hook(company, url)
    receiver.answers[:] = [410]
    open_case(company)
    until(lambda: _hook(company, made)["state"] == "gone")
    receiver.got.clear()
    open_case(company)
    assert receiver.got == []
    assert company.control.ask(company.operator, "DELETE", f"/v1/hooks/{made['id']}").status_code == 204


def _hook(company, made):
    items = company.control.ask(company.operator, "GET", "/v1/hooks").json()["items"]
    return next(each for each in items if each["id"] == made["id"])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org/", "scheme"),
        ("https://127.0.0.1/", "private"),
        ("https://10.0.0.8/", "private"),
        ("https://[::1]/", "private"),
        ("https://169.254.169.254/latest", "private"),
        ("https://localhost/", "private"),
        ("https://2130706433/", "form"),
        ("https://user:word@example.org/", "form"),
        ("ftp://example.org/", "scheme"),
        ("http://127.0.0.1:1/", "scheme"),
    ],
)
def test_a_hook_at_an_address_that_nothing_is_sent_to_is_refused(hooked, url, reason):
    company, _, _ = hooked
    answer = company.control.ask(company.operator, "POST", "/v1/hooks", {"url": url})
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (422, "address_refused", reason)


def test_a_silent_node_is_told_of_once_and_again_when_it_speaks(hooked):
    company, _, _ = hooked
    before = told(company)[-1][0]
    company.ap.beat(beat_seconds=1)
    until(lambda: [kind for _, kind, _ in told(company, before)] == ["node.silent"])
    company.ap.beat(beat_seconds=30)
    assert [(kind, each["data"]) for _, kind, each in told(company, before)] == [
        ("node.silent", {"node": "ap"}),
        ("node.returned", {"node": "ap"}),
    ]
