"""Of which class of data is it?  One table over every kind of event and every form of content, in the policy's words.

Whatever is taken in is of exactly one class (policies/vocabulary.toml).  What may hold several counts as the one that
asks for most care: a choice made in a flow holds words, so it counts as words, not as a button pressed.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.message import (
    AccountLink,
    Call,
    CardContent,
    Composed,
    Edit,
    Event,
    IdentityChange,
    Location,
    Media,
    Message,
    Notice,
    Order,
    Postback,
    Preference,
    Problem,
    Reaction,
    Recall,
    Relation,
    Reply,
    Status,
    Sticker,
    Text,
    Unclassified,
    Unsupported,
)
from shared.message.content import Content

CONTENT_CLASSES: Mapping[type[msgspec.Struct], str] = {
    Text: "message_text",
    Media: "media",
    Sticker: "media",
    Location: "media",
    CardContent: "contact_point",  # names, numbers and addresses of others
    Reply: "message_text",  # a flow's answers are words
    Order: "message_text",
    Call: "interaction",
    Composed: "message_text",
    Unsupported: "unclassified",  # the platform does not say what it is
}
EVENT_CLASSES: Mapping[type[msgspec.Struct], str] = {
    Recall: "interaction",
    Reaction: "interaction",
    Status: "delivery_metadata",
    Relation: "interaction",
    Postback: "interaction",
    AccountLink: "interaction",
    IdentityChange: "identifier",
    Preference: "consent_record",
    Problem: "delivery_metadata",
    Notice: "unclassified",  # news of many topics: a call, a group, a person's profile
    Unclassified: "unclassified",
}

RESTING = (
    "message_text",
    "media",
    "contact_point",
    "interaction",
    "delivery_metadata",
    "identifier",
    "consent_record",
    "unclassified",
    "transcript",
    "summary",
    "dialogue_slot",
    "profile",
)
"""Classes that rest at a node, each with its bit in ``subject.restricted``: in stores, so only ever added to."""
_BIT = {name: 1 << place for place, name in enumerate(RESTING)}

MEDIA_FORMS = ("image", "video", "audio", "voice", "document", "sticker")
"""How a message's row calls the forms that media take."""
_MESSAGE_KINDS = {str(form.__struct_config__.tag): name for form, name in CONTENT_CLASSES.items() if form is not Media}
_MESSAGE_KINDS |= dict.fromkeys(MEDIA_FORMS, "media")
_EVENT_KINDS = {str(kind.__struct_config__.tag): name for kind, name in EVENT_CLASSES.items()}


def class_of(event: Event) -> str:
    """Give the class of an event; a kind that is not in the table is ``unclassified``."""
    if type(event) is Message or isinstance(event, Edit):  # messages first: they are by far the most frequent kind
        return class_of_content(event.content)
    return EVENT_CLASSES.get(type(event), "unclassified")


def class_of_content(content: Content) -> str:
    """Give the class of what a message says."""
    return CONTENT_CLASSES.get(type(content), "unclassified")


def class_of_form(kind: str) -> str:
    """Give the class of what a message says, by how its row or a showing of it calls the form."""
    return _MESSAGE_KINDS.get(kind, "unclassified")


def mask_of(names: Iterable[str]) -> int:
    """Give the bits of some classes of :data:`RESTING`."""
    return sum({_BIT[name] for name in names})


def names_of(mask: int) -> tuple[str, ...]:
    """Give the classes whose bits are set."""
    return tuple(name for name, bit in _BIT.items() if mask & bit)


def message_masks() -> dict[str, int]:
    """Give the bit of each kind of row of the table ``message``."""
    return {kind: _BIT[name] for kind, name in _MESSAGE_KINDS.items()}


def event_masks() -> dict[str, int]:
    """Give the bits of each kind of row of the table ``event``; an edit that rests there may be of any content."""
    return {kind: _BIT[name] for kind, name in _EVENT_KINDS.items()} | {"edit": mask_of(CONTENT_CLASSES.values())}
