"""A change that speaks of many people becomes one notice for each: nobody's part lies with another's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.custody import portions
from edge_node.core.marks import mark_parts
from shared.limits import BODY_UPDATES_MAX
from shared.message import Message, Notice
from tests.channels.whatsapp.cases import holds, leaves, parse, said

HEAD = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "100200300400500"}}


def names(number: int) -> tuple[str, str]:
    """Invent a person: BSUID and phone."""
    return f"US.{number:020d}", f"1555{number:07d}"


def secret(number: int) -> str:
    """Invent a word that only this person's part may hold."""
    return f"word-of-{number}"


def calls(people: list[int]) -> dict[str, Any]:
    items = [{"id": f"c{place}", "from_user_id": names(who)[0], "x": secret(who)} for place, who in enumerate(people)]
    contacts = [{"user_id": names(who)[0], "wa_id": names(who)[1], "new": secret(who)} for who in sorted(set(people))]
    statuses = [{"id": "s", "type": "call", "recipient_id": names(who)[1], "x": secret(who)} for who in people[:2]]
    return {**HEAD, "contacts": contacts, "calls": items, "statuses": statuses}


def book(people: list[int]) -> dict[str, Any]:
    return {
        **HEAD,
        "state_sync": [
            {"type": "contact", "contact": {"full_name": secret(who), "phone_number": names(who)[1]}} for who in people
        ],
    }


def history(people: list[int]) -> dict[str, Any]:
    threads = [
        {"id": names(who)[1], "context": {"user_id": names(who)[0]}, "messages": [{"text": {"body": secret(who)}}]}
        for who in people
    ]
    half = len(threads) // 2
    chunks = [
        {"metadata": {"phase": 0}, "threads": threads[:half]},
        {"metadata": {"phase": 1}, "threads": threads[half:]},
    ]
    return {**HEAD, "history": chunks}


def groups(people: list[int]) -> dict[str, Any]:
    entries = [{"wa_id": names(who)[1], "user_id": names(who)[0], "x": [secret(who)]} for who in people]
    half = len(entries) // 2
    return {
        **HEAD,
        "groups": [
            {"group_id": "g1", "type": "group_participants_add", "added_participants": entries[:half]},
            {"group_id": "g2", "type": "group_participants_remove", "removed_participants": entries[half:]},
        ],
    }


CHANGES = {
    "calls": calls,
    "smb_app_state_sync": book,
    "history": history,
    "group_participants_update": groups,
}


def body(topic: str, value: Any) -> dict[str, Any]:
    """Return a body with one change."""
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": topic, "value": value}]}],
    }


def notices(topic: str, value: Any) -> list[Notice]:
    """Parse one change into its notices."""
    found = parse(body(topic, value))
    assert all(isinstance(event, Notice) for event in found)
    return found  # type: ignore[return-value]  # asserted above


@pytest.mark.parametrize("topic", CHANGES)
@given(people=st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_each_person_has_their_own_part_and_nothing_is_lost(topic: str, people: list[int]):
    value = CHANGES[topic](people)
    found = notices(topic, value)
    assert len(found) == len(set(people)) == len({event.author for event in found})
    assert len({mark_parts("a", event) for event in found}) == len(found)
    for event in found:
        [(_, person)] = portions(event)
        assert person is not None
        held = json.dumps(event.detail)
        [who] = [
            who for who in set(people) if any(name == each.value for name in names(who) for each in person.identifiers)
        ]
        assert secret(who) in held
        for other in set(people) - {who}:
            assert not [word for word in (secret(other), *names(other)) if word in held]
    everything, _ = said(found)  # type: ignore[arg-type]  # a list of one kind of event
    assert not [place for place, leaf in leaves(value) if not holds(everything, leaf)]


@pytest.mark.parametrize("topic", CHANGES)
def test_what_is_nobodys_goes_apart(topic: str):
    value = {**CHANGES[topic]([1, 2]), "added_by_meta": "of somebody"}
    found = notices(topic, value)
    assert [event.author is None for event in found] == [False, False, True]
    assert [("of somebody" in json.dumps(event.detail)) for event in found] == [False, False, True]


@pytest.mark.parametrize("topic", CHANGES)
def test_with_one_person_it_stays_whole(topic: str):
    value = {**CHANGES[topic]([1, 1]), "added_by_meta": "of them"}
    [event] = notices(topic, value)
    assert event.author is not None
    assert event.detail == value


@pytest.mark.parametrize("topic", CHANGES)
def test_over_the_budget_it_is_one_notice_of_nobody_and_no_refusal(topic: str):
    value = CHANGES[topic](list(range(BODY_UPDATES_MAX + 1)))
    value.pop("contacts", None)
    [event] = notices(topic, value)
    assert (event.author, event.detail) == (None, value)


def test_over_what_may_be_repeated_it_is_one_notice_of_nobody():
    value = {**book(list(range(100))), "metadata": {"phone_number_id": "1", "new": "x" * 100_000}}
    [event] = notices("smb_app_state_sync", value)
    assert (event.author, event.detail) == (None, value)


@pytest.mark.parametrize("value", [{}, {"history": 7}, {"history": [7, {"threads": 7}, {"threads": [7, {}]}]}])
@pytest.mark.parametrize("topic", CHANGES)
def test_other_shapes_are_kept_whole(topic: str, value: dict[str, Any]):
    [event] = notices(topic, value)
    assert (event.author, event.detail) == (None, value)


def test_a_message_of_a_chat_history_is_no_message_until_its_file_comes():
    """A placeholder taken for the message would make its file a double."""
    [event] = notices("history", history([1]))
    assert event.topic == "history"
    message = {"id": "m1", "from": names(1)[1], "type": "image", "image": {"id": "9"}}
    [file] = parse(body("history", {**HEAD, "messages": [message]}))
    assert isinstance(file, Message)
