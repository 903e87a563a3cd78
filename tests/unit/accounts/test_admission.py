"""Admission: what is not on the list does not rest here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.admission import AdmitEntry, Refused, RestsHere, SentHome, admissions_of, admit
from shared.errors import SettingsInvalid
from shared.message import Message, Text, Unclassified

MESSAGE = Message(channel="line", via="U1", at=1, message_id="1", content=Text("x"))
UNKNOWN = Unclassified(channel="line", via="U1", at=1, reason="unknown_kind", raw=b"{}")

names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)


def test_a_listed_account_rests_here_or_is_sent_home():
    table = admissions_of([AdmitEntry("shop", data="rest"), AdmitEntry("guest", home="node-de")])
    assert admit(table, "shop", MESSAGE) == RestsHere()
    assert admit(table, "guest", MESSAGE) == SentHome("node-de")


def test_an_unlisted_account_is_refused():
    table = admissions_of([AdmitEntry("shop", data="rest")])
    assert admit(table, "shop2", MESSAGE) == Refused("account_not_listed")
    assert admit(table, "", MESSAGE) == Refused("account_not_listed")


def test_there_is_no_wildcard():
    table = admissions_of([AdmitEntry("*", data="rest")])
    assert admit(table, "shop", MESSAGE) == Refused("account_not_listed")


def test_an_empty_list_refuses_everything_and_says_so():
    assert admit(admissions_of([]), "shop", MESSAGE) == Refused("list_empty")


def test_an_event_of_no_account_here_is_refused_before_anything_else():
    assert admit(admissions_of([]), None, MESSAGE) == Refused("account_not_here")
    assert admit(admissions_of([AdmitEntry("shop", data="rest")]), None, MESSAGE) == Refused("account_not_here")


def test_the_list_decides_unclassified_events_too():
    table = admissions_of([AdmitEntry("shop", data="rest")])
    assert admit(table, "shop", UNKNOWN) == RestsHere()
    assert admit(table, "other", UNKNOWN) == Refused("account_not_listed")


@pytest.mark.parametrize(
    "entries",
    [
        [AdmitEntry("shop")],
        [AdmitEntry("shop", data="rest", home="node-de")],
        [AdmitEntry("shop", data="rest"), AdmitEntry("shop", data="rest")],
        [AdmitEntry("shop", home="a"), AdmitEntry("shop", home="b")],
    ],
)
def test_an_entry_that_says_both_neither_or_twice_is_refused(entries):
    with pytest.raises(SettingsInvalid):
        admissions_of(entries)


@given(st.dictionaries(names, st.none() | names), names)
def test_only_what_was_listed_is_ever_let_in(homes, account):
    entries = [AdmitEntry(name, data=None if home else "rest", home=home) for name, home in homes.items()]
    answer = admit(admissions_of(entries), account, MESSAGE)
    if account in homes:
        home = homes[account]
        assert answer == (RestsHere() if home is None else SentHome(home))
    else:
        assert isinstance(answer, Refused)
