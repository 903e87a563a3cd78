"""Messages of protocol version 1, as they were recorded, replayed to today's programs: accepted, or refused by name.

The bytes of ``tests/conformance/wire`` go out unchanged, signed anew: those of the uplink to a control plane, those
between nodes to a relay listener, those of the downlink to a node.  The same bytes in a version that this release does
not read are refused as ``protocol_too_old`` or ``protocol_too_new``, in a signed answer.
"""

import os
from pathlib import Path

import httpx
import pytest

from control_plane.core.minting import digest
from control_plane.storage import nodes
from shared import wire
from shared.http_signatures import Request, sign_request, verify_answer
from shared.wire.base import PROTOCOL, PROTOCOL_OLDEST
from shared.wire.paths import PATHS, TAG
from tests.integration.company.cluster import cluster, make_member
from tests.support.control import RealControl, now_ms
from tests.support.control_double import control_double
from tests.support.node import PATIENCE_S, until
from tests.support.node_double import NodeDouble, drawn
from tests.support.trust import MESSAGES, NODE, SEALING
from tests.support.trust import drawn as recorded

GOLDEN = Path(__file__).resolve().parents[2] / "conformance" / "wire" / "v1"
UPLINK = {
    "uplink.enrolment": ("enrolments", wire.EnrolmentAnswer),
    "uplink.beat": ("beats", wire.BeatAnswer),
    "uplink.recall_notice": ("recalls", wire.Accepted),
    "uplink.case_notice": ("cases", wire.Accepted),
    "uplink.receipt_push": ("receipts", wire.Accepted),
    "uplink.command_ask": ("commands", wire.CommandPage),
}
RELAY = {
    "relay.webhook": (400, wire.RelayProblem, "seal_broken"),
    "relay.view_ask": (403, wire.ViewRefused, None),
    "relay.view_follow": (403, wire.ViewRefused, None),
    "relay.view_closed": (200, wire.ViewNoted, None),
}
"""What is asked of a relay listener, and the answer: what was recorded is sealed to no living node."""
OTHERS = [(PROTOCOL_OLDEST - 1, "protocol_too_old"), (PROTOCOL + 1, "protocol_too_new")]


def golden(name, protocol=1):
    """Give a message as it was recorded, or as one of another version."""
    data = (GOLDEN / f"{name}.json").read_bytes()
    return data if protocol == 1 else data.replace(b'"protocol":1', b'"protocol":%d' % protocol)


def test_every_recorded_message_is_replayed():
    """What nodes send is in the tables above; the rest are answers, which the last tests and the relay's own give."""
    assert {file.stem.partition("+")[0] for file in GOLDEN.glob("uplink.*")} == UPLINK.keys()
    assert {type_.__struct_config__.tag for type_ in PATHS} == RELAY.keys()


@pytest.fixture(scope="module")
def nodes_of_old(tmp_path_factory):
    """Run a control plane in whose roster ``eu`` has the keys of the recording, beside an ``ap``."""
    control = RealControl(tmp_path_factory.mktemp("versions") / "control")
    try:
        eu, ap = (NodeDouble(name, control.address, control.introduction.keys) for name in ("eu", "ap"))
        eu.keys, eu._hpke = NODE, SEALING.public
        control.put_rosters(control.officers.signed(), control.officers.take_in(eu.introduction, ap.introduction))
        control.start()
        control.within(_expect_the_recorded)
        # Commands beyond the recorded cursor, so that the recorded ask is answered at once.
        for _ in range(8):
            places = (wire.Place("ap", (drawn(),)),)
            notice = wire.RecallNotice(protocol=1, recall=drawn(), at=now_ms(), disclosed_to=places)
            eu.told("recalls", notice, wire.Accepted)
        yield control, eu, ap
    finally:
        control.end()


async def _expect_the_recorded(opened):
    """Let the control plane know the one-time secret of the recorded enrolment."""
    said = MESSAGES["uplink.enrolment"]
    async with opened.store.work() as work:
        await nodes.add_token(work.t, drawn(), said.node, digest(said.secret), "machine", work.now, work.now + 60_000)


async def _name_the_command(opened):
    """Give the command for which the recorded receipt was signed the name that it bears there."""
    async with opened.store.work() as work:
        names = {"command": recorded("command"), "case": recorded("case")}
        await work.t.execute("UPDATE command SET id = :command WHERE id = :case", names)


def test_a_control_plane_accepts_what_nodes_said_in_version_1(nodes_of_old):
    control, eu, ap = nodes_of_old
    for name, (path, kind) in UPLINK.items():
        if name == "uplink.receipt_push":
            # The receipt is for a command that nobody gave yet: said by name, to be sent again.
            answer = eu.checked(eu.request(f"/node/v1/{path}", golden(name)))
            assert (answer.status_code, wire.decode(wire.Problem, answer.content).code) == (404, "not_known_yet")
            control.within(_name_the_command)
        sender = ap if name == "uplink.command_ask" else eu
        answer = sender.checked(sender.request(f"/node/v1/{path}", golden(name)))
        assert answer.status_code == 200, (name, answer.text)
        said = wire.decode(kind, answer.content)
        assert not isinstance(said, wire.CommandPage) or said.commands


@pytest.mark.parametrize("name", UPLINK)
@pytest.mark.parametrize(("protocol", "code"), OTHERS)
def test_a_control_plane_refuses_other_versions_by_name(nodes_of_old, name, protocol, code):
    _, eu, _ = nodes_of_old
    answer = eu.checked(eu.request(f"/node/v1/{UPLINK[name][0]}", golden(name, protocol)))
    problem = wire.decode(wire.Problem, answer.content)
    assert (answer.status_code, problem.code, problem.retry) == (400, code, False)


@pytest.fixture(scope="module")
def company(tmp_path_factory, templates):
    """Run a control plane and two nodes."""
    with cluster(tmp_path_factory.mktemp("peers"), templates) as running:
        # The listener knows its peer a moment after the roster is there.
        until(lambda: asked(running, "relay.view_closed", golden("relay.view_closed"))[1].status_code != 401)
        yield running


def asked(company, name, body):
    """Send a body to eu's relay listener as ap signs it; give the request and what came back."""
    path = next(path for type_, path in PATHS.items() if type_.__struct_config__.tag == name)
    plain = Request("POST", company.eu.relay + path, (("content-type", "application/json"),), body)
    keys, nonce = company.ap.identity.signing, os.urandom(16).hex()
    request = sign_request(plain, keys, keyid="ap", tag=TAG, nonce=nonce, now_ms=now_ms())
    fields = list(request.fields)
    return request, httpx.post(request.url, content=body, headers=fields, trust_env=False, timeout=PATIENCE_S)


def relayed(company, name, body):
    """Send a body to eu's relay listener; give the answer, which eu has signed."""
    request, answer = asked(company, name, body)
    assert answer.status_code != 401
    public = company.eu.identity.signing.public.ed25519
    proof = {"keyid": "eu", "tag": TAG, "now_ms": now_ms()}
    verify_answer(request, answer.status_code, answer.headers.multi_items(), answer.content, public, **proof)
    return answer


@pytest.mark.parametrize("name", RELAY)
def test_a_relay_listener_understands_what_nodes_said_in_version_1(company, name):
    status, kind, code = RELAY[name]
    answer = relayed(company, name, golden(name))
    said = wire.decode(kind, answer.content)
    assert (answer.status_code, getattr(said, "code", None)) == (status, code)


@pytest.mark.parametrize("name", RELAY)
@pytest.mark.parametrize(("protocol", "code"), OTHERS)
def test_a_relay_listener_refuses_other_versions_by_name(company, name, protocol, code):
    answer = relayed(company, name, golden(name, protocol))
    assert (answer.status_code, wire.decode(wire.RelayProblem, answer.content).code) == (400, code)


def test_a_node_carries_out_what_a_control_plane_asked_in_version_1(tmp_path, templates):
    """Before that, the same in versions that it does not read: said in its log, and nothing is done."""
    member = make_member("eu", tmp_path / "eu", templates["eu"])
    node, versions = member.node, [OTHERS[0][0], OTHERS[1][0]]
    with control_double() as control:

        def answer(path, status, body):
            """Answer as recorded: first in other versions, then in this one, until it was understood."""
            if path == "/node/v1/beats":
                return status, golden("downlink.beat_answer")
            if path == "/node/v1/receipts":
                return status, golden("downlink.accepted")
            if path == "/node/v1/commands" and not control.receipts:
                return 200, golden("downlink.command_page", versions.pop(0) if versions else 1)
            return status, body

        page = wire.CommandPage(protocol=1, commands=(), next=0)
        try:
            node.command("enrol", "--jurisdiction", "DE", typed=control.token("eu").encode())
            control.take_in("eu")
            control.lie = answer
            # What is replaced need not be waited for.
            control.answer_with = lambda path, _: None if control.receipts or "commands" not in path else page
            node.start()
            until(lambda: {recorded("command"), recorded("command 2")} <= control.receipts.keys())
            assert versions == []
            assert [code for _, code in OTHERS if code not in node.log()] == []
            assert member.read("SELECT command_cursor FROM uplink") == [(8,)]
            until(lambda: not member.read("SELECT 1 FROM outbox WHERE accepted_at IS NULL"))
        finally:
            node.end()
