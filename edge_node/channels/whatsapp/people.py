"""Who an update speaks of: its own identifiers, completed by the matching entry of ``contacts[]``.  Pure.

Rules, each from a trap of the platform ("Business-scoped user ids", 2026-05-28):

* An identifier's kind follows its shape first and its property second: BSUIDs were seen in ``from`` and ``wa_id``, and
  a status names the parent BSUID in ``recipient_user_id`` where the message was sent to it.
* A phone is written with and without a leading ``+`` on Meta's pages; without one it is one name, not two.
* A person has at most one identifier of each kind, and the update's own wins over its contact's.  A differing one is
  kept in ``extra``, never as a second name of the person: two names under one subject would be a guess.
* A contact belongs to an update that shares an identifier with it.  Its place in the list says nothing, except where
  the value has one contact and one update: then it is that update's person, unless both carry BSUIDs that differ.
"""

import re
from collections.abc import Iterable
from typing import Any

from edge_node.channels.whatsapp.payloads import Contact
from shared.message import Identifier, IdentifierKind, Person

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
"""Country, for a parent ``ENT``, then up to 128 letters and digits."""

Extra = dict[str, Any] | None
"""What has no property of its own in an event, by path."""

Named = tuple[IdentifierKind, str, str | None]
"""An identifier as found: the kind its property is for, the property's path, the value."""

_ORDER: tuple[IdentifierKind, ...] = ("whatsapp_user", "whatsapp_parent_user", "whatsapp_phone")
"""The most lasting first."""


def joined(*parts: Extra) -> Extra:
    """Return what all parts hold, or ``None``."""
    result: dict[str, Any] = {}
    for part in parts:
        if part:
            result.update(part)
    return result or None


def identifiers(named: Iterable[Named], extra: dict[str, Any]) -> tuple[Identifier, ...]:
    """Sort identifiers by lasting, one of each kind; put second ones of a kind into ``extra``.

    An empty value counts as absent.  Values stay byte-exact, but for a phone's ``+``.
    """
    found: dict[IdentifierKind, str] = {}
    for kind, path, value in named:
        if not value:
            continue
        if _is_odd(kind, value):
            if shape := _BSUID.fullmatch(value):
                kind = "whatsapp_parent_user" if shape[1] else "whatsapp_user"
            elif value[0] == "+":
                value = _plain(value)
        if found.setdefault(kind, value) != value:
            extra[path] = value
    return tuple([Identifier(kind, found[kind]) for kind in _ORDER if kind in found])


def _is_odd(kind: IdentifierKind, value: str) -> bool:
    """Say whether a value may be of another kind than its property is for, or is not written plainly."""
    if kind == "whatsapp_phone":
        return "." in value or value[0] == "+"
    return kind == "whatsapp_user" and value[2:7] == ".ENT."


def _plain(value: str) -> str:
    """Return an identifier that begins with ``+`` without it, unless nothing else is left."""
    return value[1:] or value


class People:
    """The contacts of one value, and the persons made of them so far."""

    __slots__ = ("_alone", "_contacts", "_index", "_known", "_single", "_used")

    def __init__(self, contacts: list[tuple[Contact, Extra]], updates: int) -> None:
        """Take the value's contacts, each with the properties its struct lacks, and the number of its updates."""
        self._contacts = contacts
        self._alone = updates == 1
        self._single = self._alone and len(contacts) == 1
        self._used: set[int] = set()
        self._known: dict[tuple[Any, ...], tuple[Person | None, Extra]] = {}
        self._index: dict[str, int] = {}
        for place, (contact, _) in enumerate(contacts):
            for value in (contact.user_id, contact.wa_id, contact.parent_user_id):
                if value:
                    self._index.setdefault(value if value[0] != "+" else _plain(value), place)

    def person(
        self,
        names: tuple[str, str, str],
        user: str | None,
        parent: str | None,
        phone: str | None,
        key_hash: str | None = None,
    ) -> tuple[Person | None, Extra]:
        """Return the person an update speaks of, and what of them has no place in a :class:`Person`.

        ``names`` are the three properties' names in the update.  ``None`` where it names nobody.
        """
        if self._alone:
            person, extra, once = self._made(names, user, parent, phone, key_hash)
            return person, joined(extra, once) if once else extra
        mark = (names, user, parent, phone, key_hash)
        if (known := self._known.get(mark)) is not None:
            return known
        person, extra, once = self._made(names, user, parent, phone, key_hash)
        self._known[mark] = person, extra
        return person, joined(extra, once) if once else extra

    def _made(
        self, names: tuple[str, str, str], user: str | None, parent: str | None, phone: str | None, key_hash: str | None
    ) -> tuple[Person | None, Extra, Extra]:
        """Do :meth:`person` for identifiers not met before.

        The last is what Meta added to the contact.  It goes with the first update that speaks of the person: copied to
        each of a thousand, a large property would be a thousandfold body.
        """
        named: list[Named] = [
            ("whatsapp_user", names[0], user),
            ("whatsapp_parent_user", names[1], parent),
            ("whatsapp_phone", names[2], phone),
        ]
        extra: dict[str, Any] = {}
        place = self._match(user, phone, parent)
        if place is None:
            found = identifiers(named, extra)
            return (Person(found, key_hash=key_hash) if found or key_hash else None), extra or None, None
        contact, unknown = self._contacts[place]
        once: Extra = None
        if unknown and place not in self._used:
            once = {f"contact.{path}": value for path, value in unknown.items()}
        self._used.add(place)
        found = identifiers(named + _named(contact), extra)
        if key_hash and contact.identity_key_hash and key_hash != contact.identity_key_hash:
            extra["contact.identity_key_hash"] = contact.identity_key_hash
        return _person(found, contact, key_hash), extra or None, once

    def _match(self, *own: str | None) -> int | None:
        """Return the place of the contact that shares an identifier, the most lasting first."""
        for value in own:
            if value and (place := self._index.get(value if value[0] != "+" else _plain(value))) is not None:
                return place
        return 0 if self._single and not _differ(own[0], self._contacts[0][0].user_id) else None

    def unused(self) -> list[tuple[int, Person]]:
        """Return the contacts that no update spoke of, by place.

        An exact double of a used one is not among them, nor one that says nothing.
        """
        if len(self._used) == len(self._contacts):
            return []
        used = [self._contacts[place] for place in self._used]
        used.append((Contact(), None))
        return [
            (place, _person(identifiers(_named(entry[0]), {}), entry[0], None))
            for place, entry in enumerate(self._contacts)
            if place not in self._used and entry not in used
        ]

    def of(self, place: int) -> Person:
        """Return the person of one contact."""
        contact = self._contacts[place][0]
        return _person(identifiers(_named(contact), {}), contact, None)


def _differ(one: str | None, other: str | None) -> bool:
    """Say whether these are BSUIDs of two people: both of the same shape, and not the same."""
    shapes = (_BSUID.fullmatch(one or ""), _BSUID.fullmatch(other or ""))
    return one != other and None not in shapes and len({bool(shape and shape[1]) for shape in shapes}) == 1


def _named(contact: Contact) -> list[Named]:
    """Return a contact's identifiers as found."""
    return [
        ("whatsapp_user", "contact.user_id", contact.user_id),
        ("whatsapp_parent_user", "contact.parent_user_id", contact.parent_user_id),
        ("whatsapp_phone", "contact.wa_id", contact.wa_id),
    ]


def _person(found: tuple[Identifier, ...], contact: Contact, key_hash: str | None) -> Person:
    """Return a person with the contact's names; the username without its ``@``."""
    profile = contact.profile
    username = profile.username if profile else None
    return Person(
        identifiers=found,
        name=profile.name if profile else None,
        username=username.removeprefix("@") if username else None,
        key_hash=key_hash or contact.identity_key_hash,
    )
