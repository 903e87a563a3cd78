"""What the policy calls what lies in a node's store: the class of data of every kind of row.

How long a row is kept and which duty keeps it is asked of its class; statements name rows by table and kind.
"""

from collections.abc import Collection, Mapping
from typing import Literal

from edge_node.core.classes import event_masks, message_masks, names_of

Table = Literal["message", "event"]

MESSAGE_CLASSES: Mapping[str, str] = {kind: names_of(mask)[0] for kind, mask in message_masks().items()}
EVENT_CLASSES: Mapping[str, str] = {
    kind: "message_text" if kind == "edit" else names_of(mask)[0] for kind, mask in event_masks().items()
}
"""An edit that rests beside its message may be of any content; it is kept as words are."""

UNKNOWN = "unclassified"
"""The class of a row whose kind no table knows."""

BESIDE: Mapping[str, str] = {"identity": "identifier", "disclosure": "disclosure_record"}
"""What else lies there of a person and goes row by row: by table, its class."""

CLASSES: Mapping[Table, Mapping[str, str]] = {"message": MESSAGE_CLASSES, "event": EVENT_CLASSES}

EVERYTHING = ""
"""How the kinds of row that a duty keeps are written where it keeps them all."""


def class_of(table: Table, kind: str) -> str:
    """Give the class of a row."""
    return CLASSES[table].get(kind, UNKNOWN)


def classes_in(table: Table, kinds: Collection[str] = ()) -> tuple[str, ...]:
    """Give the classes that rows of a table (of some kinds) may be of, sorted."""
    found = {class_of(table, kind) for kind in kinds} if kinds else {*CLASSES[table].values(), UNKNOWN}
    return tuple(sorted(found))


def kinds_kept(classes: Collection[str]) -> str:
    """Write which kinds of row are of some classes, as statements look for them: ``|message/text|event/status|``.

    :data:`EVERYTHING` where all are, so that a kind that nobody knows yet is kept, too.
    """
    rows = [
        *((f"{table}/{kind}", name) for table, kinds in CLASSES.items() for kind, name in kinds.items()),
        *((f"{table}/{table}", name) for table, name in BESIDE.items()),
        *((f"{table}/", UNKNOWN) for table in CLASSES),
    ]
    kept = [row for row, name in rows if name in classes]
    return EVERYTHING if len(kept) == len(rows) else f"|{'|'.join(kept)}|"
