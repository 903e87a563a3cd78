"""Tells quickly that two policies answer alike: the same rules match, and the same ways are open.

It never says so wrongly; where it cannot tell, the answers themselves are compared.
"""

from collections.abc import Hashable

from shared.policy.evaluator import Column, Evaluator, set_bits


class Sameness:
    """Two policies, side by side."""

    def __init__(self, before: Evaluator, after: Evaluator) -> None:
        """Give rules and platform conditions that say the same one number in both."""
        numbers: dict[Hashable, int] = {}
        self._numbers = [
            [numbers.setdefault(each, len(numbers)) for each in (*of.tables.rules, *of.tables.conditions)]
            for of in (before, after)
        ]
        needs = [{need: at for at, (need, _) in enumerate(of.tables.needs)} for of in (before, after)]
        self._needs = [(needs[0][need], needs[1][need]) for need in needs[0].keys() & needs[1].keys()]
        self._contents: tuple[dict[int, frozenset[int]], ...] = ({}, {})
        # What the same rule says may still differ: how long a parameter is, and whose an article is.
        self._steady = all(
            one.get(key, two[key]) == two[key]
            for one, two in (
                (before.tables.spans, after.tables.spans),
                (before.tables.owners, after.tables.owners),
            )
            for key in two
        )
        self._steady &= before.tables.names.members["jurisdictions"] == after.tables.names.members["jurisdictions"]

    def columns(self, before: Column, after: Column) -> bool:
        """Say whether between the same parties the same ways are open, for all needs that both policies have."""
        return (
            self._steady
            and before.parties == after.parties
            and all(before.relied[one] == after.relied[two] for one, two in self._needs)
        )

    def rows(self, before: Column, after: Column, bits: tuple[int | str, int | str]) -> bool:
        """Say whether the same rules match, where both policies know the row."""
        old, new = bits
        if isinstance(old, str) or isinstance(new, str):
            return False
        return self._content(0, old & before.mask) == self._content(1, new & after.mask)

    def _content(self, which: int, matched: int) -> frozenset[int]:
        """Give the numbers of what matches."""
        found = self._contents[which].get(matched)
        if found is None:
            numbers = self._numbers[which]
            found = self._contents[which][matched] = frozenset(numbers[bit] for bit in set_bits(matched))
        return found
