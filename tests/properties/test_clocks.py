"""For every story and calendar: a pause or a holiday never makes a deadline earlier, order does not matter."""

from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy.clocks import Calendar, Event, deadline
from shared.policy.clocks.conventions import COUNTING
from shared.policy.clocks.counting import Count, Stop, add_months
from shared.policy.clocks.library import zone
from tests.support.clocks import ZONES, clock, length

START = date(2026, 1, 15)
EPOCH = date(1970, 1, 1)
HOUR_MS = 3_600_000
EARLIEST_MS = (START - EPOCH).days * 24 * HOUR_MS
NOW_MS = EARLIEST_MS + 200 * 24 * HOUR_MS
PAUSES = ("identity_unverified", "clarification", "fee_unpaid")

days = st.integers(0, 120).map(lambda number: START + timedelta(days=number))
instants = st.integers(EARLIEST_MS // HOUR_MS, NOW_MS // HOUR_MS).map(lambda hour: hour * HOUR_MS)
lengths = st.one_of(
    st.builds("{} {}".format, st.integers(1, 40), st.sampled_from(["days", "business_days", "hours"])),
    st.sampled_from(["1 weeks", "1 months", "2 months"]),
)
calendars = st.builds(
    Calendar,
    name=st.just("invented"),
    zone=st.sampled_from(sorted(ZONES.values())).map(zone),
    weekend=st.sampled_from([frozenset({5, 6}), frozenset({4, 5}), frozenset({6}), frozenset()]),
    holidays=st.frozensets(days, max_size=12),
    workdays=st.frozensets(days, max_size=3),
    first_year=st.just(2020),
    last_year=st.just(2030),
    announced_through=st.just(2030),
    source=st.just("invented"),
)
definitions = st.builds(
    lambda limits, counting, extension, third: clock(
        *limits, counting=counting, pauses=PAUSES, extension=extension, third_party=third
    ),
    st.lists(lengths, min_size=1, max_size=2),
    st.sampled_from(sorted(COUNTING)),
    lengths,
    st.sampled_from([None, "200 days"]),
)
kinds = st.sampled_from(["extended", "phase_done", "third_party_involved", "completed"])
events = st.one_of(
    st.builds(Event, kind=kinds, at_ms=instants, notice=st.booleans()),
    st.builds(Event, kind=st.sampled_from(["paused", "resumed"]), at_ms=instants, reason=st.sampled_from(PAUSES)),
)
stories = st.builds(
    lambda received, more: (Event(kind="received", at_ms=received), *more), instants, st.lists(events, max_size=7)
)


def dues(found):
    """Give the instant of each stage that has begun."""
    return [stage.due_ms for stage in found.stages if stage.due_ms is not None]


@given(definitions, stories, calendars, st.sampled_from(PAUSES), instants, st.integers(0, 60 * 24))
@settings(max_examples=150, deadline=None)
def test_a_pause_never_makes_it_earlier(definition, story, calendar, reason, begins_ms, hours):
    """Whatever else happened, but for pauses of the same reason, whose ends it might take."""
    story = tuple(event for event in story if event.reason != reason)
    pause = (
        Event(kind="paused", at_ms=begins_ms, reason=reason),
        Event(kind="resumed", at_ms=begins_ms + hours * HOUR_MS, reason=reason),
    )
    without = deadline(definition, story, calendar, NOW_MS)
    paused = deadline(definition, (*story, *pause), calendar, NOW_MS)
    assert all(later >= earlier for earlier, later in zip(dues(without), dues(paused), strict=True))


@given(definitions, stories, calendars, st.frozensets(days, min_size=1, max_size=10))
@settings(max_examples=150, deadline=None)
def test_a_holiday_never_makes_it_earlier(definition, story, calendar, more):
    without = deadline(definition, story, calendar, NOW_MS)
    festive = deadline(definition, story, msgspec.structs.replace(calendar, holidays=calendar.holidays | more), NOW_MS)
    assert all(later >= earlier for earlier, later in zip(dues(without), dues(festive), strict=True))


@given(definitions, stories, calendars, st.randoms(use_true_random=False), instants)
@settings(max_examples=100, deadline=None)
def test_neither_order_nor_repetition_matters(definition, story, calendar, chance, now_ms):
    shuffled = [*story, *story[: len(story) // 2]]
    chance.shuffle(shuffled)
    assert deadline(definition, tuple(shuffled), calendar, now_ms) == deadline(definition, story, calendar, now_ms)


@given(definitions, stories, calendars, instants)
@settings(max_examples=100, deadline=None)
def test_what_came_later_changes_nothing_of_what_was_known_then(definition, story, calendar, now_ms):
    """Recomputed for an instant in the past, from all events, the answer is the one that was given then."""
    known = tuple(event for event in story if event.at_ms <= now_ms)
    assert deadline(definition, story, calendar, now_ms) == deadline(definition, known, calendar, now_ms)


@given(definitions, stories, calendars, st.integers(1, 100))
@settings(max_examples=60, deadline=None)
def test_what_is_done_is_done(definition, story, calendar, days_later):
    """Once a case is completed, no later look at it gives another answer."""
    completed = (*story, Event(kind="completed", at_ms=NOW_MS))
    later_ms = NOW_MS + days_later * 24 * HOUR_MS
    assert deadline(definition, completed, calendar, later_ms) == deadline(definition, completed, calendar, NOW_MS)


@given(calendars, instants, st.integers(1, 60), st.lists(st.tuples(instants, st.integers(0, 200)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_as_many_days_run_as_the_law_says(calendar, from_ms, number, pauses):
    """Counted the other way round: between the day of the event and the last day lie so many that count."""
    stops = tuple(Stop(begins_ms, begins_ms + hours * HOUR_MS) for begins_ms, hours in pauses)
    spans = [(calendar.day_of(stop.from_ms), calendar.day_of(stop.until_ms)) for stop in stops]
    begun = calendar.day_of(from_ms)
    for unit in ("days", "business_days"):
        end = Count(COUNTING["no_roll"], calendar, stops).end(from_ms, (length(f"{number} {unit}"),))
        between = [begun + timedelta(days=n) for n in range(1, (end.last_day - begun).days + 1)]
        running = [day for day in between if not any(first <= day < last for first, last in spans)]
        counted = [day for day in running if unit == "days" or calendar.is_worked(day)]
        assert (len(counted), counted[-1]) == (number, end.last_day)


@given(stories, calendars, st.lists(lengths.filter(lambda text: "hours" not in text), min_size=1, max_size=1))
@settings(max_examples=60, deadline=None)
def test_what_was_not_read_is_counted_the_strictest_way(story, calendar, limits):
    """Of one stage without hours and pauses, ``no_roll`` is never later than any other convention."""
    story = tuple(event for event in story if event.kind in {"received", "completed"})
    found = {
        name: deadline(clock(*limits, counting=name), story, calendar, NOW_MS).stages[0].due_ms or 0
        for name in COUNTING
    }
    assert found["no_roll"] == min(found.values())


@given(st.dates(date(1999, 1, 1), date(2100, 1, 1)), st.integers(0, 500))
def test_months_end_on_the_same_date_or_the_last(day, months):
    found = add_months(day, months)
    assert (found.year - day.year) * 12 + found.month - day.month == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)
