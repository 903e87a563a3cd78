"""What a roster is: who is an officer, the control plane, a node, a witness; and who signed that.

Every struct has one canonical form, which is what officers sign; the file that holds it is the same JSON with line
breaks, so that a person can read it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.crypto.signing import Ed25519Public, Fingerprint, HybridSignature, PublicKeys
from shared.wire.parts import NodeKeys
from shared.wire.types import Address, JurisdictionCode, Milliseconds, NodeName, RegionName, Serial

NODES_MAX = 1_000
PEOPLE_MAX = 100
FORMER_MAX = 100

_SLUG = r"^[a-z](?:-?[a-z0-9]){0,47}$(?!\n)"

CompanySlug = Annotated[str, Meta(pattern=_SLUG, max_length=48, title="CompanySlug")]
"""The company's short name."""
PersonSlug = Annotated[str, Meta(pattern=_SLUG, max_length=48, title="PersonSlug")]
"""An officer's short name: one person, one name, since signatures are counted by person."""
MLDSA44Public = Annotated[bytes, Meta(min_length=1312, max_length=1312, title="MLDSA44Public")]
"""An ML-DSA-44 public key (FIPS 204, table 2), as C2SP cosignatures use."""

Threshold = Annotated[int, Meta(ge=1, le=PEOPLE_MAX, title="Threshold")]
"""How many officers must sign."""


class Officer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="officer"):
    """A person whose signature counts, and that person's keys."""

    person: PersonSlug
    keys: PublicKeys


class ControlPlane(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type", tag="control_plane"
):
    """Where the control plane stands and answers, and the keys it signs with."""

    address: Address
    keys: PublicKeys
    fingerprint: Fingerprint
    """Of ``keys``; a roster in which it differs contradicts itself."""
    region: RegionName | None = None
    """The region it stands in, by the policy's name: what nodes tell it is sent there.  ``None``: nobody said, and then
    nothing that concerns a person is told."""


class Former(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys that a node had until an instant: they verify what it signed before, and never come into use again."""

    keys: NodeKeys
    until: Milliseconds


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A node that is or was one of the company's."""

    name: NodeName
    region: RegionName
    jurisdiction: JurisdictionCode
    relay: Address | None
    """Where other nodes reach its relay listener; ``None`` where it has none."""
    keys: NodeKeys
    former: Annotated[tuple[Former, ...], Meta(max_length=FORMER_MAX)]
    state: Literal["active", "retired"]
    since: Milliseconds
    """Since when it is in this state."""


class Witness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="witness"):
    """Who countersigns the evidence log's heads (C2SP tlog-cosignature: Ed25519 and ML-DSA-44)."""

    name: NodeName
    ed25519: Ed25519Public
    mldsa44: MLDSA44Public


class Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is who in one company, from one version to the next."""

    format: Literal["homeport-roster-1"] = "homeport-roster-1"
    company: CompanySlug
    version: Serial
    created_at: Milliseconds
    threshold: Threshold
    """How many officers, by distinct person, must sign the next version."""
    officers: Annotated[tuple[Officer, ...], Meta(max_length=PEOPLE_MAX)]
    control_plane: ControlPlane
    nodes: Annotated[tuple[Node, ...], Meta(max_length=NODES_MAX)]
    witnesses: Annotated[tuple[Witness, ...], Meta(max_length=NODES_MAX)]

    def node(self, name: str) -> Node | None:
        """Give the node of that name, active or retired."""
        return next((node for node in self.nodes if node.name == name), None)

    def active(self, name: str) -> Node | None:
        """Give the node of that name while it is active: the one question to ask before anything is believed."""
        found = self.node(name)
        return found if found is not None and found.state == "active" else None


class OfficerSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature of a roster; ``key`` is the fingerprint of the keys that made it."""

    person: PersonSlug
    key: Fingerprint
    signature: HybridSignature


class SignedRoster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A roster and the signatures that were collected for it."""

    roster: Roster
    signatures: Annotated[tuple[OfficerSignature, ...], Meta(max_length=2 * PEOPLE_MAX)]


class NodeIntroduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="node"):
    """What a node says of itself before officers take it in or give it new keys."""

    name: NodeName
    region: RegionName
    jurisdiction: JurisdictionCode
    relay: Address | None
    keys: NodeKeys


Introduction = Officer | ControlPlane | Witness | NodeIntroduction
"""A file by which somebody or something introduces itself to the officers: public keys, and what they are for."""
