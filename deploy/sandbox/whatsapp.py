"""WhatsApp webhook bodies, built as Meta sends them (messages reference, 2026-06-17; BSUID page, 2026-05-28).

Each builder gives one :class:`Update`; :func:`whatsapp_body` puts any number of them into the bytes of a body, and
:func:`sign_whatsapp` makes its ``X-Hub-Signature-256``.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from deploy.sandbox.moment import now_ms
from deploy.sandbox.names import ANNA, Subject, WhatsAppNumber, draw_digits, draw_subjects, draw_wamid


class Update(msgspec.Struct, frozen=True):
    """One item of a webhook: where it stands in ``changes[]`` and what it says."""

    field: str
    """``changes[].field``."""
    part: str
    """The list in ``value`` that holds it: ``messages``, ``statuses``, ``message_echoes``..."""
    item: dict[str, Any]
    contact: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The platform's id of the message (or of the message whose status it is)."""
        return str(self.item["id"])

    @property
    def id_or_none(self) -> str:
        """The same, or nothing for an update that is about no message, such as a preference."""
        return str(self.item.get("id", ""))


def whatsapp_message(
    kind: str,
    content: Any,
    sender: Subject = ANNA,
    *,
    at: int | None = None,
    message_id: str | None = None,
    chance: random.Random | None = None,
    **more: Any,
) -> Update:
    """Build a message of any type: ``content`` stands under the type's name, ``more`` beside it (``context``...).

    ``at`` is in milliseconds and is sent as a string of seconds, as Meta does.
    """
    item: dict[str, Any] = {"from": sender.phone} if sender.phone else {}
    item |= {
        "from_user_id": sender.bsuid,
        "id": message_id or draw_wamid(sender.phone or sender.bsuid, chance),
        "timestamp": str((now_ms() if at is None else at) // 1000),
        "type": kind,
        **({kind: content} if content is not None else {}),
        **more,
    }
    return Update("messages", "messages", item, contact_of(sender))


def whatsapp_text(text: str, sender: Subject = ANNA, **more: Any) -> Update:
    """Build a text."""
    return whatsapp_message("text", {"body": text}, sender, **more)


def whatsapp_image(caption: str | None = None, sender: Subject = ANNA, **more: Any) -> Update:
    """Build a picture, perhaps with words under it."""
    content = _media("image/jpeg", more.get("chance")) | ({"caption": caption} if caption else {})
    return whatsapp_message("image", content, sender, **more)


def whatsapp_voice(sender: Subject = ANNA, **more: Any) -> Update:
    """Build a voice message: ``audio`` with ``voice`` true."""
    content = _media("audio/ogg; codecs=opus", more.get("chance")) | {"voice": True}
    return whatsapp_message("audio", content, sender, **more)


def whatsapp_document(file_name: str, sender: Subject = ANNA, **more: Any) -> Update:
    """Build a file with its name, which is the sender's own words, too."""
    content = _media("application/pdf", more.get("chance")) | {"filename": file_name}
    return whatsapp_message("document", content, sender, **more)


def whatsapp_sticker(sender: Subject = ANNA, **more: Any) -> Update:
    """Build a sticker."""
    return whatsapp_message("sticker", _media("image/webp", more.get("chance")) | {"animated": False}, sender, **more)


def whatsapp_location(latitude: float, longitude: float, name: str, sender: Subject = ANNA, **more: Any) -> Update:
    """Build a place."""
    return whatsapp_message("location", {"latitude": latitude, "longitude": longitude, "name": name}, sender, **more)


def whatsapp_reaction(target_id: str, emoji: str | None, sender: Subject = ANNA, **more: Any) -> Update:
    """Build an emoji put on a message; ``None`` takes it off."""
    content = {"message_id": target_id} | ({"emoji": emoji} if emoji else {})
    return whatsapp_message("reaction", content, sender, **more)


def whatsapp_edit(target_id: str, text: str, sender: Subject = ANNA, **more: Any) -> Update:
    """Build an edit: new words for an earlier message (Coexistence numbers only, edit page, 2026-07-20)."""
    inner = {"context": {"id": target_id}, "type": "text", "text": {"body": text}}
    return whatsapp_message("edit", {"original_message_id": target_id, "message": inner}, sender, **more)


def whatsapp_revoke(target_id: str, sender: Subject = ANNA, **more: Any) -> Update:
    """Build a recall: an earlier message taken back (Coexistence numbers only, revoke page, 2025-12-03)."""
    return whatsapp_message("revoke", {"original_message_id": target_id}, sender, **more)


def whatsapp_echo(kind: str, content: Any, to: Subject = ANNA, **more: Any) -> Update:
    """Build a message that the business sent, edited or revoked from its own phone (``smb_message_echoes``)."""
    sent = whatsapp_message(kind, content, to, **more)
    item = {name: value for name, value in sent.item.items() if name not in {"from", "from_user_id"}}
    item |= {"from": WhatsAppNumber().display_phone_number, "to_user_id": to.bsuid}
    return Update("smb_message_echoes", "message_echoes", item | ({"to": to.phone} if to.phone else {}))


def whatsapp_status(
    message_id: str, status: str, recipient: Subject = ANNA, *, at: int | None = None, **more: Any
) -> Update:
    """Build a status: what became of a message that the business sent: sent, delivered, read, played, failed."""
    item: dict[str, Any] = {
        "id": message_id,
        "status": status,
        "timestamp": str((now_ms() if at is None else at) // 1000),
        "recipient_user_id": recipient.bsuid,
        **({"recipient_id": recipient.phone} if recipient.phone else {}),
        **more,
    }
    return Update("messages", "statuses", item)


def whatsapp_preference(value: str = "stop", subject: Subject = ANNA, *, at: int | None = None) -> Update:
    """Build a preference: marketing messages stopped or allowed; Meta sends it to the app's own address only."""
    item: dict[str, Any] = {
        "user_id": subject.bsuid,
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": (now_ms() if at is None else at) // 1000,
        **({"wa_id": subject.phone} if subject.phone else {}),
    }
    return Update("user_preferences", "user_preferences", item, contact_of(subject))


def whatsapp_body(*updates: Update, number: WhatsAppNumber | None = None) -> bytes:
    """Put updates into one body: an entry for the WABA, a change for each update, escaped as Meta does."""
    number = number or WhatsAppNumber()
    changes = [{"value": _value(update, number), "field": update.field} for update in updates]
    return escape_as_meta(
        {"object": "whatsapp_business_account", "entry": [{"id": number.waba_id, "changes": changes}]}
    )


def whatsapp_batch(
    count: int,
    *,
    number: WhatsAppNumber | None = None,
    subjects: Sequence[Subject] = (),
    text: str = "Where is my parcel?",
    at: int | None = None,
    chance: random.Random | None = None,
) -> bytes:
    """One body of ``count`` texts (Meta aggregates up to 1,000), by ``subjects`` in turn, else by ``count`` people."""
    people = list(subjects) or list(draw_subjects(count, chance))
    updates = [
        whatsapp_text(f"{text} ({place})", people[place % len(people)], at=at, chance=chance) for place in range(count)
    ]
    return whatsapp_body(*updates, number=number)


def escape_as_meta(value: Mapping[str, Any]) -> bytes:
    r"""Write JSON as Meta does: ASCII only with lower-case ``\u00e4``, and ``\/`` and ``\u0040`` for / and @."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("/", "\\/").replace("@", "\\u0040").encode()


def sign_whatsapp(secret: bytes, body: bytes) -> str:
    """Give the value of ``X-Hub-Signature-256``: HMAC-SHA256 over the raw bytes, keyed with the app secret."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def _value(update: Update, number: WhatsAppNumber) -> dict[str, Any]:
    """Make the ``value`` of a change."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.display_phone_number,
            "phone_number_id": number.phone_number_id,
        },
    }
    if update.contact is not None:
        value["contacts"] = [update.contact]
    return value | {update.part: [update.item]}


def contact_of(sender: Subject) -> dict[str, Any]:
    """Write somebody as an entry of ``contacts[]``."""
    profile = {"name": sender.name} | ({"username": sender.username} if sender.username else {})
    return {"profile": profile, "user_id": sender.bsuid} | ({"wa_id": sender.phone} if sender.phone else {})


def _media(mime_type: str, chance: random.Random | None) -> dict[str, Any]:
    """Make a media object; its digest is 32 zero bytes in base64, as webhooks write digests."""
    return {"id": draw_digits(15, chance), "mime_type": mime_type, "sha256": "A" * 43 + "="}
