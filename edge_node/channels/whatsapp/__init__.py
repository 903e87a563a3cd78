"""The WhatsApp channel: what Meta's Cloud API sends to a node, verified and turned into canonical events.

Shapes in: the raw body (at most 3 MB, 1,000 updates) and the header ``X-Hub-Signature-256``.  Out: a list of
:data:`shared.message.Event`.  ``handshake`` answers the unsigned GET that Meta sends when an address is set.
"""

from collections.abc import Sequence

from edge_node.channels.contract import Channel
from edge_node.channels.whatsapp import normalise, signature
from shared.message import Event


class _WhatsApp:
    """Meta's Cloud API as a channel."""

    name = "whatsapp"
    signature_header = signature.HEADER

    def verify(self, secrets: Sequence[bytes], body: bytes, signature_value: bytes | None) -> bool:
        """Say whether one of ``secrets`` made the header's value over ``body``; see :func:`signature.verify`."""
        return signature.verify(secrets, body, signature_value)

    def parse(self, body: bytes) -> list[Event]:
        """Turn a verified body into events; raises ``BodyMalformed``, ``TooManyUpdates``; :func:`normalise.parse`."""
        return normalise.parse(body)


WHATSAPP: Channel = _WhatsApp()
"""The channel, as the registry lists it."""

__all__ = ["WHATSAPP"]
