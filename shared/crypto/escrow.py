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
    """Put shares together, as many as are needed or more; a share given twice counts once.

    ``EscrowInvalid`` says what is wrong: too few, one that is mistyped (``share`` in the details counts from 1), or of
    different secrets.  Each share beyond those needed is put together with the first ones: all of them are tried.
    """
    given = {(each.identifier, each.index): each for each in map(_read, range(1, len(shares) + 1), shares)}
    found = list(given.values())
    if len({each.identifier for each in found}) > 1:
        raise EscrowInvalid(reason="the shares are of different escrows")
    needed = found[0].member_threshold if found else 1
    if len(found) < needed:
        raise EscrowInvalid(reason=f"too few shares: {len(found)} different ones of the {needed} needed")
    common, secrets = found[: needed - 1], set[bytes]()
    for each in found[needed - 1 :]:
        try:
            secrets.add(shamir_mnemonic.combine_mnemonics([one.mnemonic() for one in [*common, each]]))
        except (shamir_mnemonic.MnemonicError, ValueError, IndexError):
            raise EscrowInvalid(reason="the shares are of different escrows") from None
    if len(secrets) != 1 or {len(secret) for secret in secrets} != {_SECRET_BYTES}:
        raise EscrowInvalid(reason="the shares are no escrow's")
    return _key_of(secrets.pop())


def _read(number: int, words: str) -> shamir_mnemonic.Share:
    """Read a share; its checksum finds a wrong word, and the error says in which share alone."""
    try:
        return shamir_mnemonic.Share.from_mnemonic(" ".join(words.lower().split()))
    except (shamir_mnemonic.MnemonicError, ValueError, IndexError):
        raise EscrowInvalid(
            share=number, reason="a word of this share is wrong or missing, or it is no share"
        ) from None


def _key_of(secret: bytes) -> SealingKey:
    """Derive the key to open with."""
    return SealingKey(HKDFExpand(algorithm=SHA256(), length=SEED_BYTES, info=labels.ESCROW_SEED).derive(secret))
