"""The shipped policy, signed by officers who are drawn for the bench, and put in force at its node by command."""

from pathlib import Path

from deploy.demo.commands import CHECKOUT
from shared import canonical
from shared.clock import SystemClock
from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import draw_signing_keys, fingerprint
from shared.entropy import SystemEntropy
from shared.policy.bundling import make, sign, write
from shared.policy.loading import load
from shared.roster import SignedRoster, edits
from shared.roster import sign as sign_roster
from shared.roster.model import ControlPlane, NodeIntroduction, Officer
from shared.wire.parts import NodeKeys

REGION = "eu-frankfurt"
COUNTRY = "DE"
"""Of the people who write: their law applies in that region."""


def write_policy(folder: Path) -> tuple[Path, Path]:
    """Write a signed bundle of the shipped policies, and the roster whose officers signed it."""
    entropy, now = SystemEntropy(), SystemClock().now()
    officers = {name: draw_signing_keys(entropy) for name in ("ada", "ben")}
    control = draw_signing_keys(entropy).public
    keys = draw_signing_keys(entropy).public
    node = NodeKeys(keys.ed25519, keys.mldsa65, draw_sealing_key(entropy).public)
    plane = ControlPlane("https://hub.example", control, fingerprint(control))
    people = tuple(Officer(name, each.public) for name, each in officers.items())
    made = edits.found("bench", 2, people, plane, now)
    made = edits.add_node(made, NodeIntroduction("bench", REGION, COUNTRY, None, node), now)
    roster = SignedRoster(made, tuple(sign_roster(made, name, each) for name, each in officers.items()))
    bundle = make(load(CHECKOUT / "policies").sound(), None, now)
    signed, trusted = folder / "policy.bundle", folder / "roster.json"
    signed.write_bytes(write(bundle, tuple(sign(bundle, name, each) for name, each in officers.items())))
    trusted.write_bytes(canonical.encode(roster))
    return signed, trusted
