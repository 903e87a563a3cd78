"""LINE's ways to send: reply, push, multicast, and what they cost.

Source: Messaging API reference (2026-08-07): send reply message, send push message, send multicast message, retry
failed API requests, rate limits, get quota.
"""

import re
import uuid
from typing import Any

from deploy.sandbox.exchange import Answer, Asked, line_error, told
from deploy.sandbox.hand_rules import line_message_errors
from deploy.sandbox.names import draw_line_message_id, draw_token
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.world import Bot, Sent

TOKEN_MS = 60_000
TOKEN_AGE_MS = 20 * 60_000
RETRY_KEY_MS = 24 * 3_600_000
MULTICAST_MAX = 500
_TO = re.compile(r"[UCR][0-9a-f]{32}")
_LIMITED = "The API rate limit has been exceeded. Try again later."
_MONTHLY = "You have reached your monthly limit."


async def reply(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer by reply token: once, within a minute of its webhook; a retry key is refused."""
    limited = _limited(sandbox, bot, "reply")
    if limited is not None:
        return limited
    if "x-line-retry-key" in asked.headers:
        return line_error(400, "The retry key is not supported by this API")
    fields = asked.fields
    wrong = _wrong(fields)
    if wrong is not None:
        return wrong
    token = sandbox.world.reply_tokens.get(str(fields.get("replyToken", "")))
    now = sandbox.clock.now()
    if token is None or token.bot != bot.id or token.used or token.received_at is None:
        return line_error(400, "Invalid reply token")
    if now - token.received_at > TOKEN_MS or now - token.event_at > TOKEN_AGE_MS:
        return line_error(400, "Invalid reply token")
    token.used = True
    sent = _send(sandbox, bot, token.to, "reply", fields["messages"])
    return told({"sentMessages": sent}, 200, _request_id(sandbox))


async def push(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Send to one person or group: 200 too for somebody who blocked the business."""
    return _keyed(sandbox, asked, bot, "push")


async def multicast(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Send to at most 500 people; 200 whoever they are."""
    return _keyed(sandbox, asked, bot, "multicast")


async def quota(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Tell the month's quota."""
    del sandbox, asked
    return told({"type": "none"} if bot.monthly_limit is None else {"type": "limited", "value": bot.monthly_limit})


async def consumption(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Tell how much of it is spent."""
    del sandbox, asked
    return told({"totalUsage": bot.spent})


def _keyed(sandbox: Sandbox, asked: Asked, bot: Bot, form: str) -> Answer:
    """Do what a retry key protects: a key that was accepted is not done again for 24 hours."""
    limited = _limited(sandbox, bot, form)
    if limited is not None:
        return limited
    key, fields, now = asked.headers.get("x-line-retry-key"), asked.fields, sandbox.clock.now()
    if key is not None and not _is_uuid(key):
        return line_error(400, "Invalid retry key")
    wrong = _wrong(fields) or _wrong_to(sandbox, fields.get("to"), form)
    if wrong is not None:
        return wrong
    before = sandbox.world.retry_keys.get((bot.id, key)) if key else None
    if before is not None and now - before[0] < RETRY_KEY_MS:
        sent = {"sentMessages": before[2]} if form == "push" else {}
        body = {"message": "The retry key is already accepted", **sent}
        return told(body, 409, {"x-line-accepted-request-id": before[1]} | _request_id(sandbox))
    people = [fields["to"]] if form == "push" else list(fields["to"])
    counted = sum((bot.id, person) not in sandbox.world.blocked for person in people)
    if bot.monthly_limit is not None and bot.spent + counted > bot.monthly_limit:
        return line_error(429, _MONTHLY)
    bot.spent += counted
    done = [_send(sandbox, bot, person, form, fields["messages"]) for person in people]
    named = _request_id(sandbox)
    if key is not None:
        sandbox.world.retry_keys[bot.id, key] = (now, named["x-line-request-id"], done[0])
    return told({"sentMessages": done[0]} if form == "push" else {}, 200, named)


def _send(sandbox: Sandbox, bot: Bot, to: str, form: str, messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Record what goes out; give ``sentMessages``."""
    told_of = []
    state = "blocked" if (bot.id, to) in sandbox.world.blocked else "accepted"
    for message in messages:
        sent = Sent(draw_line_message_id(sandbox.chance), "line", bot.id, to, form, message, sandbox.clock.now(), state)
        sandbox.world.sent.append(sent)
        quotable = {"quoteToken": draw_token(sandbox.chance)} if message.get("type") in {"text", "sticker"} else {}
        told_of.append({"id": sent.id, **quotable})
    return told_of


def _wrong(fields: dict[str, Any]) -> Answer | None:
    """Refuse messages that LINE would refuse."""
    details = line_message_errors(fields.get("messages"))
    if not details:
        return None
    return line_error(400, f"The request body has {len(details)} error(s)", details)


def _wrong_to(sandbox: Sandbox, to: object, form: str) -> Answer | None:
    """Refuse an address that is none; push also one that LINE does not know."""
    if form == "push":
        if not isinstance(to, str) or not _TO.fullmatch(to):
            return line_error(400, "The property, 'to', in the request body is invalid")
        if to[0] == "U" and sandbox.world.person(line_user=to) is None:
            return line_error(400, "Failed to send messages")
        return None
    people = to if isinstance(to, list) else []
    if not 1 <= len(people) <= MULTICAST_MAX or not all(
        isinstance(one, str) and _TO.fullmatch(one) and one[0] == "U" for one in people
    ):
        return line_error(400, "The property, 'to', in the request body is invalid")
    return None


def _limited(sandbox: Sandbox, bot: Bot, form: str) -> Answer | None:
    """Refuse what is over the rate of the channel and endpoint."""
    rate = min(200, bot.requests_per_second) if form == "multicast" else bot.requests_per_second
    if sandbox.buckets.take(("line", bot.id, form), per_second=rate, burst=rate, now=sandbox.clock.now()):
        return None
    return line_error(429, _LIMITED)


def _request_id(sandbox: Sandbox) -> dict[str, str]:
    """Give ``x-line-request-id``."""
    return {"x-line-request-id": sandbox.draw_request_id()}


def _is_uuid(key: str) -> bool:
    """Say whether a retry key is a UUID in hexadecimal."""
    try:
        return str(uuid.UUID(key)) == key.lower()
    except ValueError:
        return False
