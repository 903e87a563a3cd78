"""How many people's data has left in a year: the counters on which a law hangs more duties from a number on."""

from typing import Literal

import msgspec

from shared.policy.clocks.calendar import Calendar
from shared.policy.clocks.counting import add_months

Window = Literal["calendar_year", "twelve_months"]


class Counted(msgspec.Struct, frozen=True):
    """So many more at one instant: people (records) that had not been counted before in the window."""

    at_ms: int
    number: int


class Band(msgspec.Struct, frozen=True):
    """From ``number`` on, that number included, the law asks for one of ``kinds``."""

    number: int
    kinds: tuple[str, ...]


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Where a count stands."""

    since_ms: int
    """The first millisecond that is counted."""
    number: int
    band: Band | None
    """The last band reached; None below the first."""
    next_band: Band | None
    left: int | None
    """How many more may be counted before ``next_band`` is reached; None where there is no further one."""


def volume(
    bands: tuple[Band, ...], counts: tuple[Counted, ...], window: Window, calendar: Calendar, now_ms: int
) -> Volume:
    """Count up to ``now_ms`` since 1 January, or for the twelve months that end today, by the calendar's local days.

    ``bands`` and ``counts`` may stand in any order.  Equal entries of ``counts`` are different transfers and all count:
    whoever calls drops what was delivered twice, and counts each person once.
    """
    today = calendar.day_of(now_ms)
    before = today.replace(year=today.year - 1, month=12, day=31)
    if window == "twelve_months":
        before = add_months(today, -12)
    since_ms = calendar.end_of(before) + 1
    number = sum(each.number for each in counts if since_ms <= each.at_ms <= now_ms)
    ordered = sorted(bands, key=lambda band: band.number)
    band = next((band for band in reversed(ordered) if band.number <= number), None)
    coming = next((band for band in ordered if band.number > number), None)
    return Volume(
        since_ms=since_ms,
        number=number,
        band=band,
        next_band=coming,
        left=coming.number - number - 1 if coming else None,
    )
