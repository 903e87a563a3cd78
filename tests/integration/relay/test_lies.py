"""What a lying or replaying peer says at the relay listener: 401, empty, counted, and nothing of it in the log."""

import httpx
import msgspec
import pytest

from deploy.sandbox.webhooks import TARO, line_text
from edge_node.channels.line import LINE
from shared import wire
from shared.clock import SystemClock
from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import draw_signing_keys
from shared.entropy import SystemEntropy
from shared.errors.trust import AnswerRefused
from shared.http_signatures import Request, sign_request, verify_answer
from shared.wire.paths import PATHS
from shared.wire.sealed import SealedWebhook, seal_webhook
from tests.integration.relay.conftest import DESK, SHOP, body_of
from tests.support.node import until

WORD = "Holunderblueten-Sirup"
CLOCK = SystemClock()


def now_ms():
    """Give the time."""
    return CLOCK.now()


def webhook(company, word=WORD, *, to="ap", sender="eu", account="shop", channel=SHOP, event=None, **changes):
    """Seal a webhook of one event as ``sender`` would."""
    events = tuple(LINE.parse(body_of(channel, event or line_text(word))))
    events = tuple(msgspec.structs.replace(each, **changes.get("change", {})) for each in events)
    sealed = seal_webhook(
        changes.get("public", company.members[to].identity.sealing.public),
        SealedWebhook(events=events, received_at=now_ms()),
        sender=sender,
        home=to,
        channel="line",
        account=changes.get("sealed_for", account),
    )
    return wire.RelayedWebhook(protocol=1, channel="line", account=account, sealed=sealed)


def signed(company, message, *, to="ap", by=None, keyid="eu", **changes):
    """Sign a request as a peer would; ``changes`` are the lies."""
    member = company.members[to]
    body = message if isinstance(message, bytes) else wire.encode(message)
    path = changes.get("path") or PATHS[type(message)]
    url = changes.get("authority", member.relay) + path
    request = Request("POST", url, (("content-type", "application/json"),), body)
    return sign_request(
        request,
        by or company.members["eu"].identity.signing,
        keyid=keyid,
        tag=changes.get("tag", "homeport-relay"),
        nonce=changes.get("nonce", SystemEntropy().draw(16).hex()),
        now_ms=now_ms() + changes.get("late_ms", 0),
    )


def send(company, request, *, to="ap", body=None):
    """Send a request as it is."""
    url = company.members[to].relay + "/" + request.url.split("/", 3)[3]
    return httpx.post(url, content=body or request.body, headers=list(request.fields), trust_env=False, timeout=30)


def rests(member):
    """Count messages at a node."""
    return member.read("SELECT count(*) FROM message")[0][0]


def refusals(member):
    """Read how many requests nobody of the roster signed."""
    lines = member.node.ask("/metrics").text.splitlines()
    name = "homeport_edge_refused_relay_requests_total"
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_an_honest_peer_is_answered_with_a_signature(company):
    request = signed(company, webhook(company))
    answer = send(company, request)
    assert answer.status_code == 200
    assert wire.decode(wire.RelayAnswer, answer.content).outcome == "stored"
    fields = list(answer.headers.items())
    proof = {"keyid": "ap", "tag": "homeport-relay", "now_ms": now_ms()}
    public = company.ap.identity.signing.public.ed25519
    verify_answer(request, 200, fields, answer.content, public, **proof)
    with pytest.raises(AnswerRefused):
        verify_answer(signed(company, webhook(company)), 200, fields, answer.content, public, **proof)


LIES = {
    "another key": {"by": draw_signing_keys(SystemEntropy())},
    "the other node's name": {"keyid": "ap"},
    "nobody's name": {"keyid": "nobody"},
    "signed for the control plane": {"tag": "homeport-uplink"},
    "too old": {"late_ms": -120_000},
    "too new": {"late_ms": 120_000},
    "signed for another address": {"authority": "http://127.0.0.1:1"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_who_is_not_of_the_roster_is_refused(company, lie):
    before, counted = rests(company.ap), refusals(company.ap)
    answer = send(company, signed(company, webhook(company), **lie))
    assert (answer.status_code, answer.content) == (401, b"")
    assert "signature" not in answer.headers
    assert rests(company.ap) == before
    assert refusals(company.ap) == counted + 1
    assert WORD not in company.ap.node.log()


def test_what_was_changed_on_the_way_is_refused(company):
    before = rests(company.ap)
    request, other = signed(company, webhook(company)), signed(company, webhook(company))
    assert send(company, request, body=other.body).status_code == 401
    assert send(company, request._replace(fields=())).status_code == 401
    assert send(company, request._replace(fields=(*request.fields, *request.fields))).status_code == 401
    assert rests(company.ap) == before


def test_a_replay_is_refused_also_after_a_restart(company):
    request = signed(company, webhook(company))
    assert send(company, request).status_code == 200
    before = rests(company.ap)
    assert (send(company, request).status_code, send(company, request).content) == (401, b"")
    company.ap.node.restart()
    assert send(company, request).status_code == 401
    assert rests(company.ap) == before


def test_what_is_sealed_for_another_place_is_not_opened(company):
    before = rests(company.ap)
    stranger = draw_sealing_key(SystemEntropy())
    for message in (
        webhook(company, public=stranger.public),
        webhook(company, sender="ap"),
        webhook(company, sealed_for="desk"),
    ):
        answer = send(company, signed(company, message))
        assert (answer.status_code, wire.decode(wire.RelayProblem, answer.content).code) == (400, "seal_broken")
    assert rests(company.ap) == before


def test_what_does_not_belong_here_is_refused_and_never_passed_on(company):
    before = rests(company.ap), rests(company.eu)
    for message in (
        webhook(company, account="desk", channel=DESK),  # its home is eu
        webhook(company, account="nowhere"),
        webhook(company, account="shop", channel=DESK),  # another account's event under this one's name
    ):
        answer = send(company, signed(company, message))
        assert wire.decode(wire.RelayAnswer, answer.content).outcome == "refused"
    assert (rests(company.ap), rests(company.eu)) == before
    assert "alert_relayed_webhook_refused" in company.ap.node.log()


def test_what_no_store_could_hold_is_refused_at_the_door(company):
    """It would fail the batch that it shares with honest webhooks, and be sent again for ever."""
    before = rests(company.ap), company.ap.node.log().count("alert_commit_failed")
    for change in ({"at": 2**63}, {"at": -1}, {"extra": {"a": msgspec.msgpack.Ext(5, b"x")}}):
        answer = send(company, signed(company, webhook(company, change=change)))
        assert answer.status_code in (200, 400), change
        if answer.status_code == 200:
            assert wire.decode(wire.RelayAnswer, answer.content).outcome == "refused"
        else:
            assert wire.decode(wire.RelayProblem, answer.content).code == "wire_malformed"
    assert (rests(company.ap), company.ap.node.log().count("alert_commit_failed")) == before


def test_an_old_or_unknown_form_is_named_as_such(company):
    old = wire.encode(webhook(company)).replace(b'"protocol":1', b'"protocol":0')
    new = old.replace(b'"protocol":0', b'"protocol":2')
    for body, code in ((old, "protocol_too_old"), (new, "protocol_too_new"), (b"{}", "wire_malformed")):
        answer = send(company, signed(company, body, path="/relay/v1/webhooks"))
        assert (answer.status_code, wire.decode(wire.RelayProblem, answer.content).code) == (400, code)


def test_an_asker_speaks_for_itself_alone(company):
    ask = wire.ViewAsk(
        protocol=1, view="0" * 32, pseudonym="1" * 32, purpose="complaint", asker="elsewhere", after=None
    )
    answer = send(company, signed(company, ask))
    assert wire.decode(wire.RelayProblem, answer.content).code == "wire_malformed"


def test_there_is_nothing_else_at_the_listener(company):
    base = company.ap.relay
    assert httpx.get(f"{base}/relay/v1/webhooks", trust_env=False).status_code == 405
    assert httpx.post(f"{base}/metrics", trust_env=False).status_code == 404
    assert httpx.post(f"{base}/relay/v1/webhooks", content=b"x", trust_env=False).status_code == 401


def test_a_retired_node_is_nobody(own_company):
    ap = own_company.ap
    assert send(own_company, signed(own_company, webhook(own_company))).status_code == 200
    ap.enrol(own_company.roster(2, eu="retired"))
    until(lambda: send(own_company, signed(own_company, webhook(own_company))).status_code == 401)
    assert send(own_company, signed(own_company, webhook(own_company, TARO.line_user))).content == b""


def test_only_the_nodes_that_the_account_names_bring_it_anything(own_company):
    """A node of the roster vouches for the platform's signature: it could say whatever a customer never wrote."""
    ap = own_company.ap
    assert send(own_company, signed(own_company, webhook(own_company))).status_code == 200
    ap.node.command("account", "set-relayed-by", "shop", "us")

    def refused():
        answer = send(own_company, signed(own_company, webhook(own_company, "another word")))
        return wire.decode(wire.RelayAnswer, answer.content).outcome == "refused"

    until(refused)
    before = rests(ap)
    assert refused()
    assert rests(ap) == before
    assert "sender_not_listed" in ap.node.log()
