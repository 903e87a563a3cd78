"""Messages and echoes to canonical events.  Pure.

Every property of Meta's message ends in a property of the event, or in ``extra`` under its path.  Not carried over,
because the event says the same otherwise: ``type`` (the event's kind and form), ``from`` of an echo (the business's own
number, that is ``via``), an empty ``emoji`` (absent).
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from edge_node.channels.reading import milliseconds
from edge_node.channels.whatsapp import payload_messages as meta
from edge_node.channels.whatsapp.people import Extra, People, identifiers, joined
from shared.message import (
    CardContent,
    Content,
    Edit,
    Event,
    Identifier,
    IdentityChange,
    Location,
    Media,
    Message,
    Order,
    Person,
    Reaction,
    Recall,
    Relation,
    Reply,
    Text,
    Unclassified,
    Unsupported,
)

FROM = ("from_user_id", "from_parent_user_id", "from")
"""The sender's properties, in the order BSUID, parent BSUID, phone."""

TO = ("to_user_id", "to_parent_user_id", "to")
"""The addressee's, in echoes."""

_CHANGES: dict[str, Literal["number", "user_id", "security_code"]] = {
    "user_changed_number": "number",
    "customer_changed_number": "number",
    "user_changed_user_id": "user_id",
    "customer_identity_changed": "security_code",
    "user_identity_changed": "security_code",
}
"""Kinds of system message, the older names among them."""


def moment(value: str | int | float | None, extra: Extra) -> tuple[int, Extra]:
    """Return a timestamp in milliseconds; one that makes no sense stays in ``extra``."""
    at = milliseconds(value)
    if not at and value not in (None, "", "0", 0):
        return 0, joined(extra, {"timestamp": value})
    return at, extra


def event_of(message: meta.AnyMessage, extra: Extra, via: str, people: People, out: bool, raw: bytes) -> Event:
    """Turn one message into its event; ``out`` for an echo, ``extra`` what the structs did not name."""
    at, extra = moment(message.timestamp, extra)
    key_hash = _text(message.identity.get("hash")) if message.identity else None
    if out:
        author = None
        to, more = people.person(TO, message.to_user_id, message.to_parent_user_id, message.to, key_hash)
        if message.from_user_id or message.from_parent_user_id:
            more = joined(more, _spare(message, ("from_user_id", "from_parent_user_id")))
    else:
        to = None
        author, more = people.person(FROM, message.from_user_id, message.from_parent_user_id, message.from_, key_hash)
        if message.to or message.to_user_id or message.to_parent_user_id:
            more = joined(more, _spare(message, TO))
    if more:
        extra = joined(extra, more)
    if message.identity and not isinstance(message, meta.SystemMessage):
        extra = joined(extra, {"identity": message.identity})
    group = Identifier("whatsapp_group", message.group_id) if message.group_id else None
    header: _Header = (via, at, author, group, extra, to, out)
    if (form := _FORMS.get(type(message))) is not None:
        return _message(message, form(message), header)
    if isinstance(message, meta.SystemMessage):
        return _identity_change(message, header, raw)
    return _other(message, header)


_Header = tuple[str, int, Person | None, Identifier | None, Extra, Person | None, bool]
"""``via``, ``at``, author, group, extra, addressee, and whether the business sent it."""


def _message(message: meta.AnyMessage, content: Content, header: _Header) -> Message:
    """Turn a message that says something into its event."""
    via, at, author, group, extra, to, out = header
    context = message.context
    quoted = quoted_author = product = None
    forwarded: Literal["once", "often"] | None = None
    if context is not None:
        quoted, quoted_author, product = context.id, context.from_, context.referred_product
        if context.frequently_forwarded:
            forwarded = "often"
        elif context.forwarded:
            forwarded = "once"
    return Message(
        channel="whatsapp",
        via=via,
        at=at,
        author=author,
        group=group,
        extra=extra,
        message_id=message.id,
        content=content,
        direction="out" if out else "in",
        to=to,
        quoted_message_id=quoted,
        quoted_author=quoted_author,
        forwarded=forwarded,
        referral=message.referral,
        product=product,
        errors=() if message.errors is None or isinstance(content, Unsupported) else tuple(message.errors),
    )


def _other(message: meta.AnyMessage, header: _Header) -> Event:
    """Turn an edit, a revoke, a reaction or a welcome into its event."""
    via, at, author, group, extra, to, out = header
    extra = joined(extra, _spare(message, ("referral", "errors")))
    common: dict[str, Any] = {"channel": "whatsapp", "via": via, "at": at, "author": author, "group": group}
    if not isinstance(message, meta.WelcomeMessage):
        common |= {"direction": "out" if out else "in", "to": to}
    if not isinstance(message, meta.EditMessage):
        extra = joined(extra, _spare(message, ("context",)))
    if isinstance(message, meta.ReactionMessage):
        mark = message.reaction
        common |= {"message_id": message.id, "target_message_id": mark.message_id}
        return Reaction(**common, emoji=mark.emoji or None, extra=extra)
    common["event_id"] = message.id
    if isinstance(message, meta.RevokeMessage):
        return Recall(**common, message_id=message.revoke.original_message_id, extra=extra)
    if isinstance(message, meta.EditMessage):
        return _edit(message, common, extra)
    if to is not None:
        extra = joined(extra, {"to": msgspec.to_builtins(to)})
    return Relation(**common, change="welcome_requested", extra=extra)


def _edit(message: meta.EditMessage, common: dict[str, Any], extra: Extra) -> Edit:
    """Turn an edit into its event; the message it quotes is named in the edit or beside it."""
    edited = message.edit.message
    inner, outer = edited.context, message.context
    quoted = inner.id if inner is not None and inner.id else None
    left = _context(inner, "edit.message.context", quoted)
    if quoted is None and outer is not None:
        quoted = outer.id
    left = joined(left, _context(outer, "context", quoted))
    return Edit(
        **common,
        message_id=message.edit.original_message_id,
        content=_EDITED[type(edited)](edited),
        quoted_message_id=quoted,
        extra=joined(extra, left),
    )


def _context(context: meta.Context | None, path: str, quoted: str | None) -> Extra:
    """Return what an edit's context says beyond the quoted message."""
    if context is None:
        return None
    said: dict[str, Any] = msgspec.to_builtins(context)
    return {f"{path}.{name}": value for name, value in said.items() if value not in (None, quoted)} or None


def _identity_change(message: meta.SystemMessage, header: _Header, raw: bytes) -> Event:
    """Turn a system message into a change of names; one of an unknown type is kept as it came.

    ``from`` is the name before the change; where it is withheld, only the new names are known (the old ones come by
    ``user_id_update``).  The names that Meta writes into ``body`` are never read out of it: the sentence also holds
    the subject's display name, which anyone can choose.
    """
    via, at, author, group, extra, to, _ = header
    system = message.system
    change = _CHANGES.get(system.type)
    if change is None:
        return Unclassified(
            channel="whatsapp", via=via, at=at, event_id=message.id, author=author, reason="unknown_kind", raw=raw
        )
    own: dict[str, Any] = {}
    current = identifiers(
        (
            ("whatsapp_user", "system.user_id", system.user_id),
            ("whatsapp_parent_user", "system.parent_user_id", system.parent_user_id),
            ("whatsapp_phone", "system.wa_id", system.wa_id),
            ("whatsapp_phone", "system.new_wa_id", system.new_wa_id),
        ),
        own,
    )
    previous = identifiers(
        (
            ("whatsapp_user", "system.previous_user_id", system.previous_user_id),
            ("whatsapp_parent_user", "system.previous_parent_user_id", system.previous_parent_user_id),
            ("whatsapp_user", "from_user_id", message.from_user_id),
            ("whatsapp_parent_user", "from_parent_user_id", message.from_parent_user_id),
            ("whatsapp_phone", "from", message.from_),
            ("whatsapp_phone", "system.customer", system.customer),
        )
        if change != "security_code"
        else (("whatsapp_phone", "system.customer", system.customer),),
        own,
    )
    detail = dict(message.identity) if message.identity else {}
    if system.identity is not None:
        detail["identity"] = system.identity
    own |= _spare(message, ("referral", "errors", "context")) or {}
    return IdentityChange(
        channel="whatsapp",
        via=via,
        at=at,
        event_id=message.id,
        author=author or (Person(previous or current) if previous or current else to),
        group=group,
        extra=joined(extra, own),
        change=change,
        previous=previous,
        current=current,
        note=system.body,
        detail=detail or None,
    )


def _spare(message: meta.AnyMessage, names: tuple[str, ...]) -> Extra:
    """Return properties that the event has no place for, by name."""
    found = {name: getattr(message, "from_" if name == "from" else name) for name in names}
    return {name: msgspec.to_builtins(value) for name, value in found.items() if value is not None} or None


def _text(value: Any) -> str | None:
    """Return a string, or nothing."""
    return value if isinstance(value, str) and value else None


def _media(kind: Any, body: meta.MediaBody, **more: Any) -> Media:
    """Return a file's form; ``size`` in bytes."""
    return Media(
        media=kind,
        media_id=body.id,
        mime_type=body.mime_type,
        sha256=body.sha256,
        caption=body.caption,
        url=body.url,
        size=body.file_size,
        **more,
    )


def _audio(body: meta.AudioBody, voice: bool) -> Media:
    """Return a sound's form: a voice message where it says so."""
    return _media("voice" if voice else "audio", body)


def _cards(message: meta.ContactsMessage) -> CardContent:
    """Return contact cards as they came; ``origin`` stands in each, and tells of the message too."""
    origins = [origin for card in message.contacts if isinstance(origin := card.get("origin"), str)]
    origin = "contact_request" if "contact_request" in origins else next(iter(origins), None)
    return CardContent(tuple(message.contacts), origin)


def _reply(message: meta.InteractiveMessage) -> Reply:
    """Return a choice; a newer kind's own property is in the event's ``extra``."""
    body = message.interactive
    detail: dict[str, Any] = {}
    choice = chosen = None
    if body.button_reply is not None and body.type == "button_reply":
        choice, chosen = "button", body.button_reply
    elif body.list_reply is not None and body.type == "list_reply":
        choice, chosen = "list", body.list_reply
    for name in ("button_reply", "list_reply"):
        other = getattr(body, name)
        if other is not None and other is not chosen:
            detail[name] = msgspec.to_builtins(other)
    if chosen is not None:
        choices = {"id": chosen.id, "title": chosen.title, "description": chosen.description}
        return Reply(choice or body.type, **choices, detail=_calls(body, detail))
    if body.nfm_reply is not None and body.type == "nfm_reply":
        flow = body.nfm_reply
        if flow.name is not None:
            detail["name"] = flow.name
        if flow.response_json is not None and not isinstance(flow.response_json, str):
            detail["response_json"] = flow.response_json
        return Reply("flow", title=flow.body, response=_text(flow.response_json), detail=_calls(body, detail))
    if body.nfm_reply is not None:
        detail["nfm_reply"] = msgspec.to_builtins(body.nfm_reply)
    if body.type == "call_permission_reply":
        return Reply("call_permission", detail=detail | (body.call_permission_reply or {}) or None)
    return Reply(body.type, detail=_calls(body, detail))
