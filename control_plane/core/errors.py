"""A page of the catalogue of errors: what the control plane answers to nodes and programs.

::

    CallerError         the request is wrong; sending it again unchanged cannot help
    ├── RequestMalformed        400  not of the form that /schema states
    ├── TokenRefused            401  no token, or none that is in force
    ├── ScopeMissing            403  a token that may not do this
    ├── OwnProposal             403  four eyes: decided by the person who proposed it or whom it concerns
    ├── NotFound                404  nothing of that name
    ├── NotRegisteredYet        404  a pseudonym that no node has registered; retryable
    ├── NotKnownYet             404  a receipt for a case or command that is not here; retryable
    ├── RosterMissing           404  no roster is in force; retryable
    ├── Conflict                409  something of that name is there, or it was decided already
    ├── PolicyOvertaken         409  a bundle or roster came into force while one was compared; retryable
    ├── PseudonymClaimed        409  a pseudonym that another node registered first
    ├── ReceiptContradicts      409  another receipt was accepted for that command
    ├── ReceiptMisplaced        422  a receipt of another node, case, command or act
    ├── ReceiptUnsigned         422  a receipt that the node's keys in the roster did not sign
    ├── CursorInvalid           422  a cursor that this list did not give
    ├── KeyReused               422  an Idempotency-Key with another request
    └── RosterRefused           422  a roster that is not accepted; the reason is the code of why
    OperatorError
    └── RosterNamesOther   422  the roster's control plane has another address or other keys
"""

from shared.errors import CallerError, OperatorError


class RequestMalformed(CallerError):
    """The request is not of the form that the schema states."""

    code = "request_malformed"
    remedy = "Compare it with /schema; the field named is the first that differs."


class CursorInvalid(CallerError):
    """The cursor is none that this list gave."""

    code = "cursor_invalid"
    status = 422
    remedy = "Pass the value of next unchanged, or no cursor for the first page."


class TokenRefused(CallerError):
    """There is no bearer token, or it is not in force."""

    code = "token_refused"
    status = 401
    remedy = "Send Authorization: Bearer with a token that homeport control principal token made."


class ScopeMissing(CallerError):
    """The token may not do this."""

    code = "scope_missing"
    status = 403
    remedy = "Use a token with the scope named."


class OwnProposal(CallerError):
    """Four eyes: neither who proposed it nor whom it concerns decides it."""

    code = "own_proposal"
    status = 403
    remedy = "Let another person decide; another principal of the same person is the same person."


class NotFound(CallerError):
    """There is nothing of that name."""

    code = "not_found"
    status = 404
    remedy = "Look the name up in its list."


class NotRegisteredYet(CallerError):
    """No node has registered that pseudonym."""

    code = "not_registered_yet"
    status = 404
    retry = True
    remedy = "Repeat it after the node's next beat, within a minute; a pseudonym that is mistyped never comes."


class NotKnownYet(CallerError):
    """The receipt is for a case or command that is not here."""

    code = "not_known_yet"
    status = 404
    retry = True
    remedy = "Send the notice of the case first, then the receipt again."


class RosterMissing(CallerError):
    """No roster is in force."""

    code = "roster_missing"
    status = 404
    retry = True
    remedy = "Let officers sign a roster, then homeport control roster put."


class Conflict(CallerError):
    """It is there already, or was decided already."""

    code = "conflict"
    status = 409
    remedy = "Look at what is there; choose another name for something new."


class PolicyOvertaken(CallerError):
    """Another bundle or roster came into force while this bundle was compared with the one before."""

    code = "policy_overtaken"
    status = 409
    retry = True
    remedy = "Send it again: it is compared with what is in force now."


class PseudonymClaimed(CallerError):
    """Another node registered that pseudonym first."""

    code = "pseudonym_claimed"
    status = 409
    remedy = "Pseudonyms are drawn, so two nodes never draw one: find out why this node sends another's."


class ReceiptContradicts(CallerError):
    """Another receipt was accepted for that command."""

    code = "receipt_contradicts"
    status = 409
    remedy = "A command is done once and signed for once; the first receipt stands."


class ReceiptMisplaced(CallerError):
    """The receipt is of another node, or for another case, command or act than was asked."""

    code = "receipt_misplaced"
    status = 422
    remedy = "A node signs for its own commands only."


class ReceiptUnsigned(CallerError):
    """The receipt is not signed by the node that sends it, with keys that the roster names."""

    code = "receipt_unsigned"
    status = 422
    remedy = "Sign it with both halves of the node's keys, over the canonical bytes."


class KeyReused(CallerError):
    """The Idempotency-Key was used with another request."""

    code = "key_reused"
    status = 422
    remedy = "Draw a fresh key for every new request."


class RosterRefused(CallerError):
    """The roster is not accepted."""

    code = "roster_refused"
    status = 422
    remedy = "The reason names why; homeport roster show says who has signed and what changed."


class RosterNamesOther(OperatorError):
    """The roster's control plane has another address or other keys than this one."""

    code = "roster_names_other"
    status = 422
    remedy = "Let officers name this control plane: homeport control status shows its address and fingerprint."
