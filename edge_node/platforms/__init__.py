"""Asking the platforms: the one folder of a node that opens HTTP client connections.

Must never: send a token to another address than the platform's, follow a redirect, read without bound, or let a
token, an identifier or an answer's words into an exception.
"""

from edge_node.platforms.client import PlatformClient
from edge_node.platforms.line import LineProbe
from edge_node.platforms.whatsapp import WhatsAppProbe

__all__ = ["LineProbe", "PlatformClient", "WhatsAppProbe"]
