"""Changes of policy as tables for people: alike ones together, axes that do not matter as "any", nothing left out."""

import msgspec

from shared.policy.boxes import Sides, size, tidied
from shared.policy.deciding import Decision, Must
from shared.policy.differing import DIRECTIONS, Diff, Direction
from shared.policy.matrix import AXES, Space
from shared.policy.spans import written
from shared.policy.terms import NO_ASKER

_BUT_MAX = 4
"""All names of an axis but at most so many are written as what is left out."""


_GROUPS_OF = {
    "class": "classes",
    "purpose": "purposes",
    "subject": "jurisdictions",
    "node": "regions",
    "asker": "regions",
    "role": "roles",
}
"""By axis: what groups of its names call it."""


class Group(msgspec.Struct, frozen=True):
    """Cells that changed in the same way."""

    direction: Direction
    before: str
    after: str
    cells: int
    boxes: tuple[tuple[str, ...], ...]
    """One box a row, in words, in the order of :data:`shared.policy.matrix.AXES`."""


def groups_of(difference: Diff, only: Direction | None = None, *, by_groups: bool = False) -> list[Group]:
    """Give the changes of a diff, those that read alike together; every changed cell is in exactly one box.

    ``by_groups``: several names are written as a group of the policy, where it means exactly some of them.
    """
    alike: dict[tuple[Direction, str, str], list[Sides]] = {}
    for change in difference.changes:
        if only is None or change.direction == only:
            before, after = in_short(change.before), in_short(change.after)
            told = _told(change.before, change.after) if change.before.allowed and change.after.allowed else ""
            key = (change.direction, before, f"{after}{f'; {told}' if told else ''}")
            alike.setdefault(key, []).extend(change.boxes)
    found = []
    for (direction, before, after), boxes in alike.items():
        fewer = tidied(boxes)
        words = tuple(
            tuple(side_words(difference.space, axis, side, by_groups=by_groups) for axis, side in enumerate(box))
            for box in fewer
        )
        found.append(Group(direction, before, after, sum(map(size, fewer)), words))
    return sorted(found, key=lambda each: (DIRECTIONS.index(each.direction), -each.cells, each.before, each.after))


def in_short(decision: Decision) -> str:
    """Write a decision in a few words."""
    rule = f", {decision.rule}" if decision.rule is not None else ""
    if not decision.allowed:
        return f"deny ({decision.reason}{rule})"
    on = f", on {', '.join(sorted({each.kind for each in decision.relied}))}" if decision.relied else ""
    return f"allow ({decision.reason}{rule}{on})"


def side_words(space: Space, axis: int, side: frozenset[str], *, by_groups: bool = False) -> str:
    """Write one side of a box: names, "any", or "any but" a few; with ``by_groups`` groups in the place of names."""
    if AXES[axis] == "time":
        return times_words(space, side)
    if side == {NO_ASKER}:
        return NO_ASKER
    whole = space.whole(axis)
    missing = whole - side
    if not missing and len(whole) > 1:
        return "any"
    if len(missing) <= _BUT_MAX < len(side):
        return f"any but {', '.join(sorted(missing))}"
    return ", ".join(_grouped(space, axis, side) if by_groups else sorted(side))


def _grouped(space: Space, axis: int, side: frozenset[str]) -> list[str]:
    """Write names, the largest groups first in the place of their members."""
    within = [(name, members) for of, name, members in space.groups if of == _GROUPS_OF.get(AXES[axis])]
    left, out = set(side), list[str]()
    for name, members in sorted(within, key=lambda each: (-len(each[1]), each[0])):
        if len(members) > 1 and members <= left:
            out.append(name)
            left -= members
    return sorted(out) + sorted(left)


def times_words(space: Space, side: frozenset[str]) -> str:
    """Write intervals, those that touch as one."""
    numbers = sorted(map(int, side))
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return "; ".join(_run(space, *run) for run in runs)


def must_words(must: Must) -> dict[str, str]:
    """Write what must be done, by name; what asks for nothing is left out."""
    out = {}
    for name in must.__struct_fields__:
        value = getattr(must, name)
        if value not in {None, (), "full"}:
            out[name] = ", ".join(value) if isinstance(value, tuple) else str(value)
    return out


def _told(before: Decision, after: Decision) -> str:
    """Write what must be done otherwise, and when the answer ends."""
    old, new = ({**must_words(each.must), **_end(each)} for each in (before, after))
    names = [name for name in (*old, *(each for each in new if each not in old)) if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name, 'none')} > {new.get(name, 'none')}" for name in names)


def _end(decision: Decision) -> dict[str, str]:
    """Write when the first of what an answer rests on ends."""
    return {} if decision.until is None else {"ends": written(decision.until)}


def _run(space: Space, first: int, last: int) -> str:
    """Write a run of intervals."""
    begin = f"from {written(space.instants[first - 1])}" if first else ""
    end = f"until {written(space.instants[last])}" if last < len(space.instants) else ""
    return " ".join(part for part in (begin, end) if part) or "always"
