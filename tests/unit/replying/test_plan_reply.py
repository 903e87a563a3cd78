"""Which form a plain text reply takes, and every reason for which there is none."""

import msgspec
import pytest

from edge_node.core.replying import (
    LINE_UNITS_MAX,
    TOKEN_AGE_MILLISECONDS,
    TOKEN_MILLISECONDS,
    WHATSAPP_CHARACTERS_MAX,
    WINDOW_MILLISECONDS,
    Heard,
    LinePush,
    LineReply,
    NoReply,
    WhatsAppText,
    plan_reply,
    push_instead,
)
from shared.message import Identifier, Message, Person, Text

NOW = 1_795_000_000_000
TARO = Identifier("line_user", "U" + "d4" * 16)
PHONE, BSUID = Identifier("whatsapp_phone", "4930231250"), Identifier("whatsapp_user", "DE.13491208655302741918")
PARENT = Identifier("whatsapp_parent_user", "DE.ENT.118157")


def on_line(**more):
    return Message(
        channel="line",
        via="U" + "b0" * 16,
        at=NOW - 1_000,
        author=Person((TARO,)),
        message_id="5",
        content=Text("x"),
        reply_token="t0ken",
        **more,
    )


def on_whatsapp(*names, **more):
    author = Person(names or (BSUID, PHONE))
    return Message(
        channel="whatsapp", via="208", at=NOW - 1_000, author=author, message_id="wamid.x", content=Text("x"), **more
    )


def plan(event, *, text="Hello", now=NOW, at=NOW - 1_000, received_at=NOW - 900, answered=False, names=None, **more):
    heard = event and Heard(event, at, received_at, answered)
    theirs = (event.author.identifiers if event and event.author else ()) if names is None else names
    known = {"in_groups": False, "rests_here": True} | more
    return plan_reply(heard, text=text, now=now, open_names=theirs, **known)


def test_a_fresh_token_answers_free_of_charge():
    assert plan(on_line()) == LineReply("t0ken", TARO)


@pytest.mark.parametrize(
    "stale",
    [
        {"received_at": NOW - TOKEN_MILLISECONDS},
        {"received_at": NOW + 1},
        {"at": NOW - TOKEN_AGE_MILLISECONDS},
        {"answered": True},
    ],
    ids=["a minute old", "clock ran back", "redelivered late", "used"],
)
def test_a_token_that_may_be_worth_nothing_gives_a_push(stale):
    assert plan(on_line(), **stale) == LinePush(TARO)


def test_a_token_counts_until_its_last_millisecond():
    assert isinstance(plan(on_line(), received_at=NOW - TOKEN_MILLISECONDS + 1), LineReply)


def test_without_a_token_line_takes_a_push():
    event = msgspec.structs.replace(on_line(), reply_token=None)
    assert plan(event) == LinePush(TARO)
    assert push_instead(LineReply("t0ken", TARO)) == LinePush(TARO)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [((BSUID, PHONE), PHONE), ((BSUID,), BSUID), ((BSUID, PARENT), BSUID), ((PARENT,), PARENT)],
)
def test_whatsapp_is_sent_to_the_phone_number_where_it_is_known(names, chosen):
    assert plan(on_whatsapp(*names)) == WhatsAppText("208", chosen)


def test_a_number_that_is_somebody_elses_now_is_not_sent_to():
    assert plan(on_whatsapp(), names=[BSUID]) == WhatsAppText("208", BSUID)
    assert plan(on_whatsapp(PHONE), names=[BSUID]) == NoReply("nobody_to_send_to")


@pytest.mark.parametrize(("age", "open_"), [(WINDOW_MILLISECONDS - 1, True), (WINDOW_MILLISECONDS, False)])
def test_whatsapps_window_closes_a_day_after_the_last_message(age, open_):
    found = plan(on_whatsapp(), at=NOW - age)
    assert isinstance(found, WhatsAppText) if open_ else found == NoReply("window_closed")


def test_lines_window_does_not_close():
    assert plan(on_line(), at=NOW - 30 * WINDOW_MILLISECONDS, received_at=NOW - 30 * WINDOW_MILLISECONDS) == LinePush(
        TARO
    )


@pytest.mark.parametrize(
    ("event", "more", "reason"),
    [
        (None, {}, "nothing_received"),
        (None, {"in_groups": True}, "group"),
        (on_line(group=Identifier("line_group", "C" + "0" * 32)), {}, "group"),
        (on_line(), {"rests_here": False}, "account_not_here"),
        (on_line(standby=True), {}, "standby"),
        (on_line(), {"names": []}, "nobody_to_send_to"),
        (msgspec.structs.replace(on_line(), author=None), {}, "nobody_to_send_to"),
        (on_line(), {"text": " \n"}, "text_empty"),
        (on_line(), {"text": "x" * (LINE_UNITS_MAX + 1)}, "text_too_long"),
        (on_line(), {"text": "🙂" * (LINE_UNITS_MAX // 2 + 1)}, "text_too_long"),
        (on_whatsapp(), {"text": "x" * (WHATSAPP_CHARACTERS_MAX + 1)}, "text_too_long"),
    ],
)
def test_why_there_is_no_reply(event, more, reason):
    assert plan(event, **more) == NoReply(reason)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (on_line(), "🙂" * (LINE_UNITS_MAX // 2)),
        (on_line(), "x" * LINE_UNITS_MAX),
        (on_whatsapp(), "🙂" * WHATSAPP_CHARACTERS_MAX),
    ],
)
def test_a_text_may_be_as_long_as_the_platform_takes(event, text):
    assert not isinstance(plan(event, text=text), NoReply)
