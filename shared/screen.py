"""How a command shows a table on a screen."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_PIPED = 200
"""Columns where the output is no terminal: wide enough that no cell is broken over lines."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a plain table on standard output; cells are shown as they are, without markup."""
    piped = not sys.stdout.isatty()
    console = Console(width=_WIDTH_PIPED if piped else None, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def printable(cell: str) -> str:
    """Replace control characters: what a platform, a person or another machine wrote must not steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cell)


def say_kept(config: Path, options: Iterable[str]) -> None:
    """Warn, where the command line names any of ``options``, that only a new settings file would have taken them."""
    given = click.get_current_context().get_parameter_source
    unused = [f"--{name.replace('_', '-')}" for name in options if given(name) is ParameterSource.COMMANDLINE]
    if unused:
        click.echo(f"Warning: {config} was there already and is kept; {' and '.join(unused)} not used.", err=True)
