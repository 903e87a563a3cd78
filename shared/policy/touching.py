"""How many stored records a change of policy touches, from counts that a node gives; counts name nobody."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.policy.differing import DIRECTIONS, Diff, Direction
from shared.policy.matrix import AXES
from shared.policy.terms import JurisdictionCode, Name, Number, RegionName

_CLASS, _SUBJECT, _NODE, _TIME = (AXES.index(axis) for axis in ("class", "subject", "node", "time"))
_OPERATION = AXES.index("operation")


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many records of a class, of people under one law, lie in a region."""

    data_class: Name = msgspec.field(name="class")
    subjects: Annotated[tuple[JurisdictionCode, ...], Meta(max_length=100)]
    """The jurisdictions that count for these people: one where their law is known, several where it may be any of them
    (the strictest answer counts), none where none is known (whatever is asked is denied)."""
    node: RegionName
    records: Number


class Touched(msgspec.Struct, frozen=True):
    """How many records have a question whose answer moves one way, by operation, from some moment on."""

    operation: str
    direction: Direction
    records: int
    of: tuple[Holding, ...]
    """Which ones they are, the most first."""


def touched(difference: Diff, holdings: Iterable[Holding], at: int) -> list[Touched]:
    """Count the records of which some answer changes at ``at`` (ms) or later; each once an operation and direction."""
    space = difference.space
    ahead = {str(number) for number in range(space.intervals) if _end(difference, number) > at}
    places: dict[tuple[str, Direction], set[tuple[str, str, str]]] = {}
    for change in difference.changes:
        for box in change.boxes:
            if box[_TIME] & ahead:
                for operation in box[_OPERATION]:
                    found = places.setdefault((operation, change.direction), set())
                    found.update(
                        (one, two, three) for one in box[_CLASS] for two in box[_SUBJECT] for three in box[_NODE]
                    )
    held = sorted((each for each in holdings if each.records), key=lambda each: (-each.records, each.data_class))
    out = []
    for (operation, direction), found in places.items():
        hit = tuple(each for each in held if any((each.data_class, law, each.node) in found for law in each.subjects))
        if hit:
            out.append(Touched(operation, direction, sum(each.records for each in hit), hit))
    return sorted(out, key=lambda each: (DIRECTIONS.index(each.direction), each.operation))


def _end(difference: Diff, interval: int) -> int:
    """Give the moment at which an interval ends."""
    instants = difference.space.instants
    return instants[interval] if interval < len(instants) else 2**62
