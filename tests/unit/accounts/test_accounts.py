"""Accounts: what makes one valid, when two cannot stand side by side, and that secrets are not printed."""

import io

import msgspec
import pytest
from rich.console import Console

from edge_node.core.accounts import (
    Account,
    Credentials,
    LineIds,
    WhatsAppIds,
    ensure_apart,
    validate,
    validate_credentials,
)
from edge_node.usecases.accounts import look_at_home
from shared.errors import AccountExists, AccountInvalid

BOT = "U" + "a1" * 16
LINE = Account("shop-jp", LineIds(BOT), "1656")
WHATSAPP = Account("shop-de", WhatsAppIds("700", ("104",), ("208", "209")), "555")
APP_HOME = Account("app-de", WhatsAppIds("700", ("104",)), "555", app_home=True)
SECRET = b"0123456789abcdef"


def change(account, **changes):
    return msgspec.structs.replace(account, **changes)


def ids(**changes):
    return change(WHATSAPP, ids=msgspec.structs.replace(WHATSAPP.ids, **changes))


@pytest.mark.parametrize("account", [LINE, WHATSAPP, APP_HOME, change(LINE, home="ap-2")])
def test_a_whole_account_is_valid_and_survives_json(account):
    validate(account)
    assert msgspec.json.decode(msgspec.json.encode(account), type=Account) == account


def test_the_channel_follows_from_the_ids():
    assert (LINE.channel, WHATSAPP.channel) == ("line", "whatsapp")


@pytest.mark.parametrize(
    ("account", "field_name"),
    [
        (change(LINE, name=""), "name"),
        (change(LINE, name="Shop"), "name"),
        (change(LINE, name="shop/../x"), "name"),
        (change(LINE, name="shop\n"), "name"),
        (change(LINE, name="s" * 49), "name"),
        (change(LINE, ids=LineIds("U123")), "bot_user_id"),
        (change(LINE, ids=LineIds("@shop")), "bot_user_id"),
        (change(LINE, ids=LineIds(BOT + "\n")), "bot_user_id"),
        (change(LINE, scope=""), "scope"),
        (change(LINE, app_home=True), "app_home"),
        (change(WHATSAPP, scope="5 5"), "scope"),
        (ids(app_id=""), "app_id"),
        (ids(app_id="my-app"), "app_id"),
        (ids(waba_ids=()), "waba_ids"),
        (ids(waba_ids=("104", "104")), "waba_ids"),
        (ids(phone_number_ids=()), "phone_number_ids"),
        (ids(phone_number_ids=("+4930231250",)), "phone_number_ids"),
        (ids(phone_number_ids=("²",)), "phone_number_ids"),
        (ids(phone_number_ids=tuple(map(str, range(1001)))), "phone_number_ids"),
    ],
)
def test_what_is_not_of_the_platforms_form_is_refused_by_name(account, field_name):
    with pytest.raises(AccountInvalid) as caught:
        validate(account)
    assert caught.value.details["field_name"] == field_name


@pytest.mark.parametrize(
    ("account", "credentials"),
    [
        (LINE, Credentials((SECRET,))),
        (LINE, Credentials((SECRET, b"another-secret"), access_token="x+/=")),
        (LINE, Credentials((SECRET,), bus_secrets=(b"of-the-bus",))),
        (LINE, Credentials((SECRET,), bus_secrets=(b"of-the-bus", b"of-the-bus-anew"))),
        (WHATSAPP, Credentials((SECRET,), ("verify me not".replace(" ", "-"),))),
        (WHATSAPP, Credentials((SECRET, b"another-secret"), ("old", "new"), "EAAJ")),
    ],
)
def test_one_secret_or_two_during_rotation_are_valid(account, credentials):
    validate_credentials(account, credentials)


@pytest.mark.parametrize(
    ("account", "credentials", "field_name"),
    [
        (LINE, Credentials(()), "secrets"),
        (LINE, Credentials((b"",)), "secrets"),
        (LINE, Credentials((b"short",)), "secrets"),
        (LINE, Credentials((SECRET + b"\n",)), "secrets"),
        (LINE, Credentials((SECRET, SECRET)), "secrets"),
        (LINE, Credentials((SECRET, b"another-secret", b"a-third-secret")), "secrets"),
        (LINE, Credentials((SECRET,), ("token",)), "verify_tokens"),
        (WHATSAPP, Credentials((SECRET,)), "verify_tokens"),
        (WHATSAPP, Credentials((SECRET,), ("",)), "verify_tokens"),
        (WHATSAPP, Credentials((SECRET,), ("a", "b", "c")), "verify_tokens"),
        (LINE, Credentials((SECRET,), bus_secrets=(b"",)), "bus_secrets"),
        (LINE, Credentials((SECRET,), bus_secrets=(b"of the bus",)), "bus_secrets"),
        (LINE, Credentials((SECRET,), bus_secrets=(SECRET,)), "bus_secrets"),
        (LINE, Credentials((SECRET,), bus_secrets=(b"of-the-bus", b"of-the-bus")), "bus_secrets"),
        (LINE, Credentials((SECRET,), bus_secrets=(b"of-the-bus-1", b"of-the-bus-2", b"of-the-bus-3")), "bus_secrets"),
        (WHATSAPP, Credentials((SECRET,), ("token",), bus_secrets=(b"of-the-bus",)), "bus_secrets"),
        (LINE, Credentials((SECRET,), (), "two words"), "access_token"),
        (LINE, Credentials((SECRET,), (), "a\r\nInjected: header"), "access_token"),
    ],
)
def test_secrets_that_cannot_be_right_are_refused_without_being_shown(account, credentials, field_name):
    with pytest.raises(AccountInvalid) as caught:
        validate_credentials(account, credentials)
    assert caught.value.details["field_name"] == field_name
    told = f"{caught.value} {caught.value!r} {caught.value.details}"
    for secret in (
        *credentials.secrets,
        *credentials.bus_secrets,
        *(token.encode() for token in credentials.verify_tokens),
    ):
        assert not secret or secret == b"a" or secret.decode() not in told.split()


def test_credentials_kept_before_there_were_buses_have_none():
    kept = msgspec.json.encode({"secrets": ["c2VjcmV0LW9uZQ=="], "verify_tokens": [], "access_token": None})
    assert msgspec.json.decode(kept, type=Credentials) == Credentials((b"secret-one",))


def test_credentials_print_no_secret():
    credentials = Credentials((b"sekret-one", b"sekret-two"), ("sekret-three",), "sekret-four", (b"sekret-five",))
    out = io.StringIO()
    Console(file=out).print(credentials)
    assert "sekret" not in f"{credentials!r} {credentials} {[credentials]} {out.getvalue()}"
    assert "2 secrets" in repr(credentials)


@pytest.mark.parametrize(
    ("account", "other", "field_name"),
    [
        (LINE, change(LINE, ids=LineIds("U" + "b2" * 16)), "name"),
        (change(LINE, name="again"), LINE, "bot_user_id"),
        (change(WHATSAPP, name="again"), WHATSAPP, "phone_number_ids"),
        (change(ids(phone_number_ids=("300", "209"), app_id="1"), name="again"), WHATSAPP, "phone_number_ids"),
        (change(APP_HOME, name="again"), APP_HOME, "app_home"),
    ],
)
def test_no_two_accounts_share_a_name_a_number_a_channel_or_an_apps_home(account, other, field_name):
    with pytest.raises(AccountExists) as caught:
        ensure_apart(account, [other])
    assert caught.value.details == {"account": other.name, "field_name": field_name}


def test_accounts_of_one_app_and_one_waba_stand_side_by_side():
    ensure_apart(APP_HOME, [WHATSAPP, LINE])
    ensure_apart(change(ids(phone_number_ids=("210",)), name="third"), [WHATSAPP, APP_HOME])
    other_app = change(APP_HOME, name="other", ids=WhatsAppIds("701", ("105",)))
    ensure_apart(other_app, [APP_HOME])


def test_an_account_of_before_countries_and_homes_is_read():
    """What an older release sealed says nothing of a country, and rests here."""
    old = b'{"name":"line-shop","ids":{"channel":"line","bot_user_id":"U1"},"scope":"1656"}'
    read = msgspec.json.decode(old, type=Account)
    assert (read.country, read.home) == (None, None)


@pytest.mark.parametrize("country", ["th", "THA", "T", "", "TH-", "US_CA", "TH\n"])
def test_a_country_is_a_code(country):
    with pytest.raises(AccountInvalid):
        validate(msgspec.structs.replace(LINE, country=country))


@pytest.mark.parametrize("home", ["", "AP", "ap\n", "-ap", "ap-", "*", "a" * 49, "http://ap"])
def test_a_home_is_a_nodes_name(home):
    with pytest.raises(AccountInvalid) as caught:
        validate(change(LINE, home=home))
    assert caught.value.details["field_name"] == "home"


@pytest.mark.parametrize(
    ("home", "others", "state"),
    [
        (None, None, "ok"),
        (None, [], "ok"),
        ("ap", ["ap", "th"], "ok"),
        ("ap", None, "warning"),
        ("ap", ["th"], "warning"),
        ("eu", ["ap"], "warning"),  # this node itself is none of the others
    ],
)
def test_a_home_that_cannot_be_reached_is_told(home, others, state):
    finding = look_at_home(change(LINE, home=home), others)
    assert (finding.topic, finding.state, bool(finding.remedy)) == ("home", state, state == "warning")
    assert (home or "here") in finding.what
