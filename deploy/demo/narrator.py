"""The screen: calm, readable without colour and at 80 columns; and the list of what was promised and not held."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import chop_cells
from rich.console import Console
from rich.containers import Lines
from rich.rule import Rule
from rich.text import Text

_LABEL = 9
_WIDTH_MAX = 100
_WIDTH_PIPED = 80
_BYTES_SHOWN = 12


class Narrator:
    """Prints what happens and keeps count of what was checked."""

    def __init__(self) -> None:
        """Print on standard output; what its encoding lacks is escaped rather than fatal."""
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)
        console = Console(highlight=False, emoji=False)
        width = min(console.width, _WIDTH_MAX) if console.is_terminal else _WIDTH_PIPED
        self._console = Console(highlight=False, emoji=False, width=width)
        self._chapter = self._step = 0
        self.failures: list[str] = []
        self.held = 0

    def chapter(self, number: int, text: str, about: str) -> None:
        """Begin a chapter: what it is called and what it is about."""
        self._chapter, self._step = number, 0
        self._console.print()
        self._console.print(Rule(Text(f"{number}  {text}", style="bold"), align="left", characters="="))
        self.say(about)

    def step(self, text: str) -> None:
        """Begin a step of the chapter, numbered."""
        self._step += 1
        self.title(f"{self._chapter}.{self._step}  {text}")

    def title(self, text: str) -> None:
        """Begin a part."""
        self._console.print()
        self._console.print(Rule(Text(text, style="bold"), align="left", style="dim", characters="-"))

    def say(self, text: str = "", style: str = "") -> None:
        """Print a paragraph."""
        for each in self._wrapped(text, 0) if text else [Text()]:
            self._console.print(Text(each.plain.rstrip(), style=style), soft_wrap=True)

    def line(self, label: str, text: str, style: str = "") -> None:
        """Print a labelled line; a long one goes on below its own beginning."""
        self._labelled(label, [each.plain.rstrip() for each in self._wrapped(text, _LABEL + 2)], style)

    def code(self, label: str, text: str, style: str = "cyan") -> None:
        """Print a labelled line of JSON, cut where the screen ends and nowhere else."""
        self._labelled(label, chop_cells(text, self._console.width - _LABEL - 2), style)

    def note(self, text: str) -> None:
        """Print a remark, set in and quiet."""
        for each in self._wrapped(text, 2):
            self._console.print(Text("  " + each.plain.rstrip(), style="italic dim"), soft_wrap=True)

    def _wrapped(self, text: str, indent: int) -> Lines:
        """Break a text into lines between its words."""
        return Text(text).wrap(self._console, self._console.width - indent)

    def _labelled(self, label: str, lines: list[str], style: str) -> None:
        """Print lines with a label before the first of them."""
        for number, each in enumerate(lines or [""]):
            head = f"  {label:<{_LABEL}}" if not number else " " * (_LABEL + 2)
            self._console.print(Text.assemble((head, "dim"), (each, style)), soft_wrap=True)

    def table(self, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        """Print a plain table; columns as wide as their widest cell."""
        lines = [heads, *rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
        for number, line in enumerate(lines):
            cells = "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
            self._console.print(Text(f"  {cells.rstrip()}", style="" if number else "dim"), soft_wrap=True)

    def raw(self, text: str) -> None:
        """Print lines as they are, never folded: what is to be copied."""
        self._console.print(Text(text), soft_wrap=True)

    def check(self, claim: str, held: bool) -> bool:
        """Print whether a claim held, and remember it where it did not; give ``held`` back."""
        if held:
            self.held += 1
            self.line("  ok", claim, "green")
        else:
            self.failures.append(f"{self._chapter}.{self._step}  {claim}")
            self.line("  FAILED", claim, "bold red")
        return held


def plural(count: int, word: str) -> str:
    """Give a number with its word: ``1 row``, ``2 rows``, ``2 replies``."""
    if count == 1:
        return f"1 {word}"
    return f"{count} {word[:-1]}ies" if word.endswith("y") and word[-2] not in "aeiou" else f"{count} {word}s"


def hexed(data: bytes, shown: int = _BYTES_SHOWN) -> str:
    """Show length and first bytes: ``431 bytes  8f3a 01c2 ...``."""
    head = data[:shown].hex()
    groups = " ".join(head[place : place + 4] for place in range(0, len(head), 4))
    return f"{len(data)} bytes  {groups}{' ...' if len(data) > shown else ''}"


def moment(milliseconds: int) -> str:
    """Show an instant."""
    if not milliseconds:
        return "-"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
