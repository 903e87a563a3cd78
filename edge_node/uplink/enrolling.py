"""How a node is enrolled: the token says whom to believe, the roster proves it, then the node introduces itself.

1. The roster is fetched from the address in the token, and believed only if its root has the fingerprint in the token,
   its officers signed it, it names control-plane keys of the token's other fingerprint, and these signed the answer.
2. Only then does the one-time secret leave, with the node's public keys.
3. What is pinned is kept.  The node is taken in when officers sign a roster that names it.
"""

from typing import NamedTuple

from edge_node.settings_uplink import Uplink
from edge_node.storage.content.uplink import Enrolled, UplinkStore
from edge_node.storage.identity import NodeIdentity
from edge_node.uplink.client import ControlClient, check_address
from edge_node.uplink.roster import RosterInForce
from edge_node.usecases.governing.border import Border
from shared import wire
from shared.clock import Clock
from shared.enrolment_token import EnrolmentToken
from shared.entropy import Entropy
from shared.errors.uplink import (
    ControlRefused,
    ControlUnknown,
    ControlUnreachable,
    EnrolledElsewhere,
    TokenExpired,
    TokenUnaccepted,
)
from shared.roster import ControlPlane, Roster, SignedRoster, accept_first, read_signed


class Introduction(NamedTuple):
    """What a node says of itself beside its keys."""

    region: str
    jurisdiction: str
    """ISO 3166 code of the law that applies where it stands."""
    relay: str | None
    """Where other nodes reach its relay listener."""


async def enrol(
    store: UplinkStore,
    identity: NodeIdentity,
    token: EnrolmentToken,
    introduction: Introduction,
    settings: Uplink,
    clock: Clock,
    entropy: Entropy,
    border: Border,
) -> Roster:
    """Enrol a node; give the roster in force.  Said again with the same token's names, it changes nothing here.

    ``PolicyDenies`` where a policy is in force that lets nothing of the node go to the control plane's region.
    """
    if clock.now() > token.until:
        raise TokenExpired
    check_address(token.address)
    kept = await store.load()
    if kept is not None and (kept.node, kept.root, kept.own) != (token.node, token.root, identity.fingerprint):
        raise EnrolledElsewhere
    client = ControlClient(
        token.node, identity, clock, entropy, seconds_max=settings.timeout_seconds, ca_file=settings.ca_file
    )
    async with client:
        candidate = await _believed(client, token)
        border.refuse(border.ask(wire.Enrolment, candidate.roster.control_plane.region))
        await _introduce(client, candidate.roster.control_plane, token, introduction, identity)
    await store.enrol(
        Enrolled(
            node=token.node,
            address=token.address,
            control=token.control_plane,
            root=token.root,
            own=identity.fingerprint,
            enrolled_at=clock.now(),
            cursor=0,
            beat_number=0,
            beat_body=None,
            beat_acknowledged_at=0,
        )
    )
    return await RosterInForce(store, clock).accept(candidate, token.root)


async def _believed(client: ControlClient, token: EnrolmentToken) -> SignedRoster:
    """Fetch the roster, and believe it only if everything that the token names holds."""
    answered = await client.roster(token.address)
    candidate = read_signed(answered.body)
    control = accept_first(token.root, candidate).control_plane
    if control.fingerprint != token.control_plane:
        raise ControlUnknown
    answered.verify(control.keys.ed25519)
    return candidate


async def _introduce(
    client: ControlClient,
    control: ControlPlane,
    token: EnrolmentToken,
    introduction: Introduction,
    identity: NodeIdentity,
) -> None:
    """Send what the node says of itself, with the one-time secret."""
    message = wire.Enrolment(
        protocol=wire.PROTOCOL,
        secret=token.secret,
        node=token.node,
        region=introduction.region,
        jurisdiction=introduction.jurisdiction,
        keys=identity.public,
        relay=introduction.relay,
    )
    try:
        answer = await client.tell(control, "/node/v1/enrolments", message, wire.EnrolmentAnswer)
    except ControlUnreachable as refused:
        if refused.details.get("status") == 401:
            raise TokenUnaccepted(node=token.node) from None
        raise
    if answer.node != token.node:
        raise ControlRefused(reason="another node's enrolment was answered")
