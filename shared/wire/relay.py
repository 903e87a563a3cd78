"""Relay: everything one node can say to another.  Content is sealed to the other node; the control plane sees none.

What lies inside a ``Ciphertext`` is a struct of :mod:`shared.wire.sealed`.
"""

from typing import Literal

from shared.wire.base import Message
from shared.wire.types import AccountName, ChannelCode, Ciphertext, NodeName, OpaqueId, Pseudonym, PurposeCode


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


class ViewAsk(Message, frozen=True, kw_only=True, tag="relay.view_ask"):
    """A node asks to be shown a subject's timeline, and says what for."""

    view: OpaqueId
    """The asking node's name for this view."""
    pseudonym: Pseudonym
    """The subject's pseudonym at the node that is asked."""
    purpose: PurposeCode
    asker: NodeName


class ShownContent(Message, frozen=True, kw_only=True, tag="relay.shown_content"):
    """The answer to a ``ViewAsk``: content for the asking node alone, on record here as a disclosure."""

    disclosure: OpaqueId
    """The showing node's name for this disclosure; a later recall names it."""
    view: OpaqueId
    sealed: Ciphertext
    """Under the label ``HPKE_SHOWN``."""


class ViewClosed(Message, frozen=True, kw_only=True, tag="relay.view_closed"):
    """The asking node closed a view and destroyed its copy."""

    view: OpaqueId
    disclosure: OpaqueId


Relay = RelayedWebhook | RelayAnswer | ViewAsk | ShownContent | ViewClosed
"""What nodes say to each other."""
