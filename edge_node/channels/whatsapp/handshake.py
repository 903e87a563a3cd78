"""The callback handshake: Meta's unsigned GET when a callback address or its verify token is set.

Source: "Create a webhook endpoint" (WhatsApp Business Platform, 2026-04-21): ``hub.mode=subscribe``,
``hub.verify_token`` as entered at Meta, and ``hub.challenge`` to be echoed in a 200 response.  The request carries no
signature, so it must not pass through the signature check; the token is all that proves it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from shared.errors import HandshakeRefused

CHALLENGE_BYTES_MAX = 256
"""Meta's challenges are about ten digits; more than this nobody needs echoed."""

_CHALLENGE = re.compile(rf"[A-Za-z0-9_.-]{{1,{CHALLENGE_BYTES_MAX}}}", re.ASCII)


def answer(query: Mapping[str, str], tokens: Sequence[bytes]) -> str:
    """Return the challenge to echo, as ``text/plain``.

    ``query`` holds the decoded query parameters, ``tokens`` the account's verify tokens (two during rotation; an
    empty one matches nothing).  Raises ``HandshakeRefused``, the same whatever is wrong: another mode, a token that
    does not match, or a challenge of other characters than letters, digits, ``_``, ``.`` and ``-``, which could be
    read as HTML where it is echoed.
    """
    # Digests are compared, so that neither a token's content nor its length shows in the time taken.
    given = _digest(query.get("hub.verify_token", "").encode("utf-8", "surrogatepass"))
    matched = False
    for token in tokens or (b"",):
        matched |= hmac.compare_digest(_digest(token), given) and token != b""
    challenge = query.get("hub.challenge", "")
    if not matched or query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        raise HandshakeRefused()
    return challenge


def _digest(value: bytes) -> bytes:
    """Return the SHA-256 of a value, of one length for all."""
    return hashlib.sha256(value).digest()
