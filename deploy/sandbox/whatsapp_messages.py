"""``POST /{version}/{phone-number-id}/messages``: what Meta takes, refuses, drops in silence, and tells afterwards.

Sources: send-messages (2026-04-23), business-scoped user ids (2026-05-28), error codes (2026-05-15), throughput
(2026-05-21), status webhooks (2026-04-30).  That a business-scoped user id in ``to`` is answered 200 and dropped was
measured by others (2026-07-24).
"""

import re
from typing import Any

import msgspec

from deploy.sandbox.exchange import Answer, Asked, graph_error, status_error, told
from deploy.sandbox.limits import PAIR_BURST, PAIR_PER_SECOND
from deploy.sandbox.names import Subject, draw_wamid
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.whatsapp import contact_of, whatsapp_status
from deploy.sandbox.world import Number, Sent
from shared.clock import DAY

WINDOW_MS = 24 * 3_600_000
READ_RECEIPT_MS = 30 * DAY
TEXT_MAX = 4_096
CALLBACK_DATA_MAX = 512
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
_FORMS = _MEDIA | {"text", "template", "reaction", "interactive", "location", "contacts"}
_PHONE_ONLY_TEMPLATE = re.compile(r"(one_tap|zero_tap|copy_code)")


async def send_message(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Take a message or a read receipt."""
    fields = asked.fields
    if fields.get("messaging_product") != "whatsapp":
        return graph_error(100, "messaging_product must be whatsapp")
    if fields.get("status") == "read":
        return _read_receipt(sandbox, number, fields)
    form = fields.get("type", "text")
    wrong = _wrong_form(sandbox, number, form, fields)
    if wrong is not None:
        return wrong
    now = sandbox.clock.now()
    per_second = number.messages_per_second
    if not sandbox.buckets.take(("whatsapp", number.id), per_second=per_second, burst=per_second, now=now):
        return graph_error(130429)
    to, recipient = str(fields.get("to") or ""), str(fields.get("recipient") or "")
    if not to and not recipient:
        return graph_error(100, "to or recipient is required")
    input_text = to or recipient
    person = _find(sandbox, to, recipient)
    pair = ("whatsapp", number.id, person.bsuid if person else input_text)
    if not sandbox.buckets.take(pair, per_second=PAIR_PER_SECOND, burst=PAIR_BURST, now=now):
        return graph_error(131056)
    if number.window_errors == "answer" and form != "template" and person and not _window_open(number, person, now):
        return graph_error(131047, "More than 24 hours have passed since the recipient last replied")
    wamid = draw_wamid(person.phone or person.bsuid if person else input_text, sandbox.chance)
    sent = Sent(
        wamid,
        "whatsapp",
        number.id,
        person.bsuid if person else input_text,
        "messages",
        fields,
        now,
        "dropped" if _BSUID.fullmatch(to) else "accepted",
        fields.get("biz_opaque_callback_data"),
    )
    sandbox.world.sent.append(sent)
    if sent.state == "accepted":
        sandbox.courier.later(_follow(sandbox, number, sent, person, form))
    contacts = [_contact(person, to, recipient)]
    return told({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]})


def _contact(person: Subject | None, to: str, recipient: str) -> dict[str, Any]:
    """Write the answer's contact: the number where one was sent to, else the scoped id."""
    contact: dict[str, Any] = {"input": to or recipient}
    if to:
        return contact | ({"wa_id": person.phone} if person and person.phone else {})
    return contact | ({"user_id": recipient} if person else {})


async def _follow(sandbox: Sandbox, number: Number, sent: Sent, person: Subject | None, form: str) -> None:
    """Tell what became of an accepted message: sent, delivered and read, or failed."""
    await sandbox.clock.sleep(0.05)
    reason = None
    if person is None:
        reason = 131026
    elif form != "template" and not _window_open(number, person, sent.at):
        reason = 131047
    if reason is not None:
        _tell(sandbox, number, sent, person, "failed", errors=[status_error(reason)])
        return
    _tell(sandbox, number, sent, person, "sent", pricing=_PRICING)
    if person is None or (number.id, person.bsuid) in sandbox.world.blocked:
        return
    await sandbox.clock.sleep(0.1)
    _tell(sandbox, number, sent, person, "delivered", pricing=_PRICING)
    if sandbox.world.readers:
        await sandbox.clock.sleep(0.2)
        _tell(sandbox, number, sent, person, "read")


_PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}


def _tell(sandbox: Sandbox, number: Number, sent: Sent, person: Subject | None, status: str, **more: Any) -> None:
    """Send one status webhook; ``failed`` carries no contact, and no user id where a phone number was addressed."""
    sent.state = status
    if sent.callback_data is not None:
        more["biz_opaque_callback_data"] = sent.callback_data
    whom = person or Subject("", sent.to, "", "")
    update = whatsapp_status(sent.id, status, whom, at=sandbox.clock.now(), **more)
    if person is not None and status != "failed":
        # business-scoped user ids, 2026-05-28: the user id always, the username once it is delivered.
        shown = person if status != "sent" else msgspec.structs.replace(person, username=None)
        update = msgspec.structs.replace(update, contact=contact_of(shown))
    if not update.item["recipient_user_id"] or (status == "failed" and "to" in sent.message):
        del update.item["recipient_user_id"]
    sandbox.courier.tell_whatsapp(number, update)


def _window_open(number: Number, person: Subject, now: int) -> bool:
    """Say whether the person wrote to this number within 24 hours."""
    return now - number.heard.get(person.bsuid, -WINDOW_MS) < WINDOW_MS


def _find(sandbox: Sandbox, to: str, recipient: str) -> Subject | None:
    """Find who is addressed: ``to`` wins; a number may be written with ``+``, spaces and hyphens."""
    if to:
        return sandbox.world.person(phone=re.sub(r"[+\s()-]", "", to))
    return sandbox.world.person(bsuid=recipient)


def _wrong_form(sandbox: Sandbox, number: Number, form: str, fields: dict[str, Any]) -> Answer | None:
    """Refuse what Meta would: unknown forms, empty or long texts, unknown media, forms that need a phone number."""
    content = fields.get(form)
    if form not in _FORMS:
        return graph_error(131051)
    if len(str(fields.get("biz_opaque_callback_data") or "")) > CALLBACK_DATA_MAX:
        return graph_error(100, "biz_opaque_callback_data has at most 512 characters")
    if form == "contacts" and content and isinstance(content, list):
        return None
    if not content or not isinstance(content, dict):
        return graph_error(100, f"{form} is required")
    if form == "text" and not 1 <= len(str(content.get("body") or "")) <= TEXT_MAX:
        return graph_error(100, "text.body has 1 to 4096 characters")
    if form in _MEDIA and not content.get("link") and not _media_usable(sandbox, number, content):
        return graph_error(131053, "The media id is not known for this number")
    if form == "reaction" and not str(content.get("message_id", "")).startswith("wamid."):
        return graph_error(100, "reaction.message_id is required")
    if form == "template":
        if not content.get("name") or not isinstance(content.get("language"), dict):
            return graph_error(132001)
        if not fields.get("to") and _PHONE_ONLY_TEMPLATE.search(str(content["name"])):
            return graph_error(131062)
    return None


def _media_usable(sandbox: Sandbox, number: Number, content: dict[str, Any]) -> bool:
    """Say whether a media id is this number's and has not expired."""
    kept = sandbox.world.kept.get(str(content.get("id", "")))
    return kept is not None and kept.account == number.id and kept.expires_at > sandbox.clock.now()


def _read_receipt(sandbox: Sandbox, number: Number, fields: dict[str, Any]) -> Answer:
    """Mark a person's message and all before it as read; perhaps show that somebody types."""
    said = sandbox.world.said.get(str(fields.get("message_id", "")))
    if said is None or said.account != number.id or sandbox.clock.now() - said.at > READ_RECEIPT_MS:
        return graph_error(100, "message_id is not a message of the last 30 days")
    for other in sandbox.world.said.values():
        if other.account == number.id and other.who == said.who and other.at <= said.at:
            other.read = True
    return told({"success": True})
