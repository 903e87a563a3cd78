"""How many records lie here, by class of data and law: of which class a row is, and pages made one count.  Pure.

Counts name nobody, so they may be carried to whoever looks what a change of policy would touch.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

from edge_node.core.classes import event_masks, message_masks, names_of
from shared.policy.touching import Holding

Table = Literal["message", "event", "derivative", "identity", "disclosure"]
TABLES: tuple[Table, ...] = ("message", "event", "derivative", "identity", "disclosure")
"""Tables whose rows are records of a person, in the order in which they are counted."""

_UNKNOWN = "unclassified"
_MESSAGES = {kind: names_of(mask)[0] for kind, mask in message_masks().items()}
_EVENTS = {kind: names_of(mask)[0] for kind, mask in event_masks().items()} | {"edit": "message_text"}


class Tally(NamedTuple):
    """Rows of a page that are alike; field order is that of the query."""

    kind: str
    law: str
    """Codes of the jurisdictions that count for the person, separated by spaces; empty where none is known."""
    records: int


def class_of_row(table: Table, kind: str) -> str:
    """Give the class of a row; of an edit that rests beside its message, that of words."""
    match table:
        case "message":
            return _MESSAGES.get(kind, _UNKNOWN)
        case "event":
            return _EVENTS.get(kind, _UNKNOWN)
        case "derivative":
            return kind
        case "identity":
            return "identifier"
        case "disclosure":
            return "disclosure_record"


def holdings(tallies: Iterable[tuple[Table, Tally]], node: str) -> tuple[Holding, ...]:
    """Make one count of what pages found in the node of a region, in the order of classes and laws."""
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for table, each in tallies:
        counts[class_of_row(table, each.kind), tuple(each.law.split())] += each.records
    return tuple(
        Holding(data_class=data_class, subjects=subjects, node=node, records=records)
        for (data_class, subjects), records in sorted(counts.items())
    )
