"""The whole space of questions: every cell, none sampled.

A cell is a row (operation, class, purpose), a place (subject, node, and for view and transfer asker and role) and an
interval of time in which nothing changes.  Two policies are laid over the space of both: what one does not know, it
denies by name.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from shared.policy.compiling import OPERATIONS, Row
from shared.policy.deciding import Decision, Question
from shared.policy.evaluator import Column, Evaluator, Place, set_bits
from shared.policy.spans import written
from shared.policy.terms import ASKING, NO_ASKER

AXES = ("operation", "class", "purpose", "subject", "node", "asker", "role", "time")
"""Of a cell and of a box, in this order; time by the number of its interval."""
Cell = tuple[str, str, str, str, str, str, str, str]
Counts = dict[tuple[str, str, str, str], int]
"""By operation, outcome, rule (empty where none decided) and reason: how many cells."""


class Space(msgspec.Struct, frozen=True):
    """Every name of each axis, and the moments (ms) between which nothing changes."""

    classes: tuple[str, ...]
    purposes: tuple[str, ...]
    subjects: tuple[str, ...]
    regions: tuple[str, ...]
    roles: tuple[str, ...]
    instants: tuple[int, ...]
    groups: tuple[tuple[str, str, frozenset[str]], ...] = ()
    """Axis (as groups call it), name and members of every group that means the same wherever it is named."""

    def rows(self, *, asking: bool) -> Iterator[Row]:
        """Give the rows of view and transfer, or those of the other operations."""
        for operation in OPERATIONS:
            if (operation in ASKING) == asking:
                for data_class in self.classes:
                    for purpose in self.purposes:
                        yield operation, data_class, purpose

    def places(self, *, asking: bool) -> Iterator[Place]:
        """Give every place."""
        for subject in self.subjects:
            for node in self.regions:
                if not asking:
                    yield subject, node, NO_ASKER, NO_ASKER
                    continue
                for asker in self.regions:
                    for role in self.roles:
                        yield subject, node, asker, role

    @property
    def intervals(self) -> int:
        """Give how many intervals there are."""
        return len(self.instants) + 1

    @property
    def count(self) -> int:
        """Give how many cells there are."""
        rows = len(self.classes) * len(self.purposes)
        places = len(self.subjects) * len(self.regions)
        asked = len(ASKING) * rows * places * len(self.regions) * len(self.roles)
        return (asked + (len(OPERATIONS) - len(ASKING)) * rows * places) * self.intervals

    def since(self, interval: int) -> int:
        """Give the first moment of an interval; 0 of the first."""
        return self.instants[interval - 1] if interval else 0

    def interval_words(self, interval: int) -> str:
        """Write an interval: from when, until when."""
        begin = f"from {written(self.instants[interval - 1])}" if interval else ""
        end = f"until {written(self.instants[interval])}" if interval < len(self.instants) else ""
        return " ".join(part for part in (begin, end) if part) or "always"

    def whole(self, axis: int) -> frozenset[str]:
        """Give every name of one of the :data:`AXES`."""
        times = tuple(str(number) for number in range(self.intervals))
        every = (OPERATIONS, self.classes, self.purposes, self.subjects, self.regions, self.regions, self.roles, times)
        return frozenset(every[axis])


def space_of(*evaluators: Evaluator) -> Space:
    """Give the space that some policies span together."""
    names = [each.tables.names.members for each in evaluators]

    def axis(name: str) -> tuple[str, ...]:
        return tuple(sorted({member for members in names for member in members[name]}))

    return Space(
        classes=axis("classes"),
        purposes=axis("purposes"),
        subjects=axis("jurisdictions"),
        regions=axis("regions"),
        roles=axis("roles"),
        instants=tuple(sorted({at for each in evaluators for at in each.tables.instants})),
        groups=_groups(evaluators),
    )


def _groups(evaluators: Iterable[Evaluator]) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Give the groups of some policies, spelled out; one that means different things in two of them is left out."""
    meant: dict[str, set[tuple[str, str, frozenset[str]]]] = {}
    for each in evaluators:
        for name, group in each.tables.names.groups.items():
            meant.setdefault(name, set()).add((group.of, name, each.tables.names.spelled((group.of,), [name])))
    return tuple(sorted((min(found) for found in meant.values() if len(found) == 1), key=lambda each: each[:2]))


def cells(
    evaluator: Evaluator, space: Space, keep: Callable[[Place], bool] = lambda _: True
) -> Iterator[tuple[Cell, Decision]]:
    """Give every cell of a space with its answer; ``keep`` chooses places.  The names must be the evaluator's."""
    tables = evaluator.tables
    for asking in (False, True):
        bits = tables.asking if asking else tables.plain
        rows = [(row, bits[row]) for row in space.rows(asking=asking)]
        places = [place for place in space.places(asking=asking) if keep(place)]
        for interval in range(space.intervals):
            own, name = evaluator.interval(space.since(interval)), str(interval)
            for place in places:
                column = evaluator.column(own, place)
                for row, row_bits in rows:
                    yield (*row, *place, name), decided(evaluator, column, row_bits & column.mask)


def decided(evaluator: Evaluator, column: Column, matched: int) -> Decision:
    """Give the answer to what matches in a column, kept for the next time."""
    found = column.decisions.get(matched)
    if found is None:
        found = column.decisions[matched] = evaluator.answer(column, matched)
    return found


def question_at(space: Space, cell: Cell) -> Question:
    """Give the question of a cell, asked at the first moment of its interval."""
    operation, data_class, purpose, subject, node, asker, role, interval = cell
    return Question(operation, data_class, purpose, subject, node, space.since(int(interval)), asker, role)


def tally(evaluator: Evaluator, space: Space, told: Callable[[int], None] = lambda _: None) -> Counts:
    """Count every cell by (operation, outcome, rule or reason); ``told`` hears how many cells each step decided.

    Columns in which nothing differs are one object, and rows that match alike one number, so each is decided once and
    counted as often as it stands for a cell.
    """
    weighed: dict[tuple[str, int, int], int] = {}
    tables = evaluator.tables
    for asking in (False, True):
        bits = tables.asking if asking else tables.plain
        rows: dict[tuple[str, int], int] = {}
        for row in space.rows(asking=asking):
            rows[row[0], bits[row]] = rows.get((row[0], bits[row]), 0) + 1
        per_place = sum(rows.values())
        for interval in range(space.intervals):
            own = evaluator.interval(space.since(interval))
            columns: dict[int, tuple[Column, int]] = {}
            for place in space.places(asking=asking):
                column = evaluator.column(own, place)
                columns[id(column)] = (column, columns.get(id(column), (column, 0))[1] + 1)
            for column, times in columns.values():
                for (operation, row_bits), alike in rows.items():
                    key = (operation, row_bits & column.mask, column.met)
                    weighed[key] = weighed.get(key, 0) + times * alike
                told(times * per_place)
    counts: Counts = {}
    for (operation, matched, met), times in weighed.items():
        outcome, deciding, reason = evaluator.weigh(matched, met)
        rule = tables.rules[next(set_bits(deciding))] if deciding else None
        named = ("", "no_rule") if rule is None else (rule.id, reason or rule.reason)
        counts[operation, outcome, *named] = counts.get((operation, outcome, *named), 0) + times
    return counts
