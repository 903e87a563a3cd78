"""Statuses, preferences and id updates to canonical events.  Pure.

Every property ends in a property of the event, or in ``extra`` under its path.  Not carried over, because the event
says the same otherwise: ``recipient_type`` where it is ``individual`` (no ``group``) or ``group`` (``group`` is set).
"""

from typing import Any

import msgspec

from edge_node.channels.whatsapp.normalise_messages import moment
from edge_node.channels.whatsapp.payloads import IdUpdateObject, PreferenceObject, StatusObject
from edge_node.channels.whatsapp.people import Extra, Named, People, identifiers, joined
from shared.message import Identifier, IdentityChange, Person, Preference, Recall, Status

RECIPIENT = ("recipient_user_id", "recipient_parent_user_id", "recipient_id")
"""A status's recipient, in the order BSUID, parent BSUID, phone."""

PARTICIPANT = (
    "recipient_participant_user_id",
    "recipient_participant_parent_user_id",
    "recipient_participant_id",
)
"""The same in a group."""

OTHER_SPELLING = "participant_recipient_id"
"""The participant's phone as three of Meta's examples spell it (page "Groups webhooks")."""

_PARTICIPANTS = (*PARTICIPANT, OTHER_SPELLING)

DELETED = "deleted"
"""The status that is a recall."""

SUBJECT = ("user_id", "parent_user_id", "wa_id")
"""The subject of a preference or an id update."""


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
        spare |= {name: value for name in _PARTICIPANTS if (value := getattr(status, name))}
    else:
        user, phone = status.recipient_participant_user_id, status.recipient_participant_id
        phone, other = phone or status.participant_recipient_id, status.participant_recipient_id
        if other and other != phone:
            spare[OTHER_SPELLING] = other
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


def recall_told_by(status: Status) -> Recall:
    """Turn the status ``deleted`` into the recall that it tells of.

    Older versions of the platform sent it when a subject took a message back, and asked for its deletion.  Today's list
    of statuses does not have it, but nothing says that it comes no more.
    """
    beside = {
        "status": status.status,
        "biz_opaque_callback_data": status.callback_data,
        "conversation": status.conversation,
        "pricing": status.pricing,
        "errors": list(status.errors) or None,
    }
    return Recall(
        channel="whatsapp",
        via=status.via,
        at=status.at,
        author=status.recipient,
        group=status.group,
        extra=joined(status.extra, {name: said for name, said in beside.items() if said is not None}),
        message_id=status.message_id,
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
