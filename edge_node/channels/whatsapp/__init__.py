"""The WhatsApp channel: what Meta's Cloud API sends to a node, verified and turned into canonical events.

Shapes in: the raw body (at most 3 MB, 1,000 updates) and the header ``X-Hub-Signature-256``.  Out: a list of
:data:`shared.message.Event`.  ``handshake`` answers the unsigned GET that Meta sends when an address is set.
"""

from collections.abc import Sequence

from edge_node.channels.contract import Channel
from edge_node.channels.whatsapp.normalise import parse
from edge_node.channels.whatsapp.signature import HEADER, verify
from shared.message import Event


class _WhatsApp:
    """Meta's Cloud API as a channel."""

    name = "whatsapp"
    signature_header = HEADER

    def verify(self, secrets: Sequence[bytes], body: bytes, signature: bytes | None) -> bool:
        """Say whether one of ``secrets`` made ``signature`` over ``body``; never raises."""
        return verify(secrets, body, signature)

    def parse(self, body: bytes) -> list[Event]:
        """Turn a verified body into events; raises ``BodyMalformed``, ``TooManyUpdates``."""
        return parse(body)


WHATSAPP: Channel = _WhatsApp()
"""The channel, as the registry lists it."""

__all__ = ["WHATSAPP"]
