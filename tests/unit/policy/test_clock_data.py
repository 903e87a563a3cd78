"""Where clocks come from: the libraries of holidays and zones, a jurisdiction's file, and yearly counts."""

import json
import subprocess
import sys
import tomllib
from datetime import date

import msgspec
import pytest

from shared.errors.clocks import CalendarUnknown
from shared.policy.clocks import Band, Calendar, Counted, Event, bands_of, deadline, definitions_of, volume
from shared.policy.clocks.library import DECREED_YEARLY, KNOWN_THROUGH, calendar_for, calendar_of, zone
from shared.policy.model import JurisdictionFile
from tests.support.clocks import ZONES, at, calendar, clock, due, ends, happened
from tests.support.house import ROOT

NOW = at("2026-11-24", "VN")


def file(**more):
    """Give a jurisdiction's file with the parameters that tests need."""
    spans = {"long": (15, "days"), "more": (15, "days"), "others": (20, "days"), "soon": (2, "business_days")}
    spans |= {"dossier": (60, "days"), "at_once": (None, "without_delay"), "many": (100_000, "people")}
    spans |= {"most": (1_000_000, "people")}
    sure = {"source": "an example", "certainty": "confirmed", "article": "law-xa-1"}
    parameters = [{"id": name, "unit": unit, "value": value, **sure} for name, (value, unit) in spans.items()]
    given = {"kind": "jurisdiction", "code": "VN", "name": "Example", "countries": ["VN"], "parameter": parameters}
    given |= {"time_zone": "Asia/Ho_Chi_Minh", "holidays": "VN"} | more
    return msgspec.convert(given, JurisdictionFile)


ERASURE = {
    "id": "erasure",
    "right": "erasure",
    "starts": "received",
    "acknowledge": "soon",
    "pauses": ["clarification"],
    "phase": [{"phase": "answer", "limit": "long", "extension": "more", "third_party": "others"}],
}


def test_a_clock_of_a_file_is_computed():
    found = definitions_of(file(clock=[ERASURE]), NOW)
    told = happened("VN", "received 2026-06-01", "third_party_involved 2026-06-02")
    computed = {name: deadline(each, told, calendar("VN"), at("2026-06-02", "VN")) for name, each in found.items()}
    assert {name: ends(each, "VN") for name, each in computed.items()} == {
        "VN.erasure": "2026-06-21",
        "VN.erasure_acknowledge": "2026-06-03",
    }
    assert found["VN.erasure_acknowledge"].pauses == ()


def test_a_filing_of_a_file_is_a_clock():
    filing = {
        "id": "dossier",
        "starts": "first_transfer",
        "limit": "dossier",
        "article": "law-xa-1",
        "says": "It goes.",
    }
    found = definitions_of(file(filing=[filing]), NOW)["VN.dossier"]
    told = happened("VN", "first_transfer 2026-01-01", "first_transfer 2026-02-01")
    assert ends(deadline(found, told, calendar("VN"), at("2026-02-02", "VN")), "VN") == "2026-03-02"


@pytest.mark.parametrize(
    ("begins", "ended", "is_there"),
    [
        (None, None, True),
        ("2026-11-24", None, True),
        ("2026-11-25", None, False),
        (None, "2026-11-24T12:00:00+07:00", False),
        (None, "2026-11-24T12:00:01+07:00", True),
    ],
)
def test_only_clocks_in_force_are_given(begins, ended, is_there):
    found = definitions_of(file(clock=[ERASURE | {"valid_from": begins, "valid_until": ended}]), NOW)
    assert ("VN.erasure" in found) == is_there


def test_a_limit_that_is_no_span_is_refused():
    for limit in ("many", "nowhere"):
        with pytest.raises(ValueError, match=f"VN.{limit} is no span of time"):
            definitions_of(file(clock=[ERASURE | {"acknowledge": limit}]), NOW)
    found = definitions_of(file(clock=[ERASURE | {"acknowledge": "at_once"}]), NOW)["VN.erasure_acknowledge"]
    assert str(found.stages[0].limit) == "without delay"


def test_the_union_and_the_kingdom_count_by_their_own_rules():
    counting = {
        code: definitions_of(file(code=code, clock=[ERASURE]), NOW)[f"{code}.erasure"].counting
        for code in ("EU", "GB", "VN")
    }
    assert counting == {"EU": "eu_1182_71", "GB": "uk_gdpr", "VN": "no_roll"}


def test_every_clock_of_the_shipped_files_can_be_computed():
    """Also their zones and calendars exist, and their counters have numbers."""
    files = sorted((ROOT / "policies" / "jurisdictions").glob("*.toml"))
    for path in files:
        written = json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))
        shipped = msgspec.convert(written, JurisdictionFile)
        has = calendar_for(shipped, 2026)
        for name, definition in definitions_of(shipped, NOW).items():
            told = (Event(kind=definition.starts, at_ms=NOW),)
            found = deadline(definition, told, has, NOW)
            assert found.state in {"running", "due"}, name
            assert (found.due_ms is None) == (definition.stages[0].limit.unit == "without_delay"), name
        for counter in shipped.counter:
            assert bands_of(shipped, counter.id), counter.id
    assert files


def test_a_time_to_preserve_is_counted_to_its_latest_day():
    """Singapore: fifteen days from a refusal end on Saturday; whoever may not delete before it waits until Monday."""
    preserving = ERASURE | {"right": "preservation", "starts": "refused", "acknowledge": None}
    found = definitions_of(file(code="SG", clock=[preserving]), NOW)["SG.erasure"]
    told = happened("SG", "refused 2026-11-13")
    kept = deadline(found, told, calendar("SG"), at("2026-11-14", "SG"))
    assert (found.counting, ends(kept, "SG")) == ("roll_forward", "2026-11-30")


# -- calendars


@pytest.mark.parametrize(
    ("code", "holiday"),
    [
        *[
            ("DE", "2026-10-03"),
            ("GB", "2026-12-28"),
            ("GB-ENG", "2026-08-31"),
            ("CH", "2026-08-01"),
            ("BR", "2026-09-07"),
        ],
        *[
            ("MX", "2026-09-16"),
            ("AR", "2026-05-25"),
            ("CO", "2026-07-20"),
            ("CL", "2026-09-18"),
            ("US-CA", "2026-07-03"),
        ],
        *[("TH", "2026-04-13"), ("ID", "2026-08-17"), ("VN", "2026-09-02"), ("SG", "2026-08-10"), ("MY", "2026-08-31")],
        *[("PH", "2026-06-12"), ("JP", "2026-05-06"), ("TW", "2026-10-09"), ("KR", "2026-08-17"), ("IN", "2026-01-26")],
        *[("CN", "2026-10-07"), ("SA", "2026-09-23"), ("AU", "2026-01-26"), ("AE", "2026-12-02"), ("TR", "2026-10-29")],
    ],
)
def test_every_jurisdiction_has_a_calendar(code, holiday):
    has = calendar_of(code, "Etc/UTC", 2026)
    assert date.fromisoformat(holiday) in has.holidays
    assert not has.is_worked(date.fromisoformat(holiday))
    assert (has.first_year, has.last_year) == (2023, 2032)
    assert "holidays 0.109" in has.source


def test_a_calendar_ends_where_the_library_does():
    assert calendar_of("US-CA", "Etc/UTC", 2098).last_year == 2100
    assert calendar_of("JP", "Asia/Tokyo", 2098).last_year == 2099


def test_the_library_knows_what_china_announced_and_no_more():
    """When this fails, the library is newer: read its notes and raise KNOWN_THROUGH."""
    worked = {day.year for day in calendar_of("CN", "Asia/Shanghai", KNOWN_THROUGH).workdays}
    assert max(worked) == KNOWN_THROUGH
    assert date(2026, 2, 14) in calendar("CN").workdays
    assert calendar("CN").is_worked(date(2026, 2, 28))


def test_days_that_are_not_announced_are_a_fault_and_not_silence():
    found = due(clock("5 business_days"), "CN", "received 2027-02-01", now="2027-02-01")
    assert [fault.code for fault in found.faults] == ["holidays_unannounced"]
    assert due(clock("5 days"), "CN", "received 2027-02-01", now="2027-02-01").faults == ()
    assert due(clock("5 business_days"), "JP", "received 2027-02-01", now="2027-02-01").faults == ()


def test_years_beyond_the_library_are_a_fault_and_not_silence():
    found = due(clock("5 business_days"), "JP", "received 2099-12-28", now="2099-12-29")
    assert [fault.code for fault in found.faults] == ["holidays_unknown"]
    month = clock("1 months", counting="eu_1182_71")
    assert [fault.code for fault in due(month, "DE", "received 2101-03-01", now="2101-03-02").faults] == [
        "holidays_unknown"
    ]
    assert due(clock("1 months"), "DE", "received 2101-03-01", now="2101-03-02").faults == ()


def test_holidays_by_the_moon_are_not_counted_on():
    """Eid al-Fitr 2026 in Saudi Arabia is an estimate of the library: the earlier deadline counts, and it says so."""
    has = calendar("SA")
    assert date(2026, 3, 22) in has.estimated
    assert date(2026, 9, 23) in has.holidays
    found = due(clock("3 business_days"), "SA", "received 2026-03-19", now="2026-03-19")
    assert ends(found, "SA") == "2026-03-24"
    assert any(step.code == "estimated_not_counted" and "2026-03-22" in step.text for step in found.steps)


@pytest.mark.parametrize(
    ("code", "name"), [("QQ", "Etc/UTC"), ("CO-X", "Etc/UTC"), ("__name__", "Etc/UTC"), ("CO", "")]
)
def test_what_the_libraries_do_not_have_is_refused(code, name):
    with pytest.raises(CalendarUnknown):
        calendar_of(code, name, 2026)


@pytest.mark.parametrize("name", ["../../etc/passwd", "Europe", "Mars/Base", "Europe/Berlin/x", "/etc/localtime", "."])
def test_only_zones_of_the_library_are_read(name):
    with pytest.raises(CalendarUnknown):
        zone(name)


def test_without_a_calendar_only_weekends_are_left_out():
    has = calendar_of(None, "Europe/Brussels", 2026)
    assert not has.is_worked(date(2026, 10, 3))
    assert has.is_worked(date(2026, 12, 25))


def test_a_file_gives_its_calendar_and_a_member_state_may_give_its_own():
    has = calendar_for(file(weekend=["friday", "saturday"]), 2026)
    assert (has.name, str(has.zone), has.weekend) == ("VN", "Asia/Ho_Chi_Minh", {4, 5})
    german = calendar_for(file(holidays=None), 2026, holidays_code="DE", zone_name="Europe/Berlin")
    assert date(2026, 12, 25) in german.holidays
    with pytest.raises(CalendarUnknown):
        calendar_for(file(time_zone=None), 2026)


def test_a_week_without_work_is_refused():
    with pytest.raises(ValueError, match="weekend"):
        msgspec.structs.replace(calendar("VN"), weekend=frozenset(range(7)))


def test_the_language_of_the_machine_changes_no_day():
    """The library takes the language of names from the environment unless told; estimates are known by their names."""
    script = (
        "from shared.policy.clocks.library import calendar_of as c;"
        "print([(len(x.holidays), len(x.estimated)) for x in (c('SA', 'Asia/Riyadh', 2026), c('ID', 'Etc/UTC', 2026))])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], env={"LANGUAGE": language}, capture_output=True, check=True
        ).stdout
        for language in ("ar", "id", "en_US")
    }
    assert len(said) == 1


def test_countries_that_decree_their_days_are_all_known():
    assert all(isinstance(calendar_of(code, "Etc/UTC", 2026), Calendar) for code in DECREED_YEARLY)
    assert ZONES.keys() >= {"CN", "SA"}


# -- counts

CHINA = (Band(100_000, ("standard_clauses", "certification")), Band(1_000_000, ("assessment",)))


@pytest.mark.parametrize(
    ("number", "band", "left"),
    [(0, None, 99_999), (99_999, None, 0), (100_000, 0, 899_999), (999_999, 0, 0), (1_000_000, 1, None)],
)
def test_a_number_itself_belongs_to_its_band(number, band, left):
    """Both provisions say "of n and more": n is included."""
    found = volume(CHINA[::-1], (Counted(at("2026-05-01", "CN"), number),), "calendar_year", calendar("CN"), NOW)
    assert (found.number, found.band, found.left) == (number, None if band is None else CHINA[band], left)


def test_a_year_begins_at_local_midnight():
    before, after = at("2025-12-31T23:59", "CN"), at("2026-01-01T00:00", "CN")
    counts = (Counted(before, 7), Counted(after, 5), Counted(NOW + 1, 3))
    found = volume(CHINA, counts, "calendar_year", calendar("CN"), NOW)
    assert (found.number, found.since_ms) == (5, after)
    assert volume(CHINA, counts, "calendar_year", calendar("GB"), after).number == 12
    assert volume(CHINA, counts, "twelve_months", calendar("CN"), NOW).number == 12


def test_twelve_months_end_today():
    counts = (Counted(at("2025-11-24T23:59", "CN"), 7), Counted(at("2025-11-25T00:00", "CN"), 5))
    assert volume(CHINA, counts, "twelve_months", calendar("CN"), NOW).number == 5


def test_bands_of_a_file():
    steps = [{"above": "many", "kinds": ["standard_clauses"]}, {"above": "most", "kinds": ["assessment"]}]
    counter = {
        "id": "left",
        "counts": "subjects",
        "window": "calendar_year",
        "step": steps,
        "article": "law-xa-1",
        "says": "x",
    }
    assert bands_of(file(counter=[counter]), "left") == (
        Band(100_000, ("standard_clauses",)),
        Band(1_000_000, ("assessment",)),
    )
    with pytest.raises(ValueError, match="no counter"):
        bands_of(file(), "left")
    with pytest.raises(ValueError, match="gives no number"):
        bands_of(file(counter=[counter | {"step": [{"above": "at_once", "kinds": ["assessment"]}]}]), "left")
