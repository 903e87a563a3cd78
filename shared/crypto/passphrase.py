"""Seal private keys under a passphrase: scrypt (RFC 7914), then AES-256-GCM.

scrypt makes each guess cost time and memory; the cost lies beside what is sealed, so that it can rise without making
old files unreadable.  A wrong passphrase and a changed file look the same: ``SealBroken``.
"""

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shared.crypto.sealing import KEY_BYTES, Cipher

SALT_BYTES = 16
COST_LOG2 = 17
"""N = 2**17 with r = 8: 128 MiB and some tenths of a second, as OWASP's Password Storage Cheat Sheet asks for."""
COST_LOG2_MIN, COST_LOG2_MAX = 14, 20
"""What a file may ask for: less is no protection, more would be a way to exhaust the reader's memory."""


def cipher_of(passphrase: bytes, salt: bytes, cost_log2: int = COST_LOG2) -> Cipher:
    """Give the cipher of a passphrase; ``ValueError`` for a cost out of bounds."""
    if not COST_LOG2_MIN <= cost_log2 <= COST_LOG2_MAX:
        raise ValueError("the cost of scrypt is out of bounds")
    return Cipher(Scrypt(salt=salt, length=KEY_BYTES, n=2**cost_log2, r=8, p=1).derive(passphrase))
