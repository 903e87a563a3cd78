"""Canonical events: what a node understands of a webhook, whichever platform it came from.

``events`` holds one struct per kind of event, ``content`` one per form a message can take, ``people`` the
identifiers a platform uses.  Channels build these; everything behind the channels reads nothing else.
"""

from shared.message.content import (
    Call,
    CardContent,
    Content,
    Emoji,
    ExternalMedia,
    ImageSet,
    Location,
    Media,
    Mention,
    Order,
    Reply,
    Sticker,
    Text,
    Unsupported,
)
from shared.message.events import (
    AccountLink,
    Edit,
    Event,
    IdentityChange,
    Message,
    Notice,
    Postback,
    Preference,
    Problem,
    Reaction,
    Recall,
    Relation,
    Status,
    Unclassified,
)
from shared.message.people import Identifier, IdentifierKind, Person

__all__ = [
    "AccountLink",
    "Call",
    "CardContent",
    "Content",
    "Edit",
    "Emoji",
    "Event",
    "ExternalMedia",
    "Identifier",
    "IdentifierKind",
    "IdentityChange",
    "ImageSet",
    "Location",
    "Media",
    "Mention",
    "Message",
    "Notice",
    "Order",
    "Person",
    "Postback",
    "Preference",
    "Problem",
    "Reaction",
    "Recall",
    "Relation",
    "Reply",
    "Status",
    "Sticker",
    "Text",
    "Unclassified",
    "Unsupported",
]
