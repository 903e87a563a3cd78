"""Sets of cells as boxes: products of sets of names, one set an axis.  Merging hides nothing and adds nothing."""

from collections.abc import Iterable, Iterator
from itertools import product

Sides = tuple[frozenset[str], ...]
"""One set of names an axis."""


def merged(boxes: Iterable[Sides]) -> list[Sides]:
    """Give fewer boxes that hold the same cells; boxes that are given share none.

    Along each axis in turn, boxes that differ in nothing else become one, until nothing changes any more.
    """
    found = sorted(set(boxes), key=ordered)
    while found:
        before = len(found)
        for axis in range(len(found[0])):
            alike: dict[tuple[frozenset[str], ...], set[str]] = {}
            for sides in found:
                alike.setdefault((*sides[:axis], *sides[axis + 1 :]), set()).update(sides[axis])
            found = [(*rest[:axis], frozenset(side), *rest[axis:]) for rest, side in alike.items()]
        if len(found) == before:
            break
    return sorted(found, key=ordered)


def cells(sides: Sides) -> Iterator[tuple[str, ...]]:
    """Give every cell of a box, in order."""
    return product(*(sorted(side) for side in sides))


def size(sides: Sides) -> int:
    """Give how many cells a box has."""
    count = 1
    for side in sides:
        count *= len(side)
    return count


def ordered(sides: Sides) -> tuple[tuple[str, ...], ...]:
    """Order boxes by their names, so that the same cells give the same boxes."""
    return tuple(tuple(sorted(side)) for side in sides)
