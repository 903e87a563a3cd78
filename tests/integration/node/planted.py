"""Traffic full of words that must never be seen again: invented people's, and every fixture of both platforms.

What is planted is decided by exclusion: every value of a body is, but those under names that hold the platforms' own
vocabulary and times.
"""

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.sandbox.names import draw_line_message_id, draw_wamid
from deploy.sandbox.webhooks import (
    Subject,
    line_body,
    line_edited,
    line_event,
    line_file,
    line_follow,
    line_location,
    line_message,
    line_postback,
    line_sticker,
    line_text,
    line_unsend,
    whatsapp_body,
    whatsapp_document,
    whatsapp_echo,
    whatsapp_edit,
    whatsapp_image,
    whatsapp_message,
    whatsapp_reaction,
    whatsapp_revoke,
    whatsapp_status,
    whatsapp_text,
)
from tests.integration.node.load import Post
from tests.support.node import LINE_CHANNEL, NUMBER

FIXTURES = Path(__file__).resolve().parents[2] / "channels"
CHANCE = random.Random("planted")
GRETA = Subject(
    'Gräfin Greta "Zwetschge" Åström 🫖',
    "999170055512",
    "ZZ.55512345678901234567",
    "U" + CHANCE.randbytes(16).hex(),
    "zwetschge.greta",
)
HARU = Subject("梅干し 春🌸", None, "ZZ.77712345678901234567", "U" + CHANCE.randbytes(16).hex(), "haru.umeboshi")
GROUP = "C" + CHANCE.randbytes(16).hex()
WORDS = [
    "Quittengelee mit Rosmarin",
    "Schlüssel unter dem \\ Blumentopf / links, ruf an: greta@zwetschge.example",
    "玄関の暗証番号は八四二六です",
    "🗝️🫖🧿🪬🪩 nur Bilder",
    "Zeile eins\nZeile zwei\t\x7f ende",
    "مفتاح البيت تحت السجادة",
]
IN_CLEAR = frozenset(
    {
        # The platforms' own vocabulary.
        *("action", "categories", "category", "code", "current_limit", "decision", "direction", "event", "field"),
        *("message_template_category", "messaging_product", "mime_type", "mode", "new_owner_role", "object", "origin"),
        *("previous_owner_role", "reason", "recipient_type", "response", "response_source", "result", "scopes"),
        *("status", "stickerResourceType", "type", "value"),
        # Times, which rest in the clear.
        *("created_timestamp", "duration", "expiration_timestamp", "expireAt", "time", "timestamp"),
        # The node's own account, as its operator typed it.
        *("destination", "display_phone_number", "phone_number_id", "waba_id"),
    }
)
BYTES_MIN = 6
"""Shorter values would be found by chance."""


def words_of(value: Any, name: str = "") -> set[str]:
    """Give the planted values of a body or of a part of one."""
    if isinstance(value, bytes):
        value = json.loads(value)
    if isinstance(value, dict):
        return {word for key, inner in value.items() for word in words_of(inner, key)}
    if isinstance(value, list):
        return {word for inner in value for word in words_of(inner, name)}
    word = str(value)
    # Half a surrogate pair has no bytes of its own to look for.
    sound = word.encode("utf-8", "ignore") == word.encode("utf-8", "surrogatepass")
    return {word} if name not in IN_CLEAR and sound and len(word.encode()) >= BYTES_MIN else set()


def is_json(body: bytes) -> bool:
    """Say whether a body can be read at all; broken ones are made of whole ones, whose words are known."""
    with contextlib.suppress(ValueError):
        json.loads(body)
        return True
    return False


def own_posts() -> Iterator[Post]:
    """Give the messages of both people: of every form, edited, recalled, and a recall that comes first."""
    told = {"chance": CHANCE}
    texts = [whatsapp_text(word, who, **told) for who in (GRETA, HARU) for word in WORDS]
    place = {"latitude": 48.1351253, "longitude": 11.5819806, "name": "Hinterhof 17b", "address": "Kirchgasse 4711"}
    card = {
        "name": {"formatted_name": "Tante Wilhelmine", "first_name": "Wilhelmine"},
        "phones": [{"phone": "+999 170 055513", "wa_id": "999170055513"}],
        "emails": [{"email": "wilhelmine@zwetschge.example"}],
    }
    updates = [
        *texts,
        whatsapp_image("Bildunterschrift aus Kötzschenbroda", GRETA, **told),
        whatsapp_document("Scheidungsurkunde Åström.pdf", GRETA, **told),
        whatsapp_message("location", place, HARU, **told),
        whatsapp_message("contacts", [card], GRETA, **told),
        whatsapp_message("moodring", {"colour": "vermilion-verdigris", "shade": "rauchblau"}, HARU, **told),
        whatsapp_reaction(texts[0].id, "👩🏽‍🚒🧨", HARU, **told),
        whatsapp_echo("text", {"body": "Antwort: Parkhaus Ebene 12"}, GRETA, **told),
        whatsapp_status(draw_wamid(str(GRETA.phone), CHANCE), "read", GRETA),
        whatsapp_edit(texts[1].id, "Neu: im Gewächshaus neben der Zinkwanne", GRETA, **told),
        whatsapp_revoke(texts[2].id, GRETA, **told),
        whatsapp_revoke(draw_wamid(str(GRETA.phone), CHANCE), GRETA, **told),
    ]
    for update in updates:
        yield Post("whatsapp", whatsapp_body(update))
    yield from (Post("line", line_body(event)) for event in _line_events(told))


def _line_events(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what both people say on LINE."""
    for who, group in ((GRETA, None), (HARU, GROUP)):
        ids = [draw_line_message_id(CHANCE) for _ in WORDS]
        for word, own in zip(WORDS, ids, strict=True):
            yield line_text(word, who, group=group, message_id=own, **told)
        yield line_edited(ids[1], f"Geändert von {who.line_user}: doch im Gartenhaus", GROUP, who, **told)
        yield line_unsend(ids[2], who, group=group, **told)
        yield line_unsend(draw_line_message_id(CHANCE), who, group=group, **told)
    yield line_file("Kontoauszug Zwetschge.xlsx", GRETA, **told)
    yield line_location(35.7013742, 139.5820184, "梅の湯の裏口", HARU, address="東京都架空区九丁目", **told)
    yield line_sticker(HARU, text="よろしくおねがいにゃん", **told)
    yield line_postback("action=umtausch&kunde=zwetschge", GRETA, **told)
    yield line_follow(GRETA, **told)
    yield line_message("hologram", HARU, wish="もういちど祖母に会いたい", **told)
    yield line_event("lanternFloated", HARU, lantern={"wish": "灯籠流しの願い事", "colour": "zinnober-kobalt"}, **told)


def fixture_posts() -> Iterator[Post]:
    """Give every fixture of both platforms as one for this node's accounts, its message ids its own."""
    for channel in ("line", "whatsapp"):
        for number, file in enumerate(sorted((FIXTURES / channel / "fixtures").glob("*.json"))):
            body = json.loads(file.read_bytes().replace(b"FIXTURE", b"FIXTURE%03d" % number))
            yield Post(channel, json.dumps(ours(body)).encode())


def ours(value: Any) -> Any:
    """Give a fixture as one for this node's accounts."""
    if isinstance(value, dict):
        if "destination" in value:
            value["destination"] = LINE_CHANNEL.bot_user_id
        if "changes" in value:
            value["id"] = NUMBER.waba_id
        if "phone_number_id" in value:
            value["phone_number_id"] = NUMBER.phone_number_id
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        ours(part)
    return value
