"""Which account an event belongs to: never one whose secret did not sign it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.accounts import Account, LineIds, WhatsAppIds, account_of, is_app_level
from shared.message import IdentityChange, Message, Notice, Preference, Status, Text, Unclassified

BOT, OTHER_BOT = "U" + "a1" * 16, "U" + "b2" * 16
SHOP = Account("shop", WhatsAppIds("700", ("104",), ("208",)), "555")
CARE = Account("care", WhatsAppIds("700", ("104", "105"), ("209", "210")), "555")
HOME = Account("home", WhatsAppIds("700", ("104",)), "555", app_home=True)
STRANGER = Account("stranger", WhatsAppIds("999", ("900",), ("901",)), "555")
LINE = Account("line", LineIds(BOT), "1656")
LINE_2 = Account("line-2", LineIds(OTHER_BOT), "1656")
ALL = [STRANGER, LINE, LINE_2, SHOP, CARE, HOME]


def chosen(url_account, via, *, app_level=False, accounts=ALL, channel=None):
    found = account_of(accounts, channel or url_account.channel, url_account, via, app_level=app_level)
    return found.name if found else None


@pytest.mark.parametrize(
    ("url_account", "via", "name"),
    [
        (SHOP, "208", "shop"),
        (SHOP, "209", "care"),  # one callback for several numbers of an app
        (HOME, "208", "shop"),
        (HOME, "210", "care"),
        (CARE, "104", "care"),
        (STRANGER, "900", "stranger"),
        (SHOP, "105", "care"),
        (LINE, BOT, "line"),
    ],
)
def test_an_event_goes_to_the_account_it_names(url_account, via, name):
    assert chosen(url_account, via) == name


def test_a_waba_that_several_share_goes_to_the_address_then_the_apps_home_then_by_name():
    assert chosen(SHOP, "104") == "shop"
    outside = Account("outside", WhatsAppIds("700", ("106",), ("300",)), "555")
    assert chosen(outside, "104", accounts=[*ALL, outside]) == "home"
    assert chosen(outside, "104", accounts=[SHOP, CARE, outside]) == "care"


def test_a_payload_that_names_nobody_stays_where_it_was_signed():
    assert chosen(SHOP, "") == "shop"
    assert chosen(LINE, "") == "line"


@pytest.mark.parametrize("via", ["901", "900"])
def test_another_apps_secret_signs_nothing_for_this_one(via):
    assert chosen(SHOP, via) is None
    assert chosen(HOME, via) is None


def test_a_line_secret_signs_for_its_own_channel_only():
    assert chosen(LINE, OTHER_BOT) is None
    assert chosen(LINE, "208") is None
    assert chosen(SHOP, BOT) is None


def test_a_message_for_a_number_of_another_region_has_no_account_here():
    assert chosen(HOME, "777") is None
    assert chosen(SHOP, "777") is None


def test_what_meta_sends_to_the_apps_address_only_has_its_home_there():
    assert chosen(HOME, "777", app_level=True) == "home"
    assert chosen(SHOP, "777", app_level=True) is None


def test_an_app_level_event_about_a_number_of_this_node_goes_to_that_number():
    assert chosen(HOME, "208", app_level=True) == "shop"


def test_the_address_of_another_channel_leads_nowhere():
    assert chosen(LINE, BOT, channel="whatsapp") is None
    assert chosen(SHOP, "208", channel="line") is None


@pytest.mark.parametrize(
    ("event", "app_level"),
    [
        (Preference(channel="whatsapp", via="208", at=1, category="marketing_messages", value="stop"), True),
        (IdentityChange(channel="whatsapp", via="208", at=1, change="user_id"), True),
        (IdentityChange(channel="whatsapp", via="208", at=1, change="user_id", event_id="wamid.1"), False),
        (IdentityChange(channel="whatsapp", via="208", at=1, change="number"), False),
        (Notice(channel="whatsapp", via="104", at=1, topic="message_template_status_update", detail={}), True),
        (Notice(channel="whatsapp", via="104", at=1, topic="account_update", detail={}), True),
        (Notice(channel="whatsapp", via="208", at=1, topic="calls", detail={}), False),
        (Message(channel="whatsapp", via="208", at=1, message_id="1", content=Text("x")), False),
        (Status(channel="whatsapp", via="208", at=1, message_id="1", status="read"), False),
        (Unclassified(channel="whatsapp", via="208", at=1, reason="unknown_field", raw=b"{}"), False),
        (Unclassified(channel="whatsapp", via="208", at=1, reason="unknown_kind", raw=b"{}", topic="messages"), False),
        (
            Unclassified(channel="whatsapp", via="208", at=1, reason="unexpected_shape", raw=b"{}", topic="standby"),
            False,
        ),
        (
            Unclassified(
                channel="whatsapp", via="208", at=1, reason="unexpected_shape", raw=b"{}", topic="user_preferences"
            ),
            True,
        ),
    ],
)
def test_app_level_is_what_no_number_can_have_sent_to_itself(event, app_level):
    assert is_app_level(event) is app_level


numbers = st.lists(st.sampled_from("123456"), unique=True, max_size=3).map(tuple)


@given(
    st.lists(st.tuples(st.sampled_from("78"), numbers, numbers, st.booleans()), min_size=1, max_size=5),
    st.sampled_from(["1", "2", "3", "6", "9", ""]),
    st.booleans(),
)
def test_whatever_the_accounts_none_of_another_app_is_ever_chosen(drawn, via, app_level):
    accounts = [
        Account(f"a{place}", WhatsAppIds(app, wabas, phones), "5", app_home=home)
        for place, (app, wabas, phones, home) in enumerate(drawn)
    ]
    here = accounts[0]
    found = account_of(accounts, "whatsapp", here, via, app_level=app_level)
    if found is not None:
        assert found.ids.app_id == here.ids.app_id
        assert (
            via in found.ids.phone_number_ids or via in found.ids.waba_ids or (found is here and (not via or app_level))
        )
    else:
        assert via not in here.ids.phone_number_ids + here.ids.waba_ids
