"""Deliveries to hooks: how one is signed, when it is tried again, what an answer means.  Pure.

Source: Standard Webhooks, specification 1.0.0 (github.com/standard-webhooks/standard-webhooks): headers
``webhook-id``, ``webhook-timestamp`` (seconds) and ``webhook-signature`` (``v1,`` and base64 of HMAC-SHA256 over id,
timestamp and body, joined by dots).
"""

import base64
import hashlib
import hmac
from typing import Literal

WAIT_MS_MAX = 24 * 3_600_000
"""Longest wait between two attempts: a day."""

Outcome = Literal["delivered", "gone", "given_up", "waiting"]


def message_id(hook: str, event: int) -> str:
    """Give the name of a delivery, the same at every attempt, by which a receiver knows it again."""
    return f"msg_{hook}_{event}"


def signed_headers(secret: bytes, id_: str, at_seconds: int, body: bytes) -> dict[str, str]:
    """Give the three headers of a delivery."""
    content = b"%b.%d.%b" % (id_.encode("ascii"), at_seconds, body)
    signature = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode("ascii")
    return {"webhook-id": id_, "webhook-timestamp": str(at_seconds), "webhook-signature": f"v1,{signature}"}


def wait_ms(attempts: int, first_seconds: float) -> int:
    """Give how long to wait after so many failed attempts: doubling from the first to a day."""
    return min(WAIT_MS_MAX, int(first_seconds * 1000 * 2 ** min(attempts - 1, 40)))


def outcome_of(status: int | None, attempts: int, attempts_max: int) -> Outcome:
    """Say what an attempt came to; ``status`` is ``None`` where there was no answer.

    Any 2xx is a success, 410 ends the hook, everything else (redirects, too) is tried again.
    """
    if status is not None and 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    return "given_up" if attempts >= attempts_max else "waiting"
