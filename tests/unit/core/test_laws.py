"""Whose law: what identifiers say, how it adds up, and which node is the nearest home."""

from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.laws import Region, clues_of, joined, laws_in, nearest, persons_of
from shared.message import Identifier, IdentityChange, Message, Person, Relation, Status, Text
from shared.policy.deriving import CERTAINTIES, Clues, NumberHint, derive, hint_of_number

LAWS = {"DE": "EU", "FR": "EU", "TH": "TH", "JP": "JP", "US-CA": "US-CA"}
ANNA = Person((Identifier("whatsapp_user", "DE.1"), Identifier("whatsapp_phone", "66812345678")))
TARO = Person((Identifier("line_user", "U" + "1" * 32),))
COUNTRIES = ("DE", "FR", "TH", "JP", "US", "US-CA", "ZZ")
some_clues = st.builds(
    lambda declared, platform, number, account: Clues(
        declared=declared, platform=platform, number=number, account=account
    ),
    st.none() | st.sampled_from(COUNTRIES),
    st.none() | st.sampled_from(COUNTRIES),
    st.none() | st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True).map(tuple).map(NumberHint),
    st.none() | st.sampled_from(COUNTRIES),
)


def test_identifiers_say_what_they_say_and_the_account_the_rest():
    found = clues_of(ANNA.identifiers, "JP", hint_of_number)
    assert found == Clues(platform="DE", number=NumberHint(("TH",)), account="JP")
    assert clues_of(TARO.identifiers, "JP", hint_of_number) == Clues(account="JP")
    parent = (Identifier("whatsapp_parent_user", "TH.ENT.1"),)
    assert clues_of(parent, None, hint_of_number) == Clues(platform="TH")


def test_an_event_is_about_whom_it_is_sealed_for():
    head = {"channel": "whatsapp", "via": "3", "at": 1}
    said = Message(**head, author=ANNA, message_id="m", content=Text("hi"))
    echo = Message(**head, author=None, to=ANNA, direction="out", message_id="m", content=Text("hi"))
    told = Status(**head, message_id="m", status="read", recipient=ANNA)
    came = Relation(**head, change="member_joined", members=(ANNA, TARO, Person()))
    other = IdentityChange(**head, change="user_id", current=ANNA.identifiers)
    assert persons_of(said) == persons_of(echo) == persons_of(told) == persons_of(other) == (ANNA.identifiers,)
    assert persons_of(came) == (ANNA.identifiers, TARO.identifiers)
    assert persons_of(Message(**head, author=Person(), message_id="m", content=Text("hi"))) == ()


@given(some_clues, some_clues)
def test_weaker_evidence_never_takes_the_place_of_stronger(known, heard):
    after = joined(known, heard, LAWS)
    before, now = derive(known, LAWS), derive(after, LAWS)
    if CERTAINTIES.index(now.certainty) < CERTAINTIES.index(before.certainty):
        # Only a stronger source that had said nothing can do that: a number of several countries, over the account's.
        assert (before.basis, now.basis) == ("account_country", "number_plan")
        assert known.number is None
    assert after.declared == known.declared
    assert joined(after, heard, LAWS) == after


def test_a_number_of_several_countries_refutes_what_the_account_let_assume():
    found = derive(joined(Clues(account="DE"), Clues(number=NumberHint(("FR", "TH"))), LAWS), LAWS)
    assert (found.jurisdiction, laws_in(found)) == (None, ("EU", "TH"))


@given(some_clues)
def test_hearing_nothing_changes_nothing(known):
    assert joined(known, Clues(), LAWS) == known


def test_stronger_evidence_counts_weaker_does_not():
    by_account = Clues(account="JP")
    by_number = joined(by_account, Clues(number=NumberHint(("TH",)), account="DE"), LAWS)
    assert (by_number.account, derive(by_number, LAWS).jurisdiction) == ("JP", "TH")
    stated = joined(by_number, Clues(platform="DE"), LAWS)
    assert derive(stated, LAWS).jurisdiction == "EU"
    assert derive(joined(stated, Clues(number=NumberHint(("JP",))), LAWS), LAWS).jurisdiction == "EU"


def test_several_laws_have_to_allow_where_none_is_certain():
    assert laws_in(derive(Clues(number=NumberHint(("US",))), LAWS)) == ("US-CA",)
    assert laws_in(derive(Clues(platform="DE"), LAWS)) == ("EU",)
    assert laws_in(derive(Clues(), LAWS)) == ()


def test_the_nearest_home_is_where_the_law_applies_then_by_name():
    nodes = [Region("b", "r1", "JP"), Region("a", "r2", None), Region("z", "r3", "TH")]
    assert [each.node for each in nearest(nodes, ["TH"])] == ["z", "a", "b"]
    assert [each.node for each in nearest(nodes, [])] == ["a", "b", "z"]
