"""Who is new in a batch, and what one settling has decided about them so far; nothing here reads or writes a store."""

from typing import NamedTuple

import msgspec

from edge_node.core.people import WEAK, Resolution
from edge_node.usecases.receiving.filing import Filed
from shared.message import Identifier

Blinds = tuple[bytes, ...]


class Newcomer(NamedTuple):
    """Someone whose identities are not all known: blinds by position, and when it was said."""

    identifiers: tuple[Identifier, ...]
    blinds: Blinds
    at: int
    country: str | None
    """The account's."""


class Plan(msgspec.Struct):
    """What one settling has decided so far; a new subject has a negative number until it is stored."""

    subjects: dict[bytes, int] = msgspec.field(default_factory=dict)
    lasting: dict[int, dict[bytes, str]] = msgspec.field(default_factory=dict)
    """By new subject: its lasting identities, with their kinds."""
    fixed: set[bytes] = msgspec.field(default_factory=set)
    """Identities that this settling has placed: two people who claim one number in a batch do not pass it on and on."""

    def place(self, newcomer: Newcomer, resolution: Resolution, subject: int) -> None:
        """Note one decision."""
        for position in resolution.attach:
            blind, kind = newcomer.blinds[position], newcomer.identifiers[position].kind
            self.subjects[blind] = subject
            self.fixed.add(blind)
            if kind not in WEAK:
                self.lasting.setdefault(subject, {})[blind] = kind


class Decided(NamedTuple):
    """One person of a batch, which subject they are, and that subject's pseudonym."""

    newcomer: Newcomer
    resolution: Resolution
    pseudonym: str


def newcomer_of(filed: Filed, identifiers: tuple[Identifier, ...], blinds: Blinds) -> Newcomer:
    """Give a row's person as somebody to decide about."""
    return Newcomer(identifiers, blinds, time_of(filed), filed.taken.country)


def time_of(filed: Filed) -> int:
    """Give when a row's person said it: by the platform's clock, else by ours."""
    return filed.event.at or filed.taken.received_at
