"""How a node lives as processes: one supervisor that holds the sockets, one worker that serves.

What other parts use: :func:`supervise` (``homeport edge run``), :func:`ask_restart`, :func:`ask_stop` and
:func:`status` (``homeport edge restart|stop|status``), and :class:`Timing`.  The worker itself is the module
``edge_node.process.worker``, always a fresh interpreter.  README.md draws a restart.
"""

from edge_node.process.contract import DEFAULT_APP, NodeStatus, Timing
from edge_node.process.control import ask_restart, ask_stop, status
from edge_node.process.supervisor import supervise

__all__ = ["DEFAULT_APP", "NodeStatus", "Timing", "ask_restart", "ask_stop", "status", "supervise"]
