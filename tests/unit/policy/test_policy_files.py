"""Policy files: what is wrong is told with file, line, field and what would be right; nothing wrong gets by."""

import shutil

import pytest

from shared.errors.policy import PolicyCircular, PolicyUnreadable, PolicyUnsound
from shared.policy.loading import load
from tests.support.house import ROOT

RULE = """kind = "rules"

[[rule]]
id = "first"
says = "So be it."
effect = "allow"
operations = ["store"]
classes = ["content"]
purposes = "any"
subjects = "any"
nodes = ["home"]
cites = ["gdpr-45"]
reason = "because"
"""


@pytest.fixture
def folder(tmp_path):
    """Give a copy of a small bundle of policies that holds together, to break."""
    shutil.copytree(ROOT / "tests/unit/policy/small", tmp_path / "policies")
    return tmp_path / "policies"


def problems(folder) -> list[str]:
    """Give what is wrong, as it is shown."""
    return [str(each) for each in load(folder).problems]


def rewrite(folder, file, old, new):
    """Change a file."""
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("folder_name", ["policies", "tests/unit/policy/small"])
def test_policies_that_are_here_hold_together(folder_name):
    """What is shipped, and what these tests start from."""
    assert problems(ROOT / folder_name) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('reason = "because"', 'reason = "because"\nreasson = "x"', 14, ["unknown key reasson. Is it reason?"]),
        ('reason = "because"', 'reason = "because"\nx = "x"', 14, ["unknown key x. There are: askers,"]),
        (
            'kind = "rules"',
            'kind = "rules"\n\n[[rules]]\nid = "x"',
            3,
            [":3: rules: has an unknown key rules. Is it rule?"],
        ),
        ('effect = "allow"', "effect = 3", 6, ["effect: wants text, and is a whole number."]),
        ('nodes = ["home"]', "nodes = 3", 11, ["nodes: wants text or a list, and is a whole number."]),
        ('effect = "allow"\n', "", 3, ["rule first", "lacks the key effect"]),
        ('effect = "allow"', 'effect = "permit"', 6, ["effect", "permit is no word for this. There are: allow, deny."]),
        ('operations = ["store"]', "operations = []", 7, ["operations", 'write "any"']),
        ('subjects = "any"', "subjects = []", 10, ["subjects", "An empty list means nothing"]),
        ('classes = ["content"]', 'classes = "content"', 8, ["classes"]),
        ('reason = "because"', 'reason = "Because it is"', 13, ["wants a name"]),
        ('cites = ["gdpr-45"]', 'cites = ["GDPR Art. 45"]', 12, ["handle", "gdpr-17-3-b"]),
        ('reason = "because"', 'reason = "because"\nvalid_from = "soon"', 14, ["2026-01-26"]),
        ('reason = "because"', 'reason = "because"\nvalid_from = 2026-01-26T10:00:00', 14, ["with its offset"]),
        ('effect = "allow"', "effect = allow", 6, ["is no TOML"]),
        ('kind = "rules"', 'kind = "ruels"', 1, [":1: kind: ruels is no word for this. Is it rules?"]),
        ('kind = "rules"\n', "", 1, ["does not say its kind", "jurisdiction"]),
    ],
)
def test_a_file_that_is_not_of_its_form_is_refused_with_its_line(folder, old, new, line, words):
    """Unknown and missing keys, wrong values, empty lists; the error is of the catalogue."""
    assert old in RULE
    (folder / "rules/first.toml").write_text(RULE.replace(old, new, 1))
    loaded = load(folder)
    (problem,) = loaded.problems
    assert problem.where.file == "rules/first.toml"
    assert problem.line == line, problem
    assert all(word in str(problem) for word in words), str(problem)
    with pytest.raises(PolicyUnreadable) as caught:
        loaded.sound()
    assert "rules/first.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ('classes = ["content"]', 'classes = ["contents"]', "name_unknown", ["contents is none", "Is it content"]),
        ('nodes = ["home"]', 'nodes = ["mars-base"]', "name_unknown", ["mars-base"]),
        ('nodes = ["home"]', 'nodes = ["here"]', "place_wrong", ["here"]),
        ('cites = ["gdpr-45"]', 'cites = ["gdpr-99"]', "article_unknown", ["gdpr-99"]),
        ('reason = "because"', 'reason = "because"\naskers = "any"', "asker_unexpected", ["nobody asks"]),
        ('operations = ["store"]', 'operations = ["view"]', "asker_missing", ["askers"]),
        ('purposes = "any"', 'purposes = ["intake"]\npurposes_except = ["intake"]', "empty", ["takes out all"]),
        ('subjects = "any"', 'subjects = ["EU"]\nsubjects_except = ["EU"]', "empty", ["takes out all"]),
        ('reason = "because"', 'reason = "because"\nvalid_from = 2026-02-31', "no_toml", []),
        ('reason = "because"', 'reason = "because"\nvalid_from = "2026-02-31"', "moment_wrong", ["no moment"]),
        (
            'reason = "because"',
            'reason = "because"\nvalid_from = 2026-02-01\nvalid_until = 2026-01-01',
            "moment_wrong",
            ["before it begins"],
        ),
        ('effect = "allow"', 'effect = "allow"\nlocalised = "only_inside"', "localised_allow", ["only be denied"]),
        ('cites = ["gdpr-45"]', "cites = []", "key_missing", ["cites nothing"]),
        ('cites = ["gdpr-45"]\n', "", "key_missing", ["cites nothing"]),
        ('effect = "allow"', 'effect = "deny"\nobligations = { form = "masked" }', "deny_needs", ["denies"]),
        (
            'reason = "because"',
            'reason = "because"\nobligations = { log_for = "EU.nothing" }',
            "name_unknown",
            ["EU.nothing"],
        ),
        (
            'reason = "because"',
            'reason = "because"\nneeds = [{ kinds = ["adequacy"], from = "subject", to = "asker" }]',
            "asker_unexpected",
            ["nobody asks"],
        ),
    ],
)
def test_a_rule_that_does_not_hold_together_is_refused(folder, old, new, code, words):
    """Names that stand for nothing, choices that are empty, what does not belong together."""
    (folder / "rules/first.toml").write_text(RULE.replace(old, new, 1))
    found = load(folder).problems
    assert code in {each.code for each in found}, found
    shown = " ".join(map(str, found))
    assert all(word in shown for word in words), shown
    assert all(each.line for each in found)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "vocabulary.toml",
            'jurisdiction = "TH"',
            'jurisdiction = "ZZ"',
            ["region th-bangkok", "no jurisdictions/ZZ.toml"],
        ),
        ("vocabulary.toml", 'members = ["message_text"', 'members = ["words", "message_text"', ["words is none"]),
        ("vocabulary.toml", 'id = "desk_work"', 'id = "content"', ["twice"]),
        ("jurisdictions/EU.toml", 'countries = ["DE"', 'countries = ["TH", "DE"', ["has TH, which another"]),
        ("jurisdictions/EU.toml", 'limit = "request_limit"', 'limit = "nothing"', ["nothing is no [[parameter]]"]),
        ("jurisdictions/EU.toml", 'article = "gdpr-45"', 'article = "gdpr-46"', ["gdpr-46 is no [[article]]"]),
        ("jurisdictions/EU.toml", 'law = "gdpr"', 'law = "gdrp"', ["gdrp is no [[law]]"]),
        ("jurisdictions/EU.toml", 'unit = "months"', 'unit = "people"', ["request_limit is in people"]),
        ("jurisdictions/EU.toml", 'keeps = "held"', 'keeps = "expunged"', ["held, restricted or blocked"]),
        ("jurisdictions/TH.toml", 'id = "pdpa-th-28"', 'id = "gdpr-45"', ["stands for two articles"]),
        ("instruments.toml", 'kind = "standard_clauses"', 'kind = "adequacy"', ["holds by law"]),
        ("cases/base.toml", 'subject = "TH"', 'subject = "XX"', ["XX is none of the jurisdictions"]),
        ("cases/base.toml", 'about = "decision"\noutcome', 'about = "conflict"\nkeep = "held"\n#', ["unknown key"]),
    ],
)
def test_what_refers_to_nothing_or_stands_twice_is_refused(folder, file, old, new, words):
    """In every kind of file."""
    rewrite(folder, file, old, new)
    shown = " ".join(problems(folder))
    assert f"{file}:" in shown
    if "unknown key" not in words:
        assert all(word in shown for word in words), shown
        with pytest.raises(PolicyUnsound):
            load(folder).sound()
    else:
        assert load(folder).problems


def test_two_mechanisms_of_one_ground_must_not_be_valid_at_once(folder):
    """Overlapping validity: which of two ends would count must not be luck; one after the other is right."""
    more = """
[[mechanism]]
id = "adequacy-br-again"
kind = "adequacy"
to = ["BR", "JP"]
valid_from = {start}
article = "gdpr-45"
source = "a test"
certainty = "confirmed"
"""
    file = folder / "jurisdictions/EU.toml"
    text = file.read_text()
    file.write_text(text + more.format(start="2027-01-01"))
    assert any("valid at the same time as adequacy-br" in each for each in problems(folder))
    rewrite(
        folder, "jurisdictions/EU.toml", "valid_from = 2026-01-26", "valid_from = 2026-01-26\nvalid_until = 2027-01-01"
    )
    assert problems(folder) == []


def test_a_group_that_contains_itself_is_refused(folder):
    """By way of another one, too."""
    with (folder / "vocabulary.toml").open("a") as file:
        for one, other in (("day", "night"), ("night", "day")):
            file.write(f'\n[[group]]\nid = "{one}"\nof = "purposes"\nmembers = ["{other}", "intake"]\nsays = "-"\n')
    assert any("contains itself" in each for each in problems(folder))
    with pytest.raises(PolicyCircular):
        load(folder).sound()


def test_files_that_include_each_other_are_refused(folder):
    """A circle is named; so is a file that is included twice."""
    words = (folder / "vocabulary.toml").read_text()
    (folder / "vocabulary.toml").write_text(
        words.replace('kind = "vocabulary"', 'kind = "vocabulary"\nincludes = ["more.toml"]')
    )
    (folder / "more.toml").write_text('kind = "vocabulary"\nincludes = ["vocabulary.toml"]\n')
    assert any(
        "more.toml:2: is included by way of itself: vocabulary.toml > more.toml > vocabulary.toml" in each
        for each in problems(folder)
    )
    with pytest.raises(PolicyCircular):
        load(folder).sound()
    (folder / "more.toml").write_text('kind = "vocabulary"\nincludes = ["instruments.toml"]\n')
    assert any(
        "bundle.toml:7: includes instruments.toml, which is included already" in each for each in problems(folder)
    )


@pytest.mark.parametrize("pattern", ["../secret.toml", "/etc/passwd", "nothing/*.toml", "rules/**", "absent.toml"])
def test_nothing_outside_the_folder_is_read(folder, pattern):
    """Nor is a pattern that matches nothing passed over."""
    rewrite(folder, "bundle.toml", '"vocabulary.toml"', f'"vocabulary.toml", "{pattern}"')
    assert problems(folder)
    with pytest.raises(PolicyUnreadable):
        load(folder).sound()


def test_what_is_not_there_is_named_where_it_is_wanted(folder):
    """By the line that includes it; a folder without its first page; a page that is no text."""
    rewrite(folder, "bundle.toml", '"vocabulary.toml"', '"vocabulary.toml", "absent.toml"')
    assert "bundle.toml:7: includes absent.toml, which is not there." in problems(folder)
    assert "bundle.toml: is not there; a folder of policies begins with it" in problems(folder / "rules")[0]
    (folder / "absent.toml").write_bytes(b"\xff\xfe")
    assert "absent.toml: cannot be read: a file of UTF-8 text is wanted." in problems(folder)


def test_a_name_in_two_files_is_refused(folder):
    """Which of the two would count must not depend on the order of files."""
    (folder / "rules/again.toml").write_text(RULE.replace('id = "first"', 'id = "store-at-home"'))
    assert any("store-at-home" in each and "already" in each for each in problems(folder))


def test_an_empty_policy_is_an_error(folder):
    """No rule at all is taken for a mistake."""
    (folder / "rules/base.toml").write_text('kind = "rules"\n')
    assert any("no rule at all" in each for each in problems(folder))


def test_how_files_are_cut_does_not_matter(folder):
    """The same tables in other files give the same policy, byte for byte."""
    whole = load(folder).sound().policy
    text = (folder / "rules/base.toml").read_text()
    head, *rules = text.split("\n[[rule]]")
    for number, each in enumerate(reversed(rules)):
        (folder / f"rules/part{number}.toml").write_text(f"{head}\n[[rule]]{each}")
    (folder / "rules/base.toml").unlink()
    assert load(folder).sound().policy == whole
