"""The third page of the catalogue of errors: what can go wrong between a node and its control plane.

::

    OperatorError       an operator can mend it
    ├── ControlUnknown          the program that answers is not the one the enrolment token names
    ├── TokenExpired            the enrolment token's time is over
    ├── NotEnrolled             the node stands alone; it was never enrolled
    ├── EnrolledElsewhere       the node is enrolled already, with another control plane
    ├── SubjectUnknown    404   nobody of that pseudonym is at this node
    └── IdentifierInvalid       what is searched for is no phone number, LINE user id or BSUID
    BusyError           later will do
    └── ControlUnreachable      the control plane gave no answer that can be believed
    IntegrityError      alert, never guess
    └── ControlRefused          the control plane refused what a node sent: its word is signed
"""

from shared.errors import BusyError, IntegrityError, OperatorError


class ControlUnknown(OperatorError):
    """The program that answers there is not the control plane that the token names."""

    code = "control_unknown"
    remedy = "Nothing was sent to it but a question. Take a fresh token; compare the fingerprints by voice."


class TokenExpired(OperatorError):
    """The enrolment token's time is over."""

    code = "token_expired"
    remedy = "Take a fresh one at the control plane: homeport control token."


class TokenUnaccepted(OperatorError):
    """The control plane does not take this node in by this token."""

    code = "token_unaccepted"
    remedy = (
        "Each token enrols one node, once. Take a fresh one at the control plane (homeport control token), and see"
        " that this machine's clock is right."
    )


class NotEnrolled(OperatorError):
    """This node is not enrolled with a control plane."""

    code = "not_enrolled"
    remedy = "homeport edge enrol --help."


class EnrolledElsewhere(OperatorError):
    """This node is enrolled already, with another control plane, root, name or keys."""

    code = "enrolled_elsewhere"
    remedy = "A node keeps its control plane and its name for life; set up a new node for another one."


class SubjectUnknown(OperatorError):
    """Nobody of that pseudonym is at this node, or no more."""

    code = "subject_unknown"
    status = 404
    remedy = "Check the pseudonym; homeport edge find gives the one of an identifier."


class IdentifierInvalid(OperatorError):
    """The input is no phone number, LINE user id or WhatsApp user id."""

    code = "identifier_invalid"
    remedy = "Write a number with + and its country code (or give --country), or an id as the platform gives it."


class ControlUnreachable(BusyError):
    """The control plane did not answer, or not in a way that can be believed."""

    code = "control_unreachable"
    remedy = "Nothing is lost: a running node tells what waits when it answers again; a command can be repeated."


class ControlRefused(IntegrityError):
    """The control plane refused what this node sent."""

    code = "control_refused"
    remedy = "The answer's code says why; homeport edge status shows what waits."
