"""A page of the catalogue of errors: what stands in the way of a program's own process.

::

    OperatorError
    └── NodeRunning             another process has this data_dir
"""

from shared.errors import OperatorError


class NodeRunning(OperatorError):
    """A node or control plane runs on this data_dir."""

    code = "node_running"
    remedy = "Nothing was done. Stop it first (homeport edge stop, homeport control stop), or correct data_dir."
