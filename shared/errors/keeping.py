"""A page of the catalogue of errors: what can go wrong with holds.

::

    OperatorError       an operator can mend it
    ├── HoldUnknown       404   no hold of that id stands here
    ├── HoldTooLate       409   the person's erasure is being carried out already
    ├── HoldUnfounded     409   the law that applies here knows no such duty to keep
    └── JournalUnwritable       the second place cannot be written to
"""

from shared.errors import OperatorError


class HoldUnknown(OperatorError):
    """No hold of that id stands at this node: there is none, or it was released."""

    code = "hold_unknown"
    status = 404
    remedy = "homeport edge hold list shows every hold with its id."


class HoldTooLate(OperatorError):
    """The person's erasure was ordered before the hold and is being carried out."""

    code = "hold_too_late"
    status = 409
    remedy = "Nothing can be held any more. Note why the hold came after the erasure."


class HoldUnfounded(OperatorError):
    """The law that applies to the person, or where the node stands, knows no such restriction, or stops less."""

    code = "hold_unfounded"
    status = 409
    remedy = "The person's law and the node's are in the policy bundle: see the duties there, or give another reason."


class JournalUnwritable(OperatorError):
    """The tombstone journal cannot be written to, so a restored store would not know what was just done."""

    code = "journal_unwritable"
    retry = True
    remedy = "Check that journal_dir is mounted, writable by the node only, and not full."
