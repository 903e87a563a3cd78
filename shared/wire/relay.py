"""Relay: everything one node can say to another.  Content is sealed to the other node; the control plane sees none.

What lies inside a ``Ciphertext`` is a struct of :mod:`shared.wire.sealed`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.wire.base import Message
from shared.wire.types import (
    AccountName,
    ChannelCode,
    Ciphertext,
    FormCode,
    Milliseconds,
    NodeName,
    OpaqueId,
    Pseudonym,
    PurposeCode,
    RelayProblemCode,
    RoleCode,
    RuleName,
    ShowingRule,
)

SHOWN_MAX = 50
"""Messages in one answer to a ``ViewAsk``; older ones are asked for with the next."""


class RelayedWebhook(Message, frozen=True, kw_only=True, tag="relay.webhook"):
    """A webhook that belongs in the other node's region; answered when that node has stored it."""

    channel: ChannelCode
    account: AccountName
    """The account's name at the home node."""
    sealed: Ciphertext
    """A :class:`~shared.wire.sealed.SealedWebhook`, under the label ``HPKE_WEBHOOK``."""


class RelayAnswer(Message, frozen=True, kw_only=True, tag="relay.answer"):
    """``stored``: it rests at the home node, or was there already.  ``refused``: the home node will never take it."""

    outcome: Literal["refused", "stored"]


class ViewAsk(Message, frozen=True, kw_only=True, omit_defaults=True, tag="relay.view_ask"):
    """A node asks to be shown a subject's timeline, newest first, and says what for."""

    view: OpaqueId
    """The asking node's name for this view."""
    pseudonym: Pseudonym
    """The subject's pseudonym at the node that is asked."""
    purpose: PurposeCode
    asker: NodeName
    after: OpaqueId | None
    """The last disclosure of the page before, to be shown what is older; ``None`` for the newest."""
    role: RoleCode = "agent"
    """Of whoever looks; a node of an earlier release says nothing of it, and its desk is taken for an agent's."""


class ShownItem(msgspec.Struct, frozen=True):
    """One shown message."""

    disclosure: OpaqueId
    """The showing node's name for this disclosure; a later recall names it."""
    at: Milliseconds
    """When the message was written."""
    sealed: Ciphertext
    """A :class:`~shared.wire.sealed.ShownMessage`, under the label ``HPKE_SHOWN``."""


class ShownContent(Message, frozen=True, kw_only=True, tag="relay.shown_content"):
    """The answer to a ``ViewAsk``: content for the asking node alone, each message on record here as a disclosure."""

    view: OpaqueId
    form: FormCode
    items: Annotated[tuple[ShownItem, ...], Meta(max_length=SHOWN_MAX)]
    more: bool
    """Whether there is something older."""


class ViewRefused(Message, frozen=True, kw_only=True, omit_defaults=True, tag="relay.view_refused"):
    """The answer to a ``ViewAsk`` that the asked node's rules do not allow: which rule said no."""

    view: OpaqueId
    rule: ShowingRule
    policy_rule: RuleName | None = None
    """The rule of the policy in force at the asked node that said no, or asks for more than can be given."""


class ViewFollow(Message, frozen=True, kw_only=True, omit_defaults=True, tag="relay.view_follow"):
    """The asking node, whose view is open, asks what has come since, and which words of what it was shown are old."""

    view: OpaqueId
    pseudonym: Pseudonym
    """The subject's pseudonym at the node that is asked."""
    purpose: PurposeCode
    asker: NodeName
    after: OpaqueId | None
    """The last ``ViewNews`` of this view that the asking node kept; ``None`` before the first."""
    role: RoleCode = "agent"
    """As in the ``ViewAsk``."""


class ViewNews(Message, frozen=True, kw_only=True, tag="relay.view_news"):
    """The answer to a ``ViewFollow``: each item on record here as a disclosure, an edited message under a new one.

    What an answer brought counts as arrived once a later ``ViewFollow`` names it; until then it is shown again.
    """

    view: OpaqueId
    page: OpaqueId
    """The name of this answer."""
    form: FormCode
    items: Annotated[tuple[ShownItem, ...], Meta(max_length=SHOWN_MAX)]
    gone: Annotated[tuple[OpaqueId, ...], Meta(max_length=SHOWN_MAX)]
    """Disclosures whose words an edit has replaced: their copies go."""


class ViewClosed(Message, frozen=True, kw_only=True, tag="relay.view_closed"):
    """The asking node closed a view and destroyed every copy that it was shown for it."""

    view: OpaqueId


class ViewNoted(Message, frozen=True, kw_only=True, tag="relay.view_noted"):
    """The answer to a ``ViewClosed``: it is on record and need not be said again."""

    view: OpaqueId


class RelayProblem(Message, frozen=True, kw_only=True, tag="relay.problem"):
    """The request is from a node of the roster, and could not be taken."""

    code: RelayProblemCode


Views = ViewAsk | ShownContent | ViewFollow | ViewNews | ViewRefused | ViewClosed | ViewNoted
"""What nodes say of views."""

Relay = RelayedWebhook | RelayAnswer | Views | RelayProblem
"""What nodes say to each other."""
