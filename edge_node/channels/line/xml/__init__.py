"""LINE webhooks that come through an integration bus as XML: who sent it, and what is in it.

``signature`` checks the bus, ``reader`` takes the document apart, ``writer`` makes one to show a bus's developer,
``mapping`` is what the two agree on, ``line-webhook.xsd`` states it for others.
"""

from collections.abc import Sequence

from edge_node.channels.contract import BusForm, Enclosed
from edge_node.channels.line.xml import reader, signature


class LineXml:
    """LINE's webhooks as XML, as a :class:`~edge_node.channels.contract.BusForm`."""

    content_types = frozenset({b"application/xml", b"text/xml"})
    signature_header = signature.HEADER

    def verify(self, secrets: Sequence[bytes], body: bytes, signature_value: bytes | None) -> bool:
        """Say whether the bus signed ``body`` with one of ``secrets``."""
        return signature.verify(secrets, body, signature_value)

    def open(self, body: bytes) -> Enclosed:
        """Take a verified document apart."""
        return reader.read(body)


LINE_XML: BusForm = LineXml()
"""The form; it has no state."""

__all__ = ["LINE_XML"]
