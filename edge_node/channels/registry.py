"""Every channel a node can receive from, by the name that stands in addresses and accounts; and forms of buses.

To add one: make its folder beside the others, and enter it here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from edge_node.channels.contract import BusForm, Channel
from edge_node.channels.line import LINE
from edge_node.channels.line.xml import LINE_XML
from edge_node.channels.whatsapp import WHATSAPP

CHANNELS: Mapping[str, Channel] = MappingProxyType({"line": LINE, "whatsapp": WHATSAPP})

BUS_FORMS: Mapping[str, BusForm] = MappingProxyType({"line": LINE_XML})
"""Channels whose webhooks may also come through an integration bus, with the form they have then."""
