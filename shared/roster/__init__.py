"""The roster: who is an officer, the control plane, a node, a witness, and which change of that may be believed.

Pure: files are read and written by whoever calls (:mod:`shared.roster_commands` for officers).
"""

from shared.roster.model import (
    ControlPlane,
    Former,
    Introduction,
    Node,
    NodeIntroduction,
    Officer,
    OfficerSignature,
    Roster,
    SignedRoster,
    Witness,
)
from shared.roster.rules import CONTROL_PLANE, accept, accept_first, root_fingerprint, sign, signers
from shared.roster.texts import FILE_BYTES_MAX, read_introduction, read_signed, write

__all__ = [
    "CONTROL_PLANE",
    "FILE_BYTES_MAX",
    "ControlPlane",
    "Former",
    "Introduction",
    "Node",
    "NodeIntroduction",
    "Officer",
    "OfficerSignature",
    "Roster",
    "SignedRoster",
    "Witness",
    "accept",
    "accept_first",
    "read_introduction",
    "read_signed",
    "root_fingerprint",
    "sign",
    "signers",
    "write",
]
