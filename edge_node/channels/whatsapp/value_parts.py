"""Reading one value of a change, part by part: what does not fit never costs the rest.  Pure."""

from typing import Any

import msgspec

from edge_node.channels.reading import Reader
from edge_node.channels.whatsapp.leftovers import items, present, read, text
from edge_node.channels.whatsapp.payloads import Contact, LooseValue, Metadata, WholeValue
from edge_node.channels.whatsapp.people import Extra
from shared.errors import TooManyUpdates
from shared.limits import BODY_UPDATES_MAX

_VALUE: Reader[WholeValue] = Reader(WholeValue)
_LOOSE_VALUE: Reader[LooseValue] = Reader(LooseValue)
_METADATA: Reader[Metadata] = Reader(Metadata)
_CONTACT: Reader[Contact] = Reader(Contact)

_LISTS = ("contacts", "messages", "message_echoes", "statuses", "user_preferences", "user_id_update")
_RAW = ("errors", "conversation_context", "standby")


class Budget:
    """How many updates a body may still carry; contacts are counted by themselves, as they accompany updates."""

    __slots__ = ("_contacts", "_updates")

    def __init__(self) -> None:
        """Allow what a platform may send."""
        self._contacts = self._updates = BODY_UPDATES_MAX

    def take(self, updates: int, contacts: int = 0) -> None:
        """Count updates before they are read; raises ``TooManyUpdates`` over the limit."""
        self._updates -= updates
        self._contacts -= contacts
        if self._updates < 0 or self._contacts < 0:
            raise TooManyUpdates(limit=BODY_UPDATES_MAX)

    def allows(self, updates: int) -> bool:
        """Say whether that many may still be taken."""
        return updates <= self._updates


def value_of(raw: msgspec.Raw) -> tuple[WholeValue, dict[str, Any], dict[str, Any]] | None:
    """Return a value, the properties its structs do not name, and its parts that do not fit; ``None`` if no object.

    Where a part does not fit, each is read by itself, so that the others are understood all the same.
    """
    found = read(raw, _VALUE)
    if found is not None:
        return found[0], found[1] or {}, {}
    loose = read(raw, _LOOSE_VALUE)
    if loose is None:
        return None
    parts, unknown = loose
    known: dict[str, Any] = {name: getattr(parts, name) for name in _RAW}
    misfits: dict[str, Any] = {}
    for name in (*_LISTS, "messaging_product", "metadata"):
        part = getattr(parts, name)
        if not present(part):
            continue
        if name == "metadata":
            metadata = read(part, _METADATA)
            known[name], more = metadata if metadata is not None else (None, None)
            unknown = {f"metadata.{path}": said for path, said in (more or {}).items()} | (unknown or {})
        else:
            known[name] = text(part) if name == "messaging_product" else items(part)
        if known[name] is None:
            misfits[name] = part
    return WholeValue(**known), unknown or {}, misfits


def contacts_of(contacts: list[msgspec.Raw]) -> tuple[list[tuple[Contact, Extra]], list[int], list[msgspec.Raw]]:
    """Read a value's contacts.

    Returns those that fit, the place in ``contacts`` of each of these, and those that do not.
    """
    known: list[tuple[Contact, Extra]] = []
    places: list[int] = []
    bad: list[msgspec.Raw] = []
    for place, raw in enumerate(contacts):
        contact = read(raw, _CONTACT)
        if contact is None:
            bad.append(raw)
        else:
            known.append(contact)
            places.append(place)
    return known, places, bad
