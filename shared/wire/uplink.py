"""Uplink: everything a node can say to the control plane.  What is not here cannot leave a region that way."""

from typing import Annotated

from msgspec import Meta

from shared.crypto.dsse import Envelope
from shared.wire.base import Message
from shared.wire.parts import Health, NodeKeys, Place, PolicyStand
from shared.wire.types import (
    Address,
    CaseKind,
    JurisdictionCode,
    Milliseconds,
    NodeName,
    OneTimeSecret,
    OpaqueId,
    ProtocolVersion,
    Pseudonym,
    ReasonCode,
    RegionName,
    Seconds,
    Serial,
)

REGISTRATIONS_MIN = 8
"""A beat that registers anybody carries at least so many pseudonyms, dummies among them: timing names no subject."""
REGISTRATIONS_MAX = 10_000
"""A beat carries at most so many; the rest waits for the next one."""
PLACES_MAX = 1_000
"""Nodes named in one message."""


class Enrolment(Message, frozen=True, kw_only=True, tag="uplink.enrolment"):
    """A new node asks to be taken in: the one message that is proved by a one-time secret."""

    secret: OneTimeSecret
    node: NodeName
    region: RegionName
    jurisdiction: JurisdictionCode
    keys: NodeKeys
    relay: Address | None
    """Where other nodes reach its relay listener; ``None`` where it has none."""


class Beat(Message, frozen=True, kw_only=True, omit_defaults=True, tag="uplink.beat"):
    """A node's regular sign of life, with the pseudonyms that are new since the last one.

    ``registrations`` are shuffled and padded with freshly drawn dummies, which nobody else can tell from pseudonyms.
    """

    oldest: ProtocolVersion
    node: NodeName
    number: Serial
    beat_seconds: Seconds
    registrations: Annotated[tuple[Pseudonym, ...], Meta(max_length=REGISTRATIONS_MAX)]
    """None, or at least ``REGISTRATIONS_MIN``."""
    health: Health
    roster_version: Serial
    policy: PolicyStand | None = None
    """``None`` from a release that has no policies."""

    def __post_init__(self) -> None:
        """Refuse a batch so small that its timing could name a subject."""
        if 0 < len(self.registrations) < REGISTRATIONS_MIN:
            raise ValueError("registrations: none, or at least eight")


class RecallNotice(Message, frozen=True, kw_only=True, omit_defaults=True, tag="uplink.recall_notice"):
    """A message is gone here, and these places were shown it: its sender took it back, or its time was over."""

    recall: OpaqueId
    at: Milliseconds
    disclosed_to: Annotated[tuple[Place, ...], Meta(max_length=PLACES_MAX)]
    reason: ReasonCode = "sender_recalled"
    """Written where it is another one: a member that older readers ignore."""


class CaseNotice(Message, frozen=True, kw_only=True, tag="uplink.case_notice"):
    """A case was opened at this node; it registers its pseudonym, and names where its content was disclosed."""

    case: OpaqueId
    kind: CaseKind
    pseudonym: Pseudonym
    reason: ReasonCode
    at: Milliseconds
    places: Annotated[tuple[Place, ...], Meta(max_length=PLACES_MAX)]


class ReceiptPush(Message, frozen=True, kw_only=True, tag="uplink.receipt_push"):
    """The signed statement of what was done; its payload is a :class:`~shared.wire.receipt.Receipt`."""

    envelope: Envelope
    places: Annotated[tuple[Place, ...], Meta(max_length=PLACES_MAX)] = ()
    """After an erasure: where the node had disclosed content of the subject; the case goes on there."""


class CommandAsk(Message, frozen=True, kw_only=True, tag="uplink.command_ask"):
    """Asks for commands after a cursor; the answer may wait until there are some."""

    after: Serial
    wait_seconds: Seconds


Uplink = Enrolment | Beat | RecallNotice | CaseNotice | ReceiptPush | CommandAsk
"""What a node says to the control plane."""
