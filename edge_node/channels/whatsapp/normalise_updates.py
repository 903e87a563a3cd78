"""Statuses, preferences, id updates and notices to canonical events.  Pure.

Every property ends in a property of the event, or in ``extra`` under its path.  Not carried over, because the event
says the same otherwise: ``recipient_type`` where it is ``individual`` (no ``group``) or ``group`` (``group`` is set).
"""

from typing import Any

import msgspec

from edge_node.channels.reading import milliseconds, too_deep
from edge_node.channels.whatsapp.normalise_messages import moment
from edge_node.channels.whatsapp.payloads import IdUpdateObject, PreferenceObject, Stamp, StatusObject
from edge_node.channels.whatsapp.people import Extra, Named, People, identifiers, joined
from shared.message import Identifier, IdentityChange, Notice, Person, Preference, Status

RECIPIENT = ("recipient_user_id", "recipient_parent_user_id", "recipient_id")
"""A status's recipient, in the order BSUID, parent BSUID, phone."""

PARTICIPANT = (
    "recipient_participant_user_id",
    "recipient_participant_parent_user_id",
    "recipient_participant_id",
)
"""The same in a group."""

SUBJECT = ("user_id", "parent_user_id", "wa_id")
"""The subject of a preference or an id update."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])


def status_of(status: StatusObject, extra: Extra, via: str, people: People) -> Status:
    """Turn a status into its event; in a group the recipient is the participant, if one is named."""
    at, extra = moment(status.timestamp, extra)
    hashed = status.recipient_identity_key_hash
    spare: dict[str, Any] = {}
    parent: str | None = None
    for name in ("recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id"):
        value = getattr(status, name)
        parent = parent or value
        if value and value != parent:
            spare[name] = value
    group = None
    if status.recipient_type == "group" and status.recipient_id:
        group = Identifier("whatsapp_group", status.recipient_id)
    if group is None:
        user, phone = status.recipient_user_id, status.recipient_id
        recipient, more = people.person(RECIPIENT, user, parent, phone, hashed)
        spare |= {name: value for name in PARTICIPANT if (value := getattr(status, name))}
    else:
        user, phone = status.recipient_participant_user_id, status.recipient_participant_id
        named = status.recipient_participant_parent_user_id
        recipient, more = people.person(PARTICIPANT, user, named or parent, phone, hashed)
        if status.recipient_user_id:
            spare["recipient_user_id"] = status.recipient_user_id
        if named and parent and parent != named:
            spare["recipient_parent_user_id"] = parent
    if status.recipient_type not in (None, "individual", "group") or (status.recipient_type == "group" and not group):
        spare["recipient_type"] = status.recipient_type
    return Status(
        channel="whatsapp",
        via=via,
        at=at,
        group=group,
        extra=joined(extra, spare, more) if spare or more else extra,
        message_id=status.id,
        status=status.status,
        recipient=recipient,
        callback_data=status.biz_opaque_callback_data,
        conversation=status.conversation,
        pricing=status.pricing,
        errors=tuple(status.errors or ()),
    )


def preference_of(preference: PreferenceObject, extra: Extra, via: str, people: People) -> Preference:
    """Turn a preference into its event; its ``detail`` is a sentence, so it becomes ``note``."""
    at, extra = moment(preference.timestamp, extra)
    author, more = people.person(SUBJECT, preference.user_id, preference.parent_user_id, preference.wa_id)
    return Preference(
        channel="whatsapp",
        via=via,
        at=at,
        author=author,
        extra=joined(extra, more),
        category=preference.category,
        value=preference.value,
        note=preference.detail,
        detail=None if preference.signup_id is None else {"signup_id": preference.signup_id},
    )


def id_update_of(update: IdUpdateObject, extra: Extra, via: str, people: People) -> IdentityChange:
    """Turn an id update into a change of names; the author is the subject as named before."""
    at, extra = moment(update.timestamp, extra)
    parent = update.parent_user_id
    person, more = people.person(SUBJECT, update.user_id.current, parent.current if parent else None, update.wa_id)
    old: list[Named] = [
        ("whatsapp_user", "user_id.previous", update.user_id.previous),
        ("whatsapp_parent_user", "parent_user_id.previous", parent.previous if parent else None),
    ]
    spare: dict[str, Any] = {}
    current = person.identifiers if person else ()
    previous = tuple([one for one in identifiers(old, spare) if one not in current])
    author = person
    if previous:
        author = msgspec.structs.replace(person or Person(), identifiers=previous)
    return IdentityChange(
        channel="whatsapp",
        via=via,
        at=at,
        author=author,
        extra=joined(extra, more, spare),
        change="user_id",
        previous=previous,
        current=current,
        note=update.detail,
    )


def notice_of(field: str, value: bytes, via: str, time: Stamp, extra: Extra, people: People) -> Notice | None:
    """Turn a change of a field about the account into a notice that holds its value as it came.

    ``time`` is the entry's.  Where exactly one person or one group is spoken of, the notice names them (``author``,
    ``group``), so that the node can keep it with them.  ``None`` where the value is no object or is nested too deeply.
    """
    if too_deep(value):
        return None
    try:
        detail = _OBJECT.decode(value)
    except msgspec.DecodeError:
        return None
    parts = [part for name in ("groups", "calls", "statuses") for part in _objects(detail.get(name))]
    groups = {group for part in parts if isinstance(group := part.get("group_id"), str) and group}
    stamps = [detail, *parts, {"timestamp": time}]
    return Notice(
        channel="whatsapp",
        via=via,
        at=next((at for part in stamps if (at := _at(part.get("timestamp")))), 0),
        author=people.only() or _caller(detail, people),
        group=Identifier("whatsapp_group", groups.pop()) if len(groups) == 1 else None,
        extra=extra,
        topic=field,
        detail=detail,
    )


def _caller(detail: dict[str, Any], people: People) -> Person | None:
    """Return the subject of a single call or call status that came without ``contacts``."""
    parts = _objects(detail.get("calls")) + _objects(detail.get("statuses"))
    if len(parts) != 1:
        return None
    part = parts[0]
    side = "to" if part.get("direction") == "BUSINESS_INITIATED" else "from"
    names = RECIPIENT if "recipient_id" in part or "recipient_user_id" in part else _side(side)
    user, parent, phone = (value if isinstance(value := part.get(name), str) else None for name in names)
    return people.person(names, user, parent, phone)[0]


def _side(side: str) -> tuple[str, str, str]:
    """Return the properties that name one end of a call."""
    return f"{side}_user_id", f"{side}_parent_user_id", side


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, if it is one."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _at(value: Any) -> int:
    """Return a time in milliseconds, or 0."""
    return milliseconds(value) if isinstance(value, str | int | float) else 0
