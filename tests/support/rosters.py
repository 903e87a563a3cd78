"""A roster for tests: three officers of whom two must sign, a control plane, a node; and a second node to take in."""

import msgspec

from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import draw_signing_keys, fingerprint
from shared.roster import SignedRoster, edits, sign
from shared.roster.model import ControlPlane, NodeIntroduction, Officer
from shared.wire.parts import NodeKeys
from tests.support.trust import CONTROL, NODE_KEYS, Seeded

NOW = 1_795_000_000_000
PEOPLE = {person: draw_signing_keys(Seeded(person)) for person in ("ada", "ben", "cho", "dora")}
OFFICERS = tuple(Officer(person, keys.public) for person, keys in PEOPLE.items() if person != "dora")
HUB = ControlPlane("https://hub.example", CONTROL.public, fingerprint(CONTROL.public))
EU = NodeIntroduction("eu", "eu-frankfurt", "DE", "https://eu.example:8443", NODE_KEYS)


def node_keys(name: str) -> NodeKeys:
    """Draw a node's public keys."""
    pair, sealing = draw_signing_keys(Seeded(name)).public, draw_sealing_key(Seeded(name)).public
    return NodeKeys(pair.ed25519, pair.mldsa65, sealing)


AP = NodeIntroduction("ap", "ap-singapore", "SG", None, node_keys("ap"))
FIRST = edits.add_node(edits.found("acme", 2, OFFICERS, HUB, NOW), EU, NOW)


def signed(roster, *people: str) -> SignedRoster:
    """Give the roster with these officers' signatures."""
    return SignedRoster(roster, tuple(sign(roster, person, PEOPLE[person]) for person in people))


def following(roster=FIRST, by=1, **changes):
    """Give a later version of a roster."""
    return msgspec.structs.replace(roster, version=roster.version + by, **changes)
