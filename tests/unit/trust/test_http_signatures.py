"""Signed requests and answers: what a forger, a replayer or a proxy may try is refused, with a reason for the log."""

import re

import http_message_signatures as hms
import pytest

from shared import http_signatures
from shared.errors.trust import AnswerRefused, RequestRefused, RequestReplayed
from shared.http_signatures import Request, sign_answer, sign_request, verify_answer, verify_request
from shared.nonces import ProcessNonces, refuse_replay
from tests.support.trust import CONTROL, NODE, OTHER, drawn

NOW = 1_795_000_000_000
NONCE = drawn("nonce")
PLAIN = Request(
    "POST",
    "https://hub.example:8443/v1/uplink/commands?after=7",
    (("content-type", "application/json"), ("host", "hub.example:8443")),
    b'{"after":7}',
)
SENT = sign_request(PLAIN, NODE, keyid="eu", tag="homeport-uplink", nonce=NONCE, now_ms=NOW)
KEYS = {"eu": NODE.public.ed25519, "ap": OTHER.public.ed25519}


def check(request, *, tag="homeport-uplink", now_ms=NOW, keys=KEYS):
    """Verify as the asked program would."""
    return verify_request(request, keys.get, tag=tag, now_ms=now_ms)


def refused(request, reason, **asked):
    """Say that the request is refused for that reason."""
    with pytest.raises(RequestRefused) as caught:
        check(request, **asked)
    assert caught.value.details == {"reason": reason}


def edited(name, change, request=SENT):
    """Give the request with the value of one header line changed."""
    fields = tuple((found, change(value) if found == name else value) for found, value in request.fields)
    assert fields != request.fields
    return request._replace(fields=fields)


def resigned(*, components=http_signatures._REQUEST, keys=NODE, keyid="eu", body=PLAIN.body, request=PLAIN, **changes):
    """Sign as somebody with a key would who does not keep to the house's way."""
    added = dict(request.fields)
    given = {"nonce": NONCE, "tag": "homeport-uplink", "label": "x", **changes}
    hms.HTTPMessageSigner(
        signature_algorithm=http_signatures._Ed25519, key_resolver=http_signatures._Keys(private=keys)
    ).sign(
        http_signatures._Message(request, added),
        key_id=keyid,
        created=http_signatures._moment(NOW),
        covered_component_ids=components,
        body=body,
        **given,
    )
    return request._replace(fields=tuple((name.lower(), value) for name, value in added.items()))


def test_a_signed_request_says_who_sent_it():
    """Who, with which nonce, and when."""
    assert check(SENT) == ("eu", NONCE, NOW)
    assert check(resigned()) == ("eu", NONCE, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        SENT._replace(method="PUT"),
        SENT._replace(url=SENT.url.replace("commands", "receipts")),
        SENT._replace(url=SENT.url.replace("after=7", "after=8")),
        SENT._replace(url=SENT.url.partition("?")[0]),
        SENT._replace(url=SENT.url.replace("hub.example", "hub.other")),
        SENT._replace(url=SENT.url.replace("8443", "8444")),
        SENT._replace(url="not a url"),
        SENT._replace(method="post"),
        SENT._replace(body=b'{"after":8}'),
        SENT._replace(body=b""),
        edited("content-digest", lambda value: value.replace("sha-256", "sha-512")),
        edited("signature", lambda value: value.replace("=:", "=:AAAA")),
        edited("signature", lambda value: ""),
        edited("signature", lambda value: value.replace("homeport", "other")),
        edited("signature-input", lambda value: value.replace("created=", "created=1")),
        edited("signature-input", lambda value: value.replace('keyid="eu"', 'keyid="ap"')),
        edited("signature-input", lambda value: value.replace('keyid="eu"', 'keyid="nobody"')),
        edited("signature-input", lambda value: value.replace(NONCE, drawn("other nonce"))),
        edited("signature-input", lambda value: value.replace("-uplink", "-relay")),
        edited("signature-input", lambda value: value.replace('"@path" ', "")),
        edited("signature-input", lambda value: value.replace("ed25519", "hmac-sha256")),
        edited("signature-input", lambda value: value + ";expires=1"),
        edited("signature-input", lambda value: "\x00\xff(("),
        resigned(keys=OTHER),
    ],
)
def test_another_request_than_the_one_signed_is_refused(changed):
    """Other method, path, query, authority, body, digest, parameter or key: the signature is not of this."""
    refused(changed, "signature")


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
def test_a_line_missing_or_doubled_is_refused(name):
    """Two lines may be read differently by two readers; none proves nothing."""
    line = next(field for field in SENT.fields if field[0] == name)
    refused(SENT._replace(fields=(*SENT.fields, line)), "lines")
    refused(SENT._replace(fields=(*SENT.fields, (name.title(), "x"))), "lines")
    refused(SENT._replace(fields=tuple(field for field in SENT.fields if field != line)), "lines")


def test_two_signatures_in_one_line_are_refused():
    """There is exactly one."""
    second = sign_request(PLAIN, OTHER, keyid="ap", tag="homeport-uplink", nonce=NONCE, now_ms=NOW)
    both = {name: value for name, value in second.fields if name.startswith("signature")}
    doubled = SENT._replace(
        fields=tuple(
            (name, f"{value}, {both[name].replace('homeport=', 'second=')}" if name in both else value)
            for name, value in SENT.fields
        )
    )
    refused(doubled, "signature")


@pytest.mark.parametrize("missing", http_signatures._REQUEST[:-1])
def test_a_signature_over_less_is_refused(missing):
    """The sender's own key does not help a signature that leaves something open."""
    refused(resigned(components=[name for name in http_signatures._REQUEST if name != missing]), "components")


def test_a_signature_without_the_body_is_refused():
    """Also where the digest is there and right, but not covered."""
    digest = next(value for name, value in SENT.fields if name == "content-digest")
    bare = resigned(components=http_signatures._REQUEST[:-1], body=None)
    refused(bare._replace(fields=(*bare.fields, ("content-digest", digest))), "signature")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tag": "homeport-relay"}, "tag"),
        ({"tag": None}, "parameters"),
        ({"nonce": None}, "parameters"),
        ({"include_alg": False}, "parameters"),
        ({"nonce": "short"}, "nonce"),
        ({"nonce": NONCE.upper()}, "nonce"),
        ({"components": ("@method", "@authority", "@path", "@query", "content-digest", "content-type")}, "signature"),
        ({"components": ("@method", "@authority", "@path", "@query", "content-digest", "@scheme")}, "components"),
        ({"components": ("@method", "@authority", "@path", "@query", '"content-digest";sf')}, "components"),
        ({"components": ("@method", "@target-uri", "content-digest")}, "components"),
    ],
)
def test_a_signature_of_another_way_is_refused(changes, reason):
    """Exactly these components and parameters, this listener's tag, a nonce of the one form."""
    refused(resigned(**changes), reason)


def test_the_other_listeners_tag_is_refused():
    """What was signed for the uplink is worth nothing at a relay."""
    refused(SENT, "tag", tag="homeport-relay")


@pytest.mark.parametrize("apart_ms", [-60_000, -1, 0, 1, 60_000])
def test_clocks_may_be_a_minute_apart(apart_ms):
    """Either way."""
    assert check(SENT, now_ms=NOW + apart_ms).keyid == "eu"


@pytest.mark.parametrize("apart_ms", [-60_001, 60_001, 86_400_000])
def test_an_old_or_future_signature_is_refused(apart_ms):
    """Beyond a minute, either way."""
    refused(SENT, "created", now_ms=NOW + apart_ms)


def test_a_name_that_left_the_roster_is_refused():
    """Whoever has no key there is nobody."""
    refused(SENT, "signature", keys={})


def test_headers_that_are_not_covered_may_change():
    """Proxies add lines and change capitals; what the signature speaks of stays."""
    fields = tuple((name.title(), value) for name, value in SENT.fields)
    assert check(SENT._replace(fields=(*fields, ("via", "1.1 proxy"), ("x-empty", "")))).keyid == "eu"


def test_signing_again_replaces_the_first_signature():
    """A retry with a fresh nonce carries one signature."""
    again = sign_request(SENT, NODE, keyid="eu", tag="homeport-uplink", nonce=drawn("second"), now_ms=NOW + 1000)
    assert check(again).nonce == drawn("second")
    with pytest.raises(ValueError, match="nonce"):
        sign_request(SENT, NODE, keyid="eu", tag="homeport-uplink", nonce="x", now_ms=NOW)


ANSWER = b'{"commands":[]}'
FIELDS = sign_answer(SENT, 200, ANSWER, CONTROL, keyid="hub", tag="homeport-uplink", now_ms=NOW)


def believe(request=SENT, status=200, fields=FIELDS, body=ANSWER, *, keys=CONTROL, now_ms=NOW, tag="homeport-uplink"):
    """Verify as the asking program would."""
    verify_answer(request, status, fields, body, keys.public.ed25519, keyid="hub", tag=tag, now_ms=now_ms)


def test_an_answer_is_believed_for_its_request():
    """As it was given."""
    believe()


ELSEWHERE = sign_request(PLAIN, NODE, keyid="eu", tag="homeport-uplink", nonce=drawn("second request"), now_ms=NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": 201}, "signature"),
        ({"body": b"{}"}, "signature"),
        ({"request": ELSEWHERE}, "signature"),
        ({"request": PLAIN}, "signature"),
        ({"request": SENT._replace(method="GET")}, "signature"),
        ({"keys": OTHER}, "signature"),
        ({"fields": ()}, "lines"),
        ({"fields": FIELDS + FIELDS[:1]}, "lines"),
        ({"fields": FIELDS[:-1]}, "lines"),
        ({"tag": "homeport-relay"}, "tag"),
        ({"now_ms": NOW + 61_000}, "created"),
        ({"now_ms": NOW - 61_000}, "created"),
        ({"fields": SENT.fields, "body": SENT.body, "keys": NODE}, "signature"),
    ],
)
def test_another_answer_is_not_believed(changes, reason):
    """Another status or body; the answer to another request; another key; a request played back as its answer."""
    with pytest.raises(AnswerRefused) as caught:
        believe(**changes)
    assert caught.value.details == {"reason": reason}


def test_an_answer_by_another_name_is_not_believed():
    """The key is looked up under the one name that was asked."""
    named = sign_answer(SENT, 200, ANSWER, CONTROL, keyid="ap", tag="homeport-uplink", now_ms=NOW)
    with pytest.raises(AnswerRefused):
        believe(fields=named)


def test_an_answer_over_less_is_not_believed():
    """An answer that leaves its request open would fit any."""
    added: dict[str, str] = {}
    http_signatures._signer(CONTROL).sign(
        http_signatures._Answer(200, added, http_signatures._Message(SENT, http_signatures._Lines(SENT.fields))),
        key_id="hub",
        created=http_signatures._moment(NOW),
        tag="homeport-uplink",
        covered_component_ids=("@status", "content-digest"),
        body=ANSWER,
    )
    with pytest.raises(AnswerRefused) as caught:
        believe(fields=tuple(added.items()))
    assert caught.value.details == {"reason": "components"}


def test_an_unsigned_request_cannot_be_answered_signed():
    """There is nothing to bind the answer to."""
    with pytest.raises(ValueError, match="signature"):
        sign_answer(PLAIN, 401, b"", CONTROL, keyid="hub", tag="homeport-uplink", now_ms=NOW)


async def test_the_same_request_twice_is_a_replay():
    """Within the minute the nonce tells, after it the time does; another node's equal nonce is its own."""
    memory = ProcessNonces()
    await refuse_replay(memory, check(SENT), now_ms=NOW)
    with pytest.raises(RequestReplayed):
        await refuse_replay(memory, check(SENT), now_ms=NOW)
    with pytest.raises(RequestReplayed):
        await refuse_replay(memory, check(SENT, now_ms=NOW + 60_000), now_ms=NOW + 60_000)
    refused(SENT, "created", now_ms=NOW + 60_001)
    other = resigned(keys=OTHER, keyid="ap")
    await refuse_replay(memory, check(other), now_ms=NOW)


def test_no_refusal_tells_the_stranger_why():
    """Reasons are codes of this page; every refusal is answered with one status and one code."""
    assert RequestRefused.status == RequestReplayed.status == 401
    assert re.fullmatch("[a-z_]+", RequestRefused.code)
