"""Runs cases about deadlines and about whose law applies: what came out otherwise, in sentences.

A date in a case of a clock is a day where the law applies: that something happened on it means at its noon, that
something is due on it means before it ends.
"""

import datetime as dt
from collections.abc import Iterator, Mapping

from shared.errors.clocks import CalendarUnknown
from shared.policy.clocks import Calendar, Due, Event, deadline, definitions_of
from shared.policy.clocks.library import calendar_for
from shared.policy.deriving import Clues, NumberHint, derive, hint_of_prefix
from shared.policy.model import (
    ClockAsked,
    ClockExpected,
    EventGiven,
    JurisdictionAsked,
    JurisdictionExpected,
    JurisdictionFile,
    Policy,
)
from shared.policy.spans import moment_ms, written

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DATE = len("2026-01-01")


def clock_differences(policy: Policy, asked: ClockAsked, expected: ClockExpected) -> Iterator[str]:
    """Compare when something is due with what is expected."""
    code = asked.clock.partition(".")[0]
    file = next(each for each in policy.jurisdictions if each.code == code)
    try:
        calendar = _calendar(file, asked)
    except CalendarUnknown as wrong:
        what = next(iter(wrong.details.values()), file.code)
        yield f"there are no days to count by: {what} is no calendar or time zone that is known"
        return
    events = tuple(_event(each, calendar) for each in asked.events)
    now = _instant(asked.on, calendar)
    began = min((event.at_ms for event in events), default=now)
    definition = definitions_of(file, began).get(asked.clock)
    if definition is None:
        yield f"{asked.clock} is not in force on {calendar.day_of(began)}"
        return
    found = deadline(definition, events, calendar, now)
    yield from _differs("state", expected.state, found.state)
    yield from _differs("phase", expected.phase, _phase(found))
    if expected.due is not None:
        yield from _due(expected.due, found, calendar)
    if expected.faults is not None:
        yield from _set_differs("faults", expected.faults, tuple(fault.code for fault in found.faults))


def jurisdiction_differences(
    laws: Mapping[str, str], asked: JurisdictionAsked, expected: JurisdictionExpected
) -> Iterator[str]:
    """Compare whose law applies with what is expected; ``laws`` gives the jurisdiction of each country."""
    number = NumberHint(asked.number_of) if asked.number_of is not None else None
    if asked.number_prefix is not None:
        number = hint_of_prefix(asked.number_prefix)
        if number is None:
            yield f"{asked.number_prefix} is the country code of no country"
            return
    clues = Clues(declared=asked.declared, platform=asked.user_id, number=number, account=asked.account)
    found = derive(clues, laws)
    yield from _differs("jurisdiction", expected.jurisdiction, found.jurisdiction or "none")
    for key in ("country", "basis", "certainty"):
        yield from _differs(key, getattr(expected, key), getattr(found, key))
    for key in ("others", "conflicts"):
        if getattr(expected, key) is not None:
            yield from _set_differs(key, getattr(expected, key), getattr(found, key))


def _calendar(file: JurisdictionFile, asked: ClockAsked) -> Calendar:
    """Give the days by which a case is counted: those around its first year."""
    year = min(int(moment[:4]) for moment in (asked.on, *(event.on for event in asked.events)))
    return calendar_for(file, year, holidays_code=asked.holidays, zone_name=asked.time_zone)


def _event(given: EventGiven, calendar: Calendar) -> Event:
    """Give what happened at its instant."""
    at = _instant(given.on, calendar)
    return Event(kind=given.what, at_ms=at, reason=given.reason or "", phase=given.phase or "", notice=given.notice)


def _instant(moment: str, calendar: Calendar) -> int:
    """Give a moment (ms); of a date the noon of that day where the law applies."""
    if len(moment) > _DATE:
        return moment_ms(moment)
    noon = dt.datetime.combine(dt.date.fromisoformat(moment), dt.time(12), calendar.zone)
    return (noon - _EPOCH) // dt.timedelta(milliseconds=1)


def _phase(found: Due) -> str:
    """Name the stage that is running, or the last one."""
    return next((stage.phase for stage in found.stages if stage.done_ms is None), found.stages[-1].phase)


def _due(expected: str, found: Due, calendar: Calendar) -> Iterator[str]:
    """Compare the last day, or the last instant, with what is expected."""
    if found.due_ms is None:
        yield f"due: expected {expected}, came out none: the law gives no number, or nothing began yet"
    elif len(expected) == _DATE:
        yield from _differs("due", expected, str(calendar.day_of(found.due_ms)))
    elif moment_ms(expected) != found.due_ms:
        yield f"due: expected {expected}, came out {written(found.due_ms)}"


def _differs(key: str, expected: str | None, came: str | None) -> Iterator[str]:
    """Say that two things differ, where one was expected."""
    if expected is not None and expected != came:
        yield f"{key}: expected {expected}, came out {came or 'none'}"


def _set_differs(key: str, expected: tuple[str, ...], came: tuple[str, ...]) -> Iterator[str]:
    """Say that two sets differ."""
    if set(expected) != set(came):
        yield f"{key}: expected {_listed(expected)}, came out {_listed(came)}"


def _listed(names: tuple[str, ...]) -> str:
    """Write names in order."""
    return ", ".join(sorted(names)) or "none"
