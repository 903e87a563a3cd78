"""Is a webhook from LINE?  The header ``x-line-signature`` covers the raw body.

Source: Messaging API, "Verify webhook signature" (LINE documentation as of 2026-08-07): base64 of HMAC-SHA256
(RFC 2104, FIPS 180-4) with the channel secret as key.  There is no time stamp in it, so a signature proves origin and
never freshness; doubles are found by ``webhookEventId``.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence

HEADER = b"x-line-signature"
"""The header's name in lower case; the platform may change its capitals without notice."""


def sign(secret: bytes, body: bytes) -> bytes:
    """Return the header value that LINE sends with ``body``: 44 bytes of base64."""
    return b64encode(hmac.digest(secret, body, "sha256"))


def verify(secrets: Sequence[bytes], body: bytes, signature: bytes | None) -> bool:
    """Say whether one of ``secrets`` made ``signature`` over exactly ``body``; never raises.

    LINE ends a secret the moment a new one is issued, so an operator enters the new one beside the old one first.
    Every secret is tried, and without any the same work is done over a placeholder: the time taken depends on the
    body's length and the number of secrets only.  The encoded text is compared, which admits one spelling of a
    signature (lenient base64 would admit many).  An empty secret matches nothing, since anyone can sign with it.
    """
    given = signature or b""
    matched = False
    for secret in secrets or (b"",):
        matched |= hmac.compare_digest(sign(secret, body), given) and secret != b""
    return matched
