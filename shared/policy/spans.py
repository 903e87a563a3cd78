"""Moments and spans of time as policies write them, and how two spans compare."""

import datetime as dt
from calendar import monthrange

import msgspec

from shared.clock import DAY
from shared.policy.terms import Ref

_HOURS = {"hours": 1, "days": 24, "business_days": 34, "weeks": 168, "months": 730, "years": 8_760}
"""Hours of each unit, for comparing spans only: a business day is 7/5 of a day, a month 1/12 of 365 days."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FOR_EVER = 2**62
"""Later than any moment, in milliseconds."""


class Span(msgspec.Struct, frozen=True):
    """So many hours, days, ...; ``of`` names the parameter that says so, ``None`` where a rule says it by itself."""

    value: int
    unit: str
    of: Ref | None = None

    @property
    def hours(self) -> int:
        """Give roughly how many hours it is: to tell the longer of two, never to compute a date."""
        return self.value * _HOURS[self.unit]

    def __str__(self) -> str:
        """Write it as a person does: ``30 days``."""
        unit = self.unit.replace("_", " ")
        return f"{self.value} {unit[:-1] if self.value == 1 else unit}"


def is_span(unit: str) -> bool:
    """Say whether a unit is one of time."""
    return unit in _HOURS


def span_of(text: str) -> Span:
    """Read ``30 days`` or ``2 business days``."""
    value, _, unit = text.partition(" ")
    return Span(int(value), unit.rstrip("s").replace(" ", "_") + "s")


def after(at_ms: int, span: Span) -> int:
    """Give the moment a span of calendar time later; a month later is the same day of it, or its last.

    Business days need a calendar and are :mod:`shared.policy.clocks`' to count: ``ValueError`` here.
    """
    if span.unit in {"months", "years"}:
        moment = _EPOCH + dt.timedelta(milliseconds=at_ms)
        months = moment.month - 1 + span.value * (12 if span.unit == "years" else 1)
        year, month = moment.year + months // 12, months % 12 + 1
        return _since_epoch(moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1])))
    if span.unit not in {"hours", "days", "weeks"}:
        raise ValueError("no calendar here")
    return at_ms + span.value * _HOURS[span.unit] * 3_600_000


def before(at_ms: int, span: Span, *, latest: bool = False) -> int:
    """Give the moment up to which a span of calendar time is over at ``at_ms``, for whatever began until then.

    Months are not all alike: what began on the last days of a long one ends on the same day.  With ``latest`` the
    answer is the last moment of which that is so, without it the last before which it is so of every other, too.
    """
    if span.unit not in {"months", "years"}:
        return at_ms - (after(at_ms, span) - at_ms)
    moment = _EPOCH + dt.timedelta(milliseconds=at_ms)
    months = moment.year * 12 + moment.month - 1 - span.value * (12 if span.unit == "years" else 1)
    year, month = divmod(months, 12)
    days, here = monthrange(year, month + 1)[1], monthrange(moment.year, moment.month)[1]
    if moment.day > days:  # nothing ends between that month's last day's end and the next one's first
        following = moment.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
        return _since_epoch(following + dt.timedelta(days=days)) - 1
    day = days if latest and moment.day == here else moment.day
    return _since_epoch(moment.replace(year=year, month=month + 1, day=day))


def _since_epoch(moment: dt.datetime) -> int:
    """Give a moment in milliseconds."""
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def moment_ms(text: str) -> int:
    """Give a date (00:00 UTC) or a moment with its offset in milliseconds; ``ValueError`` for one that is none."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if len(text) != len("2026-01-01"):
            raise ValueError("no offset")
        moment = moment.replace(tzinfo=dt.UTC)
    return _since_epoch(moment)


def written(at_ms: int) -> str:
    """Write a moment: a date where it is 00:00 UTC, to the second otherwise."""
    moment = _EPOCH + dt.timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%d") if at_ms % DAY == 0 else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def holds(valid_from: str | None, valid_until: str | None, at_ms: int) -> bool:
    """Say whether what is valid from one moment, until just before another, holds at ``at_ms``."""
    return (valid_from is None or moment_ms(valid_from) <= at_ms) and (
        valid_until is None or at_ms < moment_ms(valid_until)
    )
