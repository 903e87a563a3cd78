"""One struct for each kind of event; ``kind`` names it, ``Event`` is their union.

Shapes: times are milliseconds since the epoch; ids are the platform's own strings, byte-exact; whatever a
platform adds to a known event is kept in ``extra``, so nothing is lost before a release knows it.
"""

from typing import Any, Literal

import msgspec

from shared.message.content import Content
from shared.message.people import Identifier, Person

Channel = Literal["whatsapp", "line"]


class _Header(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind"):
    """What every event carries."""

    channel: Channel
    via: str
    """The business side as the payload names it: WhatsApp phone number id (or WABA id where a field has
    none), LINE ``destination``.  The node finds the account by it."""
    at: int
    """When it happened, by the platform's clock, in milliseconds; 0 where the platform does not say."""
    event_id: str | None = None
    """LINE ``webhookEventId``; WhatsApp's own id of an event that is not a message (a revoke's ``id``); of a message
    that this node sent, our own opaque id."""
    redelivered: bool = False
    standby: bool = False
    """LINE ``mode: standby``, WhatsApp's field ``standby``: another has the conversation, so nothing may be sent."""
    author: Person | None = None
    """Who did it; ``None`` where the platform does not say or it is the business itself."""
    group: Identifier | None = None
    """The group or room it happened in; ``None`` for a one-to-one conversation."""
    reply_token: str | None = None
    """LINE: answers once, within a minute, free of charge."""
    extra: dict[str, Any] | None = None
    """Properties that this release does not know: the path from the event's root, with their values."""


class Message(_Header, frozen=True, tag="message", kw_only=True):
    """A subject said something, or the business did from its own phone (``direction: out``)."""

    message_id: str
    content: Content
    direction: Literal["in", "out"] = "in"
    to: Person | None = None
    """For ``out``: the subject addressed."""
    quoted_message_id: str | None = None
    quoted_author: str | None = None
    quote_token: str | None = None
    mark_read_token: str | None = None
    forwarded: Literal["once", "often"] | None = None
    referral: dict[str, Any] | None = None
    """The advertisement or page a WhatsApp conversation came from."""
    product: dict[str, Any] | None = None
    """The catalogue product a WhatsApp message asks about."""
    errors: tuple[dict[str, Any], ...] = ()


class Edit(_Header, frozen=True, tag="edit", kw_only=True):
    """New content for an earlier message; the largest ``at`` is the newest state."""

    message_id: str
    """The message that is edited."""
    content: Content
    direction: Literal["in", "out"] = "in"
    to: Person | None = None
    quote_token: str | None = None
    quoted_message_id: str | None = None


class Recall(_Header, frozen=True, tag="recall", kw_only=True):
    """The sender took a message back: LINE unsend, WhatsApp revoke."""

    message_id: str
    """The message that is taken back."""
    direction: Literal["in", "out"] = "in"
    to: Person | None = None


class Reaction(_Header, frozen=True, tag="reaction", kw_only=True):
    """A mark put on a message, or taken off it (``emoji`` absent)."""

    message_id: str
    """The reaction's own id."""
    target_message_id: str
    emoji: str | None = None
    direction: Literal["in", "out"] = "in"
    to: Person | None = None


class Status(_Header, frozen=True, tag="status", kw_only=True):
    """What became of a message that the business sent."""

    message_id: str
    status: str
    """``sent``, ``delivered``, ``read``, ``played``, ``failed``, or a newer word."""
    recipient: Person | None = None
    """The subject addressed, or in a group the participant meant."""
    callback_data: str | None = None
    """WhatsApp ``biz_opaque_callback_data``: our own opaque id."""
    conversation: dict[str, Any] | None = None
    pricing: dict[str, Any] | None = None
    errors: tuple[dict[str, Any], ...] = ()


class Relation(_Header, frozen=True, tag="relation", kw_only=True):
    """The tie between the business and a person or group changed."""

    change: Literal[
        "follow",
        "unfollow",
        "join",
        "leave",
        "member_joined",
        "member_left",
        "membership_joined",
        "membership_left",
        "membership_renewed",
        "membership_changed",
        "welcome_requested",
    ]
    unblocked: bool | None = None
    members: tuple[Person, ...] = ()
    membership_id: int | None = None
    detail: dict[str, Any] | None = None


class Postback(_Header, frozen=True, tag="postback", kw_only=True):
    """A subject acted on something the business showed: postback, beacon, video watched to the end."""

    action: Literal["postback", "beacon", "video_played"]
    data: str | None = None
    params: dict[str, str] | None = None
    beacon: dict[str, Any] | None = None


class AccountLink(_Header, frozen=True, tag="account_link", kw_only=True):
    """LINE account link: the subject signed in at the business, or failed to."""

    result: str
    nonce: str


class IdentityChange(_Header, frozen=True, tag="identity_change", kw_only=True):
    """A subject is named otherwise from now on."""

    change: Literal["number", "user_id", "security_code"]
    previous: tuple[Identifier, ...] = ()
    current: tuple[Identifier, ...] = ()
    note: str | None = None
    """The platform's sentence about it; holds names and numbers."""
    detail: dict[str, Any] | None = None


class Preference(_Header, frozen=True, tag="preference", kw_only=True):
    """A subject allowed or stopped a category of messages at the platform."""

    category: str
    value: str
    """``stop``, ``resume``, or a newer word."""
    note: str | None = None
    detail: dict[str, Any] | None = None


class Problem(_Header, frozen=True, tag="problem", kw_only=True):
    """The platform reports an error that belongs to no single message (``value.errors``)."""

    errors: tuple[dict[str, Any], ...]


class Notice(_Header, frozen=True, tag="notice", kw_only=True):
    """News about the business's own account: templates, quality, reviews, groups, module channels, calls.

    ``author`` is whom it speaks of, where that is one person.
    """

    topic: str
    """WhatsApp: the webhook ``field``; LINE: the event ``type``."""
    detail: dict[str, Any]


class Unclassified(_Header, frozen=True, tag="unclassified", kw_only=True):
    """An event that this release does not know, kept as it came."""

    reason: Literal["unknown_kind", "unknown_field", "unexpected_shape"]
    raw: bytes
    """The bytes of this one event (base64 in JSON)."""
    message_id: str | None = None
    """The message it is, or edits, where that can be read: a recall of that message takes this with it."""
    topic: str | None = None
    """WhatsApp: the webhook ``field`` it came in, where this release knows that field."""


Event = (
    Message
    | Edit
    | Recall
    | Reaction
    | Status
    | Relation
    | Postback
    | AccountLink
    | IdentityChange
    | Preference
    | Problem
    | Notice
    | Unclassified
)
