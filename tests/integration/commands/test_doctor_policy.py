"""``homeport edge doctor`` says whether anything may rest here: no policy, a region or a country that it knows not."""

import pytest
from click.testing import CliRunner

from edge_node.commands import edge
from shared.commands import Programs
from shared.roster.texts import write
from tests.support.house_policy import ROSTER, bundle_bytes, bundle_of, open_policy

HOMEPORT = Programs(name="homeport", commands={"edge": edge})
BOT = ["--channel", "line", "--scope", "1656", "--bot-user-id", "U" + "0" * 32]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Give what runs a command in a folder of its own, and gives how it ended."""
    monkeypatch.chdir(tmp_path)
    return lambda *words, typed="": CliRunner().invoke(HOMEPORT, ["edge", *words], input=typed)


@pytest.fixture
def install(run, tmp_path):
    """Give what installs a policy under which everything is allowed in its regions."""

    def act():
        (tmp_path / "a.bundle").write_bytes(bundle_bytes(bundle_of(open_policy())))
        (tmp_path / "roster-1.json").write_bytes(write(ROSTER))
        return run("policy", "install", "a.bundle", "--roster", "roster-1.json", "--yes")

    return act


def said(run) -> dict[str, str]:
    """Give what the doctor warns of, by topic; nothing but its table stands on standard output."""
    done = run("doctor")
    assert done.stdout.startswith("topic"), done.output
    topics = [line.split("  ")[0] for line in done.stdout.splitlines()]
    return dict(zip(topics, done.stdout.splitlines(), strict=True))


def test_without_a_policy_the_doctor_says_that_everything_is_refused(run):
    assert run("init", "--region", "eu-test").exit_code == 0
    assert "there is none" in said(run)["policy"]


def test_a_region_that_the_bundle_does_not_name_is_said_at_once_and_by_the_doctor(run, install):
    run("init", "--region", "nowhere")
    taken = install()
    assert taken.exit_code == 0
    assert "no region nowhere" in taken.stderr
    assert "no region nowhere" in said(run)["policy"]


def test_an_account_whose_country_has_no_law_is_named_and_one_that_has_is_not(run, install):
    run("init", "--region", "eu-test")
    assert install().stderr == ""
    run("account", "add", "known", *BOT, "--country", "DE", "--secret-file", "-", typed="0" * 32)
    found = said(run)
    assert "policy" not in found
    assert "account" not in found
    run("account", "set-country", "known", "XX")
    assert "known: the policy knows no law of its country XX" in said(run)["account"]
    run("account", "set-country", "known", "none")
    assert "known: no country" in said(run)["account"]


def test_in_a_wrong_folder_a_command_says_where_to_go_before_it_speaks_of_a_new_node(run):
    done = run("doctor")
    assert done.exit_code == 2
    assert "go where it lies, or name it with --config" in done.stderr
