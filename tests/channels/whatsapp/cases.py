"""What the tests of the WhatsApp channel share: where its cases lie, and how to look into JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge_node.channels.whatsapp import WHATSAPP
from shared.message import Event, Unclassified

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "fixtures").glob("*.json"))
DATA = HERE.parents[3] / "shared" / "data"
"""Other people's test data beside the checkout."""

Place = tuple[str | int, ...]
"""Where a value stands in JSON: names and positions from the root."""


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Give every scalar with its place; ``null`` says nothing and is left out."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, (*place, name))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from leaves(part, (*place, position))
    elif value is not None:
        yield place, value


def objects(value: Any, place: Place = ()) -> Iterator[Place]:
    """Give the place of every object."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield place
    for name, part in parts:
        yield from objects(part, (*place, name))


def replaced(value: Any, place: Place, new: Any) -> Any:
    """Return a copy with the value at ``place`` replaced; a last name that is not there is added."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = new if len(place) == 1 else replaced(value[place[0]], place[1:], new)
    return copy


def parse(value: Any) -> list[Event]:
    """Parse JSON that is given as a value."""
    return WHATSAPP.parse(json.dumps(value).encode())


def said(events: list[Event]) -> tuple[set[Any], set[int]]:
    """Return every scalar that the events say, those in bytes kept whole among them, and their times.

    Scalars are paired with their type, because ``True`` equals 1 in Python.
    """
    found: set[Any] = set()
    for event in events:
        for _, value in leaves(json.loads(msgspec.json.encode(event))):
            found.add(_typed(value))
        raw = event.raw if isinstance(event, Unclassified) else (event.extra or {}).get("raw")
        for _, value in leaves(json.loads(raw or "null")):
            found.add(_typed(value))
    return found, {event.at for event in events}


def holds(found: set[Any], value: Any) -> bool:
    """Say whether ``value`` is among what was said."""
    return _typed(value) in found


def _typed(value: Any) -> tuple[str, Any]:
    """Pair a scalar with the type that JSON gives it."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int | float):
        return "number", float(value)
    return "string", value
