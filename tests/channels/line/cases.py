"""Where the LINE cases lie, and small helpers that several tests read JSON with."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from shared.message import Event

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "fixtures").glob("*.json"))

BEYOND_SCHEMA = {
    "destination-of-another-shape",
    "early-webhook",
    "long-destination",
    "mention-of-a-new-kind",
    "no-events",
    "nulls",
    "unexpected-shape",
    "unknown-event",
    "unknown-event-about-a-message",
    "unknown-message",
    "unknown-source",
    "unknown-values",
    "unsend-of-another-shape",
}
"""Fixtures that the platform's own schema refuses: they are here to show what a node makes of such bodies."""

EVENT = msgspec.json.Decoder(Event)


def canonical(event):
    """Return the event as anyone sees it: JSON, read back."""
    return json.loads(msgspec.json.encode(event))


def leaves(value, path="") -> Iterator[tuple[str, object]]:
    """Yield every scalar with its path; nothing stands for nothing, so nulls and empty containers have none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{position}]")
    elif value is not None:
        yield path, value


def text_event(text="A neighbour", message_id="561000000000009999"):
    """Return a text event of an invented person, as LINE sends it."""
    return {
        "type": "message",
        "message": {"type": "text", "id": message_id, "quoteToken": "quote", "text": text},
        "webhookEventId": "01JDK3ZT9G9999999999999999",
        "deliveryContext": {"isRedelivery": False},
        "timestamp": 1794000099099,
        "source": {"type": "user", "userId": "Ua11ce000000000000000000000000001"},
        "replyToken": "0123456789abcdef0123456789abcdef",
        "mode": "active",
    }


def body_of(*events, **top):
    """Return a webhook body."""
    return json.dumps({"destination": "U00000000000000000000000000000b07", "events": events, **top}).encode()
