"""The catalogue of errors, continued: what can go wrong when a subject is answered.

::

    CallerError
    ├── SubjectUnknown          404  no subject of that pseudonym is active at this node
    └── ReplyImpossible         409  the subject cannot be answered now, and why
    BusyError
    └── SentNotStored           503  a message went out that no store took
    PlatformError
    ├── SendRefused             the platform says that it did not send
    └── SendUnclear             nobody can say whether the platform sent

``PlatformUnavailable`` (shared/errors) means that nothing was sent.
"""

from shared.errors import BusyError, CallerError, PlatformError


class SubjectUnknown(CallerError):
    """No active subject of this node has that pseudonym."""

    code = "subject_unknown"
    status = 404
    remedy = "Check the pseudonym and the region; an erased subject is not answered any more."


class ReplyImpossible(CallerError):
    """The subject cannot be answered now."""

    code = "reply_impossible"
    status = 409
    remedy = "The reason says what stands in the way: edge_node/core/replying.py lists them."


class SentNotStored(BusyError):
    """The message went out, but the store did not take it."""

    code = "sent_not_stored"
    retry = False
    remedy = "Do not send it again. The reason is the store's own code: check disk space and both stores."


class SendRefused(PlatformError):
    """The platform refused the message; it was not sent."""

    code = "send_refused"
    remedy = "platform_code is the vendor's own error code; its page says what to mend."


class SendUnclear(PlatformError):
    """The message may have been sent: the platform did not say whether it took it."""

    code = "send_unclear"
    remedy = (
        "Nothing of it is stored here. Do not send it again before a status or the customer shows whether it arrived."
    )
