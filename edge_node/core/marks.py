"""What makes two deliveries the same event: the parts that its dedupe mark is a blind index of."""

import hashlib

import msgspec

from shared.message import Edit, Event, Message, Reaction, Recall, Relation, Status, Unclassified

MarkParts = tuple[str, ...]

_encoder = msgspec.json.Encoder()


def message_mark(account: str, message_id: str) -> MarkParts:
    """Name a message of an account: the same for the message, its edits and its recall."""
    return ("message", account, message_id)


def mark_parts(account: str, event: Event) -> MarkParts:
    """Name any event so that a repeated delivery has the same name.

    A message by its platform id; a status by message, word and person; anything else by the event's own id, or
    where the platform gives none by its content.
    """
    if isinstance(event, Message):
        return message_mark(account, event.message_id)
    if isinstance(event, Recall):
        return ("recall", *message_mark(account, event.message_id))
    if isinstance(event, Status):
        person = event.recipient.identifiers[0].value if event.recipient and event.recipient.identifiers else ""
        return ("status", account, event.message_id, event.status, person)
    if isinstance(event, Reaction):
        return ("reaction", account, event.message_id, event.event_id or "")
    if isinstance(event, Edit):
        return ("edit", account, event.message_id, event.event_id or str(event.at))
    own = event.event_id or _digest(event)
    if isinstance(event, Relation) and event.members:
        member = event.members[0]
        return ("relation", account, own, member.identifiers[0].value if member.identifiers else "")
    return (type(event).__name__, account, own)


def _digest(event: Event) -> str:
    """Name an event without an id by what it says; the delivery flags do not count."""
    if isinstance(event, Unclassified):
        return hashlib.sha256(event.raw).hexdigest()
    return hashlib.sha256(_encoder.encode(msgspec.structs.replace(event, redelivered=False))).hexdigest()
