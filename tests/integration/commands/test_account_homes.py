"""At which node what arrives for an account rests: said by command, kept, and held against the roster."""

import pytest
from click.testing import CliRunner

from deploy.sandbox.names import LineChannel
from edge_node.commands import edge
from edge_node.settings import load_settings
from edge_node.storage.identity import NodeIdentity
from edge_node.stores import CONTENT_FILE
from shared.commands import Programs
from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import draw_signing_keys
from shared.entropy import SystemEntropy
from tests.support.company import draw_signers, member_of, signed_roster, write_enrolment

HOMEPORT = Programs(name="homeport", commands={"edge": edge})
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def config(tmp_path):
    """Give the settings file of a node that was set up."""
    account(tmp_path / "node.toml", "init", "--region", "eu-test", group=())
    return tmp_path / "node.toml"


def account(config, *words, expect=0, typed="", group=("account",)):
    """Run ``homeport edge account ...``; give what it says, in one line."""
    done = CliRunner().invoke(HOMEPORT, ["edge", *group, *words, "--config", str(config)], input=typed)
    assert done.exit_code == expect, done.output
    return " ".join(done.output.split())


def add(config, *more, expect=0):
    """Set an account up."""
    ids = ["--channel", "line", "--scope", "1656", "--bot-user-id", LineChannel().bot_user_id, "--secret-file", "-"]
    return account(config, "add", "shop", *ids, *more, typed=SECRET, expect=expect)


def home(config):
    """Give the home of the one account, as it is listed."""
    return account(config, "list").split()[-1]


def test_a_home_is_given_kept_changed_and_taken_away(config):
    assert "field_name=home" in add(config, "--home", "a b", expect=2)
    assert "Home: node ap" in add(config, "--home", "ap")
    assert home(config) == "ap"
    add(config, "--replace")
    assert home(config) == "ap"
    add(config, "--replace", "--home", "jp")
    assert home(config) == "jp"
    assert "Home of shop: th-2" in account(config, "set-home", "shop", "th-2")
    assert home(config) == "th-2"
    assert "account_invalid" in account(config, "set-home", "shop", "Bangkok", expect=2)
    assert "account_unknown" in account(config, "set-home", "nosuch", "ap", expect=2)
    assert home(config) == "th-2"
    assert "Home of shop: here" in account(config, "set-home", "shop", "none")
    assert home(config) == "here"


def test_check_says_whether_the_roster_has_a_node_that_is_a_home(config):
    add(config, "--home", "ap")
    assert "in no roster" in account(config, "check", "shop", expect=1)
    nodes = [member_of(name, drawn(), relay) for name, relay in (("eu", None), ("ap", "https://ap"), ("jp", None))]
    roster = signed_roster(draw_signers(), tuple(nodes))
    write_enrolment(load_settings(config, {}).data_dir / CONTENT_FILE, "eu", roster, "f" * 64)
    assert "node ap: what arrives here is sent there" in account(config, "check", "shop")
    for name in ("th", "jp", "eu"):  # nobody's name, a node without a relay address, this node's own
        account(config, "set-home", "shop", name)
        assert "names no other node so" in account(config, "check", "shop", expect=1)


def test_who_may_relay_is_given_kept_changed_and_taken_away(config):
    def relays():
        return account(config, "list").split()[-2]

    add(config)
    assert relays() == "nobody"
    add(config, "--replace", "--relayed-by", "ap")
    add(config, "--replace")
    assert relays() == "ap"
    assert "relayed by: jp, th-2" in account(config, "set-relayed-by", "shop", "jp", "th-2")
    assert "relayed by: jp, th-2" in account(config, "check", "shop")
    for wrong in (("Bangkok",), ("jp", "jp"), ("",)):
        assert "field_name=relayed_by" in account(config, "set-relayed-by", "shop", *wrong, expect=2)
    assert "account_unknown" in account(config, "set-relayed-by", "nosuch", "ap", expect=2)
    assert "relayed by: nobody" in account(config, "set-relayed-by", "shop", "none")
    assert relays() == "nobody"


def drawn():
    """Draw a node's keys."""
    entropy = SystemEntropy()
    return NodeIdentity(draw_signing_keys(entropy), draw_sealing_key(entropy))
