"""Is an XML body from the account's integration bus?  The header ``X-Homeport-Signature`` covers the raw body.

The form is Homeport's own: ``sha256=`` and the 64 lower-case hexadecimal digits of HMAC-SHA256 (RFC 2104, FIPS 180-4)
over every byte of the XML as sent, with a secret that only the bus and this node share.  There is no time in it: it
proves where a body comes from and never freshness; doubles are found by LINE's ``webhookEventId``.
"""

import hmac
from collections.abc import Sequence

HEADER = b"x-homeport-signature"
"""The header's name in lower case."""


def sign(secret: bytes, body: bytes) -> bytes:
    """Return the header value that a bus sends with ``body``: 71 bytes."""
    return b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode()


def verify(secrets: Sequence[bytes], body: bytes, signature: bytes | None) -> bool:
    """Say whether one of ``secrets`` made ``signature`` over exactly ``body``; never raises.

    Every secret is tried, and without any the same work is done over a placeholder: the time taken depends on the
    body's length and the number of secrets only.  The text is compared, which admits one spelling of a signature.  An
    empty secret matches nothing, since anyone can sign with it.
    """
    given = signature or b""
    matched = False
    for secret in secrets or (b"",):
        matched |= hmac.compare_digest(sign(secret, body), given) and secret != b""
    return matched
