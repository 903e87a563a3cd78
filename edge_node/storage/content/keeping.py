"""The words of :mod:`edge_node.core.keeping` in SQL: which rows may be removed, which a hold covers.

What a statement decides here is what the table decides for one record; ``tests/integration/storage/test_holds.py``
holds the two to each other.
"""

from collections import defaultdict
from typing import Literal

from edge_node.core.keeping import KEEPS, TABLE, Removal
from edge_node.core.stored import CLASSES, UNKNOWN, Table

_STOPS: dict[Removal, str] = {"recall": "stops_recall", "erase": "stops_erase", "expire": "stops_expire"}

REMOVABLE = "(" + ", ".join(f"'{keep}'" for keep in KEEPS if keep != "held" and TABLE[keep]["recall"].does == "remove")
REMOVABLE += ")"
"""Rows that a removal may be ordered for which has not been; a ``held`` row has one that waits."""

SAID_AT = "COALESCE(NULLIF({0}.at, 0), {0}.received_at)"
"""When a row's words were said: by the platform's clock, else by ours."""


AGAIN = "UPDATE retention_progress SET began_at = 0"
"""The sweeper begins a new pass: what was kept may be kept no more."""

LAWS = "COALESCE(CASE WHEN s.jurisdiction <> '' THEN s.jurisdiction ELSE s.others END, '')"
"""Whose law may apply to a subject (the row ``s``), codes separated by a space; '' where none is known."""


def class_words(table: Table, row: str = "m") -> str:
    """Give the expression of the class of data of a row (:mod:`edge_node.core.stored`)."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, name in CLASSES[table].items():
        kinds[name].append(f"'{kind}'")
    cases = " ".join(f"WHEN {row}.kind IN ({', '.join(each)}) THEN '{name}'" for name, each in kinds.items())
    return f"CASE {cases} ELSE '{UNKNOWN}' END"


def covered(table: Literal["message", "event"], removal: Removal, row: str | None = None) -> str:
    """Give the condition that a standing hold stops ``removal`` of a row of ``table`` (called ``row`` there)."""
    name = row or table
    at = SAID_AT.format(name)
    return (
        f"EXISTS (SELECT 1 FROM hold h WHERE h.subject = {name}.subject AND h.released_at IS NULL "  # noqa: S608
        f"AND h.{_STOPS[removal]} = 1 AND {at} >= h.from_at AND {at} <= h.until_at)"
    )


TAKEN_BACK_UNDER_HOLD = """
EXISTS (SELECT 1 FROM tombstone t JOIN log_entry l ON l.id = t.log_entry
        WHERE t.mark = CAST(:tombstone AS BLOB) AND l.act = 'recall' AND l.key IS NULL
          AND EXISTS (SELECT 1 FROM hold h WHERE h.subject = CAST(:subject AS INTEGER) AND h.released_at IS NULL
              AND h.stops_recall = 1
              AND COALESCE(NULLIF(CAST(:at AS INTEGER), 0), CAST(:received_at AS INTEGER)) >= h.from_at
              AND COALESCE(NULLIF(CAST(:at AS INTEGER), 0), CAST(:received_at AS INTEGER)) <= h.until_at))
"""
"""The condition that a row on its way in, whose recall came before it and found nothing, falls under a hold.

A message that was here and was removed does not come back under a later hold: its log entry names its key.
"""
