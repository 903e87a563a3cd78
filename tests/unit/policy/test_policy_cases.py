"""Cases about deadlines and about whose law applies: what comes out otherwise is said in words."""

import shutil

import pytest

from shared.policy.loading import load
from shared.policy.proving import prove
from tests.support.house import ROOT

DEADLINE = """kind = "cases"

[[case]]
id = "asked"
says = "A Thai customer asks on 1 June."
[case.asked]
about = "clock"
clock = "TH.access"
events = [{ what = "received", on = 2026-06-01 }]
on = 2026-06-10
[case.expected]
about = "clock"
state = "running"
due = 2026-07-01
phase = "answer"
faults = []
"""
LAW = """kind = "cases"

[[case]]
id = "asked"
says = "A Thai number, a German account."
[case.asked]
about = "jurisdiction"
number_of = ["TH"]
account = "DE"
[case.expected]
about = "jurisdiction"
jurisdiction = "TH"
country = "TH"
basis = "number_plan"
certainty = "indicated"
others = []
conflicts = []
"""


@pytest.fixture
def folder(tmp_path):
    """Give a copy of the small bundle."""
    shutil.copytree(ROOT / "tests/unit/policy/small", tmp_path / "policies")
    return tmp_path / "policies"


def differences(folder, text, old="", new=""):
    """Write a case, changed in one place, and say what comes out otherwise."""
    assert old in text
    (folder / "cases/more.toml").write_text(text.replace(old, new, 1))
    found = {each.case.id: each.differences for each in prove(load(folder).sound().policy)}
    return found["asked"]


@pytest.mark.parametrize("text", [DEADLINE, LAW])
def test_a_case_that_comes_out_as_it_says_passes(folder, text):
    """The starting point of what follows."""
    assert differences(folder, text) == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('state = "running"', 'state = "overdue"', "state: expected overdue, came out running"),
        ("due = 2026-07-01", "due = 2026-07-02", "due: expected 2026-07-02, came out 2026-07-01"),
        (
            "due = 2026-07-01",
            "due = 2026-07-01T12:00:00+07:00",
            "due: expected 2026-07-01T12:00:00+07:00, came out 2026-07-01T16:59:59Z",
        ),
        ('phase = "answer"', 'phase = "decide"', "phase: expected decide, came out answer"),
        ("faults = []", 'faults = ["pause_twice"]', "faults: expected pause_twice, came out none"),
        (
            "on = 2026-06-01 }]",
            'on = 2026-06-01 }, { what = "paused", on = 2026-06-02, reason = "fee_unpaid" }]',
            "faults: expected none, came out pause_not_permitted",
        ),
        ("on = 2026-06-01", "on = 2026-05-31T23:00:00Z", ""),
        ("on = 2026-06-01", "on = 2026-06-01T17:00:00Z", "due: expected 2026-07-01, came out 2026-07-02"),
        (
            "events = [{",
            "events = []\n#",
            "due: expected 2026-07-01, came out none: the law gives no number, or nothing began yet",
        ),
        ("on = 2026-06-10", 'on = 2026-06-10\nholidays = "ZZ"', "ZZ is no calendar or time zone that is known"),
        ("on = 2026-06-10", 'on = 2026-06-10\ntime_zone = "Mars/Base"', "Mars/Base is no calendar or time zone"),
    ],
)
def test_what_differs_in_a_deadline_is_said(folder, old, new, told):
    """A date is a day in Bangkok: 23:00 UTC of 31 May is 1 June there, 17:00 UTC of that day is the second."""
    assert told in "; ".join(differences(folder, DEADLINE, old, new))
    assert bool(differences(folder, DEADLINE, old, new)) == bool(told)


def test_a_clock_counts_by_the_law_of_the_day_it_began(folder):
    """Not in force yet: said so, with the day."""
    path = folder / "jurisdictions/TH.toml"
    text = path.read_text()
    path.write_text(text.replace('starts = "received"', 'starts = "received"\nvalid_from = 2026-06-05'))
    assert differences(folder, DEADLINE) == ("TH.access is not in force on 2026-06-01",)
    assert differences(folder, DEADLINE, "on = 2026-06-01", "on = 2026-06-05") == (
        "due: expected 2026-07-01, came out 2026-07-05",
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('jurisdiction = "TH"', 'jurisdiction = "none"', "jurisdiction: expected none, came out TH"),
        ('number_of = ["TH"]', 'declared = "FR"', "jurisdiction: expected TH, came out EU"),
        ('country = "TH"', 'country = "FR"', "country: expected FR, came out TH"),
        ('basis = "number_plan"', 'basis = "account_country"', "basis: expected account_country, came out number_plan"),
        ('certainty = "indicated"', 'certainty = "declared"', "certainty: expected declared, came out indicated"),
        ("others = []", 'others = ["EU"]', "others: expected EU, came out none"),
        ("conflicts = []", 'conflicts = ["platform_country"]', "conflicts: expected platform_country, came out none"),
        ('number_of = ["TH"]', 'number_prefix = "+66"', ""),
        ('number_of = ["TH"]', 'number_prefix = "+800"', "+800 is the country code of no country"),
        ('number_of = ["TH"]', 'number_prefix = "+1"', "jurisdiction: expected TH, came out none"),
    ],
)
def test_what_differs_in_whose_law_it_is_is_said(folder, old, new, told):
    """One sentence for each thing."""
    found = "; ".join(differences(folder, LAW, old, new))
    assert told in found
    assert bool(found) == bool(told)


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [
        (DEADLINE, "TH.access", "TH.acess", ["TH.acess is no clock", "Is it TH.access?"]),
        (DEADLINE, "TH.access", "TH.access_acknowledge", ["is no clock"]),
        (DEADLINE, "on = 2026-06-10", "on = 3026-06-10", ["outside of what is computed"]),
        (DEADLINE, "on = 2026-06-10", 'on = "2026-02-30"', ["2026-02-30 is no moment"]),
        (DEADLINE, "due = 2026-07-01", 'due = "2026-06-31"', ["2026-06-31 is no moment"]),
        (DEADLINE, 'what = "received"', 'what = "receved"', ["receved is no word for this. Is it received?"]),
        (DEADLINE, 'about = "clock"\nstate', 'about = "conflict"\nkeep = "held"\n#', ["unknown key due"]),
        (LAW, 'account = "DE"', 'account = "DE"\nnumber_prefix = "+66"', ["number_of and number_prefix"]),
        (LAW, 'account = "DE"', 'account = "DE"\nnumber_prefix = "66"', ["wants a country code such as +44"]),
        (LAW, 'jurisdiction = "TH"', 'jurisdiction = "nobody"', ['TH or US-CA, or "none"']),
        (LAW, 'id = "asked"', 'id = "asked"\ngiven = { without = ["TH.clauses"] }', ["plays no part"]),
    ],
)
def test_what_is_no_case_is_refused(folder, text, old, new, words):
    """With file and line."""
    assert old in text
    (folder / "cases/more.toml").write_text(text.replace(old, new, 1))
    found = load(folder).problems
    shown = " ".join(map(str, found))
    assert all(word in shown for word in words), shown
    assert all(each.where.file == "cases/more.toml" and each.line for each in found)
