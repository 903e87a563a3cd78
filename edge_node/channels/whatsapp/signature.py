"""Is a webhook from Meta?  The header ``X-Hub-Signature-256`` covers the raw body.

Source: "Create a webhook endpoint" (WhatsApp Business Platform, 2026-04-21): ``sha256=`` and the lower-case hex of
HMAC-SHA256 (RFC 2104, FIPS 180-4), keyed with the secret of the Meta app, also for overridden callbacks.  Meta signs
the bytes it sends, in which ``é`` is ``\\u00e9`` and ``@`` may be ``\\u0040``: a body that was parsed and written
again no longer matches.  There is no time stamp in it, so a signature proves origin and never freshness.
"""

import hmac
from collections.abc import Sequence

HEADER = b"x-hub-signature-256"
"""The header's name in lower case."""


def sign(secret: bytes, body: bytes) -> bytes:
    """Return the header value that Meta sends with ``body``: ``sha256=`` and 64 hex digits."""
    return b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode()


def verify(secrets: Sequence[bytes], body: bytes, signature: bytes | None) -> bool:
    """Say whether one of ``secrets`` made ``signature`` over exactly ``body``; never raises.

    Two secrets are valid while an app's secret is rotated.  Every secret is tried, and without any the same work is
    done over a placeholder: the time taken depends on the body's length and the number of secrets only.  The text is
    compared as it came, so each signature has one spelling.  An empty secret matches nothing, since anyone can sign
    with it.
    """
    given = signature or b""
    matched = False
    for secret in secrets or (b"",):
        matched |= hmac.compare_digest(sign(secret, body), given) and secret != b""
    return matched
