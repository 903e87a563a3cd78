"""What a change of policy changes: every cell, which way it moved, nothing sampled and nothing hidden.

Cells in which neither policy can tell two names apart are compared once and counted as what they are.  The result is
complete: laid over the answers of the old policy it gives those of the new one (:func:`apply`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from shared.policy.boxes import Sides, cells, merged, ordered, size
from shared.policy.compiling import Row
from shared.policy.deciding import Decision, Question, looser
from shared.policy.evaluator import Column, Evaluator, Parties, Place
from shared.policy.matrix import Cell, Space, decided, space_of
from shared.policy.model import Policy
from shared.policy.sameness import Sameness
from shared.policy.terms import NO_ASKER

Direction = Literal["more_permissive", "more_restrictive", "same_outcome"]
DIRECTIONS: tuple[Direction, ...] = ("more_permissive", "more_restrictive", "same_outcome")
_Rows = Mapping[tuple[int | str, int | str], list[Row]]


class Change(msgspec.Struct, frozen=True):
    """Cells that had one answer and get another."""

    direction: Direction
    before: Decision
    after: Decision
    boxes: tuple[Sides, ...]

    @property
    def count(self) -> int:
        """Give how many cells there are."""
        return sum(size(box) for box in self.boxes)


class Diff(msgspec.Struct, frozen=True):
    """Everything that differs between two policies, over the space of both."""

    space: Space
    changes: tuple[Change, ...]

    def count(self, direction: Direction) -> int:
        """Give how many cells moved one way."""
        return sum(change.count for change in self.changes if change.direction == direction)


def direction_of(before: Decision, after: Decision) -> Direction:
    """Say which way an answer moved: an allow that asks for less in any respect is more permissive."""
    if before.outcome != after.outcome:
        return "more_permissive" if after.allowed else "more_restrictive"
    if looser(before.must, after.must):
        return "more_permissive"
    return "more_restrictive" if looser(after.must, before.must) else "same_outcome"


def diff(
    old: Policy,
    new: Policy,
    told: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    only_allows: bool = False,
) -> Diff:
    """Compare two policies; ``told`` hears how many of how many steps are done.

    ``only_allows`` leaves out cells that the new policy denies: enough to find what becomes more permissive.
    """
    before, after = Evaluator(old), Evaluator(new)
    space = space_of(before, after)
    comparison = _Comparison(before, after, space, only_allows=only_allows)
    total = 2 * len(space.subjects)
    for done, asking in enumerate((False, True)):
        for number, subject in enumerate(space.subjects, 1):
            comparison.look(subject, asking=asking)
            told(done * len(space.subjects) + number, total)
        comparison.compare(asking=asking)
    return Diff(space, tuple(comparison.changes()))


def apply(difference: Diff, matrix: Mapping[Cell, Decision]) -> dict[Cell, Decision]:
    """Lay a difference over the answers of the old policy."""
    out = dict(matrix)
    for change in difference.changes:
        for box in change.boxes:
            for cell in cells(box):
                out[cell] = change.after  # type: ignore[index]  # a box has as many sides as a cell
    return out


class _Comparison:
    """Collects the cells that differ, column by column."""

    def __init__(self, before: Evaluator, after: Evaluator, space: Space, *, only_allows: bool) -> None:
        """Take both policies, ready to decide."""
        self._both = (before, after)
        self._only_allows = only_allows
        self._sameness = Sameness(before, after)
        self._space = space
        self._columns: dict[tuple[int, int, Place | None], tuple[Column | None, Column | None, list[Sides]]] = {}
        self._phases: dict[tuple[Parties | None, ...], list[tuple[int, frozenset[str]]]] = {}
        self._same: dict[Decision, Decision] = {}
        self._found: dict[tuple[Decision, Decision], list[Sides]] = {}
        self._owns = [
            [each.interval(space.since(interval)) for interval in range(space.intervals)] for each in self._both
        ]

    def look(self, subject: str, *, asking: bool) -> None:
        """Find the pairs of columns of a subject, those alike together."""
        roles = self._roles() if asking else [(NO_ASKER, frozenset((NO_ASKER,)))]
        for node in self._space.regions:
            for asker in self._space.regions if asking else (NO_ASKER,):
                for interval, times in self._times(subject, node, asker):
                    for role, alike in roles:
                        place = (subject, node, asker, role)
                        old, new = (self._column(which, interval, place) for which in range(2))
                        # What a policy does not know it denies by name, and which name it is depends on the place.
                        key = (id(old), id(new), place if old is None or new is None else None)
                        sides = (frozenset((subject,)), frozenset((node,)), frozenset((asker,)), alike, times)
                        self._columns.setdefault(key, (old, new, []))[2].append(sides)

    def compare(self, *, asking: bool) -> None:
        """Compare every pair of columns in every row, rows alike together."""
        rows = self._row_groups(asking=asking)
        row_boxes = {
            key: merged(tuple(frozenset((name,)) for name in row) for row in listed) for key, listed in rows.items()
        }
        for before, after, places in self._columns.values():
            boxes: list[Sides] | None = None
            for key in self._apart(before, after, rows):
                if self._only_allows and not self._allows(after, key[1]):
                    continue
                old = self._answer(0, before, key[0], rows[key][0], places[0])
                new = self._answer(1, after, key[1], rows[key][0], places[0])
                if old is not new:
                    boxes = boxes or merged(places)
                    listed = self._found.setdefault((old, new), [])
                    listed += [(*row, *place) for row in row_boxes[key] for place in boxes]
        self._columns.clear()

    def _apart(self, before: Column | None, after: Column | None, rows: _Rows) -> Iterator[tuple[int | str, int | str]]:
        """Leave out the rows in which two columns answer alike, as far as that is told quickly."""
        if before is None or after is None or not self._sameness.columns(before, after):
            yield from rows
            return
        for key in rows:
            if not self._sameness.rows(before, after, key):
                yield key

    def changes(self) -> Iterator[Change]:
        """Give what was found, the more permissive first, the larger first."""
        found = [
            Change(direction_of(old, new), old, new, tuple(merged(boxes))) for (old, new), boxes in self._found.items()
        ]
        found.sort(key=lambda each: (DIRECTIONS.index(each.direction), -each.count, ordered(each.boxes[0])))
        return iter(found)

    def _roles(self) -> list[tuple[str, frozenset[str]]]:
        """Give roles that neither policy tells apart together, one of them for all."""
        groups: dict[tuple[int | None, ...], list[str]] = {}
        for role in self._space.roles:
            groups.setdefault(tuple(each.tables.roles.get(role) for each in self._both), []).append(role)
        return [(roles[0], frozenset(roles)) for roles in groups.values()]

    def _times(self, subject: str, node: str, asker: str) -> list[tuple[int, frozenset[str]]]:
        """Give intervals in which neither policy changes between these parties together, one of them for all."""
        parties = tuple(self._parties(each, subject, node, asker) for each in self._both)
        found = self._phases.get(parties)
        if found is None:
            groups: dict[tuple[tuple[int, int] | None, ...], list[int]] = {}
            for interval in range(self._space.intervals):
                key = tuple(self._phase(which, interval, parties[which]) for which in range(2))
                groups.setdefault(key, []).append(interval)
            found = [(intervals[0], frozenset(map(str, intervals))) for intervals in groups.values()]
            self._phases[parties] = found
        return found

    def _phase(self, which: int, interval: int, parties: Parties | None) -> tuple[int, int] | None:
        """Give what of a policy depends on time: the rules that are valid, and the needs that are met."""
        if parties is None:
            return None
        evaluator, own = self._both[which], self._owns[which][interval]
        return evaluator.tables.times[own], evaluator.needs_met(own, parties)[2]

    @staticmethod
    def _parties(evaluator: Evaluator, subject: str, node: str, asker: str) -> Parties | None:
        """Give whose laws are concerned; ``None`` where the policy does not know all names."""
        of = {**evaluator.tables.names.jurisdiction, NO_ASKER: NO_ASKER}
        known = subject in evaluator.tables.subjects and node in of and asker in of
        return (subject, of[node], of[asker]) if known else None

    def _column(self, which: int, interval: int, place: Place) -> Column | None:
        """Give a policy's column of a place; ``None`` where it does not know it."""
        evaluator = self._both[which]
        members = evaluator.tables.names.members
        subject, node, asker, role = place
        known = subject in members["jurisdictions"] and node in members["regions"] and role in evaluator.tables.roles
        if not known or (asker != NO_ASKER and asker not in members["regions"]):
            return None
        return evaluator.column(self._owns[which][interval], place)

    def _row_groups(self, *, asking: bool) -> _Rows:
        """Give rows that neither policy tells apart together: they match the same, or are unknown for one reason."""
        tables = [each.tables.asking if asking else each.tables.plain for each in self._both]
        groups: dict[tuple[int | str, int | str], list[Row]] = {}
        for row in self._space.rows(asking=asking):
            old, new = (
                table[row] if row in table else each.row_wrong(*row)
                for each, table in zip(self._both, tables, strict=True)
            )
            groups.setdefault((old, new), []).append(row)
        return groups

    def _allows(self, column: Column | None, bits: int | str) -> bool:
        """Say whether the new policy allows what matches."""
        if column is None or isinstance(bits, str):
            return False
        return self._both[1].weigh(bits & column.mask, column.met)[0] == "allow"

    def _answer(self, which: int, column: Column | None, bits: int | str, row: Row, place: Sides) -> Decision:
        """Give an answer; equal answers are one object."""
        evaluator = self._both[which]
        if column is None or isinstance(bits, str):
            subject, node, asker, role, _ = (min(side) for side in place)
            found = evaluator.decide(Question(*row, subject, node, 0, asker, role))
        else:
            found = decided(evaluator, column, bits & column.mask)
        return self._same.setdefault(found, found)
