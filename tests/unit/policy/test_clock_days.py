"""Deadlines counted by hand from the texts of laws and the examples of authorities, against the real calendars."""

import pytest

from tests.support.clocks import at, calendar, clock, due, ends

MONTH = clock("1 months", counting="uk_gdpr", extension="2 months")


@pytest.mark.parametrize(
    ("received", "last", "why"),
    [
        ("2025-09-03", "2025-10-03", "ICO, Right of access: received 3 September, due 3 October"),
        ("2026-09-03", "2026-10-05", "the same a year later: 3 October is a Saturday"),
        ("2026-08-31", "2026-09-30", "no 31 September: the last day of the month"),
        ("2026-03-31", "2026-04-30", "the corresponding date is missing: received 31 March, due 30 April"),
        ("2026-01-30", "2026-03-02", "28 February is a Saturday"),
        ("2028-01-30", "2028-02-29", "a leap year has a 29th"),
        ("2027-11-25", "2027-12-29", "Christmas is a Saturday, Sunday follows, then both days' substitutes"),
    ],
)
def test_a_month_in_england(received, last, why):
    found = due(MONTH, "GB-ENG", f"received {received}", now=received)
    assert ends(found, "GB") == last, why
    assert found.faults == ()


def test_the_new_year_is_longer_in_scotland():
    """1 January 2027 is a Friday; Scotland has the 2nd as well, a Saturday, and its substitute on Monday the 4th."""
    assert ends(due(MONTH, "GB-ENG", "received 2026-12-01", now="2026-12-02"), "GB") == "2027-01-04"
    assert ends(due(MONTH, "GB-SCT", "received 2026-12-01", now="2026-12-02"), "GB") == "2027-01-05"


@pytest.mark.parametrize(
    ("limit", "received", "last", "why"),
    [
        ("1 months", "2026-03-05", "2026-04-07", "5 April is Easter Sunday, the 6th Easter Monday: Art. 3(4)"),
        ("1 months", "2026-11-25", "2026-12-28", "the 25th and 26th are holidays, the 27th a Sunday: Art. 3(4)"),
        ("1 months", "2026-08-31", "2026-09-30", "no 31 September: Art. 3(2)(c)"),
        ("12 months", "2028-02-29", "2029-02-28", "no 29 February: Art. 3(2)(c)"),
        ("1 years", "2026-11-24", "2027-11-24", "the same date: Art. 3(2)(c)"),
        ("1 weeks", "2026-09-07", "2026-09-14", "the same day of the week: Art. 3(2)(c)"),
        ("2 days", "2026-10-01", "2026-10-05", "Friday and, for Saturday, Monday"),
        ("2 days", "2026-10-02", "2026-10-06", "at least two working days, Monday and Tuesday: Art. 3(5)"),
        ("1 days", "2026-10-02", "2026-10-05", "one day need not have two: Art. 3(5) begins at two days"),
        ("5 business_days", "2026-12-28", "2027-01-05", "29, 30, 31, not New Year, 4 and 5 January"),
    ],
)
def test_periods_of_the_union(limit, received, last, why):
    """Regulation (EEC, Euratom) 1182/71, counted by the holidays of Germany as a whole."""
    found = due(clock(limit, counting="eu_1182_71"), "DE", f"received {received}", now=received)
    assert ends(found, "DE") == last, why


def test_hours_of_the_union_begin_with_the_next_hour_and_know_no_weekend():
    """Art. 3(1): the hour of the event does not count; 72 hours later clocks have been put forward (29 March 2026)."""
    breach = clock("72 hours", starts="detected", counting="eu_1182_71")
    found = due(breach, "DE", "detected 2026-03-27T10:20", now="2026-03-27T11:00")
    assert found.due_ms == at("2026-03-27T11:00", "DE") + 72 * 3_600_000
    assert ends(found, "DE") == "2026-03-30T12:00"


def test_hours_elsewhere_run_from_the_instant():
    """Indonesia's 3 x 24 hours, over a weekend and a holiday."""
    found = due(clock("72 hours"), "ID", "received 2026-08-15T09:30", now="2026-08-15T10:00")
    assert ends(found, "ID") == "2026-08-18T09:30"


def test_the_next_hour_is_a_local_one():
    """India's hours begin thirty minutes after those of Greenwich."""
    found = due(clock("1 hours", counting="eu_1182_71"), "IN", "received 2026-08-15T09:40", now="2026-08-15T09:40")
    assert ends(found, "IN") == "2026-08-15T11:00"


@pytest.mark.parametrize(
    ("where", "limit", "received", "last", "why"),
    [
        ("AR", "5 business_days", "2026-10-08", "2026-10-16", "Art. 16(2): 12 October is a holiday"),
        ("JP", "5 business_days", "2026-04-28", "2026-05-11", "Golden Week: 29 April, 3 to 5 May, the 6th instead"),
        ("CN", "5 business_days", "2026-02-12", "2026-02-26", "13, Saturday 14 worked, then off to the 23rd, 24 to 26"),
        ("CN", "7 business_days", "2026-02-12", "2026-02-28", "27, and Saturday 28 worked as well"),
        ("TR", "5 business_days", "2026-04-20", "2026-04-28", "filing of clauses: 23 April is a holiday"),
        ("VN", "2 business_days", "2026-04-29", "2026-05-05", "30 April and 1 May are holidays, then a weekend"),
        ("VN", "60 days", "2026-01-01", "2026-03-02", "dossier of a first transfer: 30 + 28 + 2"),
        ("MX", "20 business_days", "2026-10-26", "2026-11-24", "16 November is a holiday"),
        ("SA", "3 business_days", "2026-11-24", "2026-11-29", "Wednesday, Thursday, Sunday: Friday is weekend"),
        ("ID", "15 days", "2026-11-24", "2026-12-09", "calendar days are not moved by a law that was not read"),
    ],
)
def test_days_elsewhere(where, limit, received, last, why):
    found = due(clock(limit), where, f"received {received}", now=received)
    assert ends(found, where) == last, why


@pytest.mark.parametrize(
    ("where", "day", "hours"),
    [
        ("DE", "2026-03-29", 23),
        ("DE", "2026-10-25", 25),
        ("CL", "2026-09-05", 24),  # at its end clocks go from 24:00 to 01:00: there is no midnight
        ("CL", "2026-09-06", 23),
        ("CL", "2026-04-04", 25),  # at its end clocks go from 24:00 back to 23:00
        ("GB", "2026-06-01", 24),
    ],
)
def test_a_day_has_the_hours_that_the_zone_gives_it(where, day, hours):
    has = calendar(where)
    this = has.day_of(at(day, where))
    before = this.replace(day=this.day - 1) if this.day > 1 else this.replace(month=this.month - 1, day=31)
    assert has.end_of(this) - has.end_of(before) == hours * 3_600_000
    assert has.day_of(has.end_of(this)) == this
    assert has.day_of(has.end_of(this) + 1) != this


def test_the_day_of_an_event_is_the_local_one():
    """Half past eleven at night in Tokyo is the afternoon of the same day in London, and another day's count."""
    evening = at("2026-11-24T23:30", "JP")
    assert calendar("JP").day_of(evening).isoformat() == "2026-11-24"
    assert calendar("JP").day_of(evening + 3_600_000).isoformat() == "2026-11-25"
    assert calendar("GB").day_of(evening + 3_600_000).isoformat() == "2026-11-24"
