"""The commands of an operator on a real node: set it up, add accounts, check them, replace and remove them."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from deploy.sandbox.faults import Fault
from deploy.sandbox.names import LineChannel, WhatsAppNumber
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.serving import serving
from deploy.sandbox.world import Bot, Number, World
from edge_node.commands import edge
from edge_node.core.accounts import Account, Credentials, WhatsAppIds
from edge_node.settings import load_settings
from edge_node.stores import open_stores
from edge_node.usecases import accounts as usecase
from shared.commands import Programs
from shared.errors import AccountInvalid, AccountUnknown

HOMEPORT = Programs(name="homeport", commands={"edge": edge})
NUMBER, CHANNEL = WhatsAppNumber(), LineChannel()
SECRET, ROTATED = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
TOKEN = "plainly-invented-token"
WHATSAPP_IDS = ["--app-id", NUMBER.app_id, "--waba-id", NUMBER.waba_id, "--phone-number-id", NUMBER.phone_number_id]


class Operator:
    """A person at a terminal, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config, self.environ = folder, folder / "node.toml", {}

    def run(self, *words, typed="", expect=0):
        result = CliRunner().invoke(
            HOMEPORT, ["edge", *words, "--config", str(self.config)], input=typed, env=self.environ
        )
        assert result.exit_code == expect, result.output
        return result

    def file(self, name, text):
        (self.folder / name).write_text(text + "\n")
        return str(self.folder / name)

    def add_whatsapp(self, name="shop", *more, **options):
        secret, verify = self.file("secret", SECRET), self.file("verify", "verify-me")
        words = ["--channel", "whatsapp", "--scope", "555", *WHATSAPP_IDS]
        files = ["--secret-file", secret, "--verify-token-file", verify]
        return self.run("account", "add", name, *words, *files, *more, **options)

    def add_line(self, name="line-shop", *more, typed=SECRET, **options):
        words = ["--channel", "line", "--scope", "1656", "--bot-user-id", CHANNEL.bot_user_id, "--secret-file", "-"]
        return self.run("account", "add", name, *words, *more, typed=typed, **options)


@pytest.fixture
def operator(tmp_path):
    operator = Operator(tmp_path)
    operator.run("init", "--region", "eu-test")
    return operator


def with_store(operator, act):
    """Do ``act`` with the node's account store, as a command does."""

    async def inside():
        async with open_stores(load_settings(operator.config, {})) as stores:
            return await act(stores.accounts)

    return asyncio.run(inside())


def test_init_makes_a_node_for_its_owner_only_and_changes_nothing_the_second_time(tmp_path):
    operator = Operator(tmp_path)
    first = operator.run("init", "--region", "eu-test")
    assert "journal_dir" in first.stderr
    for folder in ("data", "data-journal", "data/keyring", "data-journal/keyring"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.key")} | {
        operator.config: operator.config.read_bytes()
    }
    assert len(kept) > 2
    again = operator.run("init", "--region", "elsewhere")
    assert "is kept; --region not used" in again.stderr
    assert "is kept" not in operator.run("init").stderr
    assert {path: path.read_bytes() for path in kept} == kept
    assert operator.config.stat().st_mode & 0o777 == 0o600


def test_init_with_a_wrong_region_leaves_nothing_behind(tmp_path):
    result = Operator(tmp_path).run("init", "--region", "Not A Slug", expect=2)
    assert "field_name=region" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_commands_before_init_name_it(tmp_path):
    operator = Operator(tmp_path)
    assert "homeport edge init" in operator.run("account", "list", expect=2).stderr
    operator.config.write_text('region = "eu"\ndata_dir = "data"\n')
    assert "store_missing" in operator.run("account", "list", expect=2).stderr


@pytest.mark.parametrize("command", ["status", "restart", "stop"])
def test_asking_a_node_that_does_not_run_says_so(operator, command):
    assert "node_not_running" in operator.run(command, expect=2).stderr


def test_an_added_account_is_listed_without_its_secrets(operator):
    assert "account add" in operator.run("account", "list").stdout
    said = operator.add_whatsapp().stdout + operator.add_line().stdout
    assert "/webhooks/whatsapp/shop" in said
    assert "/webhooks/line/line-shop" in said
    listed = operator.run("account", "list").stdout
    assert NUMBER.phone_number_id in listed
    assert CHANNEL.bot_user_id in listed
    assert listed.count(" here") == 2
    assert SECRET not in said + listed


def test_what_is_stored_is_what_was_given(operator):
    operator.add_whatsapp("shop", "--secret-file", operator.file("rotated", ROTATED), "--app-home")
    operator.add_line()
    (line, line_secrets), (shop, shop_secrets) = with_store(operator, usecase.list_accounts)
    assert (line.name, line.channel, line.scope, line.app_home) == ("line-shop", "line", "1656", False)
    assert (shop.name, shop.channel, shop.scope, shop.app_home) == ("shop", "whatsapp", "555", True)
    assert line_secrets.secrets == (SECRET.encode(),)
    assert shop_secrets.secrets == (SECRET.encode(), ROTATED.encode())
    assert shop_secrets.verify_tokens == ("verify-me",)


def test_a_bus_has_a_secret_of_its_own_or_two_while_it_changes(operator):
    of_bus = ["--bus-secret-file", operator.file("bus", ROTATED)]
    listed = operator.add_line("line-shop", *of_bus).stdout + operator.run("account", "list").stdout
    assert "1 + 1 bus" in listed
    again = [*of_bus, "--bus-secret-file", operator.file("bus-2", "another-of-the-bus"), "--replace"]
    listed += operator.add_line("line-shop", *again).stdout
    ((_, credentials),) = with_store(operator, usecase.list_accounts)
    assert credentials.bus_secrets == (ROTATED.encode(), b"another-of-the-bus")
    checked = operator.run("account", "check", "line-shop", expect=1).stdout
    assert "two secrets of the bus" in checked
    assert ROTATED not in listed + checked
    same = ["--bus-secret-file", operator.file("same", SECRET)]
    assert "bus_secrets" in operator.add_line("line-two", *same, expect=2).stderr
    assert "bus_secrets" in operator.add_whatsapp("shop", *of_bus, expect=2).stderr
    assert "--bus-secret-file" in operator.add_line("x", "--bus-secret-file", "/nowhere", expect=2).stderr


def test_no_secret_lies_in_any_file_of_the_node(operator):
    operator.add_whatsapp()
    operator.add_line()
    for folder in ("data", "data-journal"):
        for path in (operator.folder / folder).rglob("*"):
            assert path.is_dir() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--channel", "line", "--scope", "1"], "bot_user_id"),
        (["--channel", "line", "--scope", "1", "--bot-user-id", "Uxyz"], "bot_user_id"),
        (["--channel", "line", "--scope", "1", "--bot-user-id", CHANNEL.bot_user_id, "--app-id", "7"], "channel"),
        (["--channel", "whatsapp", "--scope", "1"], "app_id"),
        (["--channel", "whatsapp", "--scope", "1", *WHATSAPP_IDS, "--bot-user-id", "U1"], "channel"),
        (["--channel", "whatsapp", "--scope", "1", *WHATSAPP_IDS], "--verify-token-file"),
        (["--channel", "line", "--scope", "1", "--bot-user-id", CHANNEL.bot_user_id, "--verify-token-file", "-"], "-"),
    ],
)
def test_an_incomplete_account_is_refused_by_the_name_of_what_is_missing(operator, words, complaint):
    result = operator.run("account", "add", "x", *words, "--secret-file", operator.file("s", SECRET), expect=2)
    assert "account_invalid" in result.stderr
    assert f"field_name={complaint}" in result.stderr or complaint in result.stderr


def test_without_a_terminal_a_missing_secret_names_its_option(operator):
    words = ["--channel", "line", "--scope", "1", "--bot-user-id", CHANNEL.bot_user_id]
    assert "--secret-file" in operator.run("account", "add", "x", *words, expect=2).stderr


@pytest.mark.parametrize("text", ["", "x" * 9_000])
def test_a_file_that_is_no_secret_is_refused(operator, text):
    assert "--secret-file" in operator.add_line(typed=text, expect=2).stderr
    assert "No account" in operator.run("account", "list").stdout


def test_a_name_and_a_number_are_taken_once(operator):
    operator.add_whatsapp()
    assert "account_exists" in operator.add_whatsapp(expect=2).stderr
    assert "account_exists" in operator.add_whatsapp("shop-2", expect=2).stderr
    assert "account_unknown" in operator.add_whatsapp("shop-2", "--replace", expect=2).stderr


def test_replacing_rotates_secrets_but_keeps_channel_and_scope(operator):
    operator.add_line()
    operator.add_line("line-shop", "--replace", typed=ROTATED)
    ((line, secrets),) = with_store(operator, usecase.list_accounts)
    assert secrets.secrets == (ROTATED.encode(),)
    for moved in (
        msgspec.structs.replace(line, scope="another-provider"),
        Account("line-shop", WhatsAppIds("7", ("8",), ("9",)), line.scope),
    ):
        credentials = Credentials(secrets.secrets, ("verify",) if moved.channel == "whatsapp" else ())
        with pytest.raises(AccountInvalid):
            with_store(operator, lambda store: usecase.replace(store, moved, credentials))  # noqa: B023


def test_a_country_is_given_kept_changed_and_taken_away(operator):
    assert "set-country" in operator.add_line().stdout
    operator.run("account", "set-country", "line-shop", "TH")
    operator.add_line("line-shop", "--replace", typed=ROTATED)
    ((line, secrets),) = with_store(operator, usecase.list_accounts)
    assert (line.country, secrets.secrets) == ("TH", (ROTATED.encode(),))
    assert "TH" in operator.run("account", "list").stdout
    assert "set-country" not in operator.add_line("line-shop", "--replace", "--country", "US-CA").stdout
    assert with_store(operator, usecase.list_accounts)[0][0].country == "US-CA"
    assert "account_invalid" in operator.run("account", "set-country", "line-shop", "Japan", expect=2).stderr
    assert "account_unknown" in operator.run("account", "set-country", "nosuch", "TH", expect=2).stderr
    operator.run("account", "set-country", "line-shop", "none")
    assert with_store(operator, usecase.list_accounts)[0][0].country is None


def test_a_removed_account_is_gone(operator):
    operator.add_line()
    operator.run("account", "remove", "line-shop", typed="n\n", expect=1)
    assert "--yes" in operator.run("account", "remove", "line-shop", expect=2).stderr
    assert "line-shop" in operator.run("account", "list").stdout
    assert "account_unknown" in operator.run("account", "remove", "nosuch", expect=2).stderr
    operator.run("account", "remove", "line-shop", "--yes")
    assert "account_unknown" in operator.run("account", "remove", "line-shop", "--yes", expect=2).stderr
    assert with_store(operator, usecase.list_accounts) == []
    with pytest.raises(AccountUnknown):
        with_store(operator, lambda store: usecase.check(store, "line-shop", {}))
    operator.add_line()


def test_check_without_a_token_says_what_is_known_here(operator):
    operator.add_whatsapp()
    result = operator.run("account", "check", "shop")
    assert "rests here where the policy in force lets it" in " ".join(result.stdout.split())
    assert "--access-token-file" in result.stdout
    assert "account_unknown" in operator.run("account", "check", "nobody", expect=2).stderr


def test_check_asks_the_platforms_and_tells_by_its_status(operator):
    number = Number(callbacks={"phone_number": "https://edge.example/webhooks/whatsapp/shop"}, token=TOKEN)
    bot = Bot(endpoint="https://edge.example/webhooks/line/line-shop", token=TOKEN)
    sandbox = Sandbox(World(numbers=[number], bots=[bot]))
    token = operator.file("token", TOKEN)
    operator.add_whatsapp("shop", "--access-token-file", token)
    operator.add_line("line-shop", "--access-token-file", token)
    with serving(sandbox) as here:
        operator.environ = {f"HOMEPORT_EDGE_PLATFORMS_{name}_API": here.platforms for name in ("WHATSAPP", "LINE")}
        shop = operator.run("account", "check", "shop")
        assert "at rest at Meta in DE" in shop.stdout
        line = operator.run("account", "check", "line-shop")
        assert "LINE sent an empty webhook" in operator.run("account", "check", "line-shop", "--test", expect=1).stdout
        number.storage = {"status": "default"}
        assert "Local Storage is off" in operator.run("account", "check", "shop", expect=1).stdout
        sandbox.faults.order(Fault("*", "status", count=None, status=503))
        away = operator.run("account", "check", "shop", expect=1)
        assert "platform_unavailable" in away.stderr
    for result in (shop, line, away):
        assert TOKEN not in result.output
        assert SECRET not in result.output


def test_two_accounts_of_one_app_with_different_secrets_are_seen(operator):
    operator.add_whatsapp()
    words = ["--channel", "whatsapp", "--scope", "555", "--app-id", NUMBER.app_id, "--waba-id", "1"]
    files = ["--phone-number-id", "2", "--secret-file", operator.file("r", ROTATED)]
    operator.run("account", "add", "care", *words, *files, "--verify-token-file", operator.file("v", "verify"))
    assert "account shop names the same app" in operator.run("account", "check", "care", expect=1).stdout


def test_the_table_is_plain_text_and_its_cells_are_not_markup(operator):
    listed = operator.add_line().stdout + operator.run("account", "list").stdout
    assert "\x1b" not in listed
