"""May this roster come into force?  Pure, closed by default; every no has a name.

A program that has a roster accepts another one if, in this order:

1. it does not contradict itself (:func:`check_sound`), and is of the same company;
2. its version is higher; the same version with the same content is no change;
3. no node that was ever in it is missing, no retired one is back, no key of old is in use again;
4. officers in force, as many distinct persons as their threshold says, signed it;
5. if officers or threshold change, as many of the new ones as the new threshold says signed it, too, so that keys
   nobody holds cannot take over.

A program that has none knows a root fingerprint, told to it with its enrolment token: it accepts a roster whose
officers and threshold have this fingerprint and signed it by the same rule.

A program that was away while officers changed more than once is handed the versions between, one after the other.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator

import msgspec

from shared import canonical
from shared.crypto import labels
from shared.crypto.signing import PublicKeys, SigningKeys, fingerprint, labelled, verify
from shared.errors.trust import (
    RosterCompanyChanged,
    RosterConflict,
    RosterContradicts,
    RosterKeyReturns,
    RosterMalformed,
    RosterOlder,
    RosterRootUnknown,
    RosterUndersigned,
    SignatureInvalid,
)
from shared.roster.model import Officer, OfficerSignature, Roster, SignedRoster, Threshold
from shared.wire.parts import NodeKeys

CONTROL_PLANE = "control-plane"
"""The name under which the control plane signs; no node and no witness may have it."""


class _Root(msgspec.Struct, frozen=True):
    """What a root fingerprint is the digest of."""

    company: str
    threshold: Threshold
    officers: tuple[Officer, ...]


def root_fingerprint(roster: Roster) -> str:
    """Give the fingerprint of officers and threshold: 64 hexadecimal digits, the same while neither changes."""
    officers = tuple(sorted(roster.officers, key=lambda officer: officer.person))
    root = _Root(roster.company, roster.threshold, officers)
    return hashlib.sha256(labelled(labels.ROOT, canonical.encode(root))).hexdigest()


def accept_first(root: str, candidate: SignedRoster) -> Roster:
    """Give the roster if its root has the fingerprint that this program was told, and its own officers signed it."""
    roster = candidate.roster
    check_sound(roster)
    if root_fingerprint(roster) != root:
        raise RosterRootUnknown
    _check_signed(candidate, roster, "officers")
    return roster


def accept(pinned: Roster, candidate: SignedRoster) -> Roster:
    """Give the roster that is in force from now on; a named refusal where the candidate may not be."""
    roster = candidate.roster
    check_sound(roster)
    if roster.company != pinned.company:
        raise RosterCompanyChanged
    if roster.version < pinned.version:
        raise RosterOlder(version=roster.version, in_force=pinned.version)
    if roster.version == pinned.version:
        if canonical.encode(roster) != canonical.encode(pinned):
            raise RosterConflict(version=roster.version)
        return pinned
    _check_past(pinned, roster)
    _check_signed(candidate, pinned, "officers in force")
    if root_fingerprint(roster) != root_fingerprint(pinned):
        _check_signed(candidate, roster, "new officers")
    return roster


def sign(roster: Roster, person: str, keys: SigningKeys) -> OfficerSignature:
    """Sign a roster as an officer."""
    return OfficerSignature(person, fingerprint(keys.public), keys.sign(signed_bytes(roster)))


def signed_bytes(roster: Roster) -> bytes:
    """Give the bytes that officers sign."""
    return labelled(labels.ROSTER, canonical.encode(roster))


def signers(candidate: SignedRoster, officers: tuple[Officer, ...]) -> frozenset[str]:
    """Give the persons of ``officers`` who signed the roster with the keys listed there; no other signature counts."""
    data = signed_bytes(candidate.roster)
    found = set()
    for officer in officers:
        key = fingerprint(officer.keys)
        for each in candidate.signatures:
            if each.person == officer.person and each.key == key and _holds(officer.keys, each, data):
                found.add(officer.person)
    return frozenset(found)


def check_sound(roster: Roster) -> None:
    """Refuse a roster that contradicts itself: ``RosterContradicts`` with what is wrong as ``reason``."""
    try:
        msgspec.convert(msgspec.to_builtins(roster), Roster)
    except msgspec.ValidationError:
        raise RosterMalformed(reason="form") from None
    persons = Counter(officer.person for officer in roster.officers)
    nodes = Counter(node.name for node in roster.nodes)
    witnesses = Counter(witness.name for witness in roster.witnesses)
    if not persons:
        raise RosterContradicts(reason="no officer")
    if any(count > 1 for names in (persons, nodes, witnesses) for count in names.values()):
        raise RosterContradicts(reason="a name twice")
    if CONTROL_PLANE in {*nodes, *witnesses}:
        raise RosterContradicts(reason="a reserved name")
    if not 1 <= roster.threshold <= len(persons):
        raise RosterContradicts(reason="threshold cannot be reached")
    if any(count > 1 for count in Counter(_keys(roster)).values()):
        raise RosterContradicts(reason="a key twice")
    if roster.control_plane.fingerprint != fingerprint(roster.control_plane.keys):
        raise RosterContradicts(reason="fingerprint of the control plane")


def _keys(roster: Roster) -> Iterator[bytes]:
    """Give every public key of a roster, former ones too, each half by itself: a key change changes all of them."""
    for pair in (roster.control_plane.keys, *(officer.keys for officer in roster.officers)):
        yield from (pair.ed25519, pair.mldsa65)
    for witness in roster.witnesses:
        yield from (witness.ed25519, witness.mldsa44)
    for node in roster.nodes:
        yield from _halves(node.keys)
        for former in node.former:
            yield from _halves(former.keys)


def _halves(keys: NodeKeys) -> tuple[bytes, bytes, bytes]:
    """Give a node's three public keys."""
    return keys.ed25519, keys.mldsa65, keys.hpke


def _check_past(pinned: Roster, roster: Roster) -> None:
    """Refuse a roster that forgets a node or a key, or takes a retired one back."""
    for old in pinned.nodes:
        new = roster.node(old.name)
        if new is None:
            raise RosterKeyReturns(reason="a node is missing; retire it instead")
        if old.state == "retired" and new != old:
            raise RosterKeyReturns(reason="a retired node changed")
        if new.former[: len(old.former)] != old.former:
            raise RosterKeyReturns(reason="former keys of a node changed")
        if new.keys != old.keys and old.keys not in [former.keys for former in new.former]:
            raise RosterKeyReturns(reason="replaced keys are not among the former ones")


def _check_signed(candidate: SignedRoster, by: Roster, whose: str) -> None:
    """Refuse a roster that too few of the officers of ``by`` signed."""
    have = len(signers(candidate, by.officers))
    if have < by.threshold:
        raise RosterUndersigned(reason=whose, have=have, need=by.threshold)


def _holds(keys: PublicKeys, given: OfficerSignature, data: bytes) -> bool:
    """Say whether a signature verifies."""
    try:
        verify(keys, given.signature, data)
    except SignatureInvalid:
        return False
    return True
