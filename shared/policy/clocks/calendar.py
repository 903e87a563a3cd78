"""A calendar as data: which days are worked, and when a day begins and ends.  It is made by ``library``."""

from datetime import UTC, date, datetime, timedelta, tzinfo

import msgspec

HOUR_MS = 3_600_000
NOW_MS_MAX = 29_348_006_400_000
"""2900-01-01: nothing is computed for a later now, so that no sum leaves the range of dates."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The days of one country or part of it, from the first day of ``first_year`` to the last of ``last_year``."""

    name: str
    """Of the calendar: ``GB-ENG``."""
    zone: tzinfo
    weekend: frozenset[int]
    """Monday is 0."""
    holidays: frozenset[date]
    """Public holidays that are certain."""
    first_year: int
    last_year: int
    announced_through: int
    """The last year for which the country has said its days, where it says them year by year; else ``last_year``."""
    source: str
    """What it was made from, with versions."""
    workdays: frozenset[date] = frozenset()
    """Days of weekends that are worked to make up for a bridge."""
    estimated: frozenset[date] = frozenset()
    """Holidays that hang on the sight of the moon or on an announcement: not counted as holidays, which gives the
    earlier deadline."""

    def __post_init__(self) -> None:
        """Refuse, with ``ValueError``, a week without a day of work: counting would never end."""
        if not self.weekend < frozenset(range(7)):
            raise ValueError("a weekend is some, not all, of the days 0 to 6")

    def is_worked(self, day: date) -> bool:
        """Say whether ``day`` is a working day.  Outside the calendar's years only weekends are known."""
        return day not in self.holidays and (day in self.workdays or day.weekday() not in self.weekend)

    def day_of(self, at_ms: int) -> date:
        """Give the local day of an instant."""
        return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self.zone).date()

    def end_of(self, day: date) -> int:
        """Give the last millisecond of a local day, however many hours it has."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone) + _DAY
        return (midnight.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1) - 1

    def next_hour(self, at_ms: int) -> int:
        """Give the instant at which the local hour after that of ``at_ms`` begins."""
        offset = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self.zone).utcoffset() or timedelta()
        offset_ms = offset // timedelta(milliseconds=1)
        return (at_ms + offset_ms) // HOUR_MS * HOUR_MS + HOUR_MS - offset_ms
