"""Policy bundles at a running control plane: published by officers' signatures, fetched by its nodes alone."""

import httpx
import pytest

from shared import wire
from shared.policy.bundling import Bundle, digest
from tests.integration.control.conftest import Company
from tests.support.control import now_ms
from tests.support.house_policy import bundle_bytes, bundle_of, open_policy, rule
from tests.support.node import PATIENCE_S, until

NO_MEDIA = rule("no-media", "deny", operations=("store",), classes=("media",), reason="not_here")
ONE = bundle_of(open_policy([NO_MEDIA]))
TWO = bundle_of(open_policy(), ONE)
PROBLEM_NODES = "homeport_control_policy_problem_nodes"


def signed_file(company: Company, bundle: Bundle, *people: str) -> bytes:
    """Give a bundle's file, signed by officers of the company."""
    return bundle_bytes(bundle, *people, keys=company.control.officers.keys)


def post(company: Company, token: str, file: bytes, **headers: str) -> httpx.Response:
    """Publish a file."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(
        f"{company.control.address}/v1/policies",
        content=file,
        headers={"authorization": f"Bearer {token}", "content-type": "application/octet-stream", **named},
        trust_env=False,
        timeout=PATIENCE_S,
    )


def stand(bundle: Bundle | None) -> wire.PolicyStand:
    """Give what a node says that decides by a bundle."""
    return wire.PolicyStand(0, None) if bundle is None else wire.PolicyStand(bundle.version, digest(bundle))


def test_officers_publish_and_nodes_fetch(own_company):
    control, eu, officer = own_company.control, own_company.eu, own_company.officer
    nothing = eu.beat(policy=stand(None))
    assert (nothing.head, nothing.problems) == (None, ("policy_missing",))
    assert eu.checked(eu.request("/node/v1/policies?after=0", b"", "GET")).status_code == 404

    one, two = signed_file(own_company, ONE), signed_file(own_company, TWO)
    refusals = [
        (post(own_company, own_company.operator, one), 403, "scope_missing"),
        (post(own_company, officer, signed_file(own_company, ONE, "ann")), 422, "bundle_undersigned"),
        (post(own_company, officer, one.replace(b"not_here", b"not_herf")), 422, "bundle_malformed"),
        (post(own_company, officer, b"\xff{"), 422, "bundle_malformed"),
    ]
    for answer, status, code in refusals:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"

    first, again = (post(own_company, officer, one, idempotency_key="one") for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert control.command("policy", "publish", _written(own_company, two)).startswith("In force: test version 2")
    assert post(own_company, officer, one, idempotency_key="one").json() == first.json()
    assert post(own_company, officer, one).json()["code"] == "bundle_older"
    listed = control.ask(own_company.program, "GET", "/v1/policies")
    assert listed.json()["reason"] == "policies:read"
    listed = control.ask(officer, "GET", "/v1/policies").json()["items"]
    assert [(each["version"], each["published_by"]) for each in listed] == [(1, "dpo"), (2, "machine")]
    assert [each["hash"] for each in listed] == [digest(ONE), digest(TWO)]
    assert control.ask(officer, "GET", "/v1/policies/2").content == two
    assert control.ask(officer, "GET", "/v1/policies/3").status_code == 404
    assert "demonstration" in control.command("policy", "list")

    told = eu.beat(policy=stand(ONE))
    assert told.problems == ("policy_old",)
    head = wire.open_head(told.head, control.introduction.keys)
    assert (head.version, head.hash) == (2, digest(TWO))
    assert abs(head.stated_at - now_ms()) < 60_000
    for after, file in ((0, one), (1, two)):
        answer = eu.checked(eu.request(f"/node/v1/policies?after={after}", b"", "GET"))
        assert answer.content == file
    assert eu.beat(policy=stand(TWO)).problems == ()
    assert own_company.ap.beat().problems == ()


def test_what_is_wrong_with_a_node_is_shown(own_company):
    control, eu, officer = own_company.control, own_company.eu, own_company.officer
    assert post(own_company, officer, signed_file(own_company, ONE)).status_code == 201
    for bundle, problem in ((None, "policy_missing"), (ONE, None), (TWO, "policy_other")):
        eu.beat(policy=stand(bundle))
        views = {each["name"]: each for each in control.ask(officer, "GET", "/v1/nodes").json()["items"]}
        assert views["eu"]["policy_version"] == stand(bundle).version
        assert views["eu"]["problems"] == [problem] * bool(problem)
        assert (views["ap"]["policy_version"], views["ap"]["problems"]) == (None, [])
        counted = {"problem": problem or "policy_old"}
        until(lambda c=counted, p=problem: control.metric(PROBLEM_NODES, **c) == bool(p))
        row = next(line for line in control.command("nodes").splitlines() if "eu" in line.split())
        assert (problem or "none") in row
    assert control.metric("homeport_control_policy_version") == 1


@pytest.mark.parametrize("query", ["", "?after=", "?after=-1", "?after=1&after=2", "?before=1"])
def test_a_page_is_asked_for_by_one_version(company, query):
    answer = company.eu.checked(company.eu.request(f"/node/v1/policies{query}", b"", "GET"))
    assert (answer.status_code, wire.decode(wire.Problem, answer.content).code) == (400, "request_malformed")


def test_strangers_are_given_no_policy(company):
    address = f"{company.control.address}/node/v1/policies?after=0"
    unsigned = httpx.get(address, trust_env=False)
    assert (unsigned.status_code, unsigned.content) == (401, b"")
    stranger = company.eu.send(company.eu.request("/node/v1/policies?after=0", b"", "GET", keyid="nobody"))
    assert (stranger.status_code, stranger.content) == (401, b"")
    asked = company.eu.request("/node/v1/policies?after=0", b"", "GET")
    company.eu.checked(asked)
    assert company.eu.send(asked).status_code == 401
    assert company.eu.send(company.eu.request("/node/v1/policies?after=0", b"")).status_code == 405


def _written(company, file):
    """Write a file where the command finds it."""
    path = company.control.folder / "published.bundle"
    path.write_bytes(file)
    return str(path)
