"""Structs that messages of several directions are made of."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.crypto.hpke import SealingPublic
from shared.crypto.signing import Ed25519Public, MLDSA65Public
from shared.wire.types import Count, Digest, NodeName, OpaqueId, Pseudonym, Serial

DISCLOSURES_MAX = 10_000
"""Disclosures named in one message; a node that has more sends several."""


class NodeKeys(msgspec.Struct, frozen=True):
    """A node's public keys: two that verify what it signs, one to seal to."""

    ed25519: Ed25519Public
    mldsa65: MLDSA65Public
    hpke: SealingPublic


class Place(msgspec.Struct, frozen=True):
    """A node to which content was disclosed, and the disclosing node's names of those disclosures."""

    node: NodeName
    disclosures: Annotated[tuple[OpaqueId, ...], Meta(min_length=1, max_length=DISCLOSURES_MAX)]


class SubjectTarget(msgspec.Struct, frozen=True, tag_field="type", tag="subject"):
    """A command's target: everything under a pseudonym of the commanded node."""

    pseudonym: Pseudonym


class DisclosureTarget(msgspec.Struct, frozen=True, tag_field="type", tag="disclosure"):
    """A command's target: what ``node`` disclosed to the commanded node under its name ``disclosure``."""

    node: NodeName
    disclosure: OpaqueId


class Health(msgspec.Struct, frozen=True):
    """How a node stands, in counts of work that waits; no count is of one subject."""

    events_waiting: Count
    removals_open: Count
    commands_open: Count
    receipts_unsent: Count
    relays_waiting: Count
    """Events of webhooks on their way to their home node; none of them rests here."""
    refusals: Count
    """Events refused at intake since the last beat."""


class PolicyStand(msgspec.Struct, frozen=True):
    """The policy bundle that a node decides by."""

    version: Serial
    """0: there is none, and everything is denied."""
    hash: Digest | None
