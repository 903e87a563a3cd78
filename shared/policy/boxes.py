"""Sets of cells as boxes: products of sets of names, one set an axis.  Merging hides nothing and adds nothing."""

from collections.abc import Iterable, Iterator
from itertools import product

PIECES_MAX = 100_000
"""How many pieces are merged anew: some tenths of a second."""
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


def tidied(boxes: list[Sides]) -> list[Sides]:
    """Merge boxes that were merged in different ways before: they are cut where any of them ends, and merged anew.

    Names of an axis that are together in all boxes stay together, so that there are few pieces; of more than
    :data:`PIECES_MAX` the boxes are merged as they are.
    """
    if not boxes:
        return []
    atoms = [_atoms([box[axis] for box in boxes]) for axis in range(len(boxes[0]))]
    cut = [tuple(sorted({atom[name] for name in side}) for atom, side in zip(atoms, box, strict=True)) for box in boxes]
    pieces = 0
    for sides in cut:
        count = 1
        for names in sides:
            count *= len(names)
        pieces += count
    if pieces > PIECES_MAX:
        return merged(boxes)
    small = merged(tuple(frozenset((name,)) for name in piece) for sides in cut for piece in product(*sides))
    members: list[dict[str, set[str]]] = [{} for _ in atoms]
    for axis, atom in enumerate(atoms):
        for name, first in atom.items():
            members[axis].setdefault(first, set()).add(name)
    whole = [
        tuple(frozenset(name for first in side for name in members[axis][first]) for axis, side in enumerate(sides))
        for sides in small
    ]
    return min((sorted(whole, key=ordered), merged(boxes)), key=len)


def _atoms(sides: list[frozenset[str]]) -> dict[str, str]:
    """Give, for each name, the first of the names that are in the same sides."""
    inside: dict[str, set[int]] = {}
    for number, side in enumerate(sides):
        for name in side:
            inside.setdefault(name, set()).add(number)
    first: dict[frozenset[int], str] = {}
    return {name: first.setdefault(frozenset(numbers), name) for name, numbers in sorted(inside.items())}
