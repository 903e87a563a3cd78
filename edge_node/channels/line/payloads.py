"""The webhook body of the LINE Messaging API and its 20 kinds of event, exactly as the platform names them.

Source: Messaging API reference, "Webhook event objects" (2026-08-07), partner reference for module channels and
notification messages, and line-openapi ``webhook.yml`` (2026-07-01), which lacks ``messageEdited`` (2026-07-07).
Absent properties are absent, never null.  What the reference requires but earlier webhooks lacked
(``webhookEventId``, ``deliveryContext``, ``mode``) is optional here.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edge_node.channels.line.payload_messages import AnyMessage, MessageId, Part
from edge_node.channels.reading import MILLISECONDS_MAX

Moment = Annotated[int, Meta(ge=0, le=MILLISECONDS_MAX)]
"""Milliseconds since the epoch."""


class Webhook(Part, frozen=True, kw_only=True):
    """A body.  ``events`` is empty when LINE only checks the connection.

    ``destination`` is the user id of the business's own bot.  It goes with every event: without a bound, one long
    string could be copied a thousand times.
    """

    events: list[msgspec.Raw]
    destination: Annotated[str, Meta(max_length=256)] = ""


class LooseWebhook(Part, frozen=True, kw_only=True):
    """The same where ``destination`` is not what it should be: the events are understood all the same."""

    events: list[msgspec.Raw]
    destination: msgspec.Raw


class Source(Part, frozen=True, kw_only=True):
    """Where an event came from: ``type`` is ``user``, ``group`` or ``room``, and tells which ids are there.

    ``userId`` is absent where the person gave no consent.
    """

    type: str
    user_id: str | None = None
    group_id: str | None = None
    room_id: str | None = None


class DeliveryContext(Part, frozen=True, kw_only=True):
    """How an event was delivered."""

    is_redelivery: bool = False


class EventObject(Part, frozen=True, kw_only=True, tag_field="type"):
    """What every event has.

    ``timestamp`` is when the event happened, also on redelivery; ``mode`` is ``active`` or ``standby``;
    ``webhookEventId`` (a ULID) is the same on redelivery.
    """

    timestamp: Moment
    mode: str = "active"
    webhook_event_id: str | None = None
    delivery_context: DeliveryContext | None = None
    source: Source | None = None
    reply_token: str | None = None


class MessageEvent(EventObject, frozen=True, kw_only=True, tag="message"):
    """Somebody sent a message."""

    message: AnyMessage


class MessageEditedEvent(EventObject, frozen=True, kw_only=True, tag="messageEdited"):
    """Somebody changed a message (groups and rooms; text): same id, whole new content, a new quote token."""

    message: AnyMessage


class Unsend(Part, frozen=True, kw_only=True):
    """Which message is taken back."""

    message_id: MessageId


class UnsendEvent(EventObject, frozen=True, kw_only=True, tag="unsend"):
    """Somebody took a message back."""

    unsend: Unsend


class Follow(Part, frozen=True, kw_only=True):
    """``isUnblocked`` is not always right, the reference says."""

    is_unblocked: bool | None = None


class FollowEvent(EventObject, frozen=True, kw_only=True, tag="follow"):
    """Somebody added the account as a friend, or unblocked it."""

    follow: Follow | None = None


class UnfollowEvent(EventObject, frozen=True, kw_only=True, tag="unfollow"):
    """Somebody blocked the account."""


class JoinEvent(EventObject, frozen=True, kw_only=True, tag="join"):
    """The account joined a group or room."""


class LeaveEvent(EventObject, frozen=True, kw_only=True, tag="leave"):
    """The account was removed from a group, or left it."""


class Members(Part, frozen=True, kw_only=True):
    """People, as user sources."""

    members: tuple[Source, ...]


class MemberJoinedEvent(EventObject, frozen=True, kw_only=True, tag="memberJoined"):
    """People joined a group the account is in."""

    joined: Members


class MemberLeftEvent(EventObject, frozen=True, kw_only=True, tag="memberLeft"):
    """People left a group the account is in."""

    left: Members


class PostbackData(Part, frozen=True, kw_only=True):
    """What the business gave the action, and what the person picked: a date, a time, another rich menu."""

    data: str
    params: dict[str, str] | None = None


class PostbackEvent(EventObject, frozen=True, kw_only=True, tag="postback"):
    """Somebody tapped a postback action."""

    postback: PostbackData


class VideoPlayComplete(Part, frozen=True, kw_only=True):
    """The id the business gave the video."""

    tracking_id: str


class VideoPlayCompleteEvent(EventObject, frozen=True, kw_only=True, tag="videoPlayComplete"):
    """Somebody watched a video to its end."""

    video_play_complete: VideoPlayComplete


class Beacon(Part, frozen=True, kw_only=True, omit_defaults=True):
    """A beacon's hardware id, ``enter``, ``banner`` or ``stay``, and its device message in hex."""

    hwid: str
    type: str
    dm: str | None = None


class BeaconEvent(EventObject, frozen=True, kw_only=True, tag="beacon"):
    """Somebody came near a LINE Beacon."""

    beacon: Beacon


class Link(Part, frozen=True, kw_only=True):
    """``result`` is ``ok`` or ``failed``; ``nonce`` is the one the business drew."""

    result: str
    nonce: str


class AccountLinkEvent(EventObject, frozen=True, kw_only=True, tag="accountLink"):
    """Somebody linked their LINE account to the business's own, or failed to (then without source)."""

    link: Link


class Membership(Part, frozen=True, kw_only=True):
    """``type`` is ``joined``, ``left`` or ``renewed``."""

    type: str
    membership_id: int


class MembershipEvent(EventObject, frozen=True, kw_only=True, tag="membership"):
    """Somebody's paid membership of the account changed."""

    membership: Membership


class Module(Part, frozen=True, kw_only=True, omit_defaults=True):
    """``type`` is ``attached`` (with ``scopes``) or ``detached`` (with ``reason``)."""

    type: str
    bot_id: str | None = None
    scopes: list[str] | None = None
    reason: str | None = None


class ModuleEvent(EventObject, frozen=True, kw_only=True, tag="module"):
    """A module channel was attached to the account, or detached from it."""

    module: Module


class ChatControl(Part, frozen=True, kw_only=True):
    """Until when this module channel has the conversation, in milliseconds since the epoch."""

    expire_at: int


class ActivatedEvent(EventObject, frozen=True, kw_only=True, tag="activated"):
    """This module channel has the conversation now."""

    chat_control: ChatControl


class DeactivatedEvent(EventObject, frozen=True, kw_only=True, tag="deactivated"):
    """Another channel has the conversation now."""


class BotSuspendedEvent(EventObject, frozen=True, kw_only=True, tag="botSuspended"):
    """LINE suspended the account."""


class BotResumedEvent(EventObject, frozen=True, kw_only=True, tag="botResumed"):
    """The account is no longer suspended."""


class Delivery(Part, frozen=True, kw_only=True):
    """The tag given with the notification; without one, the unsalted SHA-256 of the phone number."""

    data: str


class DeliveryEvent(EventObject, frozen=True, kw_only=True, tag="delivery"):
    """A LINE notification message reached its phone number; no source since 2025-01-28."""

    delivery: Delivery


AnyEvent = (
    MessageEvent
    | MessageEditedEvent
    | UnsendEvent
    | FollowEvent
    | UnfollowEvent
    | JoinEvent
    | LeaveEvent
    | MemberJoinedEvent
    | MemberLeftEvent
    | PostbackEvent
    | VideoPlayCompleteEvent
    | BeaconEvent
    | AccountLinkEvent
    | MembershipEvent
    | ModuleEvent
    | ActivatedEvent
    | DeactivatedEvent
    | BotSuspendedEvent
    | BotResumedEvent
    | DeliveryEvent
)

EVENT_TYPES: frozenset[Any] = frozenset(event.__struct_config__.tag for event in AnyEvent.__args__)
"""The kinds above, by their ``type``."""
