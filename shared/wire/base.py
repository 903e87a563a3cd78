"""What every message of the wire has: a tag, a protocol version; and which versions this release understands.

Reading is tolerant within a version: members that this release does not know are ignored and never kept, so that a
later release may add optional ones.  A change that an older reader would misunderstand raises ``PROTOCOL``; when this
release no longer reads a version, ``PROTOCOL_OLDEST`` rises.  Receipts are read strictly: they are signed as bytes, and
their payload type carries a version of its own.
"""

import msgspec

from shared.errors.trust import ProtocolTooNew, ProtocolTooOld
from shared.wire.types import ProtocolVersion

PROTOCOL = 1
"""The version this release speaks."""
PROTOCOL_OLDEST = 1
"""The oldest version this release still understands."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A message of the wire; each has a tag ``direction.name``."""

    protocol: ProtocolVersion
    """The version the message is written in."""


def check_protocol(protocol: int) -> None:
    """Refuse a message of a version this release does not read: ``ProtocolTooOld`` or ``ProtocolTooNew``."""
    if protocol < PROTOCOL_OLDEST:
        raise ProtocolTooOld(protocol=protocol, oldest=PROTOCOL_OLDEST)
    if protocol > PROTOCOL:
        raise ProtocolTooNew(protocol=protocol, newest=PROTOCOL)


def agree(protocol: int, oldest: int) -> int:
    """Give the highest version that this release and a peer (which reads ``oldest`` to ``protocol``) both speak.

    ``ProtocolTooOld`` where the peer's newest is below our oldest, ``ProtocolTooNew`` where its oldest is above our
    newest.
    """
    if oldest > PROTOCOL:
        raise ProtocolTooNew(protocol=oldest, newest=PROTOCOL)
    spoken = min(protocol, PROTOCOL)
    check_protocol(spoken)
    return spoken
