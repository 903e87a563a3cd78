"""What one person alone must not come by: a role's powers through a principal of nobody, or the other pairs of eyes."""

import pytest

from tests.support.node_double import drawn


def ask(company, token, method, path, body=None, **headers):
    return company.control.ask(token, method, path, body, **headers)


def approve(company, token, proposal, word="approve", **headers):
    return ask(company, token, "POST", f"/v1/proposals/{proposal}/{word}", **headers)


def appoint(company, name, person, role="officer"):
    """Make a principal that two persons give; give a token of it."""
    order = {"name": name, "person": person, "role": role}
    proposal = ask(company, company.operator, "POST", "/v1/principals", order).json()["id"]
    assert approve(company, company.officer, proposal).status_code == 200
    return company.control.command("principal", "token", name).splitlines()[0]


def state(company, name):
    items = ask(company, company.operator, "GET", "/v1/principals").json()["items"]
    return {each["name"]: each["removed_at"] for each in items}[name]


def test_who_opens_no_case_makes_no_token_that_does(company):
    order = {"name": "straw", "person": "straw-team", "role": "program"}
    assert ask(company, company.operator, "POST", "/v1/principals", order).status_code == 201
    for scopes in (None, ["cases:open"], ["cases:read", "cases:open"]):
        body = {"scopes": scopes} if scopes else {}
        answer = ask(company, company.operator, "POST", "/v1/principals/straw/tokens", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), scopes
    reading = ask(company, company.operator, "POST", "/v1/principals/straw/tokens", {"scopes": ["cases:read"]})
    assert reading.status_code == 201
    whole = ask(company, company.officer, "POST", "/v1/principals/straw/tokens", {})
    assert "cases:open" in whole.json()["scopes"]


def test_a_narrow_token_makes_no_wider_one_for_anybody(company):
    narrow = {"scopes": ["principals:write", "cases:read"], "minutes": 5}
    token = ask(company, company.officer, "POST", "/v1/principals/dpo/tokens", narrow).json()["secret"]
    order = {"name": "straw-two", "person": "straw-team", "role": "program"}
    assert ask(company, token, "POST", "/v1/principals", order).status_code == 201
    wider = ask(company, token, "POST", "/v1/principals/straw-two/tokens", {})
    assert (wider.status_code, wider.json()["reason"]) == (403, "not of the token")
    same = ask(company, token, "POST", "/v1/principals/straw-two/tokens", {"scopes": ["cases:read"]})
    assert same.status_code == 201


def test_another_person_loses_every_token_at_once_and_the_place_by_two(company):
    token = appoint(company, "dpo-leaving", "lena")
    assert ask(company, token, "GET", "/v1/cases").status_code == 200
    first = ask(company, company.operator, "DELETE", "/v1/principals/dpo-leaving")
    assert (first.status_code, first.json()["act"]) == (202, "remove_principal")
    assert ask(company, token, "GET", "/v1/cases").status_code == 401
    assert state(company, "dpo-leaving") is None
    again = ask(company, company.operator, "DELETE", "/v1/principals/dpo-leaving")
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert approve(company, company.operator, first.json()["id"]).json()["code"] == "own_proposal"
    assert approve(company, company.officer, first.json()["id"]).status_code == 200
    assert state(company, "dpo-leaving") is not None
    assert ask(company, company.operator, "DELETE", "/v1/principals/dpo-leaving").status_code == 404


def test_a_rejected_removal_leaves_the_place_and_brings_no_token_back(company):
    token = appoint(company, "dpo-staying", "stella")
    proposal = ask(company, company.operator, "DELETE", "/v1/principals/dpo-staying").json()["id"]
    assert approve(company, company.officer, proposal, "reject").status_code == 200
    assert state(company, "dpo-staying") is None
    assert ask(company, token, "GET", "/v1/cases").status_code == 401
    fresh = company.control.command("principal", "token", "dpo-staying").splitlines()[0]
    assert ask(company, fresh, "GET", "/v1/cases").status_code == 200


def test_whoever_leaves_leaves_alone(company):
    token = appoint(company, "dpo-gone", "greta")
    assert ask(company, token, "DELETE", "/v1/principals/dpo-gone").status_code == 204
    assert state(company, "dpo-gone") is not None


def test_a_principal_is_not_removed_twice_by_an_old_proposal(company):
    token = appoint(company, "dpo-both", "bea")
    proposal = ask(company, company.operator, "DELETE", "/v1/principals/dpo-both").json()["id"]
    fresh = company.control.command("principal", "token", "dpo-both").splitlines()[0]
    assert ask(company, fresh, "DELETE", "/v1/principals/dpo-both").status_code == 204
    assert approve(company, company.officer, proposal).status_code == 200
    assert ask(company, token, "GET", "/v1/cases").status_code == 401


def test_the_command_line_removes_alone_only_while_it_appoints_alone(own_company):
    """Else whoever has the machine's shell would remove the others, and then appoint by no second person."""
    company = own_company
    told = company.control.command("principal", "remove", "dpo")
    assert told.startswith("Its tokens are refused from now on.")
    assert "/approve" in told
    assert ask(company, company.officer, "GET", "/v1/cases").status_code == 401
    assert company.control.command(
        "principal", "add", "mallory", "--person", "mallory", "--role", "officer"
    ).startswith("Proposed.")
    (proposal,) = [
        each["id"]
        for each in ask(company, company.operator, "GET", "/v1/proposals?state=open").json()["items"]
        if each["act"] == "remove_principal"
    ]
    assert approve(company, company.operator, proposal).status_code == 200
    assert state(company, "dpo") is not None


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_decision_with_a_key_is_made_once_and_answered_the_same(company, word):
    order = {"name": f"dpo-{word}", "person": "petra", "role": "auditor"}
    proposal = ask(company, company.operator, "POST", "/v1/principals", order).json()["id"]
    key = drawn()
    answers = [approve(company, company.officer, proposal, word, idempotency_key=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert approve(company, company.officer, proposal, word).json()["code"] == "conflict"
