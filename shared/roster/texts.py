"""Rosters and introductions as the JSON of a file: to bytes and back, strictly."""

from typing import Any, TypeVar

import msgspec

from shared.crypto.hpke import sealing_fingerprint
from shared.crypto.signing import PublicKeys, fingerprint, in_groups
from shared.errors.trust import RosterMalformed
from shared.roster.model import ControlPlane, Introduction, NodeIntroduction, Officer, SignedRoster, Witness
from shared.wire.parts import NodeKeys

FILE_BYTES_MAX = 16 * 1024 * 1024
"""A roster of a thousand nodes is some megabytes."""

I = TypeVar("I", Officer, ControlPlane, Witness, NodeIntroduction)  # noqa: E741 - the type variable of introductions

_signed = msgspec.json.Decoder(SignedRoster)
_introduction: msgspec.json.Decoder[Introduction] = msgspec.json.Decoder(Introduction)


def write(value: SignedRoster | Introduction) -> bytes:
    """Give the JSON of a file, indented, members sorted."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"


def read_signed(data: bytes) -> SignedRoster:
    """Read a roster with its signatures, none of which is checked here; ``RosterMalformed`` where it is none."""
    signed: SignedRoster = _read(_signed, data)
    return signed


def read_introduction(data: bytes, kind: type[I]) -> I:
    """Read an introduction of the expected kind; ``RosterMalformed`` where it is none."""
    value = _read(_introduction, data)
    if not isinstance(value, kind):
        raise RosterMalformed(reason="introduces something else")
    return value


def node_fingerprint(keys: NodeKeys) -> tuple[str, str]:
    """Give the fingerprints of a node's keys: those it signs with, and the one it opens with."""
    return fingerprint(PublicKeys(keys.ed25519, keys.mldsa65)), sealing_fingerprint(keys.hpke)


def grouped_node_fingerprints(keys: NodeKeys) -> tuple[str, str]:
    """Give both fingerprints as people compare them."""
    signing, sealing = node_fingerprint(keys)
    return in_groups(signing), in_groups(sealing)


def _read(decoder: msgspec.json.Decoder[Any], data: bytes) -> Any:
    """Decode; what is wrong is not repeated, since the file may not be what it should."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise RosterMalformed(reason="form") from None
