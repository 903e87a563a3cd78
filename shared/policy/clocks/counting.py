"""The arithmetic: where a period ends that begins at an instant, has stops in it, and is counted by a convention."""

import calendar as month_lengths
from datetime import date, timedelta
from typing import NamedTuple

from shared.policy.clocks.calendar import HOUR_MS, Calendar
from shared.policy.clocks.conventions import Counting
from shared.policy.clocks.model import Length

_DAY = timedelta(days=1)
_ONE_DAY = (Length(1, "days"),)
_MONTHS = {"months": 1, "years": 12}


class Stop(NamedTuple):
    """A time that does not count, both ends in milliseconds."""

    from_ms: int
    until_ms: int


class End(NamedTuple):
    """Where a period ends."""

    due_ms: int
    counted_to: date
    """The last day by counting alone, before it is moved to a working day."""
    last_day: date
    consulted: tuple[date, date] | None
    """From and to which day the calendar's working days mattered; None where they did not."""


class Count:
    """Counting by one convention, one calendar and the stops of one case."""

    def __init__(self, rules: Counting, calendar: Calendar, stops: tuple[Stop, ...]) -> None:
        self._rules = rules
        self._calendar = calendar
        self._stops = tuple(sorted(stops))
        self._days = [(calendar.day_of(stop.from_ms), calendar.day_of(stop.until_ms)) for stop in self._stops]

    def end(self, from_ms: int, lengths: tuple[Length, ...]) -> End:
        """Give where ``lengths``, one after the other, end; none of them may be ``without_delay``."""
        at_ms, day = from_ms, self._calendar.day_of(from_ms)
        begun = day
        asked = False
        lengths = self._merged(lengths)
        for place, length in enumerate(lengths):
            if length.unit == "hours":
                begins = self._calendar.next_hour(at_ms) if self._rules.whole_hours and place == 0 else at_ms
                at_ms = self._hours(begins, length.value)
                day = self._calendar.day_of(at_ms)
            else:
                asked = asked or length.unit == "business_days"
                day = self._days_after(day, length)
                at_ms = self._calendar.end_of(day)
        counted_to = day
        if lengths[-1].unit != "hours" and self._rules.rolls_forward:
            day = self._moved(begun, day, lengths)
            at_ms = self._calendar.end_of(day)
        first = begun if asked else counted_to
        return End(at_ms, counted_to, day, (first, day) if asked or self._rules.rolls_forward else None)

    def _merged(self, lengths: tuple[Length, ...]) -> tuple[Length, ...]:
        """Make one length of months of several, where the convention counts them from the start."""
        if not self._rules.months_extend_from_start or any(length.unit not in _MONTHS for length in lengths):
            return lengths
        return (Length(sum(length.value * _MONTHS[length.unit] for length in lengths), "months"),)

    def _hours(self, from_ms: int, hours: int) -> int:
        """Give the instant after so many hours, stops left out."""
        at_ms, left_ms = from_ms, hours * HOUR_MS
        for stop in self._stops:
            runs_ms = max(0, stop.from_ms - at_ms)
            if left_ms <= runs_ms:
                break
            if stop.until_ms > at_ms:
                at_ms, left_ms = stop.until_ms, left_ms - runs_ms
        return at_ms + left_ms

    def _days_after(self, day: date, length: Length) -> date:
        """Give the last day of a period in days or longer that begins after ``day``; days of stops do not count."""
        left = length.value * 7 if length.unit == "weeks" else length.value
        if length.unit in _MONTHS:
            left = (add_months(day, length.value * _MONTHS[length.unit]) - day).days
        while left:
            day += _DAY
            counts = self._runs_on(day) if length.unit == "business_days" else not self._is_stopped(day)
            left -= counts
        return day

    def _moved(self, begun: date, day: date, lengths: tuple[Length, ...]) -> date:
        """Give the day to which a last day is moved: never an earlier one."""
        while not self._runs_on(day):
            day += _DAY
        if self._rules.two_working_days and lengths != _ONE_DAY:
            worked = sum(self._runs_on(begun + _DAY * n) for n in range(1, (day - begun).days + 1))
            while worked < 2:
                day += _DAY
                worked += self._runs_on(day)
        return day

    def _runs_on(self, day: date) -> bool:
        """Say whether ``day`` is a working day that counts."""
        return self._calendar.is_worked(day) and not self._is_stopped(day)

    def _is_stopped(self, day: date) -> bool:
        """Say whether a stop takes ``day`` out."""
        if self._rules.pause_includes_resumption:
            return any(first <= day <= last for first, last in self._days)
        return any(first <= day < last for first, last in self._days)


def add_months(day: date, months: int) -> date:
    """Give the same date so many months later, or the last day of that month where it has no such date."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, month_lengths.monthrange(year, month + 1)[1]))
