"""What a person does on a platform: the one list, each becoming the webhook that the platform would send.

An :class:`Act` is one line of a script.  The kinds of act are those that a node must understand; a name given to a
message (``called``) is how a later act edits it, takes it back or reacts to it.
"""

import base64
import hashlib
from typing import Any, Literal

import msgspec

from deploy.sandbox import line, whatsapp
from deploy.sandbox.line import LineEvent
from deploy.sandbox.names import Subject, draw_digits, draw_token
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.whatsapp import Update
from deploy.sandbox.whatsapp_media import INBOUND_MS
from deploy.sandbox.world import Bot, Kept, Number, Platform, ReplyToken, Said
from shared.clock import DAY

Deed = Literal[
    "say", "edit", "unsend", "react", "sticker", "voice", "picture", "film", "file", "place",
    "follow", "block", "unblock", "tap", "stop_marketing",
]  # fmt: skip

PREPARING_MS = {"film": 3_000, "voice": 500}
"""How long LINE answers 202 for a file of a kind."""
LINE_KEEPS_MS = 14 * DAY
"""How long LINE keeps files here; LINE itself does not say (reference, 2026-08-07)."""


class ScriptWrong(ValueError):
    """A script says something that cannot be done; the text names the act and what is wrong."""


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that one person does."""

    who: str
    """A name of the script's people."""
    on: Platform
    does: Deed = "say"
    at: float = 0.0
    """Seconds from the beginning of the script."""
    account: str = ""
    """Phone number id or bot user id; by default the platform's first."""
    text: str = ""
    """Words said, new words of an edit, a caption, the name of a place or file, an emoji, or the data of a tap."""
    called: str = ""
    about: str = ""
    """For ``edit``, ``unsend`` and ``react``: what that message was called."""
    group: str = ""
    """LINE: the group's id."""
    seconds: float = 4.2
    """Length of a voice message or film."""
    size_bytes: int = 2_048


class Stage:
    """Lets people act; knows what their messages were called."""

    def __init__(self, sandbox: Sandbox, people: dict[str, Subject]) -> None:
        """Take the sandbox that tells of it, and the people by name."""
        self._sandbox = sandbox
        self._people = people
        self._named: dict[str, str] = {}

    def perform(self, act: Act) -> str:
        """Do one act now; give the platform's id of the message, or nothing where it is none."""
        person = self._people.get(act.who)
        if person is None:
            raise ScriptWrong(f"nobody is called {act.who!r}")
        world = self._sandbox.world
        world.meet(person)
        account = _account(act, world.numbers if act.on == "whatsapp" else world.bots)
        target = self._target(act)
        if isinstance(account, Number):
            message_id = self._on_whatsapp(act, person, account, target)
        else:
            message_id = self._on_line(act, person, account, target)
        if act.called:
            self._named[act.called] = message_id
        return message_id

    def _target(self, act: Act) -> str:
        """Give the id of the message that an act is about."""
        if act.does not in {"edit", "unsend", "react"}:
            return ""
        if act.about not in self._named:
            raise ScriptWrong(f"{act.who} wants to {act.does}, but nothing was called {act.about!r} before")
        return self._named[act.about]

    def _on_whatsapp(self, act: Act, person: Subject, number: Number, target: str) -> str:
        """Act on WhatsApp."""
        world, now = self._sandbox.world, self._sandbox.clock.now()
        if act.does in {"block", "unblock"}:
            _set_blocked(self._sandbox, number.id, person.bsuid, blocked=act.does == "block")
            return ""
        common: dict[str, Any] = {"at": now, "chance": self._sandbox.acting}
        update = self._whatsapp_update(act, person, number, target, common)
        self._sandbox.courier.tell_whatsapp(number, update)
        if update.field != "messages" or act.does in {"edit", "unsend", "react"}:
            return update.id_or_none
        number.heard[person.bsuid] = now
        if person.phone:
            world.contact_book.add((number.id, person.bsuid))
        world.said[update.id] = Said(update.id, "whatsapp", number.id, person, now)
        return update.id

    def _whatsapp_update(
        self, act: Act, person: Subject, number: Number, target: str, common: dict[str, Any]
    ) -> Update:
        """Build the update of an act."""
        match act.does:
            case "say":
                return whatsapp.whatsapp_text(act.text, person, **common)
            case "edit":
                return whatsapp.whatsapp_edit(target, act.text, person, **common)
            case "unsend":
                return whatsapp.whatsapp_revoke(target, person, **common)
            case "react":
                return whatsapp.whatsapp_reaction(target, act.text or None, person, **common)
            case "place":
                return whatsapp.whatsapp_location(52.5, 13.4, act.text or "Somewhere", person, **common)
            case "stop_marketing":
                return whatsapp.whatsapp_preference("stop", person, at=common["at"])
            case "sticker" | "voice" | "picture" | "film" | "file":
                kind, mime_type, more = _WHATSAPP_FILES[act.does]
                media = self._keep_for_whatsapp(act, number, mime_type)
                named = {"filename": act.text or "file.pdf"} if act.does == "file" else {}
                caption = {"caption": act.text} if act.text and act.does in {"picture", "film"} else {}
                return whatsapp.whatsapp_message(kind, media | more | named | caption, person, **common)
            case _:
                raise ScriptWrong(f"nobody can {act.does} on WhatsApp")

    def _keep_for_whatsapp(self, act: Act, number: Number, mime_type: str) -> dict[str, Any]:
        """Keep a file of invented bytes at Meta; give its media object, the digest in base64 as webhooks write it."""
        now, data = self._sandbox.clock.now(), self._sandbox.acting.randbytes(act.size_bytes)
        media_id = draw_digits(15, self._sandbox.acting)
        kept = Kept(media_id, "whatsapp", number.id, data, mime_type, now, now + INBOUND_MS, kind=act.does)
        self._sandbox.world.kept[media_id] = kept
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return {"id": media_id, "mime_type": mime_type, "sha256": digest}

    def _on_line(self, act: Act, person: Subject, bot: Bot, target: str) -> str:
        """Act on LINE."""
        world, now = self._sandbox.world, self._sandbox.clock.now()
        if act.does in {"block", "unblock"}:
            _set_blocked(self._sandbox, bot.id, person.line_user, blocked=act.does == "block")
        event = _line_event(self._sandbox, act, person, target)
        token = event.get("replyToken")
        if token:
            world.reply_tokens[token] = ReplyToken(bot.id, act.group or person.line_user, event["timestamp"])
        message_id = str(event.get("message", {}).get("id", ""))
        if act.does == "unsend" and target in world.kept:
            world.kept[target].gone = True
        if event["type"] == "message":
            self._keep_for_line(act, bot, message_id, now)
            read = draw_token(self._sandbox.acting) if bot.chat_mode == "chat" else None
            if read:
                event["message"]["markAsReadToken"] = read
            world.said[message_id] = Said(message_id, "line", bot.id, person, now, act.group or None, read)
        self._sandbox.courier.tell_line(bot, event)
        return message_id

    def _keep_for_line(self, act: Act, bot: Bot, message_id: str, now: int) -> None:
        """Keep the invented bytes of a file at LINE, by the message's id."""
        if act.does not in _LINE_TYPES:
            return
        kind, mime_type = _LINE_TYPES[act.does]
        data = self._sandbox.acting.randbytes(act.size_bytes)
        ready = now + PREPARING_MS.get(act.does, 0)
        kept = Kept(message_id, "line", bot.id, data, mime_type, now, now + LINE_KEEPS_MS, ready, kind=kind)
        self._sandbox.world.kept[message_id] = kept


def _line_event(sandbox: Sandbox, act: Act, person: Subject, target: str) -> LineEvent:
    """Build the event of an act on LINE."""
    common: dict[str, Any] = {"at": sandbox.clock.now(), "chance": sandbox.acting}
    if act.group:
        common["group"] = act.group
    match act.does:
        case "edit" if act.group:
            return line.line_edited(target, act.text, sender=person, **common)
        case "unsend":
            return line.line_unsend(target, person, **common)
        case "follow" | "unblock":
            return line.line_follow(person, **common)
        case "block":
            return line.line_event("unfollow", person, reply=False, **common)
        case "tap":
            return line.line_postback(act.text, person, **common)
        case _:
            return _line_message(act, person, common)


def _line_message(act: Act, person: Subject, common: dict[str, Any]) -> LineEvent:
    """Build the event of a message."""
    duration = round(1000 * act.seconds)
    match act.does:
        case "say":
            return line.line_text(act.text, person, **common)
        case "sticker":
            return line.line_sticker(person, text=act.text or None, **common)
        case "voice":
            return line.line_voice(person, duration=duration, **common)
        case "picture":
            return line.line_image(person, **common)
        case "film":
            return line.line_message("video", person, contentProvider={"type": "line"}, duration=duration, **common)
        case "file":
            return line.line_file(act.text or "file.pdf", person, **common)
        case "place":
            return line.line_location(35.6, 139.7, act.text or "Somewhere", person, **common)
        case _:
            raise ScriptWrong(f"nobody can {act.does} on LINE{'' if act.group else ' outside a group'}")


_WHATSAPP_FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sticker": ("sticker", "image/webp", {"animated": False}),
    "voice": ("audio", "audio/ogg; codecs=opus", {"voice": True}),
    "picture": ("image", "image/jpeg", {}),
    "film": ("video", "video/mp4", {}),
    "file": ("document", "application/pdf", {}),
}
_LINE_TYPES = {
    "voice": ("audio", "audio/x-m4a"),
    "picture": ("image", "image/jpeg"),
    "film": ("video", "video/mp4"),
    "file": ("file", "application/pdf"),
}


def _account(act: Act, accounts: list[Any]) -> Any:
    """Find the account that an act goes to."""
    found = next((account for account in accounts if act.account in {"", account.id}), None)
    if found is None:
        raise ScriptWrong(f"{act.who} writes to an account on {act.on} that is not there")
    return found


def _set_blocked(sandbox: Sandbox, account: str, person: str, *, blocked: bool) -> None:
    """Note that somebody wants nothing more from an account, or wants it again."""
    (sandbox.world.blocked.add if blocked else sandbox.world.blocked.discard)((account, person))
