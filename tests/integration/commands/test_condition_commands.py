"""``homeport edge account conditions`` and ``set-condition``: what a platform asks for, who says that it is so."""

import asyncio

import msgspec
import pytest

from edge_node.core.stated import Met
from edge_node.settings import load_settings
from edge_node.stores import open_stores
from edge_node.usecases import accounts as usecase
from tests.integration.commands.test_account_commands import Operator
from tests.support.house_policy import bundle_of, install, open_policy, vocabulary

PAGE, POLICY = "provider_page_published", "privacy_policy_published"


class Commanded:
    """The operator, as a policy is installed by."""

    def __init__(self, operator):
        self.folder, self._operator = operator.folder, operator

    def command(self, *words, typed=b""):
        return self._operator.run(*words, typed=typed).output


@pytest.fixture
def operator(tmp_path):
    """Give a node with a LINE account, under a policy with the shipped platforms' conditions."""
    made = Operator(tmp_path)
    made.run("init", "--region", "eu-test")
    made.add_line()
    install(Commanded(made), bundle_of(msgspec.structs.replace(open_policy(), platforms=vocabulary().platforms)))
    return made


def account(operator):
    """Read the account as a running node does."""

    async def inside():
        async with open_stores(load_settings(operator.config, {})) as stores:
            return (await usecase.find(stores.accounts, "line-shop"))[0]

    return asyncio.run(inside())


def shown(operator, expect=0):
    """Show the conditions, on one line."""
    return " ".join(operator.run("account", "conditions", "line-shop", expect=expect).output.split())


def test_what_nobody_stated_is_shown_and_stated_by_name(operator):
    """With day and reference; the node's own part needs no word; what is taken back is not met any more."""
    first = shown(operator, expect=1)
    assert f"line-provider-page {PAGE} NO" in first
    assert "line-unsent-stays-unseen not_taken_back by the node" in first
    assert "whatsapp" not in first
    for demand in (PAGE, POLICY, "unlink_offered"):
        words = ("--by", "Ada, DPO", "--reference", "https://example.com/page")
        assert "is met, says Ada, DPO" in operator.run("account", "set-condition", "line-shop", demand, *words).output
    told = shown(operator)
    assert "says Ada, DPO, 20" in told
    assert "https://example.com/page" in told
    assert {each.demand for each in account(operator).met} == {PAGE, POLICY, "unlink_offered"}
    assert "not met any more" in operator.run("account", "set-condition", "line-shop", PAGE, "--withdraw").output
    assert f"{PAGE} NO" in shown(operator, expect=1)


def test_it_stays_when_country_or_secret_change_and_is_stated_once(operator):
    """A newer word takes the place of the older."""
    for who in ("Ada", "Ben"):
        operator.run("account", "set-condition", "line-shop", PAGE, "--by", who)
    operator.run("account", "set-country", "line-shop", "TH")
    operator.add_line("line-shop", "--replace")
    (word,) = account(operator).met
    assert isinstance(word, Met)
    assert (word.demand, word.by, account(operator).country) == (PAGE, "Ben", "TH")


def test_check_names_what_is_not_stated(operator):
    """Beside what the platform says; it is a warning."""
    found = " ".join(operator.run("account", "check", "line-shop", expect=1).output.split())
    assert f"{PAGE} is not stated" in found
    assert "set-condition line-shop CONDITION" in found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("line-shop", "local_storage_recorded", "--by", "Ada"), "privacy_policy_published, provider_page_published"),
        (("line-shop", "not_taken_back", "--by", "Ada"), "the node sees to it"),
        (("line-shop", PAGE), "--by: who says so"),
        (("nobody", PAGE, "--by", "Ada"), "account_unknown"),
    ],
)
def test_what_cannot_be_stated_is_refused(operator, words, told):
    """With what could."""
    assert told in " ".join(operator.run("account", "set-condition", *words, expect=2).output.split())
    assert account(operator).met == ()


def test_without_a_policy_nothing_is_asked_for(tmp_path):
    """And nothing can be stated."""
    made = Operator(tmp_path)
    made.run("init", "--region", "eu-test")
    made.add_line()
    assert "or there is no policy" in made.run("account", "conditions", "line-shop").output
    told = made.run("account", "set-condition", "line-shop", PAGE, "--by", "Ada", expect=2).output
    assert "no policy asks anything of line" in told
