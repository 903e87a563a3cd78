"""A page of the catalogue of errors: what can go wrong between two programs that do not trust blindly.

::

    CallerError         the request is wrong; sending it again unchanged cannot help
    ├── RequestRefused          401  not signed by a program of the roster, or not as the house signs
    ├── RequestReplayed         401  signed, but seen before
    ├── WireMalformed           400  none of the closed set of messages, or not of its form
    ├── ProtocolTooOld          400  a protocol version this program no longer understands
    └── ProtocolTooNew          400  a protocol version this program does not understand yet
    OperatorError       an operator or officer can mend it
    ├── KeyFileInvalid
    ├── KeyStoreLost            a content store without its key store
    ├── ContentStoreLost        a key store without its content store
    ├── TokenMalformed          the text is no enrolment token
    ├── RosterMalformed         the file is no roster
    ├── RosterRootUnknown       other officers than those this program was told of
    ├── RosterUndersigned       too few of the officers in force signed
    ├── RosterOlder             a lower version than the one in force
    ├── RosterConflict          the version in force, but other bytes
    ├── RosterContradicts       names or keys twice, or no officer, or an impossible threshold
    ├── RosterKeyReturns        a key of a retired node is in use again
    ├── RosterNameUnknown       nobody of that name is in the roster
    └── RosterCompanyChanged    a roster of another company
    IntegrityError      alert, never guess
    ├── AnswerRefused           an answer is not signed by whom it claims, for the request that was sent
    ├── SignatureInvalid        a lasting signature does not verify under the keys it claims
    └── NotCanonical            signed bytes are not in the one form that may be signed

``reason`` in the details is one of the codes of the module that raises it; it goes to the log of the program that
refused, and never into an answer: the difference is of use only to a forger.
"""

from shared.errors import CallerError, IntegrityError, OperatorError


class RequestRefused(CallerError):
    """The request is not signed by a program that this one knows, in the way the house signs."""

    code = "request_refused"
    status = 401
    remedy = "Check the clocks of both machines, and that the roster in force at both names the sender's key."


class RequestReplayed(CallerError):
    """The request is signed, but the same one was received before."""

    code = "request_replayed"
    status = 401
    remedy = "Sign it again with a fresh nonce."


class WireMalformed(CallerError):
    """The message is none of the closed set, or not of its form."""

    code = "wire_malformed"
    remedy = "Send what shared/wire defines; both programs must be releases that speak the same protocol."


class ProtocolTooOld(CallerError):
    """The message is of a protocol version that this program no longer understands."""

    code = "protocol_too_old"
    remedy = "Install a later release where the message comes from."


class ProtocolTooNew(CallerError):
    """The message is of a protocol version that this program does not understand yet."""

    code = "protocol_too_new"
    remedy = "Install a later release where the message is read, or let the sender speak an older version."


class KeyFileInvalid(OperatorError):
    """A key file cannot be read, is damaged, is open to others, or the passphrase is wrong."""

    code = "key_file_invalid"
    remedy = "Mend what the reason names: path, passphrase, mode 0600; what exists already is never overwritten."


class KeyStoreLost(OperatorError):
    """There is a content store, but the key store that belongs to it is not there."""

    code = "key_store_lost"
    remedy = "Put keys.db back; if it is lost, move content.db away, then homeport edge restore (edge_node/BACKUP.md)."


class ContentStoreLost(OperatorError):
    """There is a key store that was in use, but its content store is not there."""

    code = "content_store_lost"
    remedy = "Put it back, or correct the setting; if it is lost: homeport edge restore (edge_node/BACKUP.md)."


class TokenMalformed(OperatorError):
    """The text is no enrolment token, or not a whole one."""

    code = "token_malformed"
    remedy = "Copy the whole line that homeport control token printed."


class RosterMalformed(OperatorError):
    """The file is no roster or introduction, or not of the form of this release."""

    code = "roster_malformed"
    remedy = "Check the path; a roster comes from the officer who signed it, an introduction from whom it names."


class RosterRootUnknown(OperatorError):
    """The roster's officers are not those whose fingerprint this program was given."""

    code = "roster_root_unknown"
    remedy = "Compare the fingerprint with an officer by voice, then take the right roster or the right fingerprint."


class RosterUndersigned(OperatorError):
    """Too few officers signed the roster."""

    code = "roster_undersigned"
    remedy = "Have more officers sign it with homeport roster sign; homeport roster show says who has."


class RosterOlder(OperatorError):
    """The roster's version is lower than the one in force."""

    code = "roster_older"
    remedy = "Take the newest roster; versions only rise."


class RosterConflict(OperatorError):
    """The roster has the version in force, but other content."""

    code = "roster_conflict"
    remedy = "Two rosters were made from one: decide which holds, and make the other's change again on top of it."


class RosterContradicts(OperatorError):
    """The roster contradicts itself."""

    code = "roster_contradicts"
    remedy = "Correct what the reason names; names and keys occur once, and the threshold can be reached."


class RosterKeyReturns(OperatorError):
    """A node that was retired, or its key, is back in the roster."""

    code = "roster_key_returns"
    remedy = "Give the node a new name and new keys: what was retired stays retired."


class RosterNameUnknown(OperatorError):
    """Nobody of that name is in the roster."""

    code = "roster_name_unknown"
    remedy = "homeport roster show lists everybody who is."


class RosterCompanyChanged(OperatorError):
    """The roster is of another company."""

    code = "roster_company_changed"
    remedy = "Take the roster of the company whose officers this program was told of."


class AnswerRefused(IntegrityError):
    """The answer is not signed by the program that was asked, for the request that was sent."""

    code = "answer_refused"
    remedy = "Nothing of it was used. Check the clocks, the address, and what stands between the two programs."


class SignatureInvalid(IntegrityError):
    """A signature does not verify under the keys it claims, or a half of it is missing."""

    code = "signature_invalid"
    remedy = "Nothing of it was used. Find out where the document was changed."


class NotCanonical(IntegrityError):
    """Signed bytes are not in the one form that may be signed."""

    code = "not_canonical"
    remedy = "Nothing of it was used. Take the document as it was signed; do not reformat it."
