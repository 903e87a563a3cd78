"""Whose law applies: in which order sources are believed, what a number does not prove, what a change is."""

import csv
import re

import msgspec
import phonenumbers
import pytest

from shared.policy.deriving import (
    Clues,
    Derived,
    NumberHint,
    compare,
    country_of_bsuid,
    derive,
    hint_of_number,
    laws_of,
)

LAWS = laws_of(
    [
        ("EU", ["DE", "FI", "AX", "FR", "GP", "MF", "RE", "IT", "NO"]),
        *[("GB", ["GB"]), ("TH", ["TH"]), ("JP", ["JP"]), ("US-CA", ["US-CA"]), ("AU", ["AU"]), ("ID", ["ID"])],
    ]
)


def derived(**clues):
    return derive(Clues(**clues), LAWS)


def test_what_the_subject_declared_comes_first():
    found = derived(declared="DE", platform="TH", number=NumberHint(("GB",)), account="JP")
    assert found == Derived(
        jurisdiction="EU",
        country="DE",
        basis="declared_residence",
        certainty="declared",
        others=("GB", "TH"),
        conflicts=("platform_country", "number_plan"),
    )


@pytest.mark.parametrize(
    ("clues", "basis", "certainty", "jurisdiction"),
    [
        (
            {"platform": "TH", "number": NumberHint(("GB",)), "account": "JP"},
            "platform_country",
            "platform_stated",
            "TH",
        ),
        ({"number": NumberHint(("GB",)), "account": "JP"}, "number_plan", "indicated", "GB"),
        ({"account": "JP"}, "account_country", "assumed", "JP"),
        ({}, "nothing_known", "none", None),
    ],
)
def test_then_the_platform_the_number_and_the_account(clues, basis, certainty, jurisdiction):
    found = derived(**clues)
    assert (found.basis, found.certainty, found.jurisdiction) == (basis, certainty, jurisdiction)


def test_a_country_without_a_law_here_is_an_answer():
    """Whoever lives in Kenya is not under Japan's law because the account is Japanese."""
    found = derived(platform="KE", account="JP")
    assert (found.jurisdiction, found.country, found.certainty, found.others) == (None, "KE", "platform_stated", ())


def test_where_the_account_is_contradicts_nobody():
    found = derived(platform="TH", account="JP")
    assert (found.conflicts, found.others) == ((), ())


def test_the_member_state_is_kept():
    found = derived(declared="FI")
    assert (found.jurisdiction, found.country) == ("EU", "FI")


# -- numbers


@pytest.mark.parametrize(
    ("number", "countries"),
    [
        ("14155552671", ("US",)),  # San Francisco: of the United States, no more is said
        ("+12042345678", ("CA",)),
        ("79161234567", ("RU",)),
        ("77012345678", ("KZ",)),
        ("442079460000", ("GB",)),
        ("447797123456", ("JE",)),
        ("358401234567", ("FI", "AX")),
        ("358181234567", ("AX",)),
        ("393471234567", ("IT", "VA")),
        ("590690000000", ("GP", "BL", "MF")),
        ("66812345678", ("TH",)),
        ("5215512345678", ("MX",)),  # as WhatsApp writes it, with the 1 that the plan gave up
        ("551187654321", ("BR",)),  # without the ninth digit
    ],
)
def test_the_plan_of_a_number(number, countries):
    assert hint_of_number(number).countries == countries


@pytest.mark.parametrize(
    "number", ["", "+", "12", "000000000", "+800 1234 5678", "870773111632", "1" * 16, "9" * 9, "+٣٥٨"]
)
def test_what_is_no_number_of_a_country_says_nothing(number):
    assert hint_of_number(number) is None


def test_freephone_is_of_all_that_share_the_code():
    hint = hint_of_number("18005551234")
    assert hint.countries[0] == "US"
    assert {"CA", "JM"} < set(hint.countries)
    found = derived(number=hint)
    assert (found.jurisdiction, found.country, found.certainty, found.others) == (None, None, "none", ("US-CA",))


@pytest.mark.parametrize(
    ("number", "jurisdiction", "country"),
    [
        ("393471234567", "EU", "IT"),
        ("358401234567", "EU", "FI"),
        ("590690000000", "EU", "GP"),
        ("61412345678", "AU", "AU"),
    ],
)
def test_where_no_other_country_of_the_code_has_a_law_the_main_one_is_indicated(number, jurisdiction, country):
    found = derived(number=hint_of_number(number))
    assert (found.jurisdiction, found.country, found.certainty) == (jurisdiction, country, "indicated")


def test_where_two_have_a_law_the_plan_does_not_decide():
    laws = LAWS | {"JE": "JE"}
    hint = hint_of_number("447700900123")
    assert {"GB", "JE"} < set(hint.countries)
    found = derive(Clues(number=hint), laws)
    assert (found.jurisdiction, found.basis, found.others) == (None, "number_plan", ("GB", "JE"))
    at_home = derive(Clues(number=hint, account="JE"), laws)
    assert (at_home.jurisdiction, at_home.certainty, at_home.others) == ("JE", "assumed", ("GB",))
    abroad = derive(Clues(number=hint, account="TH"), laws)
    assert (abroad.jurisdiction, abroad.others) == (None, ("GB", "JE"))


def test_an_area_code_of_california_is_not_california():
    found = derived(number=hint_of_number("14155552671"), account="US-CA")
    assert (found.jurisdiction, found.country, found.certainty) == (None, "US", "indicated")
    assert found.others == ("US-CA",)


def test_a_part_is_believed_when_it_is_declared():
    at_home = derived(declared="US-CA", platform="US", number=NumberHint(("US",)))
    assert (at_home.jurisdiction, at_home.certainty, at_home.conflicts) == ("US-CA", "declared", ())
    elsewhere = derived(declared="US-NY", platform="US")
    assert (elsewhere.jurisdiction, elsewhere.country, elsewhere.others) == (None, "US-NY", ("US-CA",))
    assert derived(declared="AU-NSW").jurisdiction == "AU"


# -- platform ids


@pytest.mark.parametrize(
    ("bsuid", "country"),
    [
        ("US.13491208655302741918", "US"),
        ("US.ENT.11815799212886844830", "US"),
        ("TH.a1B2", "TH"),
        ("TH." + "9" * 128, "TH"),
        ("TH." + "9" * 129, None),
        ("th.123", None),
        ("TH.", None),
        ("TH.12 3", None),
        ("TH.123\n", None),
        ("66812345678", None),
        ("", None),
    ],
)
def test_the_country_of_a_business_scoped_user_id(bsuid, country):
    assert country_of_bsuid(bsuid) == country


def test_the_answer_holds_codes_only():
    """No digit of a number, no part of an id is in what comes out."""
    number, bsuid = "447911123456", "GB.13491208655302741918"
    found = derived(platform=country_of_bsuid(bsuid), number=hint_of_number(number))
    text = msgspec.json.encode(found).decode() + repr(found)
    assert not re.search(r"[0-9]", text)


@pytest.mark.parametrize("clue", ["declared", "platform", "account"])
def test_a_clue_that_is_no_code_is_refused_and_not_repeated(clue):
    for wrong in ("Thailand", "th", "TH-", "TH\n", ""):
        with pytest.raises(ValueError, match="is no code of ISO 3166") as refusal:
            derived(**{clue: wrong})
        assert not wrong or wrong not in str(refusal.value)


def test_no_country_is_in_two_jurisdictions():
    with pytest.raises(ValueError, match="FI is claimed by EU and XX"):
        laws_of([("EU", ["FI"]), ("XX", ["FI"])])


# -- changes


@pytest.mark.parametrize(
    ("old", "new", "direction", "certainty", "evidence"),
    [
        ({"platform": "TH"}, {"platform": "TH"}, "same", "same", False),
        ({"account": "TH"}, {"platform": "TH"}, "same", "stronger", True),
        ({"platform": "TH"}, {"declared": "DE", "platform": "TH"}, "moved", "stronger", True),
        ({"declared": "DE", "platform": "TH"}, {"platform": "TH"}, "moved", "weaker", True),
        ({}, {"account": "JP"}, "found", "stronger", True),
        ({"account": "JP"}, {}, "lost", "weaker", True),
        ({"declared": "DE"}, {"declared": "FI"}, "same", "same", True),
        ({"platform": "TH"}, {"platform": "TH", "number": NumberHint(("GB",))}, "same", "same", True),
    ],
)
def test_a_change_has_a_direction(old, new, direction, certainty, evidence):
    found = compare(derived(**old), derived(**new))
    assert (found.direction, found.certainty, found.evidence) == (direction, certainty, evidence)
    assert found.is_change == (old != new)


def test_when_a_law_ceases_the_subject_is_under_none():
    """The files may change as well as the clues: the same comparison finds it."""
    old, new = (derive(Clues(platform="TH"), laws) for laws in (LAWS, {}))
    assert compare(old, new).direction == "lost"
    assert (compare(old, new).was, compare(old, new).now) == ("TH", None)


# -- against the list of countries


@pytest.fixture(scope="module")
def dialled(shared_data):
    """Give the dialling codes of each country of the public list."""
    with (shared_data / "countries" / "country-codes.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["ISO3166-1-Alpha-2"], row["Dial"]) for row in csv.DictReader(file)]
    return {code: re.findall(r"[0-9]+", dial) for code, dial in rows if re.fullmatch("[A-Z]{2}", code) and dial}


def test_an_example_number_of_every_country_says_that_country(dialled):
    """For each country that both know, its example number may be of it."""
    checked = 0
    for country in sorted(dialled.keys() & phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
        example = example or phonenumbers.example_number(country)
        digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        assert country in hint_of_number(digits).countries, country
        checked += 1
    assert checked > 220


def test_the_list_and_the_plan_agree_on_who_shares_a_code(dialled):
    """A country code that several countries of the list have is one that the plan shares, too."""
    shared = {"1", "7", "39", "44", "47", "61", "212", "262", "290", "358", "590", "599"}
    for country, codes in dialled.items():
        region = phonenumbers.country_code_for_region(country)
        if region:
            assert codes[0].startswith(str(region)) or str(region) in codes, country
    plan = {str(code) for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1}
    assert plan == shared
