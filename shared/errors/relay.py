"""The part of the catalogue of errors about asking another node: reaching it, being shown something, views.

::

    OperatorError
    ├── NodeUnknown         409  the roster in force has no such active node with a relay address
    └── ViewFailed               a command's view could not be opened; the node's code says why
    CallerError
    ├── ShowingRefused      403  the asked node's rules say no; the rule is named
    ├── ViewUnknown         404  no such view, or it is closed
    └── DeskRefused         401  no or a wrong desk token
    BusyError
    ├── NodeUnreachable     503  the other node did not answer, or not in time
    └── RetractionPending   503  ordered, and not carried out in the time one waits for it
"""

from shared.errors import BusyError, CallerError, OperatorError


class NodeUnknown(OperatorError):
    """The roster in force names no active node of that name with a relay address."""

    code = "node_unknown"
    status = 409
    remedy = "Check the name; homeport roster show lists nodes and where their relay listeners are."


class ViewFailed(OperatorError):
    """The view could not be opened or went away."""

    code = "view_failed"
    remedy = "The reason is the node's own code for it; its log says more. Check that relay.desk_listen is set."


class ShowingRefused(CallerError):
    """The node that was asked does not show this."""

    code = "showing_refused"
    status = 403
    remedy = "The rule says why; homeport policy explain says whom a policy lets see what, and for which purpose."


class ViewUnknown(CallerError):
    """There is no such view, or it is closed."""

    code = "view_unknown"
    status = 404
    remedy = "Open it again."


class DeskRefused(CallerError):
    """The request does not carry the desk token."""

    code = "desk_refused"
    status = 401
    remedy = "Send it as a bearer token; it lies in desk.token in the node's data_dir."


class NodeUnreachable(BusyError):
    """The other node did not answer, or not in time, or could not take it now."""

    code = "node_unreachable"
    remedy = "Repeat it; if it lasts, check the other node's relay listener, its address in the roster, both clocks."


class RetractionPending(BusyError):
    """What was shown is withheld from every view, and its key is not destroyed yet."""

    code = "retraction_pending"
    remedy = "Repeat it; if it lasts, the log says why removal does not go on."
