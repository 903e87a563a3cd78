"""LINE webhook bodies, built as LINE sends them (Messaging API reference, 2026-08-07).

Each builder gives one event; :func:`line_body` puts any number of them into the bytes of a body, and
:func:`sign_line` makes its ``x-line-signature``.
"""

import base64
import hashlib
import hmac
import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.sandbox.moment import now_ms
from deploy.sandbox.names import (
    TARO,
    LineChannel,
    Subject,
    draw_line_message_id,
    draw_subjects,
    draw_token,
    draw_ulid,
)

LineEvent = dict[str, Any]

_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")


def line_event(
    kind: str,
    sender: Subject = TARO,
    *,
    group: str | None = None,
    at: int | None = None,
    reply: bool = True,
    redelivered: bool = False,
    chance: random.Random | None = None,
    **more: Any,
) -> LineEvent:
    """Build an event of any type; ``more`` is what the type adds, ``group`` a group id, ``at`` milliseconds."""
    at = now_ms() if at is None else at
    person = {"type": "user", "userId": sender.line_user}
    source = person if group is None else {"type": "group", "groupId": group, "userId": sender.line_user}
    event: LineEvent = {
        "type": kind,
        **more,
        "webhookEventId": draw_ulid(at, chance),
        "deliveryContext": {"isRedelivery": redelivered},
        "timestamp": at,
        "source": source,
        "mode": "active",
    }
    return event | ({"replyToken": draw_token(chance)} if reply else {})


def line_message(kind: str, sender: Subject = TARO, *, message_id: str | None = None, **more: Any) -> LineEvent:
    """Build a message of any type; keywords of :func:`line_event` go to the event, the others into ``message``."""
    chance = more.get("chance")
    event_names = ("group", "at", "reply", "redelivered", "chance")
    event_part = {name: more.pop(name) for name in event_names if name in more}
    message = {"type": kind, "id": message_id or draw_line_message_id(chance), **more}
    if kind in {"text", "image", "video", "sticker"}:
        message.setdefault("quoteToken", draw_token(chance))
    return line_event("message", sender, message=message, **event_part)


def line_text(text: str, sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a text."""
    return line_message("text", sender, text=text, **more)


def line_image(sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a picture that LINE keeps, to be fetched by the message's id."""
    return line_message("image", sender, contentProvider={"type": "line"}, **more)


def line_voice(sender: Subject = TARO, *, duration: int = 4_200, **more: Any) -> LineEvent:
    """Build a voice message; ``duration`` in milliseconds."""
    return line_message("audio", sender, contentProvider={"type": "line"}, duration=duration, **more)


def line_sticker(sender: Subject = TARO, *, text: str | None = None, **more: Any) -> LineEvent:
    """Build a sticker, perhaps with words the sender put on it."""
    words = {"text": text} if text else {}
    return line_message(
        "sticker", sender, packageId="446", stickerId="1988", stickerResourceType="STATIC", **words, **more
    )


def line_location(latitude: float, longitude: float, title: str, sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a place."""
    return line_message("location", sender, title=title, latitude=latitude, longitude=longitude, **more)


def line_file(file_name: str, sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a file with its name."""
    return line_message("file", sender, fileName=file_name, fileSize=2_138, **more)


def line_edited(target_id: str, text: str, group: str, sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build an edit: new words for an earlier message; groups and rooms only (since 2026-07-07)."""
    chance = more.get("chance")
    message = {"type": "text", "id": target_id, "text": text, "quoteToken": draw_token(chance)}
    return line_event("messageEdited", sender, group=group, message=message, **more)


def line_unsend(target_id: str, sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a recall: an earlier message taken back; no reply token."""
    return line_event("unsend", sender, reply=False, unsend={"messageId": target_id}, **more)


def line_follow(sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a follow: somebody added the business as a friend, or unblocked it."""
    return line_event("follow", sender, follow={"isUnblocked": False}, **more)


def line_postback(data: str, sender: Subject = TARO, **more: Any) -> LineEvent:
    """Build a postback: somebody tapped a button that the business showed."""
    return line_event("postback", sender, postback={"data": data}, **more)


def line_body(*events: LineEvent, channel: LineChannel | None = None) -> bytes:
    """Put events into one body; none is LINE's connection check."""
    return escape_as_line({"destination": (channel or LineChannel()).bot_user_id, "events": list(events)})


def line_batch(
    count: int,
    *,
    channel: LineChannel | None = None,
    subjects: Sequence[Subject] = (),
    text: str = "荷物はどこですか",
    at: int | None = None,
    chance: random.Random | None = None,
) -> bytes:
    """One body of ``count`` texts by ``subjects`` in turn, else by ``count`` people."""
    people = list(subjects) or list(draw_subjects(count, chance))
    events = [
        line_text(f"{text} ({place})", people[place % len(people)], at=at, chance=chance) for place in range(count)
    ]
    return line_body(*events, channel=channel)


def escape_as_line(value: Mapping[str, Any]) -> bytes:
    r"""Write JSON as LINE does: UTF-8, but characters beyond the BMP as ``\uD83E\uDD28``."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return _BEYOND_BMP.sub(_surrogates, text).encode()


def sign_line(secret: bytes, body: bytes) -> str:
    """Give the value of ``x-line-signature``: base64 of HMAC-SHA256 over the raw bytes, by channel secret."""
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def _surrogates(match: re.Match[str]) -> str:
    """Write one character beyond the BMP as two upper-case escapes."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex().upper()}" for place in (0, 2))
