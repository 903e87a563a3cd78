"""Signed bodies of every hostile shape: taken in or refused, never a fault of the node's, never a neighbour lost."""

import copy
import json
import random

import pytest

from deploy.sandbox.webhooks import (
    draw_subjects,
    line_body,
    line_text,
    whatsapp_body,
    whatsapp_text,
)
from tests.integration.node.opened import Opened, faults
from tests.integration.node.planted import FIXTURES, ours
from tests.integration.node.wire import Wire, head
from tests.support.node import CHANNELS

VARIANTS, VARIANTS_LONG = 4, 200
"""Broken versions of each fixture."""

HOSTILE = [
    *(None, True, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.5, 1e308, -0.0),
    *(
        "",
        " ",
        "0",
        "-1",
        "\0",
        "\x7f\x1b[2J",
        "9" * 19,
        "9" * 5_000,
        "1e400",
        "x" * 100_000,
        "'; DROP TABLE message; --",
    ),
    *("\ud800", "a\udfffb", "\U0001f468\u200d\U0001f469", "\u202e\u2066", "null", "NaN", "../../etc/passwd", "{}"),
    *([], {}, [[]], [None], [{}], {"": ""}, {"id": None}, {"type": "text"}, ["x"] * 2_000),
]
DEEP = json.loads("[" * 900 + "]" * 900)


class Poster:
    """Posts bodies over one connection, and opens another where the node closed it."""

    def __init__(self, address):
        self.address, self.wire = address, Wire(address)

    def post(self, channel, body, *, signed=True):
        known = CHANNELS[channel]
        headers = {known.header: known.sign(known.secret, body)} if signed else {known.header: "sha256=" + "0" * 64}
        for _ in range(2):
            self.wire.send(head("POST", known.path, headers | {"content-length": str(len(body))}), body)
            try:
                answer = self.wire.answer()
            except ConnectionError:
                self.wire = Wire(self.address)
                continue
            return answer.status
        raise AssertionError("the node closes every connection")


@pytest.fixture(scope="module")
def poster(node):
    return Poster(node.public)


def alerts(node):
    """Give what the log holds that a node says only where something unforeseen happened."""
    expected = ("alert_refused_at_intake", "alert_edit_by_another_author")
    return [
        line
        for line in node.log().splitlines()
        if ('"alert_' in line or '"error"' in line) and not any(name in line for name in expected)
    ]


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_torture_case_is_answered_for_what_it_is(node, poster, shared_data, channel):
    wrong = []
    files = sorted((shared_data / "torture" / "json").iterdir())
    assert len(files) > 300
    for file in files:
        body = file.read_bytes()
        signed, unsigned = poster.post(channel, body), poster.post(channel, body, signed=False)
        if signed not in {"y": {200}, "n": {400}, "i": {200, 400}}[file.name[0]] or unsigned != 401:
            wrong.append((file.name, signed, unsigned))
    assert wrong == []
    assert alerts(node) == []


def test_every_naughty_string_comes_through_unchanged(node, poster, shared_data):
    strings = [each for each in json.loads((shared_data / "torture" / "blns.json").read_bytes()) if each]
    people = list(draw_subjects(len(strings), random.Random(5)))
    lines = [line_text(each, person) for each, person in zip(strings, people, strict=True)]
    updates = [whatsapp_text(each, person) for each, person in zip(strings, people, strict=True)]
    assert poster.post("line", line_body(*lines)) == 200
    assert poster.post("whatsapp", whatsapp_body(*updates)) == 200
    for each in strings[::5]:
        raw = each.encode("utf-8", "replace")
        assert poster.post("line", raw) in {200, 400}
        assert poster.post("whatsapp", b'{"object":%b,"entry":[%b]}' % (raw, raw)) in {200, 400}
    stored = Opened(node.settings)
    line, whatsapp = stored.texts("line"), stored.texts("whatsapp")
    assert [line[event["message"]["id"]] for event in lines] == strings
    assert [whatsapp[update.id] for update in updates] == strings
    assert alerts(node) == []


def places_of(value, path=()):
    """Give the path of everything in a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places_of(part, (*path, key))


def spoilt(value, chance):
    """Give a copy with one thing in it replaced, removed, doubled or renamed."""
    value = copy.deepcopy(value)
    path = chance.choice([path for path in places_of(value) if path])
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    last = path[-1]
    what = chance.randrange(10)
    if what == 0:
        del holder[last]
    elif what == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    elif what == 2 and isinstance(holder, dict):
        holder[str(last) + "\u00e9"] = holder.pop(last)
    elif what == 3:
        holder[last] = DEEP
    else:
        holder[last] = chance.choice(HOSTILE)
    return value


@pytest.mark.parametrize("channel", CHANNELS)
def test_known_bodies_with_something_wrong_in_them_are_never_our_fault(node, poster, channel, long_run):
    chance = random.Random(f"spoil {channel}")
    fixtures = sorted((FIXTURES / channel / "fixtures").glob("*.json"))
    assert len(fixtures) > 50
    wrong = []
    for file in fixtures:
        whole = ours(json.loads(file.read_bytes()))
        for number in range(VARIANTS_LONG if long_run else VARIANTS):
            body = json.dumps(spoilt(whole, chance) if number else whole).encode()
            status = poster.post(channel, body)
            if status not in {200, 400, 413}:
                wrong.append((file.name, number, status, body[:2_000]))
    assert wrong == []
    assert alerts(node) == []


def test_a_bad_event_among_good_ones_takes_none_with_it(node, poster):
    chance = random.Random(7)
    texts = [f"neighbour {number}" for number in range(40)]
    events, updates = [line_text(each) for each in texts], [whatsapp_text(each) for each in texts]
    body = json.loads(line_body(*events))
    body["events"] = [
        each
        for good in body["events"]
        for each in (good, chance.choice(HOSTILE), spoilt(good, chance) | {"webhookEventId": "x"})
    ]
    assert poster.post("line", json.dumps(body).encode()) == 200
    body = json.loads(whatsapp_body(*updates))
    changes = body["entry"][0]["changes"]
    body["entry"][0]["changes"] = [each for good in changes for each in (chance.choice(HOSTILE), good)]
    body["entry"] += [chance.choice(HOSTILE) for _ in range(10)]
    assert poster.post("whatsapp", json.dumps(body).encode()) == 200
    stored = Opened(node.settings)
    assert set(texts) <= set(stored.texts("line").values())
    assert set(texts) <= set(stored.texts("whatsapp").values())


def test_a_number_too_long_to_read_in_time_does_not_stop_the_node(node, poster):
    digits = b"9" * 2_900_000
    assert poster.post("line", b'{"destination":"x","events":[{"type":"message","timestamp":' + digits + b"}]}") in {
        200,
        400,
    }
    assert poster.post("whatsapp", b'{"object":"whatsapp_business_account","entry":[{"id":' + digits + b"}]}") in {
        200,
        400,
    }
    assert poster.post("whatsapp", b"[" * 1_500_000 + b"]" * 1_500_000) in {200, 400}
    assert node.ask("/health/ready").status_code == 200
    assert alerts(node) == []


def test_after_all_of_this_both_stores_are_whole(node, poster):
    for channel, one in (("line", line_body(line_text("last"))), ("whatsapp", whatsapp_body(whatsapp_text("last")))):
        assert poster.post(channel, one) == 200
    stored = Opened(node.settings)
    assert len(stored.messages) > 1
    assert faults(stored) == []
    assert node.running().crashes == 0
