"""``homeport roster``, as officers use it: keys, a first roster, signatures, changes, and a program's verdict."""

import re
import shutil

import pytest
from click.testing import CliRunner

from shared import key_files
from shared.commands import homeport
from shared.crypto.passphrase import COST_LOG2_MIN
from shared.crypto.signing import fingerprint, in_groups
from shared.entropy import SystemEntropy
from shared.roster import accept, accept_first, read_introduction, read_signed, root_fingerprint, write
from shared.roster.model import ControlPlane, NodeIntroduction, Officer, Witness
from shared.wire.parts import NodeKeys
from tests.support.trust import CONTROL, NODE, NODE_KEYS, OTHER, OTHER_SEALING

PHRASE = "correct horse battery staple"
PEOPLE = ("ada", "ben", "cho")


@pytest.fixture(scope="module")
def officers(tmp_path_factory):
    """Make three officers' keys once, at the lowest cost a file may have."""
    folder = tmp_path_factory.mktemp("officers")
    for person in PEOPLE:
        keys = key_files.create_officer_key(
            folder / f"{person}.key", person, PHRASE.encode(), SystemEntropy(), cost_log2=COST_LOG2_MIN
        )
        (folder / f"{person}.officer.json").write_bytes(write(Officer(person, keys.public)))
    return folder


@pytest.fixture
def place(officers, tmp_path, monkeypatch):
    """Give a folder with these keys, and what a control plane, two nodes and a witness say of themselves."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(officers, tmp_path, dirs_exist_ok=True)
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    ap = NodeKeys(OTHER.public.ed25519, OTHER.public.mldsa65, OTHER_SEALING.public)
    for name, value in {
        "hub": ControlPlane("https://hub.example", CONTROL.public, fingerprint(CONTROL.public)),
        "eu": NodeIntroduction("eu", "eu-frankfurt", "DE", "https://eu.example:8443", NODE_KEYS),
        "eu-again": NodeIntroduction("eu", "eu-frankfurt", "DE", None, ap),
        "auditor": Witness("auditor", NODE.public.ed25519[::-1], bytes(1312)),
    }.items():
        (tmp_path / f"{name}.json").write_bytes(write(value))
    return tmp_path


def run(*words, status=0, stdin=None):
    """Run ``homeport roster`` and give what it printed."""
    answer = CliRunner().invoke(homeport, ["roster", *words], input=stdin)
    assert answer.exit_code == status, answer.output + answer.stderr
    assert "Traceback" not in answer.stderr
    return answer.stdout + answer.stderr


def make_first():
    """Make the first roster, unsigned."""
    files = [word for person in PEOPLE for word in ("--officer", f"{person}.officer.json")]
    return run("init", "acme", *files, "--control", "hub.json", "--threshold", "2")


def sign(path, *people, extra=()):
    """Let officers sign."""
    return [run("sign", path, "--key", f"{person}.key", "--passphrase-file", "phrase", *extra) for person in people]


def stored(place, version):
    """Read a roster file."""
    return read_signed((place / f"roster-{version}.json").read_bytes())


def test_from_nothing_to_a_roster_that_programs_believe(place):
    """Three people, two signatures, a node: what each step prints is what the next one needs."""
    make_first()
    assert "0 did" in run("show", "roster-1.json")
    first = stored(place, 1).roster
    assert [officer.person for officer in first.officers] == [*PEOPLE]
    assert "Node eu of region eu-frankfurt (DE) is taken in" in run(
        "add", "node", "eu.json", "--roster", "roster-1.json"
    )
    assert sorted(file.name for file in place.glob("roster-*")) == ["roster-1.json"]
    assert "1 of 2" in sign("roster-1.json", "ada")[0]
    root = in_groups(root_fingerprint(stored(place, 1).roster))
    assert "roster_undersigned" in run("verify", "roster-1.json", "--root", root, status=2)
    assert "2 of 2" in sign("roster-1.json", "cho")[0]
    assert "would be accepted" in run("verify", "roster-1.json", "--root", root)
    assert "roster_root_unknown" in run("verify", "roster-1.json", "--root", "0" * 64, status=2)
    shown = run("show", "roster-1.json")
    assert root in shown
    assert re.search(r"ada: signed\n.*\n\s+ben: not signed\n.*\n\s+cho: signed", shown)
    assert "eu: active since" in shown
    assert accept_first(root.replace(" ", ""), stored(place, 1)).active("eu").keys == NODE_KEYS


def test_a_change_is_a_new_file_that_says_what_it_changes(place):
    """The signed roster stays; its successor is shown against it, signed, and accepted."""
    make_first()
    run("add", "node", "eu.json", "--roster", "roster-1.json")
    sign("roster-1.json", "ada", "ben")
    before = (place / "roster-1.json").read_bytes()
    assert "gets new keys" in run("set-key", "eu-again.json", "--roster", "roster-1.json")
    assert "Witness auditor joins." in run("add", "witness", "auditor.json", "--roster", "roster-2.json")
    assert "leaves" in run("retire", "officer", "cho", "--roster", "roster-2.json")
    assert (place / "roster-1.json").read_bytes() == before
    shown = run("show", "roster-2.json", "--against", "roster-1.json")
    for words in (
        "Officer cho leaves.",
        "Node eu gets new keys",
        "reached at no address",
        "The root fingerprint becomes",
    ):
        assert words in shown
    assert "Not accepted as it is: roster_undersigned" in shown
    sign("roster-2.json", "ben")
    refused = run("sign", "roster-2.json", "--key", "cho.key", "--passphrase-file", "phrase", status=2)
    assert "roster_name_unknown" in refused
    sign("roster-2.json", "cho", extra=("--against", "roster-1.json"))
    assert "new officers" in run("verify", "roster-2.json", "--against", "roster-1.json", status=2)
    sign("roster-2.json", "ada")
    assert "would be accepted" in run("verify", "roster-2.json", "--against", "roster-1.json")
    assert accept(stored(place, 1).roster, stored(place, 2)).version == 2
    assert "retired for good" in run("retire", "node", "eu", "--roster", "roster-2.json")
    assert "roster_key_returns" in run("set-key", "eu.json", "--roster", "roster-3.json", status=2)
    assert "Witness auditor leaves." in run("retire", "witness", "auditor", "--roster", "roster-3.json")
    sign("roster-3.json", "ada", "ben")
    assert accept(stored(place, 2).roster, stored(place, 3)).active("eu") is None


def test_signing_twice_is_signing_once(place):
    """A second signature of the same key takes the place of the first."""
    make_first()
    sign("roster-1.json", "ada", "ada")
    assert [each.person for each in stored(place, 1).signatures] == ["ada"]


def test_what_exists_is_not_overwritten(place):
    """Neither a key nor a roster."""
    make_first()
    assert "exists already" in run("key", "ada", "--passphrase-file", "phrase", status=2)
    files = [word for person in PEOPLE for word in ("--officer", f"{person}.officer.json")]
    again = run("init", "acme", *files, "--control", "hub.json", "--threshold", "2", status=1)
    assert "exists already" in again


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("key", "Ada Adams", "--passphrase-file", "phrase"), "PERSON"),
        (("key", "dora", "--passphrase-file", "short"), "shorter than 12"),
        (("key", "dora", "--passphrase-file", "none"), "cannot be read"),
        (("key", "dora"), "no passphrase"),
        (("sign", "roster-1.json", "--key", "ada.key", "--passphrase-file", "short"), "key_file_invalid"),
        (("show", "none.json"), "roster_malformed"),
        (("show", "ada.key"), "roster_malformed"),
        (("add", "node", "ada.key", "--roster", "roster-1.json"), "path=ada.key"),
        (("add", "node", "hub.json", "--roster", "roster-1.json"), "introduces something else"),
        (("add", "officer", "ada.officer.json", "--threshold", "4", "--roster", "roster-1.json"), "threshold"),
        (("retire", "node", "nobody", "--roster", "roster-1.json"), "roster_name_unknown"),
        (("verify", "roster-1.json"), "one of --against and --root"),
        (("init", "Acme Ltd", "--officer", "ada.officer.json", "--control", "hub.json", "--threshold", "1"), "COMPANY"),
    ],
)
def test_a_mistake_is_one_line_with_a_next_step(place, words, says):
    """Status 2, no traceback, nothing written."""
    make_first()
    (place / "short").write_text("hunter2")
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    assert says in run(*words, status=2)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_a_key_is_made_once_and_introduces_itself(place):
    """A sealed file, a public one, and the fingerprint to read out; the passphrase may come by standard input."""
    printed = run("key", "dora", "--passphrase-file", "-", stdin=PHRASE + "\n")
    person, keys = key_files.open_officer_key(place / "dora.key", PHRASE.encode())
    assert person == "dora"
    assert in_groups(fingerprint(keys.public)) in printed
    assert read_introduction((place / "dora.officer.json").read_bytes(), Officer) == Officer("dora", keys.public)
    make_first()
    assert "Officer dora joins" in run("add", "officer", "dora.officer.json", "--roster", "roster-1.json")
