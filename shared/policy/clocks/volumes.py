"""How many people's data has left since 1 January: the yearly counters on which a law hangs more duties."""

import msgspec

from shared.policy.clocks.calendar import Calendar


class Transferred(msgspec.Struct, frozen=True):
    """People whose data left at one instant and had not left before in that year: each person once a year.

    ``people`` are those without sensitive data, ``sensitive_people`` those with; a person counts in one of them.
    """

    at_ms: int
    people: int
    sensitive_people: int = 0


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """From a number on, the law asks for more; reached when either count is (``people_from``: that many are in it)."""

    id: str
    people_from: int | None = None
    sensitive_from: int | None = None


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Where a year's count stands."""

    year: int
    people: int
    sensitive_people: int
    band: str | None
    """The last band reached; None below the first."""
    next_band: str | None
    people_left: int | None
    """How many more may leave before ``next_band`` is reached by ``people``; None where it has no such number."""
    sensitive_left: int | None


def volume(bands: tuple[Band, ...], counts: tuple[Transferred, ...], calendar: Calendar, now_ms: int) -> Volume:
    """Count what left since 1 January, local time, up to ``now_ms``; ``bands`` stand from the mildest to the hardest.

    ``counts`` may come in any order; equal entries are different transfers and all count, so whoever calls drops
    repeated deliveries.
    """
    year = calendar.day_of(now_ms).year
    mine = [each for each in counts if each.at_ms <= now_ms and calendar.day_of(each.at_ms).year == year]
    people = sum(each.people for each in mine)
    sensitive = sum(each.sensitive_people for each in mine)
    reached = max((place for place, band in enumerate(bands) if _is_reached(band, people, sensitive)), default=-1)
    coming = bands[reached + 1] if reached + 1 < len(bands) else None
    return Volume(
        year=year,
        people=people,
        sensitive_people=sensitive,
        band=bands[reached].id if reached >= 0 else None,
        next_band=coming.id if coming else None,
        people_left=_left(coming.people_from, people) if coming else None,
        sensitive_left=_left(coming.sensitive_from, sensitive) if coming else None,
    )


def _is_reached(band: Band, people: int, sensitive: int) -> bool:
    """Say whether a count has come to a band's number."""
    return (band.people_from is not None and people >= band.people_from) or (
        band.sensitive_from is not None and sensitive >= band.sensitive_from
    )


def _left(number: int | None, count: int) -> int | None:
    """Give how many may still come below a number."""
    return None if number is None else max(0, number - count - 1)
