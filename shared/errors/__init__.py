"""The catalogue of errors: every failure Homeport names.  This page has the kinds, and what a node can meet by itself.

Further pages, each with its own tree: ``trust`` (programs that do not trust each other blindly), ``uplink``, ``relay``,
``replying``, ``bus``, ``outgoing`` (addresses others name), ``media``, ``custody`` (keys), ``keeping`` (holds),
``policy``, ``clocks`` (calendars); the control plane's own: ``control_plane/core/errors.py``.

::

    HomeportError
    ├── CallerError         the request is wrong; sending it again unchanged cannot help
    │   ├── SignatureRefused        401  unknown account or bad signature, answered alike
    │   ├── BodyTooLarge            413  over the limit the platforms state
    │   ├── TooManyUpdates          413  over the number of updates one body may carry
    │   ├── BodyTooSlow             408  the body did not arrive in time
    │   ├── BodyMalformed           400  signed, but no JSON
    │   ├── EncodingRefused         415  a content encoding whose bytes the signature does not cover
    │   └── HandshakeRefused        403  verify token does not match
    ├── OperatorError       configuration or environment is wrong; an operator can mend it
    │   ├── SettingsInvalid
    │   ├── AccountUnknown
    │   ├── AccountExists
    │   ├── AccountInvalid
    │   ├── StoreMissing
    │   ├── MigrationChanged
    │   ├── StoreTooNew
    │   ├── KeyProviderFailed
    │   ├── NodeNotRunning
    │   └── RestartFailed
    ├── BusyError           this node cannot take it now; the same request later will do
    │   ├── QueueFull               503
    │   ├── StoreUnavailable        503
    │   ├── HomeUnreachable         503
    │   └── ShuttingDown            503
    ├── PlatformError       WhatsApp or LINE answered wrongly or not at all
    │   └── PlatformUnavailable
    └── IntegrityError      what lies in a store contradicts itself; alert, never guess
        ├── SealBroken
        ├── KeyMissing
        ├── KeyCurrentChanged
        └── LogEntryRequired

Each class states, as class attributes, a stable ``code`` (never reused), whose ``fault`` it is, whether a
``retry`` of the same act can succeed, the HTTP ``status`` where one is answered, and a ``remedy``: the next
step for the person who reads it.  The class docstring is the message.  No message ever holds a word of a
body, an identifier, a signature or a key; what may vary is passed as allow-listed ``details``.
"""

from typing import ClassVar, Literal

Fault = Literal["caller", "operator", "node", "platform"]


class HomeportError(Exception):
    """Something Homeport names went wrong."""

    code: ClassVar[str] = "homeport_error"
    fault: ClassVar[Fault] = "node"
    retry: ClassVar[bool] = False
    status: ClassVar[int] = 500
    remedy: ClassVar[str] = "Read the node's log around this time; the code names the place."

    def __init__(self, **details: str | int) -> None:
        """Keep ``details``: counts, setting names, paths and codes; never content or identifiers."""
        self.details = details
        super().__init__(self.code)

    def __str__(self) -> str:
        """Say what happened, with the details, then what to do next."""
        what = (type(self).__doc__ or self.code).strip().splitlines()[0]
        facts = ", ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{what}{f' ({facts})' if facts else ''} {self.remedy}"


class CallerError(HomeportError):
    """The request is wrong."""

    code = "caller_error"
    fault = "caller"
    status = 400
    remedy = "Correct the request; repeating it unchanged gives the same answer."


class SignatureRefused(CallerError):
    """The request is not signed by the platform for an account of this node."""

    code = "signature_refused"
    status = 401
    remedy = "Check the account's address and secret at the platform: homeport edge account check."


class BodyTooLarge(CallerError):
    """The body is larger than a platform may send."""

    code = "body_too_large"
    status = 413
    remedy = "Send at most the limit stated; both platforms stay below it."


class TooManyUpdates(CallerError):
    """The body carries more updates than a platform may send."""

    code = "too_many_updates"
    status = 413
    remedy = "Send at most 1,000 updates a body, as the platforms do."


class BodyTooSlow(CallerError):
    """The body did not arrive in time."""

    code = "body_too_slow"
    status = 408
    retry = True
    remedy = "Send the body at once; a proxy in front must buffer it."


class BodyMalformed(CallerError):
    """The body is no JSON."""

    code = "body_malformed"
    remedy = "Send the platform's bytes unchanged; a proxy must not rewrite them."


class EncodingRefused(CallerError):
    """The body is sent under a content encoding, so the signature cannot cover its bytes."""

    code = "encoding_refused"
    status = 415
    remedy = "Turn off compression between the platform and the node."


class HandshakeRefused(CallerError):
    """The verify token of the callback handshake does not match."""

    code = "handshake_refused"
    status = 403
    remedy = "Enter the account's verify token at the platform."


class OperatorError(HomeportError):
    """The configuration or the environment is wrong."""

    code = "operator_error"
    fault = "operator"
    remedy = "Correct the setting named and start again."


class SettingsInvalid(OperatorError):
    """A setting is missing, unknown or out of range."""

    code = "settings_invalid"
    remedy = "homeport edge run --help and homeport control run --help list every setting with its range."


class AccountUnknown(OperatorError):
    """No account of that name is set up at this node."""

    code = "account_unknown"
    status = 404
    remedy = "homeport edge account list shows the accounts; account add makes one."


class AccountExists(OperatorError):
    """An account of that name, or for that number or channel, is set up already."""

    code = "account_exists"
    status = 409
    remedy = "Choose another name, or replace the old one with account add --replace."


class AccountInvalid(OperatorError):
    """The account's description is not complete or not of the form the platform uses."""

    code = "account_invalid"
    remedy = "homeport edge account add --help says what each channel needs."


class StoreMissing(OperatorError):
    """There is no store at that place."""

    code = "store_missing"
    remedy = "Run homeport edge init first, or correct data_dir."


class MigrationChanged(OperatorError):
    """A migration that was already applied differs from the one in this release."""

    code = "migration_changed"
    remedy = "Install the release that wrote the store; applied migrations never change."


class StoreTooNew(OperatorError):
    """The store was migrated by a later release that this one cannot work with."""

    code = "store_too_new"
    remedy = "Install that release or a later one."


class KeyProviderFailed(OperatorError):
    """The key provider refused or lacks a key."""

    code, retry, status = "key_provider_failed", True, 503
    remedy = "See homeport edge keys status; if every place is lost: homeport edge escrow recover (edge_node/KEYS.md)."


class NodeNotRunning(OperatorError):
    """No node or control plane answers there."""

    code = "node_not_running"
    remedy = "Start it with homeport edge run or homeport control run, or correct data_dir."


class RestartFailed(OperatorError):
    """The node's new worker did not get ready."""

    code = "restart_failed"
    remedy = "Its log says why; a worker that served before goes on serving."


class BusyError(HomeportError):
    """The node cannot take this now."""

    code = "busy"
    retry = True
    status = 503
    remedy = "Send the same request again after Retry-After."


class QueueFull(BusyError):
    """The node holds as much unfinished work as it may."""

    code = "queue_full"


class StoreUnavailable(BusyError):
    """A store did not take the write; nothing was acknowledged."""

    code = "store_unavailable"
    remedy = "Check disk space and the content database; the platform sends again."


class HomeUnreachable(BusyError):
    """The message belongs in another region, and its home node could not be reached."""

    code = "home_unreachable"
    remedy = "Bring the home node back; the platform sends again until then."


class ShuttingDown(BusyError):
    """The node is stopping."""

    code = "shutting_down"


class PlatformError(HomeportError):
    """A platform answered wrongly."""

    code = "platform_error"
    fault = "platform"
    status = 502
    remedy = "Look at the platform's status page; the act can be repeated."


class PlatformUnavailable(PlatformError):
    """The platform could not be reached or did not answer as documented."""

    code = "platform_unavailable"
    retry = True


class IntegrityError(HomeportError):
    """What lies in a store contradicts itself."""

    code = "integrity_error"
    remedy = "Stop, keep the stores as they are, and compare them with the newest backup."


class SealBroken(IntegrityError):
    """A sealed value does not open under the key and the place it claims."""

    code = "seal_broken"


class KeyMissing(IntegrityError):
    """A sealed value's key is not in the key store, and no log entry says why."""

    code = "key_missing"


class KeyCurrentChanged(IntegrityError):
    """The key that wrapped this one is no longer current; wrap it again."""

    code = "key_current_changed"
    retry = True
    remedy = "Load the keys again and repeat; the node does this by itself."


class LogEntryRequired(IntegrityError):
    """Keys are destroyed only for an entry in the node's log."""

    code = "log_entry_required"
