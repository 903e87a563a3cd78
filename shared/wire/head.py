"""Heads: the control plane's signed statement that a policy bundle is the newest one it knows.

A head keeps a node fresh, and tells it what to fetch.  What a bundle says is believed by the officers' signatures on it
alone; whoever holds the control plane's keys can hold a newer bundle back, and can neither make nor change one.
"""

import msgspec

from shared import canonical
from shared.crypto.dsse import Envelope, open_envelope, sign_envelope
from shared.crypto.signing import PublicKeys, SigningKeys
from shared.errors.policy import BundleHeadRefused
from shared.errors.trust import NotCanonical, SignatureInvalid
from shared.wire.types import BundleVersion, Digest, Milliseconds

HEAD_TYPE = "application/vnd.homeport.policy-head.v1+json"
"""Payload type of a head's envelope; another form of head is another type."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle is the newest one."""

    version: BundleVersion
    hash: Digest
    """Of the bundle's canonical bytes, its name among them."""
    stated_at: Milliseconds
    """By the control plane's clock; a head that is stated again is a new one."""


def sign_head(keys: SigningKeys, head: Head) -> Envelope:
    """State, as the control plane, that a bundle is the newest one."""
    return sign_envelope(keys, HEAD_TYPE, canonical.encode(head))


def open_head(envelope: Envelope, public: PublicKeys) -> Head:
    """Give what ``public``'s owner states; ``BundleHeadRefused`` where it did not."""
    try:
        return canonical.decode(Head, open_envelope(envelope, HEAD_TYPE, public))
    except (SignatureInvalid, NotCanonical):
        raise BundleHeadRefused(reason="not signed by the control plane of the roster") from None
