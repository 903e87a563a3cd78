"""What is wrong in policy files: where, what, and what would be right; collected, so that all is told at once."""

from typing import Literal

import msgspec

Weight = Literal["error", "warning"]


class Where(msgspec.Struct, frozen=True, order=True):
    """A place in a file: the table, the name of its entry, the key."""

    file: str
    table: str = ""
    entry: str = ""
    key: str = ""

    def __str__(self) -> str:
        """Write it: ``rules/base.toml rule store-at-home, classes``."""
        entry = " ".join(part for part in (self.table, self.entry) if part)
        place = ", ".join(part for part in (entry, self.key) if part)
        return f"{self.file}{f' {place}' if place else ''}"


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, or that somebody should look at."""

    code: str
    where: Where
    what: str
    wants: str = ""
    """What would be right."""
    weight: Weight = "error"
    line: int | None = None

    def __str__(self) -> str:
        """Write it in a sentence."""
        line = f":{self.line}" if self.line else ""
        rest = str(self.where)[len(self.where.file) :].strip()
        return (
            f"{self.where.file}{line}: {f'{rest}: ' if rest else ''}{self.what}{f' {self.wants}' if self.wants else ''}"
        )
