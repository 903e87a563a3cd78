"""What another node received may rest here only for an account of this node, and is never sent on."""

import msgspec
import pytest

from edge_node.core.accounts import Account, LineIds, WhatsAppIds
from edge_node.core.homecoming import refuses
from shared.message import Message, Text

SHOP = Account(name="shop", ids=LineIds("U" + "1" * 32), scope="1", relayed_by=("ap", "us"))
FAR = Account(name="far", ids=LineIds("U" + "2" * 32), scope="1", home="eu")
WA = Account(
    name="wa", ids=WhatsAppIds(app_id="1", waba_ids=("2",), phone_number_ids=("3",)), scope="5", relayed_by=("ap",)
)
WB = Account(name="wb", ids=WhatsAppIds(app_id="1", waba_ids=("2",), phone_number_ids=("4",)), scope="5")
ALL = (SHOP, FAR, WA, WB)
LINE = Message(channel="line", via="U" + "1" * 32, at=1, message_id="1", content=Text("x"))
WHATSAPP = Message(channel="whatsapp", via="3", at=1, message_id="1", content=Text("x"))


@pytest.mark.parametrize(
    ("account", "channel", "events", "rule"),
    [
        (SHOP, "line", [LINE], None),
        (WA, "whatsapp", [WHATSAPP, WHATSAPP], None),
        (None, "line", [LINE], "account_not_here"),
        (SHOP, "whatsapp", [LINE], "account_not_here"),
        (FAR, "line", [msgspec.structs.replace(LINE, via="U" + "2" * 32)], "home_elsewhere"),
        (SHOP, "line", [], "events_out_of_bounds"),
        (SHOP, "line", [LINE] * 1_001, "events_out_of_bounds"),
        (SHOP, "line", [LINE, msgspec.structs.replace(LINE, at=2**63)], "events_out_of_bounds"),
        (SHOP, "line", [msgspec.structs.replace(LINE, at=-1)], "events_out_of_bounds"),
        (SHOP, "line", [LINE, msgspec.structs.replace(LINE, via="U" + "2" * 32)], "event_of_another_account"),
        (SHOP, "line", [LINE, WHATSAPP], "event_of_another_account"),
        # The app's secret signs for both numbers, but what was sealed for one is not the other's.
        (WA, "whatsapp", [msgspec.structs.replace(WHATSAPP, via="4")], "event_of_another_account"),
    ],
)
def test_the_rule_is_named(account, channel, events, rule):
    assert refuses(ALL, account, "ap", channel, events) == rule


@pytest.mark.parametrize(("relayed_by", "sender"), [((), "ap"), (("us",), "ap"), (("ap",), ""), (("*",), "ap")])
def test_only_a_node_that_the_account_names_brings_anything_home(relayed_by, sender):
    """Any node of the roster could otherwise write what a customer never said."""
    shop = msgspec.structs.replace(SHOP, relayed_by=relayed_by)
    assert refuses(ALL, shop, sender, "line", [LINE]) == "sender_not_listed"
