"""Whose law applies to a subject: derived from what is known of them, never chosen by a caller.

Four sources are asked in this order: where the subject said they live, the country that WhatsApp states in its user id,
the country of the phone number by its plan, the country of the account they wrote to.  The first that names a country
decides; what the others say is kept, so that policy can take the strictest.  A number is never proof: people move and
keep it, and +1, +7, +39, +44, +47, +61, +262, +358, +590 and +599 are shared by several countries.  Where the plan does
not tell these apart, the country it belongs to first is taken if no other of them has a law here (Italy, not the
Vatican); else the account's country, and that only if it is one of them.

Of the United States only parts have a law here.  A part is believed when the subject declared it; an area code is kept
by those who move and is not looked at.  So a number of the United States gives the country, no jurisdiction, and the
laws of its parts as ``others``: policy takes the strictest of them.

Identifiers go in by :func:`country_of_bsuid` and :func:`hint_of_number` and come out as codes; nothing else sees them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
import phonenumbers

from shared.policy.terms import JurisdictionCode, LawBasis, LawCertainty, LawSource

Source = LawSource
Basis = LawBasis
Certainty = LawCertainty
CERTAINTIES: tuple[Certainty, ...] = ("none", "assumed", "indicated", "platform_stated", "declared")
"""From the weakest to the strongest."""
_CERTAINTY: dict[Basis, Certainty] = {
    "declared_residence": "declared",
    "platform_country": "platform_stated",
    "number_plan": "indicated",
    "account_country": "assumed",
    "nothing_known": "none",
}
_CODE = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_BSUID = re.compile(r"([A-Z]{2})\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_E164 = re.compile(r"[1-9][0-9]{6,14}")
"""ITU-T E.164: at most 15 digits; no country has whole numbers of fewer than 7."""
_NO_COUNTRY = "001"
"""What the number plan calls satellites, freephone and other numbers of no country."""


class NumberHint(msgspec.Struct, frozen=True):
    """What a number's plan says: the countries that it may be of, the main one of the country code first."""

    countries: tuple[JurisdictionCode, ...]


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a subject, in codes: ISO 3166-1 alpha-2, where it is known better ISO 3166-2 (``US-CA``)."""

    declared: JurisdictionCode | None = None
    platform: JurisdictionCode | None = None
    number: NumberHint | None = None
    account: JurisdictionCode | None = None


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """Whose law applies, and why that is thought.  It holds codes only, nothing that names the subject."""

    jurisdiction: JurisdictionCode | None
    """Code of the jurisdiction's file; None where none is known for the country, or no country is known."""
    country: JurisdictionCode | None
    """The country or part of one that decided: of the EU, the member state."""
    basis: Basis
    certainty: Certainty
    others: tuple[JurisdictionCode, ...] = ()
    """Other jurisdictions that may be the right one, sorted: of sources that disagree, of parts of the country."""
    conflicts: tuple[Source, ...] = ()
    """Sources that name another country than the one that decided.  The account's is none: it says where the business
    is, and is asked only when nothing else is known."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What lies between two derivations of one subject."""

    direction: Literal["same", "found", "lost", "moved"]
    """Of the jurisdiction: none to one, one to none, one to another."""
    was: JurisdictionCode | None
    now: JurisdictionCode | None
    certainty: Literal["same", "stronger", "weaker"]
    evidence: bool
    """The country, basis, others or conflicts differ: the same law, perhaps another answer."""

    @property
    def is_change(self) -> bool:
        """Say whether records already stored have to be judged again."""
        return self.direction != "same" or self.certainty != "same" or self.evidence


def country_of_bsuid(bsuid: str) -> str | None:
    """Give the country that WhatsApp states in a business-scoped user id or its parent form; None if it is not one.

    Source: Meta, business-scoped-user-ids, 2026-05-28: ISO 3166 alpha-2, a full stop, up to 128 letters and digits.
    """
    found = _BSUID.fullmatch(bsuid)
    return found.group(1) if found else None


def hint_of_number(number: str) -> NumberHint | None:
    """Give the countries of a number in E.164, with or without its ``+``; None for what is none, or of no country.

    Where a country code is shared, those remain in whose plan the number is valid: freephone in many, a mobile number
    of Finland in Åland's, too.  Where it is valid in none, all remain.
    """
    digits = number.removeprefix("+")
    if not _E164.fullmatch(digits):
        return None
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    sharing = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    if _NO_COUNTRY in sharing or not sharing:
        return None
    valid = [country for country in sharing if phonenumbers.is_valid_number_for_region(parsed, country)]
    return NumberHint(tuple(valid or sharing))


def hint_of_prefix(prefix: str) -> NumberHint | None:
    """Give the countries that share the country code of ``+44``, the main one first; ``None`` for a code of none."""
    digits = prefix.removeprefix("+")
    sharing = phonenumbers.region_codes_for_country_code(int(digits)) if digits.isascii() and digits.isdigit() else ()
    return NumberHint(tuple(sharing)) if sharing and _NO_COUNTRY not in sharing else None


def laws_of(jurisdictions: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Give the jurisdiction of each country, from pairs of a jurisdiction's code and its countries.

    Raises ``ValueError`` where two jurisdictions claim one country.
    """
    laws: dict[str, str] = {}
    for code, countries in jurisdictions:
        for country in countries:
            if laws.setdefault(country, code) != code:
                raise ValueError(f"{country} is claimed by {laws[country]} and {code}")
    return laws


def derive(clues: Clues, laws: Mapping[str, str]) -> Derived:
    """Say whose law applies; ``laws`` gives the jurisdiction of each country (:func:`laws_of`).

    Nothing known, or a country without a file, gives no jurisdiction: policy then denies, or takes the strictest.
    Raises ``ValueError`` for a clue that is no code, without repeating it.
    """
    said = _said(clues)
    chosen = _chosen(said, laws)
    source = chosen or next(iter(said), None)
    countries = said[source] if source else ()
    basis: Basis = source or "nothing_known"
    country = countries[0] if chosen or len(countries) == 1 else None
    jurisdiction = _law(countries[0], laws) if chosen else None
    others = {law for source, named in said.items() if _speaks(source, basis) for law in _laws(named, laws)}
    return Derived(
        jurisdiction=jurisdiction,
        country=country,
        basis=basis,
        certainty=_CERTAINTY[basis] if chosen else "none",
        others=tuple(sorted(others - {jurisdiction})),
        conflicts=tuple(
            source
            for source, named in said.items()
            if chosen and source not in {basis, "account_country"} and not _meet(countries, named)
        ),
    )


def compare(old: Derived, new: Derived) -> Change:
    """Say whether, and which way, a subject's jurisdiction changed."""
    was, now = old.jurisdiction, new.jurisdiction
    strength = CERTAINTIES.index(new.certainty) - CERTAINTIES.index(old.certainty)
    direction: Literal["same", "found", "lost", "moved"] = "same"
    if was != now:
        direction = "found" if was is None else "lost" if now is None else "moved"
    known = (old.country, old.basis, old.others, old.conflicts)
    return Change(
        direction=direction,
        was=was,
        now=now,
        certainty="stronger" if strength > 0 else "weaker" if strength < 0 else "same",
        evidence=known != (new.country, new.basis, new.others, new.conflicts),
    )


def _said(clues: Clues) -> dict[Source, tuple[str, ...]]:
    """Give what each source names, in the order in which they are believed."""
    given: dict[Source, tuple[str, ...]] = {
        "declared_residence": (clues.declared,) if clues.declared is not None else (),
        "platform_country": (clues.platform,) if clues.platform is not None else (),
        "number_plan": clues.number.countries if clues.number is not None else (),
        "account_country": (clues.account,) if clues.account is not None else (),
    }
    for source, countries in given.items():
        if not all(_CODE.fullmatch(country) for country in countries):
            raise ValueError(f"{source} is no code of ISO 3166")
    return {source: countries for source, countries in given.items() if countries}


def _law(country: str, laws: Mapping[str, str]) -> str | None:
    """Give the jurisdiction of a country, or of the part of one; a part has its country's where it has none itself."""
    return laws.get(country) or laws.get(country.partition("-")[0])


def _laws(countries: tuple[str, ...], laws: Mapping[str, str]) -> set[str]:
    """Give every jurisdiction that may apply in one of ``countries``: its own, and those of its parts."""
    parts = {law for place, law in laws.items() if place.partition("-")[0] in countries}
    return parts | {law for law in (_law(country, laws) for country in countries) if law}


def _chosen(said: Mapping[Source, tuple[str, ...]], laws: Mapping[str, str]) -> Source | None:
    """Give the first source that decides: it names one country, or several of which the first alone has a law."""
    for source, countries in said.items():
        if source == "account_country" and not all(_meet(countries, named) for named in said.values()):
            return None
        if len(countries) == 1 or _laws(countries, laws) == {_law(countries[0], laws)}:
            return source
    return None


def _speaks(source: Source, basis: Basis) -> bool:
    """Say whether a source's laws are among the others: the account's only where it decided."""
    return source != "account_country" or source == basis


def _meet(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Say whether two sources can both be right: one names a country of the other, or a part of it."""
    return any(_within(one, other) or _within(other, one) for one in some for other in others)


def _within(place: str, whole: str) -> bool:
    """Say whether ``place`` is ``whole`` or a part of it."""
    return place == whole or place.startswith(f"{whole}-")
