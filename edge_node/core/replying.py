"""How a subject is answered: in which form, to which of their names, or why not.  The one place that decides it.

Sources: WhatsApp customer service window (send-messages, 2026-04-23), ``to`` and ``recipient`` (business-scoped user
ids, 2026-05-28); LINE reply tokens and push (Messaging API reference, 2026-08-07).

Why a subject cannot be answered (:class:`NoReply`):

``nothing_received``    there is no message of theirs that still rests here: whom they wrote to is not known
``group``               they wrote in groups only, and a group is not one subject's conversation
``account_gone``        the account they wrote to is not set up any more
``account_not_here``    the account has its home at another node, which answers for it
``standby``             LINE: another module has the conversation, so nothing may be sent
``nobody_to_send_to``   none of the names they wrote under is theirs still
``window_closed``       WhatsApp: their last message to this number is 24 hours old; only a template may be sent
``text_empty``, ``text_too_long``; and from the command ``text_not_utf8``
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from shared.message import Edit, Identifier, IdentifierKind, Message

TOKEN_MILLISECONDS = 50_000
"""How long a LINE reply token is used: LINE states one minute from receipt; ten seconds are left for the way."""

TOKEN_AGE_MILLISECONDS = 19 * 60_000
"""Oldest event whose redelivered token is used: LINE states 20 minutes from the event."""

WINDOW_MILLISECONDS = 24 * 3_600_000 - 60_000
"""WhatsApp's window from the customer's last message, by Meta's time of it; a minute is left for clocks that differ."""

LINE_UNITS_MAX = 5_000
"""LINE text: UTF-16 code units."""

WHATSAPP_CHARACTERS_MAX = 4_096
"""WhatsApp text: characters of ``text.body``."""

NoReason = Literal[
    "nothing_received",
    "group",
    "account_gone",
    "account_not_here",
    "standby",
    "nobody_to_send_to",
    "window_closed",
    "text_empty",
    "text_too_long",
]


class Heard(msgspec.Struct, frozen=True):
    """The newest message of a subject that still rests here, and what came after it."""

    event: Message | Edit
    at: int
    """When it was sent, by the platform's clock, in milliseconds."""
    received_at: int
    """When this node had it, in milliseconds."""
    answered: bool
    """Whether something was sent since: the message's reply token may be used up."""


class LineReply(msgspec.Struct, frozen=True):
    """Answer with the reply token: free of charge, once."""

    token: str
    to: Identifier


class LinePush(msgspec.Struct, frozen=True):
    """Send to a LINE user: counts to the channel's quota."""

    to: Identifier


class WhatsAppText(msgspec.Struct, frozen=True):
    """Send within the window, from the number that was written to."""

    number: str
    """Meta's id of the business's number."""
    to: Identifier
    """A phone number goes into ``to``, a business-scoped user id into ``recipient``: in ``to`` it would be lost."""


class NoReply(msgspec.Struct, frozen=True):
    """Nothing may be sent, for this reason."""

    reason: NoReason


Reply = LineReply | LinePush | WhatsAppText


class TokenRefused(Exception):
    """LINE says that the reply token is used or too old: nothing was sent, and a push may follow."""


_PREFERRED: tuple[IdentifierKind, ...] = ("whatsapp_phone", "whatsapp_user", "whatsapp_parent_user")
"""Meta asks for the phone number where it is known, so that webhooks go on to carry it."""


def plan_reply(
    heard: Heard | None, *, text: str, now: int, open_names: Sequence[Identifier], in_groups: bool, rests_here: bool
) -> Reply | NoReply:
    """Choose the form of a plain text reply at ``now`` (ms).

    ``open_names`` are the identifiers that are the subject's today: a number that was given to somebody else since
    the message is none of them.  ``in_groups`` says whether the subject wrote in groups, ``rests_here`` whether the
    account's home is this node.
    """
    if heard is None:
        return NoReply("group" if in_groups else "nothing_received")
    event = heard.event
    if event.group is not None:
        return NoReply("group")
    if not rests_here:
        return NoReply("account_not_here")
    if event.standby:
        return NoReply("standby")
    if not text.strip():
        return NoReply("text_empty")
    names = event.author.identifiers if event.author else ()
    theirs = [name for name in names if name in open_names]
    if event.channel == "line":
        return _on_line(heard, text, now, theirs)
    return _on_whatsapp(heard, text, now, theirs)


def push_instead(reply: LineReply) -> LinePush:
    """Give the push that may follow a token which LINE definitely refused; never after an answer that was lost."""
    return LinePush(reply.to)


def _on_line(heard: Heard, text: str, now: int, theirs: Sequence[Identifier]) -> Reply | NoReply:
    """Take the token while it lives, else push."""
    to = next((name for name in theirs if name.kind == "line_user"), None)
    if to is None:
        return NoReply("nobody_to_send_to")
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > LINE_UNITS_MAX:
        return NoReply("text_too_long")
    token = heard.event.reply_token
    fresh = 0 <= now - heard.received_at < TOKEN_MILLISECONDS and now - heard.at < TOKEN_AGE_MILLISECONDS
    if token and fresh and not heard.answered:
        return LineReply(token, to)
    return LinePush(to)


def _on_whatsapp(heard: Heard, text: str, now: int, theirs: Sequence[Identifier]) -> Reply | NoReply:
    """Send within the window, to the phone number where it is known."""
    to = min(
        (name for name in theirs if name.kind in _PREFERRED),
        key=lambda name: _PREFERRED.index(name.kind),
        default=None,
    )
    if to is None:
        return NoReply("nobody_to_send_to")
    if len(text) > WHATSAPP_CHARACTERS_MAX:
        return NoReply("text_too_long")
    if now - heard.at >= WINDOW_MILLISECONDS:
        return NoReply("window_closed")
    return WhatsAppText(heard.event.via, to)
