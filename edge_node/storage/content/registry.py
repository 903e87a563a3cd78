"""The closed list of what is sealed in the content store, and how each of it goes.

A table with a column ``sealed`` or ``key`` that is not on this page fails a test: what copies content is walked by
recall, erasure and the sweep of unused keys, or it is not built.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Walk(NamedTuple):
    """A table that holds sealed rows."""

    used: str
    """Finds the row that a key was drawn for, by ``:lookup`` (its blind index) or by ``:key``."""
    recall: str
    """What takes its rows when a message is taken back; empty where none is about a message."""
    erasure: str
    """What takes its rows when a subject is erased; empty where none is a subject's."""


WALKED = {
    "message": Walk("SELECT key FROM message WHERE mark = :lookup", "removals", "erasures"),
    "event": Walk("SELECT key FROM event WHERE mark = :lookup", "removals", "erasures"),
    "identity": Walk("SELECT key FROM identity WHERE key = :key", "", "erasures"),
    "conversation": Walk("SELECT key FROM conversation WHERE key = :key", "", "erasures"),
    "account": Walk("SELECT key FROM account WHERE key = :key", "", ""),
    "shown": Walk("SELECT key FROM shown WHERE key = :key", "views", "views"),
    "derivative": Walk("SELECT key FROM derivative WHERE key = :key", "derivatives", "derivatives"),
    "quarantined": Walk("SELECT key FROM quarantined WHERE mark = :lookup", "removals", ""),
}
"""By table; recall and erasure name the module of this folder that does it."""

NAMED_ONLY = frozenset({"log_entry", "disclosure"})
"""Tables whose ``key`` names another row's key and seals nothing: to order it destroyed, to see it replaced."""

SEALED_COLUMNS = frozenset({"sealed", "key"})


def unregistered(columns: Iterable[tuple[str, str]]) -> list[str]:
    """Give the tables, of (table, column), that hold something sealed and are not on this page."""
    holding = {table for table, column in columns if column in SEALED_COLUMNS}
    return sorted(holding - WALKED.keys() - NAMED_ONLY)
