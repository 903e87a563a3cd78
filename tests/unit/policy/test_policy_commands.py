"""``homeport policy``: what an officer types, from files to a signed bundle, and what comes back."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from shared.commands import homeport
from shared.entropy import SystemEntropy
from shared.key_files import create_officer_key
from shared.roster import SignedRoster, edits, sign
from shared.roster.model import Officer
from shared.roster.texts import write as write_roster
from tests.support.house import ROOT
from tests.support.rosters import HUB, NOW

ASKED = (
    *("-o", "view", "-c", "transcript", "-p", "customer_service", "-s", "TH"),
    *("-n", "th-bangkok", "-a", "eu-frankfurt", "-r", "agent", "--at", "2026-12-01"),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in an empty folder with a copy of the small policies."""
    shutil.copytree(ROOT / "tests/unit/policy/small", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run():
    """Give a function that runs ``homeport policy`` and checks the exit status."""

    def call(*words, status=0, stdin=None):
        result = CliRunner().invoke(homeport, ["policy", *words], input=stdin)
        assert result.exit_code == status, (result.output, result.stderr, result.exception)
        return result.output

    return call


def rewrite(folder, file, old, new):
    """Change a file of the policies."""
    path = folder / "policies" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_each_command_explains_itself(run):
    """One page each."""
    for command in ("check", "test", "decide", "explain", "matrix", "diff", "bundle", "sign", "verify", "override"):
        assert "Usage:" in run(command, "--help")


def test_check_and_strict(folder, run):
    """Warnings are no refusal; a value that is not sure is one in strict mode; an error always is."""
    assert "0 errors" in run("check")
    out = run("check", "--strict", "--json", status=2)
    names = {each["name"] for each in json.loads(out.splitlines()[0])["unsure"]}
    assert {"EU.request_limit", "gdpr-45"} <= names
    assert "TH.access_limit" not in names
    rewrite(folder, "rules/base.toml", 'nodes = ["home"]', 'nodes = ["hame"]')
    assert "rules/base.toml:11" in run("check", status=2)


def test_cases_pass_or_are_shown(folder, run):
    """What differs, in words."""
    assert "cases come out as they say" in run("test")
    rewrite(folder, "cases/base.toml", 'rule = "view-across-borders"', 'rule = "store-at-home"')
    out = run("test", "--failed", status=2)
    assert "rule: expected store-at-home, came out view-across-borders" in " ".join(out.split())


def test_decide_for_machines_and_explain_for_people(folder, run):
    """The same answer; without the company's clauses it is no."""
    decision = json.loads(run("decide", *ASKED, "--json"))
    assert (decision["outcome"], decision["rule"]) == ("allow", "view-across-borders")
    assert decision["must"]["mask"] == ["numbers"]
    assert len(decision["bundle"]) == 64
    out = " ".join(run("explain", *ASKED, "--without", "clauses-th-eu").split())
    for words in (
        "May transcript (what was spoken), of a person under the law of Thailand, at th-bangkok (Thailand),",
        "YES.",
        "TH.clauses (standard clauses) lets data go from Thailand to European Union",
        "ss. 28-29 PDPA",
        "It is shown with these masked: numbers.",
        "The act is recorded, and the record kept for at least 3 years.",
        "kept for at most 400 days",
        "Nothing: no date is known on which this answer becomes another.",
        "WITHOUT clauses-th-eu the answer becomes NO.",
        "No way is open from Thailand to European Union.",
        "TH.clauses (standard clauses, ss. 28-29 PDPA and the notices in force since 2024-03-24) would do: the company"
        " has concluded none with that place (instruments.toml).",
        "There is nothing any more under: Ground, What must be done.",
    ):
        assert words in out, words
    assert "WITHOUT EU.adequacy-br nothing changes: the answer stays YES." in " ".join(
        run("explain", *ASKED, "--without", "EU.adequacy-br").split()
    )
    run("decide", *ASKED, "--without", "clauses-th-eu", status=3)
    assert "EU, TH" in run("explain", *[{"TH": "XX"}.get(each, each) for each in ASKED], status=2)


def test_what_is_misspelt_is_told_with_what_there_is(folder, run):
    """Operation, class, moment, asker where nobody asks, and what is thought away; the option is named."""
    stored = ("-o", "store", "-c", "transcript", "-p", "intake", "-s", "TH", "-n", "th-bangkok")
    for words, told in (
        (["transfr" if each == "view" else each for each in ASKED], "--operation: transfr is none of: link, log,"),
        (["transcrip" if each == "transcript" else each for each in ASKED], "--class: transcrip is none of"),
        ([*stored, "--at", "tomorrow"], "--at: tomorrow is none: a date"),
        ([*stored, "-a", "eu-frankfurt", "-r", "agent"], "--asker: nobody asks to store"),
        (
            [*ASKED, "--without", "TH.claus"],
            "TH.claus is no mechanism, instrument or rule here. There are: TH.clauses.",
        ),
        ([*ASKED, "--without", "Q"], "TH.standard-clauses is written so."),
    ):
        result = CliRunner().invoke(homeport, ["policy", "explain", *words])
        assert result.exit_code == 2
        assert told in " ".join(result.stderr.split()), result.stderr


def test_explain_leaves_out_what_another_platform_asks_for(folder, run):
    """An officer asks about a message that came over LINE."""
    asked = ("-o", "link", "-c", "pseudonym", "-p", "intake", "-s", "TH", "-n", "th-bangkok")
    path = folder / "policies/rules/base.toml"
    path.write_text(
        path.read_text().replace('operations = ["store", "retain"]', 'operations = ["store", "retain", "link"]')
    )
    shown = " ".join(run("explain", *asked).split())
    assert "Where it came over LINE: Before people are linked" in shown
    assert "LINE user data of several services" in shown
    other = " ".join(run("explain", *asked, "--channel", "whatsapp", status=2).split())
    assert "no platforms/whatsapp.toml" in other
    line = " ".join(run("explain", *asked, "--channel", "line").split())
    assert "pseudonym (a random name) that came over LINE, of a person" in line
    assert "Where it came over LINE" in line


def test_what_a_lapse_changes_is_a_diff_of_one_policy(folder, run):
    """From tomorrow, or another day; what is not there, or nothing to compare, is refused."""
    found = json.loads(run("diff", "policies", "--lapse", "TH.clauses", "--on", "2030-01-01", "--json"))
    assert found["counts"]["more_restrictive"] > 0 == found["counts"]["more_permissive"]
    assert found["facts"][0]["keys"] == ["valid_until: null > 2030-01-01"]
    told = " ".join(run("diff", "policies", "--lapse", "TH.clauses").split())
    assert "in which TH.clauses ends on 20" in told
    assert "content customer_service" not in told, "what is excepted is no group"
    assert "ends none > 20" in told
    run("diff", "policies", status=2)
    run("diff", "policies", "--lapse", "TH.claus", status=2)
    run("diff", "policies", "--lapse", "TH.clauses", "--on", "soon", status=2)


def test_explain_says_what_changes_and_when(folder, run):
    """An end that is known is told before it comes."""
    rewrite(folder, "instruments.toml", "reference", "valid_until = 2027-03-01\nreference")
    out = " ".join(run("explain", *ASKED).split())
    assert "It ends on 2027-03-01." in out
    assert "From 2027-03-01: no (no_mechanism)." in out


def test_the_matrix_counts_and_lists(folder, run):
    """Every cell, by rule; and one by one."""
    counts = json.loads(run("matrix", "--json"))
    assert sum(row[-1] for row in counts["counts"]) == counts["cells"]
    listed = run("matrix", "--all", "--allowed", "--subject", "TH", "--asker", "eu-frankfurt", "--node", "th-bangkok")
    lines = listed.splitlines()
    assert lines
    assert all("TH th-bangkok eu-frankfurt" in line and "allow (mechanism_holds" in line for line in lines)


def test_a_diff_says_which_way_and_where(folder, run):
    """Grouped, one by one, and for machines; nothing changes in itself."""
    shutil.copytree(folder / "policies", folder / "new")
    assert "0 cells MORE PERMISSIVE" in run("diff", "policies", "new")
    path = folder / "new/rules/base.toml"
    path.write_text(path.read_text().replace('roles = ["desk"]', 'roles = ["agent", "officer"]'))
    found = json.loads(run("diff", "policies", "new", "--json"))
    assert found["counts"]["more_permissive"] == found["counts"]["more_restrictive"] > 0
    lines = run("diff", "policies", "new", "--all", "--only", "more_permissive").splitlines()
    assert len(lines) == found["counts"]["more_permissive"]
    assert all(" officer " in line for line in lines)
    out = " ".join(run("diff", "policies", "new", "--exit-code", status=3).split())
    assert "MORE PERMISSIVE" in out
    assert 'changed rule view-across-borders roles: ["desk"] > ["agent","officer"]' in out


def officers(folder) -> dict:
    """Make two officers' key files and a roster that both signed; give their keys."""
    (folder / "word").write_text("a long enough passphrase\n")
    keys = {
        person: create_officer_key(folder / f"{person}.key", person, b"a long enough passphrase", SystemEntropy())
        for person in ("ada", "ben")
    }
    roster = edits.found("acme", 1, tuple(Officer(person, each.public) for person, each in keys.items()), HUB, NOW)
    signed = SignedRoster(roster, tuple(sign(roster, person, each) for person, each in keys.items()))
    (folder / "roster.json").write_bytes(write_roster(signed))
    return keys


def test_from_files_to_a_bundle_that_a_node_accepts(folder, run):
    """Made, signed by one, refused, signed by the second, accepted; then changed, and rolled back in vain."""
    officers(folder)
    signing = ("--roster", "roster.json", "--passphrase-file", "word")
    assert "2 officers must sign" in run("bundle", "--out", "one.bundle")
    run("verify", "one.bundle", "--roster", "roster.json", status=2)
    assert "Officers who signed: ada." in run("sign", "one.bundle", "--key", "ada.key", *signing)
    result = CliRunner().invoke(homeport, ["policy", "verify", "one.bundle", "--roster", "roster.json"])
    assert (result.exit_code, result.stderr.split(":")[1].strip()) == (2, "bundle_second_officer")
    run("sign", "one.bundle", "--key", "ben.key", *signing)
    assert "would come into force" in run("verify", "one.bundle", "--roster", "roster.json")
    assert json.loads(run("decide", "one.bundle", *ASKED, "--json"))["outcome"] == "allow"

    rewrite(folder, "rules/base.toml", '"400 days"', '"300 days"')
    told = " ".join(run("bundle", "--previous", "one.bundle", "--out", "two.bundle", status=2).split())
    assert "bundle.toml says version 1; version 1 is followed by 2." in told
    rewrite(folder, "bundle.toml", "version = 1", "version = 2")
    grace = re.search('grace = ".*"', (folder / "policies" / "bundle.toml").read_text())[0]
    rewrite(folder, "bundle.toml", grace, 'grace = "90 days"')
    assert "Besides cells, this becomes more permissive: grace" in run(
        "bundle", "--previous", "one.bundle", "--out", "longer.bundle"
    )
    rewrite(folder, "bundle.toml", 'grace = "90 days"', grace)
    assert "No cell becomes more permissive" in run("bundle", "--previous", "one.bundle", "--out", "two.bundle")
    run("sign", "two.bundle", "--key", "ada.key", *signing, "--against", "one.bundle")
    run("verify", "two.bundle", "--roster", "roster.json", "--against", "one.bundle")
    run("verify", "one.bundle", "--roster", "roster.json", "--against", "two.bundle", status=2)
    assert "so this one is compared with none at all" in run("sign", "two.bundle", "--key", "ben.key", *signing)
    assert "there is no file" in run("verify", "none.bundle", "--roster", "roster.json", status=2)
    stranger = create_officer_key(folder / "eve.key", "eve", b"a long enough passphrase", SystemEntropy())
    assert stranger
    run("sign", "two.bundle", "--key", "eve.key", *signing, status=2)

    data = bytearray((folder / "two.bundle").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "two.bundle").write_bytes(data)
    run("verify", "two.bundle", "--roster", "roster.json", "--against", "one.bundle", status=2)


def test_an_officer_vouches_for_a_value(folder, run):
    """The override stands in a file of its own, and counts with the roster only."""
    officers(folder)
    (folder / "policies/overrides").mkdir()
    words = ("--key", "ada.key", "--reason", "I read Art. 12(3).", "--passphrase-file", "word")
    run("override", "EU.request_limit", *words, "--out", "policies/overrides/one.toml")
    run("override", "EU.nothing", *words, "--out", "policies/overrides/two.toml", status=2)
    rewrite(folder, "bundle.toml", '"vocabulary.toml"', '"vocabulary.toml", "overrides/*.toml"')
    for roster, vouched in ((), []), (("--roster", "roster.json"), ["ada"]):
        out = run("check", "--strict", "--json", *roster, status=2)
        listed = {each["name"]: each["overridden_by"] for each in json.loads(out.splitlines()[0])["unsure"]}
        assert listed["EU.request_limit"] == vouched
