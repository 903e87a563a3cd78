"""What makes two deliveries the same event: the parts that its dedupe mark is a blind index of."""

import hashlib

import msgspec

from shared.message import Edit, Event, Message, Reaction, Recall, Relation, Status, Unclassified

MarkParts = tuple[str, ...]

_encoder = msgspec.json.Encoder(order="deterministic")

_SENT = "entry.time"
"""When Meta sent a notification, not when what it tells of happened (Graph API, "Webhooks: getting started")."""


def message_mark(account: str, message_id: str) -> MarkParts:
    """Name a message of an account: the same for the message, its edits and its recall."""
    return ("message", account, message_id)


def mark_parts(account: str, event: Event) -> MarkParts:
    """Name any event so that a repeated delivery has the same name.

    A message by its platform id; a status by message and word, as a message has one recipient, and in a group by person
    too, or where nobody is named by its time; anything else by the event's own id, or where the platform gives none by
    its content.
    """
    if isinstance(event, Message):
        return message_mark(account, event.message_id)
    if isinstance(event, Recall):
        return ("recall", *message_mark(account, event.message_id))
    if isinstance(event, Status):
        who = "" if event.group is None else _participant(event)
        return ("status", account, event.message_id, event.status, who)
    if isinstance(event, Reaction):
        return ("reaction", account, event.message_id, event.event_id or "")
    if isinstance(event, Edit):
        return ("edit", account, event.message_id, event.event_id or str(event.at))
    own = event.event_id or _digest(event)
    if isinstance(event, Relation) and event.members:
        member = event.members[0]
        return ("relation", account, own, member.identifiers[0].value if member.identifiers else "")
    return (type(event).__name__, account, own)


def _participant(event: Status) -> str:
    """Tell one participant's status in a group from another's."""
    person = event.recipient
    return person.identifiers[0].value if person is not None and person.identifiers else str(event.at)


def _digest(event: Event) -> str:
    """Name an event without an id by what it says.

    How it was delivered does not count, nor the order of properties, nor when a repetition was sent; that counts only
    for an event with no time of its own, which nothing else tells from another of the same words.
    """
    if isinstance(event, Unclassified):
        return hashlib.sha256(b"%b\0%b" % (event.via.encode(), event.raw)).hexdigest()
    extra = event.extra
    if extra and _SENT in extra and event.at:
        extra = {name: value for name, value in extra.items() if name != _SENT} or None
    said = msgspec.structs.replace(event, redelivered=False, extra=extra)
    return hashlib.sha256(_encoder.encode(said)).hexdigest()
