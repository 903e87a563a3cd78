"""What is said in the demo, as data, and what of a webhook must never be found on a disk.  The words are invented."""

import json
from typing import Any

GROUP = "C" + "9e" * 16
BATCH, BATCH_PEOPLE = 40, 8

TEAPOT = "Mein Paket mit der roten Teekanne fehlt 🫖"
HANDLE = "Der Henkel ist abgebrochen, seht selbst"
UMBRELLA = "Wo bleibt mein Regenschirm?"
FORGED = "Bitte überweisen Sie sofort"
DOORBELL, DOORBELL_NEW = "Klingelt bei Familie Wacholder", "Nein: Familie Haselstrauch, zweiter Stock"
STICKER, PLACE = "よろしくおねがいにゃん", "梅の湯の裏口"
WISH, NEIGHBOUR = "もういちど祖母に会いたい", "これは届いていますか"
ASTRAY = "荷物は西荻窪の店に転送してください"
DOOR_CODE = "玄関の暗証番号は八四二六です"
ANSWER_ANNA = "Die Teekanne ist gefunden; sie kommt am Donnerstag."
ANSWER_TARO = "西荻窪の店でお預かりしています。"
TWICE = "きのうの便で届く予定でした"
LOTUS = "Bưu kiện của tôi có đến Hội An không?"
AGAIN = "別の荷物について聞きたいです"

BATCH_SCRIPT = "".join(
    f'[people.guest{number}]\nname = "Gast {number} Regenbogen"\nbsuid = "DE.3310927744550{number:07d}"\n'
    for number in range(BATCH_PEOPLE)
) + "".join(
    f'[[act]]\nwho = "guest{number % BATCH_PEOPLE}"\non = "whatsapp"\ntext = "({number}) {UMBRELLA}"\n'
    for number in range(BATCH)
)
"""A script for the stand-ins: eight people write five times each, all at once."""

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
