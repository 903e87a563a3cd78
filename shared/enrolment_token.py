"""The enrolment token: what an operator of the control plane gives to the operator of a new node, once, out of band.

It says where the control plane answers, by which fingerprint its keys are known, by which the officers' root is known,
and holds the one-time secret that proves the enrolment.  Whoever holds it can ask in the node's name until it is used
or its time is over; that the node is taken in, officers decide.  Pure.
"""

import base64
import binascii
from typing import Literal

import msgspec

from shared import canonical
from shared.crypto.signing import Fingerprint
from shared.errors.trust import NotCanonical, TokenMalformed
from shared.wire.types import Address, Milliseconds, NodeName, OneTimeSecret

_PREFIX = "homeport-enrol-1."
TOKEN_CHARACTERS_MAX = 4_096
"""A token is a line of some 500 characters; what is longer is none."""


class EnrolmentToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token holds."""

    format: Literal[1] = 1
    address: Address
    """Where the control plane answers nodes; also the authority that requests are signed for."""
    control_plane: Fingerprint
    """Of the control plane's signing keys."""
    root: Fingerprint
    """Of the officers who sign rosters."""
    node: NodeName
    """The only name that the node may enrol under."""
    secret: OneTimeSecret
    until: Milliseconds
    """When the token's time is over."""

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"EnrolmentToken(node={self.node!r})"


def write_token(token: EnrolmentToken) -> str:
    """Give the token as one line of visible ASCII characters without a space."""
    return _PREFIX + base64.urlsafe_b64encode(canonical.encode(token)).decode("ascii").rstrip("=")


def read_token(text: str) -> EnrolmentToken:
    """Read a token, blanks around it aside; ``TokenMalformed`` where it is none."""
    written = text.strip()
    if len(written) > TOKEN_CHARACTERS_MAX or not written.startswith(_PREFIX):
        raise TokenMalformed
    body = written.removeprefix(_PREFIX)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return canonical.decode(EnrolmentToken, data)
    except (binascii.Error, ValueError, NotCanonical):
        raise TokenMalformed from None
