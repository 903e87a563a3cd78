"""How a program (edge node, control plane) lives as processes: a supervisor holds the sockets, a worker serves.

What other parts use: :func:`supervise` (``homeport edge run``), :func:`ask_restart`, :func:`ask_stop` and
:func:`status` (``restart|stop|status``), :class:`Wanted` listeners and :class:`Timing`.  The worker itself is the
module ``shared.process.worker``, always a fresh interpreter.  README.md draws a restart.
"""

from shared.process.contract import NodeStatus, Timing
from shared.process.control import ask_restart, ask_stop, status
from shared.process.listen import Wanted
from shared.process.supervisor import supervise

__all__ = ["NodeStatus", "Timing", "Wanted", "ask_restart", "ask_stop", "status", "supervise"]
