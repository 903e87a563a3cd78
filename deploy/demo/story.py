"""What is told: the people, the webhooks and what each must come to, as data.  The words are invented."""

import json
from typing import Any, Literal

import msgspec

from deploy.sandbox.names import draw_line_message_id
from deploy.sandbox.webhooks import (
    ANNA,
    ROSA,
    TARO,
    draw_subjects,
    line_body,
    line_edited,
    line_event,
    line_location,
    line_sticker,
    line_text,
    line_unsend,
    whatsapp_batch,
    whatsapp_body,
    whatsapp_edit,
    whatsapp_image,
    whatsapp_revoke,
    whatsapp_text,
    whatsapp_voice,
)

WHATSAPP_ACCOUNT = "parcels-whatsapp"
LINE_ACCOUNT = "parcels-line"
_GROUP = "C" + "9e" * 16
_BATCH = 40
_BATCH_PEOPLE = 8

Act = Literal["store", "repeat", "refuse", "edit", "recall", "bury", "keep_out", "restart"]
"""What a step must come to; ``walk.py`` knows how each is checked."""


class Step(msgspec.Struct, frozen=True):
    """One webhook: what it is called, what came in, what to look at, its channel and bytes, what it must come to."""

    title: str
    came: str
    look: str
    channel: Literal["whatsapp", "line"]
    body: bytes
    act: Act = "store"


def tell() -> list[Step]:
    """Give the steps in order; ids and times are drawn anew each time."""
    return [*_forms(), *_batch_and_repetition(), *_edits(), *_recalls()]


def _forms() -> list[Step]:
    """Give a message of each form, both channels."""
    return [
        Step(
            "A picture with words under it",
            "Rosa, who hides her number, sends image and caption",
            "Meta names her by her BSUID alone. The webhook holds the picture's id, not the picture.",
            "whatsapp",
            whatsapp_body(whatsapp_image("Der Henkel ist abgebrochen, seht selbst", ROSA)),
        ),
        Step(
            "A voice message",
            "Anna sends a voice message, no words",
            "Anna's first contact: she gets a pseudonym and a key of her own.",
            "whatsapp",
            whatsapp_body(whatsapp_voice(ANNA)),
        ),
        Step(
            "A sticker",
            "Taro sends a sticker with his own words on it",
            "LINE names him by an id that only this provider knows.",
            "line",
            line_body(line_sticker(TARO, text="よろしくおねがいにゃん")),
        ),
        Step(
            "A place",
            "Taro sends where to leave the parcel",
            "Coordinates and name lie in the sealed column.",
            "line",
            line_body(line_location(35.7013742, 139.5820184, "梅の湯の裏口", TARO)),
        ),
    ]


def _batch_and_repetition() -> list[Step]:
    """Give a text that comes again, a forged one, a batch, and what nobody knows yet."""
    text = whatsapp_body(whatsapp_text("Mein Paket mit der roten Teekanne fehlt 🫖", ANNA))
    people = list(draw_subjects(_BATCH_PEOPLE))
    batch = whatsapp_batch(_BATCH, subjects=people, text="Wo bleibt mein Regenschirm?")
    forged = whatsapp_body(whatsapp_text("Bitte überweisen Sie sofort", ANNA))
    unknown = line_event("lanternFloated", TARO, lantern={"wish": "もういちど祖母に会いたい", "colour": "vermilion"})
    neighbour = line_text("これは届いていますか", TARO)
    return [
        Step("A text", "Anna writes", "Compare subject and bucket with her voice message above.", "whatsapp", text),
        Step(
            "The same webhook again",
            "Meta repeats it, byte for byte",
            "Answered 200 like the first; nothing is stored twice.",
            "whatsapp",
            text,
            "repeat",
        ),
        Step(
            "A forged signature",
            "somebody without the app secret writes as Anna",
            "Answered like an account that does not exist.",
            "whatsapp",
            forged,
            "refuse",
        ),
        Step(
            f"{_BATCH} messages of {_BATCH_PEOPLE} people in one body",
            f"Meta aggregates {_BATCH} texts",
            "One 200; each row sealed under its own key, below its own subject's.",
            "whatsapp",
            batch,
        ),
        Step(
            "Something nobody knows yet, and its neighbour",
            'Taro: an event of the invented type "lanternFloated", then a text',
            "The unknown one is kept whole as unclassified; the known one is not held up.",
            "line",
            line_body(unknown, neighbour),
        ),
    ]


def _edits() -> list[Step]:
    """Give words that are changed."""
    fragile = whatsapp_text("Klingelt bei Familie Wacholder", ANNA)
    room = draw_line_message_id()
    new_words = "Nein: Familie Haselstrauch, zweiter Stock"
    return [
        Step("A text that will change", "Anna writes", "Look at its row key.", "whatsapp", whatsapp_body(fragile)),
        Step(
            "WhatsApp edit",
            "Anna changes that text",
            "New words, new row key; the old key is destroyed.",
            "whatsapp",
            whatsapp_body(whatsapp_edit(fragile.id, new_words, ANNA)),
            "edit",
        ),
        Step(
            "A text in a group",
            "Taro writes in a LINE group",
            "The conversation is the group's; the words are sealed under Taro's key.",
            "line",
            line_body(line_text("集合は午後三時、南口で", TARO, group=_GROUP, message_id=room)),
        ),
        Step(
            "LINE messageEdited",
            "Taro changes it",
            "As before, on the other channel.",
            "line",
            line_body(line_edited(room, "集合は午後四時、北口で", _GROUP, TARO)),
            "edit",
        ),
    ]


def _recalls() -> list[Step]:
    """Give words that are taken back after they came; ``regretted`` comes again and again."""
    secret = draw_line_message_id()
    regretted = line_body(line_text("玄関の暗証番号は八四二六です", TARO, message_id=secret))
    return [
        Step("A text that will be taken back", "Taro writes", "Look at its keys.", "line", regretted),
        Step(
            "LINE unsend",
            "Taro takes it back",
            "Both stores, before and after.",
            "line",
            line_body(line_unsend(secret, TARO)),
            "recall",
        ),
        Step(
            "What was taken back, delivered again",
            "LINE redelivers the text after its unsend",
            "It stays out.",
            "line",
            regretted,
            "keep_out",
        ),
        *_recalls_that_come_first(),
        Step(
            "A new process, and the same text once more",
            "homeport edge restart, then LINE redelivers the unsent text",
            "The new process remembers nothing; the tombstone in the store decides.",
            "line",
            regretted,
            "restart",
        ),
    ]


def _recalls_that_come_first() -> list[Step]:
    """Give words that are taken back before they came."""
    early = draw_line_message_id()
    hasty = whatsapp_text("Vergesst es, ich bestelle woanders", ROSA)
    return [
        Step(
            "A recall before its message",
            "Rosa's revoke overtakes the text it takes back",
            "There is nothing to remove yet: the tombstone waits for it.",
            "whatsapp",
            whatsapp_body(whatsapp_revoke(hasty.id, ROSA)),
            "bury",
        ),
        Step(
            "Its message, too late",
            "Rosa's text arrives",
            "Answered 200 and kept out.",
            "whatsapp",
            whatsapp_body(hasty),
            "keep_out",
        ),
        Step(
            "A LINE unsend before its message, in one body with it",
            "Taro's unsend first, then the text it takes back",
            "The order inside a body does not matter either.",
            "line",
            line_body(line_unsend(early, TARO), line_text("見なかったことにしてください", TARO, message_id=early)),
            "bury",
        ),
    ]


_PERSONAL = frozenset(
    {
        *("body", "text", "caption", "name", "title", "wish", "username", "colour"),
        *("from", "from_user_id", "wa_id", "user_id", "userId", "groupId", "id", "messageId", "original_message_id"),
        *("replyToken", "quoteToken", "webhookEventId", "latitude", "longitude"),
    }
)
"""Names of properties whose values must never be found on disk: words, names, numbers, ids, places, tokens."""

WORD_BYTES_MIN = 6
"""Shorter values would be found by chance."""


def planted(body: bytes) -> set[str]:
    """Give every word, name, number, id, place and token that a body plants."""
    found: set[str] = set()
    _collect(json.loads(body), "", found)
    return {word for word in found if len(word.encode()) >= WORD_BYTES_MIN}


def _collect(value: Any, name: str, found: set[str]) -> None:
    """Walk JSON; keep the leaves whose names are personal."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, key, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, name, found)
    elif name in _PERSONAL:
        found.add(str(value))
