"""What LINE says and takes of a channel and its people: callback, profile, read marks, loading, account link.

Sources: Messaging API reference (2026-08-07); linking accounts (2026-08-07).
"""

from deploy.sandbox.courier import NotLoopback, require_loopback
from deploy.sandbox.exchange import Answer, Asked, line_error, told
from deploy.sandbox.line import line_event
from deploy.sandbox.names import draw_token
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.world import Bot, ReplyToken

LINK_TOKEN_MS = 10 * 60_000
TESTS_PER_HOUR = 60


async def info(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``GET /v2/bot/info``."""
    del sandbox, asked
    named = {"userId": bot.id, "basicId": "@000sandbox", "displayName": "Sandbox"}
    return told(named | {"chatMode": bot.chat_mode, "markAsReadMode": "auto" if bot.chat_mode == "bot" else "manual"})


async def endpoint(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``GET .../webhook/endpoint``; 404 where none was ever set."""
    del sandbox, asked
    if bot.endpoint is None:
        return line_error(404, "Not found")
    return told({"endpoint": bot.endpoint, "active": bot.active})


async def set_endpoint(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``PUT .../webhook/endpoint``: at LINE an https address, here one of this machine."""
    del sandbox
    address = str(asked.fields.get("endpoint") or "")
    try:
        bot.endpoint = require_loopback(address)
    except NotLoopback as error:
        return line_error(400, str(error))
    return told({})


async def test(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``POST .../webhook/test``: really send the empty webhook, and tell what came."""
    now, rate = sandbox.clock.now(), TESTS_PER_HOUR
    if not sandbox.buckets.take(("line", bot.id, "test"), per_second=rate / 3_600, burst=rate, now=now):
        return line_error(429, "The API rate limit has been exceeded. Try again later.")
    address = str(asked.fields.get("endpoint") or "")
    if address and address != bot.endpoint:
        return line_error(400, "the sandbox tests the address that is set")
    result = await sandbox.courier.empty_line(bot)
    status = result if isinstance(result, int) else 0
    reasons = {"not_loopback": "COULD_NOT_CONNECT"}
    reason = "OK" if status == 200 else "ERROR_STATUS_CODE" if status else reasons.get(str(result), str(result).upper())
    return told(
        {
            "success": status == 200,
            "timestamp": "2026-11-20T00:00:00.000Z",
            "statusCode": status,
            "reason": reason,
            "detail": str(result),
        }
    )


async def profile(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``GET /v2/bot/profile/{userId}``; 404 for strangers and for who blocked the business."""
    person = sandbox.world.person(line_user=asked.parts["userId"])
    if person is None or (bot.id, person.line_user) in sandbox.world.blocked:
        return line_error(404, "Not found")
    return told({"userId": person.line_user, "displayName": person.name, "language": "ja"})


async def mark_as_read(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``POST /v2/bot/chat/markAsRead``: every message up to the token's is read."""
    token = asked.fields.get("markAsReadToken")
    said = next((one for one in sandbox.world.said.values() if token and one.mark_read_token == token), None)
    if said is None or said.account != bot.id:
        message = "Invalid markAsReadToken. Tokens must be used by the bot that received them via Webhook."
        return line_error(400, message)
    for other in sandbox.world.said.values():
        if (other.account, other.who, other.group) == (bot.id, said.who, said.group) and other.at <= said.at:
            other.read = True
    return told({})


async def loading(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``POST /v2/bot/chat/loading/start``: 5 to 60 seconds in steps of five, for a person only."""
    del bot
    fields = asked.fields
    seconds = fields.get("loadingSeconds", 20)
    if not isinstance(seconds, int) or not 5 <= seconds <= 60 or seconds % 5:
        return line_error(400, "loadingSeconds must be a multiple of 5 from 5 to 60")
    if sandbox.world.person(line_user=str(fields.get("chatId", ""))) is None:
        return line_error(400, "The property, 'chatId', in the request body is invalid")
    return told({}, 202)


async def link_token(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``POST /v2/bot/user/{userId}/linkToken``: good once, for ten minutes."""
    user = asked.parts["userId"]
    if sandbox.world.person(line_user=user) is None:
        return line_error(404, "Not found")
    token = draw_token(sandbox.chance)
    sandbox.world.link_tokens[token] = (bot.id, user, sandbox.clock.now() + LINK_TOKEN_MS)
    return told({"linkToken": token})


async def dialog(sandbox: Sandbox, asked: Asked, account: None) -> Answer:
    """Answer the dialog that a person's own LINE opens: ``accountLink`` goes to the business.

    LINE knows who opens it by its app; here the header ``x-sandbox-person`` names the LINE user, by default the one
    that the token was made for.  Another one's attempt fails, a token used or too old tells the business nothing.
    """
    del account
    nonce = asked.query.get("nonce", "")
    bot_id, user, until = sandbox.world.link_tokens.pop(asked.query.get("linkToken", ""), ("", "", 0))
    bot, person = sandbox.world.bot(bot_id), sandbox.world.person(line_user=user)
    now = sandbox.clock.now()
    if bot is None or person is None or now >= until or not 10 <= len(nonce) <= 255:
        return Answer(400, b"<html>The link is not valid any more.</html>", {"content-type": "text/html"})
    same = asked.headers.get("x-sandbox-person", user) == user
    link = {"result": "ok" if same else "failed", "nonce": nonce}
    event = line_event("accountLink", person, at=now, reply=same, chance=sandbox.chance, link=link)
    if same:
        sandbox.world.reply_tokens[event["replyToken"]] = ReplyToken(bot.id, user, now)
    else:
        del event["source"]
    sandbox.courier.tell_line(bot, event)
    return Answer(200, b"<html>Linked.</html>", {"content-type": "text/html"})
