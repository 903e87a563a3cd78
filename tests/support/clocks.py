"""Clocks for tests: definitions and events in few words, instants by local wall time, calendars of the libraries."""

from datetime import UTC, datetime, timedelta

from shared.policy.clocks import Calendar, Definition, Due, Event, Length, Stage, deadline
from shared.policy.clocks.library import calendar_of, zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = {
    "GB": "Europe/London",
    "DE": "Europe/Berlin",
    "AR": "America/Argentina/Buenos_Aires",
    "JP": "Asia/Tokyo",
    "CN": "Asia/Shanghai",
    "VN": "Asia/Ho_Chi_Minh",
    "TR": "Europe/Istanbul",
    "MX": "America/Mexico_City",
    "ID": "Asia/Jakarta",
    "SA": "Asia/Riyadh",
    "CL": "America/Santiago",
    "SG": "Asia/Singapore",
    "IN": "Asia/Kolkata",
}


def calendar(code: str, year: int = 2026) -> Calendar:
    """Give the calendar of a country or part of it, in its zone."""
    country = code.partition("-")[0]
    weekend = frozenset({4, 5}) if country == "SA" else frozenset({5, 6})
    return calendar_of(code, ZONES[country], year, weekend)


def at(local: str, where: str = "GB") -> int:
    """Give the instant of a local wall time: ``2026-09-03`` is noon of that day."""
    wall = datetime.fromisoformat(local if "T" in local else f"{local}T12:00")
    return (wall.replace(tzinfo=zone(ZONES[where.partition("-")[0]])) - _EPOCH) // timedelta(milliseconds=1)


def clock(*limits: str, starts: str = "received", counting: str = "no_roll", pauses=(), **stage) -> Definition:
    """Give a clock whose stages are named one, two, ...; ``stage`` adds to the first, lengths as ``"5 days"``."""
    given = {name: length(value) if isinstance(value, str) else value for name, value in stage.items()}
    names = ("one", "two", "three")
    stages = tuple(
        Stage(phase=names[place], limit=length(limit), **(given if place == 0 else {}))
        for place, limit in enumerate(limits)
    )
    return Definition(id="test", right="access", starts=starts, stages=stages, counting=counting, pauses=pauses)


def length(text: str) -> Length:
    """Read ``15 business_days``."""
    value, _, unit = text.partition(" ")
    return Length(int(value), unit)


def happened(where: str, *events: str) -> tuple[Event, ...]:
    """Read events: ``received 2026-09-03``, ``paused:clarification 2026-09-05T10:00``; ``extended+``: with notice."""
    found = []
    for event in events:
        what, _, when = event.partition(" ")
        kind, _, more = what.removesuffix("+").partition(":")
        about = {"reason": more} if kind in {"paused", "resumed"} else {"phase": more}
        found.append(Event(kind=kind, at_ms=at(when, where), notice=what.endswith("+"), **about))
    return tuple(found)


def due(definition: Definition, where: str, *events: str, now: str, of: Calendar | None = None) -> Due:
    """Compute a deadline in the calendar of ``where``."""
    year = int(now[:4])
    return deadline(definition, happened(where, *events), of or calendar(where, year), at(now, where))


def ends(found: Due, where: str) -> str:
    """Give the local wall time, to the minute, of the last millisecond in time; a date where that is a day's last."""
    moment = (_EPOCH + timedelta(milliseconds=found.due_ms)).astimezone(zone(ZONES[where.partition("-")[0]]))
    text = moment.isoformat(timespec="milliseconds")
    return text[:10] if text[11:23] == "23:59:59.999" else text[:16]
