"""The one-time token by which a node is enrolled: what an operator carries from the control plane to the node.

It is one line of text: ``homeport-enrol-1.`` and the base64url of canonical bytes.  It names the control plane's
address, the fingerprints of the control plane's keys and of the roster's root, and holds a secret that is good once.
Whoever has it can ask to be taken in as a node and nothing more: officers still have to sign a roster that names it.
"""

import base64
import binascii

import msgspec

from shared import canonical
from shared.crypto.signing import Fingerprint
from shared.trust_errors import NotCanonical
from shared.uplink_errors import TokenInvalid
from shared.wire.types import Address, Milliseconds, OneTimeSecret

PREFIX = "homeport-enrol-1."
TOKEN_CHARACTERS_MAX = 2_048
"""A token is a few hundred characters; what is longer is none."""


class EnrolmentToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says."""

    address: Address
    """Where the control plane answers."""
    control: Fingerprint
    """Of the control plane's signing keys: :func:`shared.crypto.signing.fingerprint`."""
    root: Fingerprint
    """Of the roster's root: its officers and threshold."""
    secret: OneTimeSecret
    expires_at: Milliseconds


def write_token(token: EnrolmentToken) -> str:
    """Give the token as a line of text."""
    return PREFIX + base64.urlsafe_b64encode(canonical.encode(token)).decode().rstrip("=")


def read_token(text: str) -> EnrolmentToken:
    """Read a token; ``TokenInvalid`` for anything else."""
    line = text.strip()
    if not line.startswith(PREFIX) or len(line) > TOKEN_CHARACTERS_MAX:
        raise TokenInvalid(reason="form")
    body = line.removeprefix(PREFIX)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return canonical.decode(EnrolmentToken, data)
    except (binascii.Error, ValueError, NotCanonical):
        raise TokenInvalid(reason="form") from None
