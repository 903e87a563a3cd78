"""What the policy calls what lies in a node's store: the class of data of every kind of row.

How long a row is kept and which duty keeps it is asked of its class; statements name rows by table and kind.
"""

from collections.abc import Collection, Mapping
from typing import Literal

Table = Literal["message", "event"]

MESSAGE_CLASSES: Mapping[str, str] = {
    "text": "message_text",
    "image": "media",
    "video": "media",
    "audio": "media",
    "voice": "media",
    "document": "media",
    "sticker": "media",
    "location": "media",
    "cards": "contact_point",
    "reply": "message_text",
    "order": "message_text",
    "call": "interaction",
    "composed": "message_text",
    "unsupported": "unclassified",
}
EVENT_CLASSES: Mapping[str, str] = {
    "edit": "message_text",
    "postback": "interaction",
    "reaction": "interaction",
    "unclassified": "unclassified",
    "status": "delivery_metadata",
    "account_link": "interaction",
    "identity_change": "identifier",
    "relation": "interaction",
    "preference": "consent_record",
    "notice": "unclassified",
    "problem": "delivery_metadata",
}
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
