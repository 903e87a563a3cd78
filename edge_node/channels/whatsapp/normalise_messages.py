"""Messages and echoes to canonical events.  Pure.

Every property of Meta's message ends in a property of the event, or in ``extra`` under its path.  Not carried over,
because the event says the same otherwise: ``type`` (the event's kind and form; of a system message, its ``change``),
``from`` of an echo (the business's own number, that is ``via``), an empty ``emoji`` (absent).
"""

from typing import Any, Literal

import msgspec

from edge_node.channels.reading import milliseconds
from edge_node.channels.whatsapp import payload_messages as kinds
from edge_node.channels.whatsapp.normalise_content import EDITED, FORMS
from edge_node.channels.whatsapp.payload_contents import Context
from edge_node.channels.whatsapp.people import Extra, Named, People, identifiers, joined
from shared.message import (
    Content,
    Edit,
    Event,
    Identifier,
    IdentityChange,
    Message,
    Person,
    Reaction,
    Recall,
    Relation,
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

_Header = tuple[str, int, Person | None, Person | None, Identifier | None, Extra, bool]
"""``via``, ``at``, author, addressee, group, extra, and whether the business sent it."""


def moment(value: str | int | float | None, extra: Extra) -> tuple[int, Extra]:
    """Return a timestamp in milliseconds; one that makes no sense stays in ``extra``."""
    at = milliseconds(value)
    if not at and value not in (None, "", "0", 0):
        return 0, joined(extra, {"timestamp": value})
    return at, extra


def event_of(message: kinds.AnyMessage, extra: Extra, via: str, people: People, out: bool, raw: msgspec.Raw) -> Event:
    """Turn one message into its event.

    ``extra`` is what the structs did not name, ``out`` says that it is an echo, ``raw`` is the message's own bytes.
    """
    at, extra = moment(message.timestamp, extra)
    key_hash = message.identity.get("hash") if message.identity else None
    key_hash = key_hash if isinstance(key_hash, str) else None
    author = to = more = None
    if out:
        to, more = people.person(TO, message.to_user_id, message.to_parent_user_id, message.to, key_hash)
        if message.from_user_id or message.from_parent_user_id:
            more = joined(more, _spare(message, FROM[:2]))
    else:
        author, more = people.person(FROM, message.from_user_id, message.from_parent_user_id, message.from_, key_hash)
        if message.to or message.to_user_id or message.to_parent_user_id:
            more = joined(more, _spare(message, TO))
    group = Identifier("whatsapp_group", message.group_id) if message.group_id else None
    if isinstance(message, kinds.SystemMessage):
        return _identity_change(message, (via, at, author, to, group, joined(extra, more), out), raw)
    if more or message.identity:
        extra = joined(extra, more, {"identity": message.identity} if message.identity else None)
    header: _Header = (via, at, author, to, group, extra, out)
    form = FORMS.get(type(message))
    return _other(message, header) if form is None else _message(message, form(message), header)


def _message(message: kinds.AnyMessage, content: Content, header: _Header) -> Message:
    """Turn a message that says something into its event."""
    via, at, author, to, group, extra, out = header
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


def _other(message: kinds.AnyMessage, header: _Header) -> Event:
    """Turn an edit, a revoke, a reaction or a welcome into its event."""
    via, at, author, to, group, extra, out = header
    extra = joined(extra, _spare(message, ("referral", "errors")))
    common: dict[str, Any] = {"channel": "whatsapp", "via": via, "at": at, "author": author, "group": group}
    common |= {"direction": "out" if out else "in", "to": to}
    if isinstance(message, kinds.EditMessage):
        return _edit(message, common, extra)
    extra = joined(extra, _spare(message, ("context",)))
    if isinstance(message, kinds.ReactionMessage):
        mark = message.reaction
        return Reaction(
            **common, message_id=message.id, target_message_id=mark.message_id, emoji=mark.emoji or None, extra=extra
        )
    common["event_id"] = message.id
    if isinstance(message, kinds.RevokeMessage):
        return Recall(**common, message_id=message.revoke.original_message_id, extra=extra)
    # A welcome is the subject's act; Relation knows no direction.
    del common["direction"], common["to"]
    common["author"] = author or to
    return Relation(**common, change="welcome_requested", extra=extra)


def _edit(message: kinds.EditMessage, common: dict[str, Any], extra: Extra) -> Edit:
    """Turn an edit into its event; the message it quotes is named within the edit or beside it."""
    edited = message.edit.message
    inner, outer = edited.context, message.context
    quoted = (inner.id if inner is not None else None) or (outer.id if outer is not None else None)
    left = joined(_beyond(inner, "edit.message.context", quoted), _beyond(outer, "context", quoted))
    return Edit(
        **common,
        event_id=message.id,
        message_id=message.edit.original_message_id,
        content=EDITED[type(edited)](edited),
        quoted_message_id=quoted,
        extra=joined(extra, left),
    )


def _beyond(context: Context | None, path: str, quoted: str | None) -> Extra:
    """Return what an edit's context says beyond the quoted message."""
    said: dict[str, Any] = {} if context is None else msgspec.to_builtins(context)
    if said.get("id") == quoted:
        said.pop("id", None)
    return {f"{path}.{name}": value for name, value in said.items() if value is not None} or None


def _identity_change(message: kinds.SystemMessage, header: _Header, raw: msgspec.Raw) -> Event:
    """Turn a system message into a change of names; one of an unknown type is kept as it came.

    ``from`` is the name before the change; where it is withheld, only the new names are known (the old ones come by
    ``user_id_update``).  The names that Meta writes into ``body`` are never read out of it: the sentence also holds
    the subject's display name, which anyone can choose.
    """
    via, at, author, to, group, extra, _ = header
    system = message.system
    change = _CHANGES.get(system.type)
    common: dict[str, Any] = {"channel": "whatsapp", "via": via, "at": at, "group": group, "event_id": message.id}
    if change is None:
        return Unclassified(**common, author=author or to, extra=extra, reason="unknown_kind", raw=bytes(raw))
    own: dict[str, Any] = {}
    current = identifiers(_new_names(message), own)
    previous = tuple([one for one in identifiers(_old_names(message, change), own) if one not in current])
    detail = dict(message.identity) if message.identity else {}
    if system.identity is not None:
        detail["identity"] = system.identity
    if author is None and (previous or current):
        author = Person(previous or current)
    return IdentityChange(
        **common,
        author=author or to,
        extra=joined(extra, own, _spare(message, ("referral", "errors", "context"))),
        change=change,
        previous=previous,
        current=current,
        note=system.body,
        detail=detail or None,
    )


def _new_names(message: kinds.SystemMessage) -> list[Named]:
    """Return what the subject is called from now on."""
    system = message.system
    return [
        ("whatsapp_user", "system.user_id", system.user_id),
        ("whatsapp_parent_user", "system.parent_user_id", system.parent_user_id),
        ("whatsapp_phone", "system.wa_id", system.wa_id),
        ("whatsapp_phone", "system.new_wa_id", system.new_wa_id),
    ]


def _old_names(message: kinds.SystemMessage, change: str) -> list[Named]:
    """Return what the subject was called; a new security code leaves the names as they are."""
    system = message.system
    named: list[Named] = [
        ("whatsapp_user", "system.previous_user_id", system.previous_user_id),
        ("whatsapp_parent_user", "system.previous_parent_user_id", system.previous_parent_user_id),
        ("whatsapp_phone", "system.customer", system.customer),
    ]
    if change != "security_code":
        named += [
            ("whatsapp_user", "from_user_id", message.from_user_id),
            ("whatsapp_parent_user", "from_parent_user_id", message.from_parent_user_id),
            ("whatsapp_phone", "from", message.from_),
        ]
    return named


def _spare(message: kinds.AnyMessage, names: tuple[str, ...]) -> Extra:
    """Return properties that the event has no place for, by name."""
    found = {name: getattr(message, name) for name in names}
    return {name: msgspec.to_builtins(value) for name, value in found.items() if value is not None} or None
