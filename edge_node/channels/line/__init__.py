"""LINE Messaging API, inbound: webhooks of one channel (a LINE Official Account) to canonical events.

``signature`` checks where a body comes from, ``payloads`` and ``payload_messages`` are its structs as the vendor sends
them, ``normalise`` turns them into canonical events.
"""

from collections.abc import Sequence

from edge_node.channels.contract import Channel
from edge_node.channels.line import normalise, signature
from shared.message import Event


class Line:
    """LINE as a :class:`~edge_node.channels.contract.Channel`."""

    name = "line"
    signature_header = signature.HEADER

    def verify(self, secrets: Sequence[bytes], body: bytes, signature_value: bytes | None) -> bool:
        """Say whether LINE signed ``body`` for a channel with one of ``secrets``."""
        return signature.verify(secrets, body, signature_value)

    def parse(self, body: bytes) -> list[Event]:
        """Turn a verified body into canonical events, in order."""
        return normalise.parse(body)


LINE: Channel = Line()
"""The channel; it has no state."""

__all__ = ["LINE"]
