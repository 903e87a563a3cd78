"""Every channel a node can receive from, by the name that stands in addresses and accounts.

To add one: make its folder beside the others, and enter it here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from edge_node.channels.contract import Channel
from edge_node.channels.line import LINE
from edge_node.channels.whatsapp import WHATSAPP

CHANNELS: Mapping[str, Channel] = MappingProxyType({"line": LINE, "whatsapp": WHATSAPP})
