"""``homeport control`` as an operator types it: from an empty folder to a control plane that knows a node."""

import subprocess
import sys
from pathlib import Path

import pytest

from control_plane.settings import load_settings
from shared.crypto.signing import in_groups
from shared.enrolment_token import read_token
from shared.key_files import open_program_keys
from shared.policy.bundling import digest
from shared.roster import ControlPlane, read_introduction, write
from tests.support.control import Officers, free_port
from tests.support.house_policy import bundle_bytes, bundle_of, open_policy
from tests.support.node_double import NodeDouble

ONE = bundle_of(open_policy())
HOMEPORT = Path(sys.executable).with_name("homeport")


@pytest.fixture
def control(tmp_path):
    """Give a way to type a command in a folder: standard output, or what it failed with."""

    def run(*words: str, fails: int = 0) -> str:
        done = subprocess.run([HOMEPORT, "control", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == fails, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr if fails else done.stdout

    return run


def test_init_says_which_options_an_existing_settings_file_outweighs(control, tmp_path):
    control("init")
    for words, said in ((["--address", "https://other.example.org"], True), ([], False)):
        again = subprocess.run(
            [HOMEPORT, "control", "init", *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert ("--address not used" in again.stderr) is said
    assert "other.example.org" not in (tmp_path / "control.toml").read_text()


def test_the_page_is_followed_from_the_first_command_to_a_known_node(control, tmp_path):
    address = f"http://127.0.0.1:{free_port()}"
    told = control("init", "--address", address)
    introduction = read_introduction((tmp_path / "control-plane.json").read_bytes(), ControlPlane)
    assert in_groups(introduction.fingerprint) in told
    assert introduction.address == address
    keys = tmp_path / "control-data" / "control-plane.keys"
    before = keys.read_bytes()
    assert keys.stat().st_mode & 0o777 == 0o600
    control("init")
    assert keys.read_bytes() == before
    assert "control run" in control("status", fails=2)
    assert open_program_keys(keys).signing.public == introduction.keys

    assert "roster_missing" in control("token", "eu", fails=2)
    officers = Officers(introduction)
    (tmp_path / "roster-1.json").write_bytes(write(officers.signed()))
    assert "roster_refused" in control("roster", "put", "roster-1.json", fails=2)
    assert "roster_root_unknown" in control("roster", "put", "roster-1.json", "--root", "0" * 64, fails=2)
    control("roster", "put", "roster-1.json", "--root", in_groups(officers.root))

    token = read_token(control("token", "eu", "--hours", "1"))
    assert (token.node, token.root, token.control_plane) == ("eu", officers.root, introduction.fingerprint)
    control("token", "EU!", fails=2)
    assert "eu" not in control("pending")
    control("pending", "eu", fails=1)

    assert "shop" not in control("principal", "list")
    control("principal", "add", "shop", "--person", "shop-team", "--role", "program")
    shown = control("principal", "token", "shop", "--scope", "cases:read", "--days", "7")
    assert shown.startswith("homeport-token-")
    assert shown.strip().encode() not in b"".join(each.read_bytes() for each in keys.parent.glob("control.db*"))
    assert "scope_missing" in control("principal", "token", "shop", "--scope", "roster:write", fails=2)
    assert "conflict" in control("principal", "add", "shop", "--person", "x", "--role", "agent", fails=2)
    control("principal", "remove", "shop")
    assert "removed" in control("principal", "list")
    assert "not_found" in control("principal", "token", "shop", fails=2)

    node = NodeDouble("eu", address, introduction.keys)
    (tmp_path / "roster-2.json").write_bytes(write(officers.take_in(node.introduction)))
    control("roster", "put", "roster-2.json")
    assert "eu" in control("roster", "show", "--out", "shown.json")
    assert (tmp_path / "shown.json").read_bytes() == (tmp_path / "roster-2.json").read_bytes()
    assert "node_not_running" in control("status", fails=2)


def test_a_policy_is_published_if_enough_officers_signed_it(control, tmp_path):
    address = f"http://127.0.0.1:{free_port()}"
    control("init", "--address", address)
    introduction = read_introduction((tmp_path / "control-plane.json").read_bytes(), ControlPlane)
    officers, node = Officers(introduction), NodeDouble("eu", address, introduction.keys)
    (tmp_path / "roster.json").write_bytes(write(officers.take_in(node.introduction)))
    (tmp_path / "one.bundle").write_bytes(bundle_bytes(ONE, "ann", keys=officers.keys))
    assert "roster_missing" in control("policy", "publish", "one.bundle", fails=2)
    assert "roster_missing" in control("nodes", fails=2)
    control("roster", "put", "roster.json", "--root", officers.root)
    assert "bundle_undersigned" in control("policy", "publish", "one.bundle", fails=2)
    assert "bundle_malformed" in control("policy", "publish", "nowhere.bundle", fails=2)
    (tmp_path / "one.bundle").write_bytes(bundle_bytes(ONE, keys=officers.keys))
    assert in_groups(digest(ONE)) in control("policy", "publish", "one.bundle")
    assert "machine" in control("policy", "list")
    assert "never" in control("nodes")


def test_a_roster_of_another_control_plane_is_refused(control, tmp_path):
    control("init")
    other = tmp_path / "other"
    other.mkdir()
    control("init", "--config", "other/control.toml")
    officers = Officers(read_introduction((other / "control-plane.json").read_bytes(), ControlPlane))
    (tmp_path / "roster.json").write_bytes(write(officers.signed()))
    assert "roster_names_other" in control("roster", "put", "roster.json", "--root", officers.root, fails=2)


def test_a_store_that_is_not_there_is_named(control, tmp_path):
    (tmp_path / "control.toml").write_text('address = "http://127.0.0.1:8090"\ndata_dir = "nowhere"\n')
    assert "store_missing" in control("principal", "list", fails=2)
    (tmp_path / "control.toml").write_text('address = "http://127.0.0.1:8090"\ndata_dir = "nowhere"\nfoo = 1\n')
    assert "settings_invalid" in control("run", fails=2)


def test_keys_that_are_open_to_others_are_refused(control, tmp_path):
    control("init")
    settings = load_settings(tmp_path / "control.toml", {})
    settings.mint_file.chmod(0o644)
    assert "key_file_invalid" in control("principal", "list", fails=2)


def test_every_command_explains_itself(control):
    told = control("--help")
    words = ("init", "run", "restart", "stop", "status", "token", "pending", "nodes", "roster", "policy", "principal")
    for word in words:
        assert word in told
    assert "hooks.allow" in control("run", "--help")


UNWRITABLE = {
    "a folder that cannot be": ("init", "--config", "/proc/nowhere/control.toml"),
    "a folder below a file": ("init", "--config", "file/control.toml"),
    "data where none can be": ("init", "--config", "sub/control.toml", "--data-dir", "/proc/nowhere"),
}


@pytest.mark.parametrize("words", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_a_place_where_nothing_can_be_written_is_named(tmp_path, words):
    (tmp_path / "file").touch()
    done = subprocess.run(
        [HOMEPORT, "control", *words], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    text = done.stderr.decode()
    assert (done.returncode, text.count("\n")) == (1, 1)
    assert text.startswith("homeport: file_refused: ")
    assert "/proc/nowhere" in text or "file" in text.removeprefix("homeport: file_refused: ")
    assert "unforeseen" not in text
