"""Who may ask: roles, scopes, tokens, and four eyes by person."""

import httpx
import msgspec
import pytest

from shared.enrolment_token import read_token
from shared.roster import NodeIntroduction, read_introduction, read_signed, write
from tests.support.node import until
from tests.support.node_double import NodeDouble, drawn

SECRET_LIKE = b"Bearer homeport-token-"


@pytest.fixture
def made(company):
    """Make a principal by command-like appointment; give a token of it."""
    return lambda name, person, role: company.control.appoint((name, person, role))[0]


def ask(company, token, method, path, body=None, **headers):
    return company.control.ask(token, method, path, body, **headers)


def propose(company, name, person, role="officer"):
    answer = ask(company, company.operator, "POST", "/v1/principals", {"name": name, "person": person, "role": role})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def decide(company, token, proposal, word="approve"):
    return ask(company, token, "POST", f"/v1/proposals/{proposal}/{word}")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Bearer",
        b"Bearer x",
        b"Basic b2xnYTpwYXNz",
        SECRET_LIKE,
        SECRET_LIKE + b"A" * 43,
        SECRET_LIKE + b"A" * 42 + b"!",
        SECRET_LIKE + "\u00e9".encode() * 43,
        SECRET_LIKE + b"A" * 9_000,
    ],
    ids=["none", "empty", "short", "basic", "prefix", "unknown", "alphabet", "letters", "long"],
)
def test_what_is_no_token_in_force_is_refused_alike(company, line):
    answer = httpx.get(f"{company.control.address}/v1/cases", headers=[(b"authorization", line)], trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_refused"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_two_authorization_lines_are_refused(company):
    lines = [("authorization", f"Bearer {company.officer}"), ("authorization", f"Bearer {company.operator}")]
    answer = httpx.get(f"{company.control.address}/v1/cases", headers=lines, trust_env=False)
    assert answer.status_code == 401


def test_a_program_is_made_by_one_person_and_given_a_token_that_is_shown_once(company):
    made = ask(
        company, company.operator, "POST", "/v1/principals", {"name": "erp", "person": "erp-team", "role": "program"}
    )
    assert made.status_code == 201
    key = drawn()
    order = {"scopes": ["cases:read"], "minutes": 5}
    first, again = (
        ask(company, company.operator, "POST", "/v1/principals/erp/tokens", order, idempotency_key=key)
        for _ in range(2)
    )
    assert first.json() == again.json()
    assert first.headers["cache-control"] == "no-store"
    token = first.json()["secret"]
    assert ask(company, token, "GET", "/v1/cases").status_code == 200
    refused = ask(company, token, "GET", "/v1/nodes")
    assert (refused.status_code, refused.json()["reason"]) == (403, "nodes:read")
    listed = ask(company, company.operator, "GET", "/v1/principals/erp/tokens").json()["items"]
    assert [each["secret"] for each in listed] == [""]
    removed = ask(company, company.operator, "DELETE", f"/v1/principals/erp/tokens/{listed[0]['id']}")
    assert removed.status_code == 204
    assert ask(company, token, "GET", "/v1/cases").status_code == 401


def test_no_secret_lies_in_the_store(company):
    data = company.control.settings.data_dir
    files = b"".join(file.read_bytes() for file in data.glob("control.db*"))
    for token in (company.operator, company.officer, company.program):
        assert token.encode() not in files
        assert token.removeprefix("homeport-token-").encode() not in files
    assert company.control.enrolment_token("xx").secret not in files


def test_an_officer_is_approved_by_another_person(company):
    proposal = propose(company, "dpo-two", "olivia")
    assert decide(company, company.operator, proposal).json()["code"] == "own_proposal"
    approved = decide(company, company.officer, proposal)
    assert (approved.status_code, approved.json()["state"]) == (200, "approved")
    assert decide(company, company.officer, proposal).json()["code"] == "conflict"
    people = {each["name"] for each in ask(company, company.operator, "GET", "/v1/principals").json()["items"]}
    assert "dpo-two" in people


def test_one_person_with_two_principals_is_one_person(company, own_second):
    proposal = propose(company, "ops-three", "oscar", "operator")
    assert decide(company, own_second, proposal).json()["code"] == "own_proposal"


@pytest.fixture
def own_second(company):
    """Give a token of a second deciding principal of the operator's own person."""
    proposal = propose(company, "ops-two", "olga", "operator")
    approved = decide(company, company.officer, proposal)
    assert approved.status_code == 200, approved.text
    return company.control.command("principal", "token", approved.json()["subject"]).splitlines()[0]


def test_whom_it_concerns_does_not_approve_it(company):
    assert decide(company, company.officer, propose(company, "dpo-again", "omar")).json()["code"] == "own_proposal"


def test_a_proposal_may_be_taken_back_by_whoever_made_it(company):
    proposal = propose(company, "dpo-never", "nina")
    assert decide(company, company.operator, proposal, "reject").json()["state"] == "rejected"
    waiting = ask(company, company.officer, "GET", "/v1/proposals?state=open").json()["items"]
    assert proposal not in {each["id"] for each in waiting}


def test_the_command_line_only_proposes_once_two_persons_can_decide(company):
    told = company.control.command("principal", "add", "cli-officer", "--person", "carla", "--role", "officer")
    assert told.startswith("Proposed.")
    assert "cli-officer" not in company.control.command("principal", "list")


def test_nobody_makes_a_token_of_another_persons_officer(company):
    answer = ask(company, company.operator, "POST", "/v1/principals/dpo/tokens", {})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_token_has_at_most_the_scopes_of_its_role(company):
    order = {"scopes": ["cases:open"]}
    answer = ask(company, company.operator, "POST", "/v1/principals/ops/tokens", order)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not of the role")


def test_a_removed_principal_is_refused_at_once(company, made):
    token = made("temp", "temp-team", "program")
    assert ask(company, token, "GET", "/v1/cases").status_code == 200
    assert ask(company, company.officer, "DELETE", "/v1/principals/temp").status_code == 204
    assert ask(company, token, "GET", "/v1/cases").status_code == 401
    assert ask(company, company.officer, "DELETE", "/v1/principals/temp").status_code == 404
    again = {"name": "temp", "person": "other", "role": "program"}
    assert ask(company, company.officer, "POST", "/v1/principals", again).status_code == 409


def test_a_node_enrols_with_its_token_once_and_is_taken_in_by_officers(company):
    order = {"node": "jp", "hours": 2}
    made = ask(company, company.operator, "POST", "/v1/enrolment-tokens", order)
    assert made.status_code == 201, made.text
    token = read_token(made.json()["secret"])
    assert (token.address, token.root) == (company.control.address, company.control.officers.root)
    assert token.control_plane == company.control.introduction.fingerprint

    jp = NodeDouble("jp", company.control.address, company.control.introduction.keys)
    other = NodeDouble("jp", company.control.address, company.control.introduction.keys)
    wrong_name = NodeDouble("kr", company.control.address, company.control.introduction.keys)
    assert wrong_name.enrol(token).status_code == 401
    assert jp.enrol(token, secret=bytes(32)).status_code == 401
    assert [jp.enrol(token).status_code for _ in range(2)] == [200, 200]
    assert other.enrol(token).status_code == 401  # the token is used up
    newest = jp.checked(jp.request("/node/v1/roster", b"", "GET"))
    assert read_signed(newest.content).roster.version >= 2
    second = jp.checked(jp.request("/node/v1/roster?after=1", b"", "GET"))
    assert read_signed(second.content).roster.version == 2
    latest = jp.checked(jp.request("/node/v1/roster?after=999", b"", "GET"))
    assert latest.content == newest.content
    assert jp.post("beats", jp.beat_message()).status_code == 401
    listed = ask(company, company.operator, "GET", "/v1/enrolments").json()["items"]
    pending = [each for each in listed if each["node"] != "stranger"]  # of another test of the same company
    assert [(each["node"], each["state"]) for each in pending] == [("jp", "pending")]

    introduction = company.control.folder / "jp.json"
    shown = " ".join(company.control.command("pending").split())
    assert all(each in shown for each in pending[0]["fingerprints"])
    company.control.command("pending", "jp", "--out", str(introduction))
    read = read_introduction(introduction.read_bytes(), NodeIntroduction)
    assert read.keys == jp.public
    company.control.put_rosters(company.control.officers.take_in(read))
    until(lambda: jp.post("beats", jp.beat_message()).status_code == 200)
    states = {each["name"]: each["state"] for each in ask(company, company.officer, "GET", "/v1/nodes").json()["items"]}
    assert states["jp"] == "active"


def test_a_node_is_barred_by_two_persons_before_the_roster_retires_it(company):
    us = NodeDouble("us", company.control.address, company.control.introduction.keys)
    company.control.put_rosters(company.control.officers.take_in(us.introduction))
    until(lambda: us.post("beats", us.beat_message()).status_code == 200)
    proposal = ask(company, company.officer, "POST", "/v1/nodes/us/retirement").json()["id"]
    assert us.post("beats", us.beat_message()).status_code == 200
    assert decide(company, company.operator, proposal).status_code == 200
    assert us.post("beats", us.beat_message()).status_code == 401
    assert ask(company, company.officer, "POST", "/v1/nodes/us/retirement").status_code == 409
    assert ask(company, company.officer, "POST", "/v1/nodes/moon/retirement").status_code == 404
    company.control.put_rosters(company.control.officers.retire("us"))
    until(lambda: _state(company, "us") == "retired")
    assert us.post("beats", us.beat_message()).status_code == 401


def _state(company, node):
    items = ask(company, company.officer, "GET", "/v1/nodes").json()["items"]
    return {each["name"]: each["state"] for each in items}[node]


@pytest.mark.parametrize("scopes", [None, ["principals:write", "nodes:enrol"]], ids=["all of the role", "one more"])
def test_a_narrow_token_makes_no_wider_one_for_its_own_person(company, scopes):
    narrow = {"scopes": ["principals:write", "nodes:read"], "minutes": 5}
    token = ask(company, company.operator, "POST", "/v1/principals/ops/tokens", narrow).json()["secret"]
    wider = ask(company, token, "POST", "/v1/principals/ops/tokens", {"scopes": scopes} if scopes else {})
    assert (wider.status_code, wider.json()["reason"]) == (403, "not of the token")
    same = ask(company, token, "POST", "/v1/principals/ops/tokens", {"scopes": ["nodes:read"]})
    assert same.status_code == 201


def test_a_roster_that_names_another_control_plane_is_refused_by_name(company):
    officers = company.control.officers
    other = msgspec.structs.replace(officers.roster.control_plane, address="http://127.0.0.1:9")
    roster = msgspec.structs.replace(officers.roster, version=officers.roster.version + 1, control_plane=other)
    body = msgspec.json.decode(write(officers.signed(roster)))
    answer = ask(company, company.operator, "PUT", "/v1/roster", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "roster_names_other")
