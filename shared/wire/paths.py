"""Where relay messages go at another node's relay listener, and which answers each can have."""

from shared.http_signatures import Tag
from shared.wire.base import Message
from shared.wire.relay import (
    RelayAnswer,
    RelayedWebhook,
    ShownContent,
    ViewAsk,
    ViewClosed,
    ViewFollow,
    ViewNews,
    ViewNoted,
    ViewRefused,
)

TAG: Tag = "homeport-relay"
"""What requests between nodes are signed for."""

PATHS: dict[type[Message], str] = {
    RelayedWebhook: "/relay/v1/webhooks",
    ViewAsk: "/relay/v1/views",
    ViewFollow: "/relay/v1/views/follow",
    ViewClosed: "/relay/v1/views/closed",
}
"""By message: the path it is posted to."""

ANSWERS: dict[type[Message], tuple[type[Message], ...]] = {
    RelayedWebhook: (RelayAnswer,),
    ViewAsk: (ShownContent, ViewRefused),
    ViewFollow: (ViewNews, ViewRefused),
    ViewClosed: (ViewNoted,),
}
"""By message: its answers; each may be a ``RelayProblem`` instead."""
