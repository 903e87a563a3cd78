"""What nodes hold, for ``homeport policy diff``: counts from files, or from a node that stands on this machine.

A program that keeps records registers what counts them under the entry-point group ``homeport.holdings``; it is given
the path of a settings file and what hears of the progress.  So this page imports neither program.
"""

from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

import click
import msgspec

from shared import private_files
from shared.policy.differing import DIRECTIONS, Direction
from shared.policy.touching import Holding, Touched
from shared.policy_commands.common import bar
from shared.screen import print_table

ENTRY_POINTS = "homeport.holdings"
_BYTES_MAX = 16 * 1024 * 1024
_NAMED_MAX = 4
"""Kinds of record named in a row; of more the largest."""
Counting = Callable[[Path, Callable[[int, int], None]], tuple[Holding, ...]]


def read_holdings(files: Iterable[Path], configs: Iterable[Path]) -> tuple[Holding, ...]:
    """Give what the nodes hold whose counts are in files, or whose settings are at hand."""
    found: list[Holding] = []
    for path in files:
        found += _of_file(path)
    for config in configs:
        with bar(f"counting what {config} holds") as progress:
            found += _counting()(config, progress.reach)
    return tuple(found)


def print_touched(records: list[Touched], held: tuple[Holding, ...], words: dict[Direction, str]) -> None:
    """Print how many records are touched, which way, and which they are; ``words`` name the directions."""
    where = ", ".join(sorted({each.node for each in held})) or "no region"
    click.echo(f"Stored records that are touched, of {sum(each.records for each in held):,} in {where}:")
    rows = [(words[each.direction], each.operation, f"{each.records:,}", _named(each.of)) for each in records]
    if rows:
        print_table(("which way", "operation", "records", "of which (class, law)"), rows)
    else:
        click.echo("None: no answer changes about any of them.")
    if any((each.operation, each.direction) == ("store", DIRECTIONS[1]) for each in records):
        click.echo(
            "What may rest there no more is restricted as soon as a node decides by the new policy: shown to nobody,"
            " used for nothing."
        )
    lawless = sum(each.records for each in held if not each.subjects)
    if lawless:
        click.echo(f"{lawless:,} records are of people whose law nobody knows: denied before and after.")
    click.echo("")


def _named(of: tuple[Holding, ...]) -> str:
    """Name the kinds of record that are touched."""
    named = [f"{each.data_class} {'|'.join(each.subjects)} {each.records:,}" for each in of[:_NAMED_MAX]]
    rest = sum(each.records for each in of[_NAMED_MAX:])
    return "; ".join([*named, *([f"others {rest:,}"] if rest else [])])


def _of_file(path: Path) -> tuple[Holding, ...]:
    """Read a file of counts."""
    try:
        data = private_files.read(path, bytes_max=_BYTES_MAX)
        return msgspec.json.decode(data, type=tuple[Holding, ...])
    except (OSError, msgspec.DecodeError):
        what = f"{path} is no list of counts; homeport edge policy holdings --json makes one at a node."
        raise click.BadParameter(what, param_hint="--holdings") from None


def _counting() -> Counting:
    """Find the program that can count what a node holds."""
    for point in metadata.entry_points(group=ENTRY_POINTS):
        counting: Counting = point.load()
        return counting
    raise click.UsageError("No program is installed here that keeps records; take its counts by --holdings.")
