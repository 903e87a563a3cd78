"""What the commands share: the ``--config`` option, the settings behind it, and how a table is printed."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_node.settings import CONFIG_VARIABLE, EdgeSettings, load_settings

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH_PIPED = 200
"""Columns where the output is no terminal: wide enough that no cell is broken over lines."""


def config_option(command: F) -> F:
    """Give a command ``--config PATH``."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("node.toml"),
        show_default=True,
        envvar=CONFIG_VARIABLE,
        help=f"The node's settings file; also {CONFIG_VARIABLE}.",
    )(command)


def settings_of(config: Path) -> EdgeSettings:
    """Load the settings, overlaid by this process's environment."""
    return load_settings(config, os.environ)


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
    """Replace control characters: what a platform or a person wrote must not steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cell)
