"""What programs are told: kinds of event and what each says, by pseudonym, case id and node name only.  Pure."""

import datetime as dt
from typing import Literal

import msgspec

EventKind = Literal[
    "case.finished",
    "case.opened",
    "case.partial",
    "case.receipt",
    "case.reopened",
    "node.barred",
    "node.enrolled",
    "node.policy_behind",
    "node.policy_current",
    "node.returned",
    "node.silent",
    "policy.published",
    "proposal.decided",
    "proposal.opened",
    "roster.accepted",
]

KEPT_MS = 30 * 24 * 3_600_000
"""How long an event is kept for whoever was away: 30 days."""


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says; members that do not belong to its kind are left out."""

    case: str | None = None
    kind: str | None = None
    """Of the case, or of the command that was signed for."""
    reason: str | None = None
    node: str | None = None
    pseudonym: str | None = None
    state: str | None = None
    owed: int | None = None
    """Commands of the case that somebody has still to sign for."""
    lapsed: int | None = None
    """Commands of the case that nobody will sign for: their nodes are retired, or unknown to the roster."""
    proposal: str | None = None
    version: int | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event as programs read it, in the stream and in hooks alike (Standard Webhooks, "Payload structure")."""

    type: EventKind
    timestamp: str
    """RFC 3339, UTC, milliseconds."""
    data: EventData


def told(kind: EventKind, at: int, data: EventData) -> bytes:
    """Give the JSON of an event that happened at ``at`` (ms)."""
    return msgspec.json.encode(Told(type=kind, timestamp=instant(at), data=data))


CALENDAR_END = 253_402_300_799_999
"""The last instant (ms) that RFC 3339 can write: the end of the year 9999."""


def instant(at: int) -> str:
    """Write an instant (ms) as RFC 3339 in UTC; one that another program named may be after ``CALENDAR_END``."""
    moment = dt.datetime.fromtimestamp(at // 1000, tz=dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
