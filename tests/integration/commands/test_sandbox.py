"""The stand-ins are like the real thing: signatures verify, ids and escapes are as the platforms write them."""

import base64
import json
import random
import re

import pytest

from deploy.sandbox import names
from deploy.sandbox import webhooks as made
from edge_node.channels.registry import CHANNELS
from shared.message import Edit, Media, Message, Preference, Reaction, Recall, Status

SECRET = b"0123456789abcdef"
NUMBER, CHANNEL = made.WhatsAppNumber(), made.LineChannel()


@pytest.mark.parametrize(
    ("channel", "body", "sign"),
    [
        ("whatsapp", made.whatsapp_body(made.whatsapp_text("Grüße @ home / 🤨")), made.sign_whatsapp),
        ("line", made.line_body(made.line_text("こんにちは 🤨")), made.sign_line),
    ],
)
def test_the_channel_accepts_what_the_sandbox_signs_and_nothing_else(channel, body, sign):
    signature = sign(SECRET, body).encode()
    assert CHANNELS[channel].verify([SECRET], body, signature)
    assert CHANNELS[channel].verify([b"new-secret-of-today", SECRET], body, signature)
    assert not CHANNELS[channel].verify([SECRET], body + b" ", signature)
    assert not CHANNELS[channel].verify([b"another-secret-here"], body, signature)


@pytest.mark.parametrize(
    ("update", "kind"),
    [
        (made.whatsapp_text("x"), Message),
        (made.whatsapp_text("x", made.ROSA), Message),
        (made.whatsapp_image("x"), Message),
        (made.whatsapp_voice(), Message),
        (made.whatsapp_document("x.pdf"), Message),
        (made.whatsapp_sticker(), Message),
        (made.whatsapp_location(52.5, 13.4, "x"), Message),
        (made.whatsapp_reaction("wamid.x", "👍"), Reaction),
        (made.whatsapp_reaction("wamid.x", None), Reaction),
        (made.whatsapp_edit("wamid.x", "y"), Edit),
        (made.whatsapp_revoke("wamid.x"), Recall),
        (made.whatsapp_echo("text", {"body": "x"}), Message),
        (made.whatsapp_status("wamid.x", "read"), Status),
        (made.whatsapp_preference(), Preference),
    ],
)
def test_every_whatsapp_update_is_understood_as_what_it_is(update, kind):
    (event,) = CHANNELS["whatsapp"].parse(made.whatsapp_body(update))
    assert isinstance(event, kind)
    assert event.via == NUMBER.phone_number_id


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (made.line_text("x"), "message"),
        (made.line_image(), "message"),
        (made.line_voice(), "message"),
        (made.line_sticker(text="x"), "message"),
        (made.line_location(35.6, 139.7, "x"), "message"),
        (made.line_file("x.txt"), "message"),
        (made.line_edited("1", "y", "C" + "a1" * 16), "edit"),
        (made.line_unsend("1"), "recall"),
        (made.line_follow(), "relation"),
        (made.line_postback("a=b"), "postback"),
    ],
)
def test_every_line_event_is_understood_as_what_it_is(event, kind):
    (understood,) = CHANNELS["line"].parse(made.line_body(event))
    assert understood.__struct_config__.tag == kind
    assert understood.via == CHANNEL.bot_user_id
    assert understood.event_id == event["webhookEventId"]


def test_a_recall_names_the_message_it_takes_back():
    said = made.whatsapp_text("x")
    message, recall = CHANNELS["whatsapp"].parse(made.whatsapp_body(said, made.whatsapp_revoke(said.id)))
    assert message.message_id == recall.message_id == said.id
    event = made.line_text("x")
    message, recall = CHANNELS["line"].parse(made.line_body(event, made.line_unsend(event["message"]["id"])))
    assert message.message_id == recall.message_id


def test_a_voice_message_is_told_from_other_audio():
    (event,) = CHANNELS["whatsapp"].parse(made.whatsapp_body(made.whatsapp_voice()))
    assert isinstance(event.content, Media)
    assert event.content.media == "voice"


def test_a_wamid_holds_the_phone_number_in_base64_as_real_ones_do():
    wamid = names.draw_wamid("4930231250")
    raw = base64.b64decode(wamid.removeprefix("wamid."), validate=True)
    assert raw.startswith(b"\x1c\x18\x0a4930231250")
    assert wamid.startswith("wamid.HBgK")


def test_line_ids_have_the_form_of_real_ones():
    event = made.line_text("x", at=1_790_000_000_000)
    assert re.fullmatch(r"[0-9]{18}", event["message"]["id"])
    assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", event["webhookEventId"])
    assert re.fullmatch(r"U[0-9a-f]{32}", event["source"]["userId"])
    earlier = made.line_text("x", at=1_780_000_000_000)
    assert earlier["webhookEventId"] < event["webhookEventId"]


def test_bytes_are_escaped_as_the_platforms_escape_them():
    whatsapp = made.whatsapp_body(made.whatsapp_text("é@/🤨"))
    assert b"\\u00e9\\u0040\\/\\ud83e\\udd28" in whatsapp
    assert whatsapp.isascii()
    line = made.line_body(made.line_text("é@/🤨"))
    assert "é@/\\uD83E\\uDD28".encode() in line
    assert json.loads(line)["events"][0]["message"]["text"] == "é@/🤨"


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_a_batch_has_that_many_messages_of_that_many_people(count):
    whatsapp = CHANNELS["whatsapp"].parse(made.whatsapp_batch(count))
    line = CHANNELS["line"].parse(made.line_batch(count))
    for events in (whatsapp, line):
        assert len({event.message_id for event in events}) == count
        assert len({event.author.identifiers[0] for event in events}) == count
    ids = [event.message_id for event in line]
    assert count < 100 or ids != sorted(ids)


def test_a_seed_and_a_time_make_a_batch_repeatable():
    first, again, other = (made.whatsapp_batch(3, at=1, chance=random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other
