"""Sending a plain text: each channel's own HTTP request, and what its answer means.

Sources: LINE Messaging API reference (2026-08-07), send reply message, send push message, retrying (409 is success);
WhatsApp send-messages (2026-04-23), business-scoped user ids (2026-05-28: ``recipient``), error codes (2026-05-15).

What an answer means is never guessed: it went out (ids), it was refused (``SendRefused``), nothing was sent
(``PlatformUnavailable``), or nobody can say (``SendUnclear``).  Only LINE's push may be repeated after that, under
the same retry key; a lost reply must not become a push, and WhatsApp has no key that would make two of one.
"""

from typing import Any, TypeVar

import httpx
import msgspec

from edge_node.core.accounts import Account, Credentials
from edge_node.core.replying import LinePush, LineReply, Reply, TokenRefused, WhatsAppText
from edge_node.platforms.client import Answer, PlatformClient
from edge_node.platforms.whatsapp import GRAPH_VERSION
from edge_node.settings_media import Platforms
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import AccountInvalid, HomeportError, PlatformUnavailable
from shared.errors.replying import SendRefused, SendUnclear
from shared.ids import draw_uuid

PUSH_ATTEMPTS = 3
PUSH_PAUSE_SECONDS = 0.5
"""Before the second attempt of a push; doubled before each further one."""

S = TypeVar("S")

INVALID_TOKEN = "Invalid reply token"  # noqa: S105  LINE's words; the only message of LINE's that may be relied on


class _SentMessage(msgspec.Struct, frozen=True):
    """One of ``sentMessages`` or ``messages``."""

    id: str


class _LineSent(msgspec.Struct, frozen=True, rename="camel"):
    """LINE's answer to a reply, a push, or a push that was accepted before."""

    sent_messages: tuple[_SentMessage, ...] = ()


class _LineError(msgspec.Struct, frozen=True):
    """LINE's answer to what it refuses."""

    message: str = ""


class _WhatsAppSent(msgspec.Struct, frozen=True):
    """Meta's answer to a message."""

    messages: tuple[_SentMessage, ...] = ()


class _GraphError(msgspec.Struct, frozen=True):
    """``error`` of an answer of Graph."""

    code: int = 0


class _GraphRefusal(msgspec.Struct, frozen=True):
    """Graph's answer to what it refuses."""

    error: _GraphError = _GraphError()


class Sender:
    """Sends plain texts for the accounts of a node."""

    def __init__(self, platforms: Platforms, clock: Clock, entropy: Entropy) -> None:
        """Take the platforms' base addresses: a token goes there and nowhere else."""
        self._platforms = platforms
        self._clock = clock
        self._entropy = entropy

    async def send(self, account: Account, credentials: Credentials, reply: Reply, text: str, own_id: str) -> str:
        """Send ``text``; give the platform's id of the message.

        ``own_id`` is our opaque id: WhatsApp gives it back with each status.  Raises ``TokenRefused``,
        ``SendRefused``, ``SendUnclear``, ``PlatformUnavailable`` or, without an access token, ``AccountInvalid``.
        """
        if credentials.access_token is None:
            wants = "a token to send with: account add --replace --access-token-file"
            raise AccountInvalid(account=account.name, field_name="access_token", wants=wants)
        base = self._platforms.line_api if account.channel == "line" else self._platforms.whatsapp_api
        async with PlatformClient(base, credentials.access_token) as client:
            match reply:
                case LineReply():
                    return await _line_reply(client, reply, text)
                case LinePush():
                    return await self._line_push(client, reply, text)
                case WhatsAppText():
                    return await _whatsapp_text(client, reply, text, own_id)

    async def _line_push(self, client: PlatformClient, push: LinePush, text: str) -> str:
        """Push; repeat under the same retry key where nobody can say whether LINE took it."""
        headers = {"X-Line-Retry-Key": draw_uuid(self._entropy)}
        body = {"to": push.to.value, "messages": [_line_text(text)]}
        lost: HomeportError | None = None
        for attempt in range(PUSH_ATTEMPTS):
            if attempt:
                await self._clock.sleep(PUSH_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                answer = await client.deliver("v2", "bot", "message", "push", body=body, headers=headers)
            except SendUnclear as error:
                lost = error
                continue
            except PlatformUnavailable as error:
                lost = lost or error
                continue
            if answer.unclear:
                lost = SendUnclear(status=answer.status)
                continue
            if answer.good or answer.status == httpx.codes.CONFLICT:
                return _line_sent(answer)
            # A refusal says nothing about an earlier attempt whose answer was lost.
            raise lost if isinstance(lost, SendUnclear) else _line_refused(answer)
        raise lost or SendUnclear()


async def _line_reply(client: PlatformClient, reply: LineReply, text: str) -> str:
    """Answer by token, once; LINE refuses a retry key here."""
    body = {"replyToken": reply.token, "messages": [_line_text(text)]}
    answer = await client.deliver("v2", "bot", "message", "reply", body=body)
    if answer.unclear:
        raise SendUnclear(status=answer.status)
    if answer.good:
        return _line_sent(answer)
    if answer.status == httpx.codes.BAD_REQUEST and _read(answer, _LineError()).message == INVALID_TOKEN:
        raise TokenRefused
    raise _line_refused(answer)


async def _whatsapp_text(client: PlatformClient, reply: WhatsAppText, text: str, own_id: str) -> str:
    """Send within the window, once: there is no key by which Meta would know a repetition."""
    to = "to" if reply.to.kind == "whatsapp_phone" else "recipient"
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        to: reply.to.value,
        "type": "text",
        "text": {"body": text, "preview_url": False},
        "biz_opaque_callback_data": own_id,
    }
    answer = await client.deliver(GRAPH_VERSION, reply.number, "messages", body=body)
    if answer.unclear:
        raise SendUnclear(status=answer.status)
    if not answer.good:
        raise SendRefused(status=answer.status, platform_code=_read(answer, _GraphRefusal()).error.code)
    return _first(_read(answer, _WhatsAppSent()).messages, answer)


def _line_text(text: str) -> dict[str, Any]:
    """Write LINE's text message."""
    return {"type": "text", "text": text}


def _line_sent(answer: Answer) -> str:
    """Give the id of what LINE sent, now or before."""
    return _first(_read(answer, _LineSent()).sent_messages, answer)


def _line_refused(answer: Answer) -> SendRefused:
    """Say that LINE refused, and why as far as its status tells: its words are not guaranteed, and not ours."""
    reasons = {400: "bad_request", 401: "token", 403: "forbidden", 404: "not_found", 429: "limit"}
    return SendRefused(status=answer.status, reason=reasons.get(answer.status, "refused"))


def _first(sent: tuple[_SentMessage, ...], answer: Answer) -> str:
    """Give the one id; ``SendUnclear`` where a platform that says it sent names none."""
    if not sent or not sent[0].id:
        raise SendUnclear(status=answer.status, reason="unexpected_shape")
    return sent[0].id


def _read(answer: Answer, empty: S) -> S:
    """Decode an answer, or give the empty one: what cannot be read says nothing."""
    try:
        return msgspec.json.decode(answer.body, type=type(empty))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return empty
