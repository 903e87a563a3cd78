"""The words of :mod:`edge_node.core.keeping` in SQL: which rows may be removed, which a hold covers, a law keeps.

What a statement decides here is what the table decides for one record; ``tests/integration/storage/test_holds.py``
holds the two to each other.
"""

from collections import defaultdict
from collections.abc import Callable

from edge_node.core.classes import RESTING, mask_of
from edge_node.core.keeping import KEEPS, TABLE, Removal
from edge_node.core.stored import CLASSES, UNKNOWN, Table
from edge_node.storage.content.jurisdictions import LAW

_STOPS: dict[Removal, str] = {"recall": "stops_recall", "erase": "stops_erase", "expire": "stops_expire"}

REMOVABLE = "(" + ", ".join(f"'{keep}'" for keep in KEEPS if keep != "held" and TABLE[keep]["recall"].does == "remove")
REMOVABLE += ")"
"""Rows that a removal may be ordered for which has not been; a ``held`` row has one that waits."""

SAID_AT = "COALESCE(NULLIF({0}.at, 0), {0}.received_at)"
"""When a row's words were said: by the platform's clock, else by ours."""


AGAIN = "UPDATE retention_progress SET began_at = 0"
"""The sweeper begins a new pass: what was kept may be kept no more."""

LAWS = f"COALESCE({LAW}, '')"
"""Whose law may apply to a subject (the row ``s``), codes separated by a space; '' where none is known, or no ``s``."""


NOT_RESTRICTED = """
NOT EXISTS (SELECT 1 FROM hold r WHERE r.subject = s.id AND r.kind = 'restriction' AND r.released_at IS NULL)
"""
"""No restriction of processing stands for a subject (the row ``s``): its data may be shown and used."""

RESTRICTED = f"CASE WHEN {NOT_RESTRICTED} THEN s.restricted ELSE {mask_of(RESTING)} END"
"""The classes of data of a subject (the row ``s``) that may not be shown or used, as bits.

Those that the policy does not let rest here; under a restriction of processing all of them.
"""


def class_words(table: Table, row: str = "m") -> str:
    """Give the expression of the class of data of a row (:mod:`edge_node.core.stored`)."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, name in CLASSES[table].items():
        kinds[name].append(f"'{kind}'")
    cases = " ".join(f"WHEN {row}.kind IN ({', '.join(each)}) THEN '{name}'" for name, each in kinds.items())
    return f"CASE {cases} ELSE '{UNKNOWN}' END"


def covered(table: Table, removal: Removal, row: str | None = None) -> str:
    """Give the condition that a standing hold stops ``removal`` of a row of ``table`` (called ``row`` there)."""
    name = row or table
    at = SAID_AT.format(name)
    return (
        f"EXISTS (SELECT 1 FROM hold h WHERE h.subject = {name}.subject AND h.released_at IS NULL "  # noqa: S608
        f"AND h.{_STOPS[removal]} = 1 AND {at} >= h.from_at AND {at} <= h.until_at AND {_of_kinds('h', table, name)})"
    )


def by_law(table: str, removal: Removal, subject: str, kind: str, stored_at: str) -> str:
    """Give the condition that a law keeps a record since it was stored; the rest are expressions of its columns."""
    return (
        f"EXISTS (SELECT 1 FROM law_duty ld LEFT JOIN subject s ON s.id = {subject} "  # noqa: S608
        f"WHERE ld.{_STOPS[removal]} = 1 AND {stored_at} > ld.kept_after "
        f"AND (ld.kinds = '' OR ld.kinds LIKE '%|{table}/' || {kind} || '|%') "
        f"AND (ld.law = '' OR ' ' || {LAWS} || ' ' LIKE '% ' || ld.law || ' %'))"
    )


def kept(table: Table, removal: Removal, row: str | None = None) -> str:
    """Give the condition that ``removal`` of a row is stopped: by a hold, or because a law keeps it for a time."""
    name = row or table
    law = by_law(table, removal, f"{name}.subject", f"{name}.kind", f"{name}.received_at")
    return f"({covered(table, removal, row)} OR {law})"


def of_person(columns: str, where: Callable[[Table], str], more: str) -> tuple[str, str, str]:
    """Give the queries for rows (``m``) of ``:subject``: of the one-to-one conversation, of groups, of events."""
    direct = "conversation c JOIN message m ON m.conversation = c.id WHERE c.subject = :subject"
    grouped = "message m WHERE m.subject = :subject AND m.grouped = 1"
    return (
        f"SELECT {columns} FROM {direct} AND {where('message')} {more}",  # noqa: S608 - constants of pages
        f"SELECT {columns} FROM {grouped} AND {where('message')} {more}",  # noqa: S608
        f"SELECT {columns} FROM event m WHERE m.subject = :subject AND {where('event')} {more}",  # noqa: S608
    )


def _of_kinds(hold: str, table: str, row: str) -> str:
    """Give the condition that a hold, or a duty, is for rows of a kind."""
    return f"({hold}.kinds = '' OR {hold}.kinds LIKE '%|{table}/' || {row}.kind || '|%')"


_NEW_KEPT = by_law(
    "{table}",
    "recall",
    "CAST(:subject AS INTEGER)",
    "CAST(:kind AS TEXT)",
    "CAST(:received_at AS INTEGER)",
)


def taken_back_and_kept(table: Table) -> str:
    """Give the condition that a row on its way in, whose recall came before it and found nothing, is kept all the same.

    A message that was here and was removed does not come back under a later duty: its log entry names its key.
    """
    return f"""
EXISTS (SELECT 1 FROM tombstone t JOIN log_entry l ON l.id = t.log_entry
        WHERE t.mark = CAST(:tombstone AS BLOB) AND l.act = 'recall' AND l.key IS NULL
          AND (EXISTS (SELECT 1 FROM hold h WHERE h.subject = CAST(:subject AS INTEGER) AND h.released_at IS NULL
                  AND h.stops_recall = 1
                  AND (h.kinds = '' OR h.kinds LIKE '%|{table}/' || CAST(:kind AS TEXT) || '|%')
                  AND COALESCE(NULLIF(CAST(:at AS INTEGER), 0), CAST(:received_at AS INTEGER)) >= h.from_at
                  AND COALESCE(NULLIF(CAST(:at AS INTEGER), 0), CAST(:received_at AS INTEGER)) <= h.until_at)
               OR {_NEW_KEPT.replace("{table}", table)}))
"""  # noqa: S608 - constants of this page
