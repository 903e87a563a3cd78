"""Do two forms of one webhook say the same?  What a bus rendered must give the events of what the platform sent.

The platform's bytes are the truth; the rendering is never taken in.  It is compared event by event, all properties, so
that whoever reads the XML elsewhere has read what rests here.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from edge_node.channels.contract import Channel, Enclosed
from edge_node.channels.reading import mend
from shared.errors import TooManyUpdates
from shared.errors.bus import FormsDiffer
from shared.message import Event, Unclassified

RAW = "raw"
"""Where a recall of another shape keeps its own bytes, in ``extra``."""


def agreed_events(channel: Channel, enclosed: Enclosed) -> list[Event]:
    """Give the events of the enclosed original.

    Raises as :meth:`Channel.parse` for the original, and ``FormsDiffer`` where the rendering gives other events
    (``event``: the position of the first that differs, from 0; ``events``: how many the original has).
    """
    events = channel.parse(enclosed.original)
    try:
        rendered = channel.parse(enclosed.rendering)
    except TooManyUpdates:
        rendered = None
    if rendered is None or len(rendered) != len(events):
        raise FormsDiffer(events=len(events))
    for position, (ours, theirs) in enumerate(zip(events, rendered, strict=True)):
        if not _same_event(ours, theirs):
            raise FormsDiffer(event=position)
    return events


def _same_event(ours: Event, theirs: Event) -> bool:
    """Compare two events; of an unclassified one the JSON it holds, not how that is spelled."""
    if isinstance(ours, Unclassified) and isinstance(theirs, Unclassified):
        if not _same_json(ours.raw, theirs.raw):
            return False
        theirs = msgspec.structs.replace(theirs, raw=ours.raw)
    mine, others = (ours.extra or {}).get(RAW), (theirs.extra or {}).get(RAW)
    if isinstance(mine, str) and isinstance(others, str):
        if not _same_json(mine.encode(), others.encode()):
            return False
        theirs = msgspec.structs.replace(theirs, extra={**(theirs.extra or {}), RAW: mine})
    return _same(_plain(ours), _plain(theirs))


def _plain(event: Event) -> Any:
    """Give an event as dicts, lists and scalars."""
    return msgspec.to_builtins(event, builtin_types=(bytes,))


def _same_json(ours: bytes, theirs: bytes) -> bool:
    """Compare two JSON texts by value, numbers exactly; what is nested too deeply to be read is like nothing."""
    try:
        return _same(_value(ours), _value(theirs))
    except (RecursionError, ValueError):
        return False


def _value(raw: bytes) -> Any:
    """Read JSON without rounding a number."""
    return json.loads(mend(raw), parse_int=_number, parse_float=_number)


def _number(spelled: str) -> Decimal | tuple[str]:
    """Read a number exactly; one beyond every exponent is compared as it is spelled, and with no string."""
    try:
        return Decimal(spelled)
    except InvalidOperation:
        return (spelled,)


def _same(ours: Any, theirs: Any) -> bool:
    """Compare two values; unlike Python, ``true`` is not 1."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(value, theirs[name]) for name, value in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return isinstance(ours, bool) is isinstance(theirs, bool) and bool(ours == theirs)
