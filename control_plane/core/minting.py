"""Secrets that are shown once: minted from the control plane's mint key and the id of what they are for.  Pure.

Only a digest of a token's secret is kept, and of a hook's secret nothing.  Minting instead of drawing lets the same
request (by its Idempotency-Key) be answered the same, and a hook's deliveries be signed, without any secret in the
store: a copy of the database alone lets nobody in.  Nothing is sealed under a minted secret.
"""

import base64
import hashlib
import hmac
from typing import Literal

Purpose = Literal["access", "enrolment", "hook"]
MINT_KEY_BYTES = 32
_TOKEN_PREFIX = "homeport-token-"  # noqa: S105 - the public part of every token, not a secret
_HOOK_PREFIX = "whsec_"


def mint(key: bytes, purpose: Purpose, id_: str) -> bytes:
    """Give the secret of something: 32 bytes that nobody computes without the mint key (HMAC-SHA256)."""
    return hmac.digest(key, f"homeport/mint/1\0{purpose}\0{id_}".encode(), hashlib.sha256)


def digest(secret: bytes) -> str:
    """Give the digest by which a secret is found; it has 256 bits of chance, so that no slow hash is needed."""
    return hashlib.sha256(secret).hexdigest()


def write_access(secret: bytes) -> str:
    """Write an access token: one line of visible ASCII."""
    return _TOKEN_PREFIX + base64.urlsafe_b64encode(secret).decode("ascii").rstrip("=")


def read_access(text: str) -> bytes | None:
    """Give an access token's secret, ``None`` where the text is none."""
    body = text.removeprefix(_TOKEN_PREFIX)
    if body == text or len(body) != 43 or not body.isascii():
        return None
    try:
        return base64.b64decode(body + "=", altchars=b"-_", validate=True)
    except ValueError:
        return None


def write_hook(secret: bytes) -> str:
    """Write a hook's secret as Standard Webhooks does (specification 1.0, "Signature scheme")."""
    return _HOOK_PREFIX + base64.b64encode(secret).decode("ascii")
