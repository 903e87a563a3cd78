"""The 20 kinds of LINE event to canonical events.  Pure.

What the canonical events have no field for is added to ``extra`` under its path from the event's root.  Four
properties are carried by meaning: ``type``, ``mode`` (``standby``), ``source.type`` (whether there is a ``group``) and
``deliveryContext.isRedelivery`` (``redelivered``).
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from edge_node.channels.line import payloads
from edge_node.channels.line.normalise_messages import content
from shared.message import (
    AccountLink,
    Edit,
    Event,
    Identifier,
    Message,
    Notice,
    Person,
    Postback,
    Recall,
    Relation,
)

Header = dict[str, Any]
"""The fields every canonical event has, by name."""

Extra = dict[str, Any]

NOBODY = Person()
"""Somebody whom LINE does not name, for want of consent."""

_ACTS = (
    payloads.MessageEvent,
    payloads.MessageEditedEvent,
    payloads.UnsendEvent,
    payloads.PostbackEvent,
    payloads.BeaconEvent,
    payloads.VideoPlayCompleteEvent,
)
"""What only a person does, so that there is an author even where LINE withholds the name."""

MEMBERSHIPS: dict[str, Literal["membership_joined", "membership_left", "membership_renewed"]] = {
    "joined": "membership_joined",
    "left": "membership_left",
    "renewed": "membership_renewed",
}


class NotUnderstood(ValueError):
    """An event that fits the structs but means something this release does not know, or nothing."""

    def __init__(self, reason: Literal["unknown_kind", "unexpected_shape"]) -> None:
        """Keep why; never what the event holds."""
        self.reason = reason
        super().__init__(reason)


def event(payload: payloads.AnyEvent, via: str, extra: Extra) -> Event:
    """Return the canonical event; ``extra`` holds the properties no struct names and is added to.

    Raises :class:`NotUnderstood` where the source names no place this release knows: such an event could be taken for
    a private one.  An unsend is honoured wherever it comes from.
    """
    return _BUILDERS[type(payload)](payload, header(payload, via, extra), extra)


def header(payload: payloads.AnyEvent, via: str, extra: Extra) -> Header:
    """Return the common fields, unknown values going to ``extra``.  Raises as :func:`event`."""
    source = payload.source
    if source is not None and not isinstance(payload, payloads.UnsendEvent):
        require_place(source)
    fields: Header = {
        "channel": "line",
        "via": via,
        "at": payload.timestamp,
        "event_id": payload.webhook_event_id,
        "reply_token": payload.reply_token,
    }
    if payload.mode != "active":
        fields["standby"] = True
        if payload.mode != "standby":
            extra["mode"] = payload.mode
    if payload.delivery_context is not None and payload.delivery_context.is_redelivery:
        fields["redelivered"] = True
    if source is not None:
        fields["author"] = person(source.user_id) or (NOBODY if isinstance(payload, _ACTS) else None)
        fields["group"] = group(source)
        if source.type not in ("user", "group", "room"):
            extra["source.type"] = source.type
        if source.group_id is not None and source.room_id is not None:
            extra["source.roomId"] = source.room_id
    return fields


def require_place(source: payloads.Source) -> None:
    """Raise :class:`NotUnderstood` unless type and ids of a source agree."""
    place = {"user": (False, False), "group": (True, False), "room": (False, True)}.get(source.type)
    if place is None:
        raise NotUnderstood("unknown_kind")
    if place != (source.group_id is not None, source.room_id is not None):
        raise NotUnderstood("unexpected_shape")


def person(user_id: str | None) -> Person | None:
    """Return who, or ``None`` where LINE does not say."""
    return None if user_id is None else Person((Identifier("line_user", user_id),))


def group(source: payloads.Source) -> Identifier | None:
    """Return the group or room, or ``None`` for a one-to-one conversation."""
    if source.group_id is not None:
        return Identifier("line_group", source.group_id)
    return None if source.room_id is None else Identifier("line_room", source.room_id)


def _members(members: payloads.Members, path: str, extra: Extra) -> tuple[Person, ...]:
    """Return the people who came or went."""
    for position, member in enumerate(members.members):
        at = f"{path}.members[{position}]"
        if member.type != "user":
            extra[f"{at}.type"] = member.type
        if member.group_id is not None:
            extra[f"{at}.groupId"] = member.group_id
        if member.room_id is not None:
            extra[f"{at}.roomId"] = member.room_id
    return tuple(person(member.user_id) or NOBODY for member in members.members)


def _message(payload: payloads.MessageEvent, fields: Header, extra: Extra) -> Event:
    message = payload.message
    return Message(
        **fields,
        message_id=message.id,
        content=content(message, extra),
        quoted_message_id=message.quoted_message_id,
        quote_token=message.quote_token,
        mark_read_token=message.mark_as_read_token,
        extra=extra or None,
    )


def _edit(payload: payloads.MessageEditedEvent, fields: Header, extra: Extra) -> Event:
    message = payload.message
    if message.mark_as_read_token is not None:
        extra["message.markAsReadToken"] = message.mark_as_read_token
    return Edit(
        **fields,
        message_id=message.id,
        content=content(message, extra),
        quote_token=message.quote_token,
        quoted_message_id=message.quoted_message_id,
        extra=extra or None,
    )


def _recall(payload: payloads.UnsendEvent, fields: Header, extra: Extra) -> Event:
    return Recall(**fields, message_id=payload.unsend.message_id, extra=extra or None)


def _relation(payload: payloads.AnyEvent, fields: Header, extra: Extra) -> Event:
    told: Header
    match payload:
        case payloads.FollowEvent(follow=follow):
            told = {"change": "follow", "unblocked": follow.is_unblocked if follow else None}
        case payloads.MemberJoinedEvent(joined=joined):
            told = {"change": "member_joined", "members": _members(joined, "joined", extra)}
        case payloads.MemberLeftEvent(left=left):
            told = {"change": "member_left", "members": _members(left, "left", extra)}
        case payloads.MembershipEvent(membership=membership):
            change = MEMBERSHIPS.get(membership.type, "membership_changed")
            told = {"change": change, "membership_id": membership.membership_id}
            if change == "membership_changed":
                told["detail"] = {"type": membership.type}
        case _:
            told = {"change": _tag(payload)}
    return Relation(**fields, **told, extra=extra or None)


def _postback(
    payload: payloads.PostbackEvent | payloads.BeaconEvent | payloads.VideoPlayCompleteEvent,
    fields: Header,
    extra: Extra,
) -> Event:
    told: Header
    if isinstance(payload, payloads.BeaconEvent):
        told = {"action": "beacon", "beacon": msgspec.to_builtins(payload.beacon)}
    elif isinstance(payload, payloads.VideoPlayCompleteEvent):
        told = {"action": "video_played", "data": payload.video_play_complete.tracking_id}
    else:
        told = {"action": "postback", "data": payload.postback.data, "params": payload.postback.params}
    return Postback(**fields, **told, extra=extra or None)


def _account_link(payload: payloads.AccountLinkEvent, fields: Header, extra: Extra) -> Event:
    return AccountLink(**fields, result=payload.link.result, nonce=payload.link.nonce, extra=extra or None)


def _notice(payload: payloads.AnyEvent, fields: Header, extra: Extra) -> Event:
    """Build news about the account: ``detail`` is the event's own object under its own name."""
    detail: dict[str, Any] = {}
    match payload:
        case payloads.ModuleEvent(module=module):
            detail["module"] = msgspec.to_builtins(module)
        case payloads.ActivatedEvent(chat_control=control):
            detail["chatControl"] = msgspec.to_builtins(control)
        case payloads.DeliveryEvent(delivery=delivery):
            detail["delivery"] = msgspec.to_builtins(delivery)
    return Notice(**fields, topic=_tag(payload), detail=detail, extra=extra or None)


def _tag(payload: payloads.AnyEvent) -> str:
    """Return the event's ``type``."""
    return str(payload.__struct_config__.tag)


_BUILDERS: dict[type, Callable[..., Event]] = {
    payloads.MessageEvent: _message,
    payloads.MessageEditedEvent: _edit,
    payloads.UnsendEvent: _recall,
    payloads.FollowEvent: _relation,
    payloads.UnfollowEvent: _relation,
    payloads.JoinEvent: _relation,
    payloads.LeaveEvent: _relation,
    payloads.MemberJoinedEvent: _relation,
    payloads.MemberLeftEvent: _relation,
    payloads.MembershipEvent: _relation,
    payloads.PostbackEvent: _postback,
    payloads.VideoPlayCompleteEvent: _postback,
    payloads.BeaconEvent: _postback,
    payloads.AccountLinkEvent: _account_link,
    payloads.ModuleEvent: _notice,
    payloads.ActivatedEvent: _notice,
    payloads.DeactivatedEvent: _notice,
    payloads.BotSuspendedEvent: _notice,
    payloads.BotResumedEvent: _notice,
    payloads.DeliveryEvent: _notice,
}
