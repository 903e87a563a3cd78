"""A key that m of n people hold together: shares of a secret (Shamir), as words that can be written on paper.

Shares are SLIP-0039 mnemonics of a 256-bit secret: 33 words each, with a checksum; fewer than ``needed`` of them say
nothing about the secret.  From the secret a key to open with is derived (HKDF-Expand, SHA-256), so that whoever seals
needs the public half alone.  The splitting draws on the library's own randomness (:mod:`secrets`).
"""

import shamir_mnemonic
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shared.crypto import labels
from shared.crypto.hpke import SEED_BYTES, SealingKey
from shared.entropy import Entropy
from shared.errors.custody import EscrowInvalid

MEMBERS_MAX = 16
"""Most shares of one secret (SLIP-0039)."""

_SECRET_BYTES = 32


def draw_escrow(needed: int, shares: int, entropy: Entropy) -> tuple[SealingKey, list[str]]:
    """Draw a key and give it with its shares; ``EscrowInvalid`` for numbers that make no sense.

    One share of several would make each holder the only one; SLIP-0039 refuses it as well.
    """
    if not 1 <= needed <= shares <= MEMBERS_MAX or (needed == 1 and shares > 1):
        raise EscrowInvalid(reason=f"2 to {MEMBERS_MAX} shares of which at least 2 are needed, or one of one")
    secret = entropy.draw(_SECRET_BYTES)
    (words,) = shamir_mnemonic.generate_mnemonics(1, [(needed, shares)], secret)
    return _key_of(secret), list(words)


def open_escrow(shares: list[str]) -> SealingKey:
    """Put shares together; ``EscrowInvalid`` where they are too few, mistyped, or of different secrets."""
    try:
        secret = shamir_mnemonic.combine_mnemonics([" ".join(share.lower().split()) for share in shares])
    except (shamir_mnemonic.MnemonicError, ValueError, IndexError):
        raise EscrowInvalid(
            reason="too few shares, a word that is wrong, or shares that do not belong together"
        ) from None
    if len(secret) != _SECRET_BYTES:
        raise EscrowInvalid(reason="shares of something else")
    return _key_of(secret)


def _key_of(secret: bytes) -> SealingKey:
    """Derive the key to open with."""
    return SealingKey(HKDFExpand(algorithm=SHA256(), length=SEED_BYTES, info=labels.ESCROW_SEED).derive(secret))
