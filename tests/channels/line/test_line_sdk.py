"""The platform's own SDK over the same bodies: what it understands is understood here, and says the same."""

import json

import pytest

from edge_node.channels.line import LINE
from edge_node.channels.line.signature import sign
from shared.message import Edit, Message, Recall, Sticker, Text, Unclassified
from tests.channels.line.cases import FIXTURES, body_of

models = pytest.importorskip("linebot.v3.webhooks.models", reason="line-bot-sdk is not installed")

SENSELESS = {("unexpected-shape", 5), ("unexpected-shape", 7), ("unsend-of-another-shape", 2)}
"""What the SDK takes at its word: a time before 1970, a private source that names a group, an empty id."""


def theirs(payload):
    """Return the SDK's event, ``None`` where it knows the kind of event or of message not, or refuses the shape."""
    try:
        event = models.Event.from_dict(payload)
    except (ValueError, TypeError, LookupError):
        return None
    known = type(event).__name__ not in {"Event", "UnknownEvent", "NoneType"}
    return event if known and not type(getattr(event, "message", None)).__name__.startswith("Unknown") else None


def events():
    """Give every event of every fixture with its place; what is no Unicode the SDK hands on as it is."""
    for fixture in FIXTURES:
        body = json.loads(fixture.read_bytes()) if fixture.stem != "text-unpaired-surrogate" else {}
        for number, payload in enumerate(body.get("events", ())):
            if isinstance(payload, dict):
                yield pytest.param(payload, (fixture.stem, number), id=f"{fixture.stem}-{number}")


@pytest.mark.parametrize(("payload", "place"), list(events()))
def test_what_the_sdk_understands_is_understood_and_says_the_same(payload, place):
    other = theirs(payload)
    [event] = LINE.parse(body_of(payload))
    if other is None:
        return
    assert isinstance(event, Unclassified) == (place in SENSELESS)
    if isinstance(event, Unclassified):
        return
    assert (event.at, event.event_id) == (other.timestamp, other.webhook_event_id)
    assert event.reply_token == getattr(other, "reply_token", None)
    if isinstance(event, Message | Edit):
        assert (event.message_id, event.quote_token) == (other.message.id, getattr(other.message, "quote_token", None))
        if isinstance(event.content, Text | Sticker):
            assert event.content.text == other.message.text
    if isinstance(event, Recall):
        assert event.message_id == other.unsend.message_id


def test_the_sdk_understands_most_of_the_fixtures():
    assert sum(theirs(param.values[0]) is not None for param in events()) > 60


@pytest.mark.parametrize("secret", ["0123456789abcdef0123456789abcdef", "a", "é" * 40, "x" * 200])
@pytest.mark.parametrize("body", ['{"events":[]}', '{"text":"\\uD83E\\uDD28 é"}', ""])
def test_both_accept_the_same_signatures(secret, body):
    validator = pytest.importorskip("linebot.v3.webhook").SignatureValidator(secret)
    good = sign(secret.encode(), body.encode())
    for signature in (good, good[:-1], good.swapcase(), good + b"=", b"", sign(b"another", body.encode())):
        assert LINE.verify([secret.encode()], body.encode(), signature) == validator.validate(body, signature.decode())
