"""Asking other nodes: the one folder of a node that opens connections to them.

Must never: follow a redirect, use a proxy of the environment, believe an answer that the asked node did not sign for
this very request, or let anything of a request or an answer into an exception.
"""

from edge_node.relay.client import RelayClient

__all__ = ["RelayClient"]
