"""Where calendars come from: the libraries ``holidays`` and ``tzdata``, as pinned in the lock files.

The one page of this package that reads files: those of the two libraries, never the machine's own time zones, so that
every node computes alike.  Their versions go into :attr:`Calendar.source` and from there into each deadline's steps.
"""

import functools
from datetime import date, tzinfo
from importlib import resources
from typing import get_args
from zoneinfo import ZoneInfo

import holidays
import tzdata
from holidays.registry import EntityLoader
from holidays.version import __version__ as holidays_version

from shared.errors.clocks import CalendarUnknown
from shared.policy.clocks.calendar import Calendar
from shared.policy.model import JurisdictionFile
from shared.policy.terms import Weekday

KNOWN_THROUGH = 2026
"""The last year for which ``holidays`` 0.109 holds what governments announce year by year (China's notice for 2026 is
of November 2025).  A test fails when a newer library knows more."""
DECREED_YEARLY = frozenset({"AE", "AR", "CN", "ID", "IN", "MY", "PH", "SA", "SG", "TH", "TR", "TW", "VN"})
"""Countries that fix days off, bridges or days worked instead anew for every year, or by the sight of the moon: for
later years the library extends the rules by itself."""
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""Their places are the numbers of ``date.weekday``."""
_YEARS_BEFORE, _YEARS_AFTER = 3, 6
_LANGUAGE = "en_US"


def calendar_of(
    holidays_code: str | None, zone_name: str, year: int, weekend: frozenset[int] = frozenset({5, 6})
) -> Calendar:
    """Give the calendar around ``year`` (three years before to six after) of ``GB``, ``GB-ENG`` or ``US-CA``.

    Without a code there are no holidays, and none are missing: weekends alone are left out.  Raises
    :class:`CalendarUnknown`.
    """
    first, last = year - _YEARS_BEFORE, year + _YEARS_AFTER
    source = f"holidays {holidays_version}, tzdata {tzdata.IANA_VERSION}"
    if holidays_code is None:
        none = frozenset[date]()
        return Calendar(
            name="weekends only",
            zone=zone(zone_name),
            weekend=weekend,
            holidays=none,
            first_year=first,
            last_year=last,
            announced_through=last,
            source=source,
        )
    country, _, part = holidays_code.partition("-")
    certain, estimated, worked, begins, ends = _days(country, part or None, first, last)
    return Calendar(
        name=holidays_code,
        zone=zone(zone_name),
        weekend=weekend,
        holidays=certain,
        estimated=estimated,
        workdays=worked,
        first_year=max(first, begins),
        last_year=min(last, ends),
        announced_through=KNOWN_THROUGH if country in DECREED_YEARLY else min(last, ends),
        source=source,
    )


def calendar_for(
    file: JurisdictionFile, year: int, *, holidays_code: str | None = None, zone_name: str | None = None
) -> Calendar:
    """Give the calendar of a jurisdiction's file around ``year``.

    ``holidays_code`` and ``zone_name`` take the place of the file's own: of the EU, those of the member state in which
    the act is done (Regulation 1182/71 Art. 2(1)).  Raises :class:`CalendarUnknown`, for a file without a zone, too.
    """
    weekend = frozenset(WEEKDAYS.index(day) for day in file.weekend)
    return calendar_of(holidays_code or file.holidays, zone_name or file.time_zone or "", year, weekend)


@functools.cache
def zone(name: str) -> tzinfo:
    """Give a time zone of the pinned data.  Raises :class:`CalendarUnknown`."""
    if not all(part.replace("_", "").replace("-", "").isalnum() for part in name.split("/")):
        raise CalendarUnknown(time_zone=name)
    place = resources.files(tzdata).joinpath("zoneinfo", *name.split("/"))
    try:
        with place.open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        raise CalendarUnknown(time_zone=name) from None


@functools.lru_cache(maxsize=256)
def _days(
    country: str, part: str | None, first: int, last: int
) -> tuple[frozenset[date], frozenset[date], frozenset[date], int, int]:
    """Give certain holidays, estimated ones, weekend days worked, and the years that the library reaches."""
    asked = f"{country}-{part}" if part else country
    if country not in EntityLoader.get_country_codes(include_aliases=False):
        raise CalendarUnknown(holidays=asked)
    kind = getattr(holidays, country)
    if part not in {None, *kind.subdivisions}:
        raise CalendarUnknown(holidays=asked)
    marks = {"islamic_show_estimated": True} if "islamic_show_estimated" in kind.get_supported_options() else {}
    found = kind(subdiv=part, years=range(first, last + 1), language=_LANGUAGE, **marks)
    estimated = {day for day, name in found.items() if _is_estimated(name)}
    worked = frozenset(found.weekend_workdays)
    return frozenset(found) - estimated, frozenset(estimated), worked, found.start_year, found.end_year


def _is_estimated(name: str) -> bool:
    """Say whether every holiday that falls on a day is marked as estimated."""
    return all("estimated)" in one for one in name.split(holidays.constants.HOLIDAY_NAME_DELIMITER))
