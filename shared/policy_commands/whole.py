"""``homeport policy matrix|diff``: the whole space of questions, and what a change of policy changes in it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from shared.clock import DAY, SystemClock
from shared.policy.boxes import cells as box_cells
from shared.policy.differing import DIRECTIONS, Diff, Direction
from shared.policy.differing import diff as compare
from shared.policy.evaluator import Evaluator, Place
from shared.policy.facts import FactChange, fact_changes
from shared.policy.matrix import AXES, cells, space_of, tally
from shared.policy.spans import written
from shared.policy.supposing import lapsing, removable
from shared.policy.touching import touched
from shared.policy.wording import Group, groups_of, in_short
from shared.policy_commands.asking import DENIED, check_removable
from shared.policy_commands.common import FILE, PATH, Given, as_json, bar, given, moment, path_argument, print_json
from shared.policy_commands.held import print_touched, read_holdings
from shared.screen import print_table

_SYMBOLS: dict[Direction, str] = {
    "more_permissive": "MORE PERMISSIVE",
    "more_restrictive": "more restrictive",
    "same_outcome": "same outcome, other ground",
}


@click.command(short_help="Decide every question there is.")
@path_argument
@click.option("--all", "every", is_flag=True, help="List each cell, one a line; filters narrow it.")
@click.option("--subject", "-s", help="Only subjects of this jurisdiction.")
@click.option("--node", "-n", help="Only nodes in this region.")
@click.option("--asker", "-a", help="Only askers in this region.")
@click.option("--allowed", is_flag=True, help="With --all: only what is allowed.")
@as_json
def matrix(
    path: Path, every: bool, subject: str | None, node: str | None, asker: str | None, allowed: bool, as_json: bool
) -> None:
    """Decide every question that the policies at PATH can be asked, at every moment at which anything changes.

    Without --all it counts: by operation, outcome and rule. With --all --json it prints one JSON array a cell.
    """
    evaluator = Evaluator(given(path).policy)
    space = space_of(evaluator)
    if not every:
        _counts(evaluator, as_json=as_json)
        return

    def keep(place: Place) -> bool:
        return all(want in {None, have} for want, have in zip((subject, node, asker), place[:3], strict=True))

    for cell, decision in cells(evaluator, space, keep):
        if decision.allowed or not allowed:
            words = (*cell[:-1], space.interval_words(int(cell[-1])))
            if as_json:
                print_json((*words, decision.outcome, decision.rule, decision.reason))
            else:
                click.echo(f"{' '.join(words)}: {in_short(decision)}")


def _counts(evaluator: Evaluator, *, as_json: bool) -> None:
    """Print how many cells each rule decides."""
    space = space_of(evaluator)
    with bar("deciding", space.count) as progress:
        counts = tally(evaluator, space, progress.advance)
    if as_json:
        rows = [(*key, cells) for key, cells in sorted(counts.items())]
        print_json({"cells": space.count, "intervals": space.intervals, "counts": rows})
        return
    print_table(
        ("operation", "outcome", "rule", "reason", "cells"),
        [(*key, f"{count:,}") for key, count in sorted(counts.items())],
    )
    click.echo(f"{space.count:,} cells in {space.intervals} intervals of time, each decided.")


@click.command(short_help="Say every cell that a change of policy changes.")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH, required=False)
@click.option(
    "--lapse", multiple=True, help="Let a mechanism, instrument or rule of NEW (else OLD) end: EU.adequacy-jp."
)
@click.option("--on", help="When it ends: a date or moment; tomorrow, by default.")
@click.option("--only", type=click.Choice(DIRECTIONS), help="Only what moved this way.")
@click.option("--all", "every", is_flag=True, help="List each changed cell, one a line.")
@click.option("--config", "configs", type=FILE, multiple=True, help="Settings of a node here: count what it touches.")
@click.option("--holdings", type=FILE, multiple=True, help="Counts that homeport edge policy holdings --json made.")
@click.option("--exit-code", is_flag=True, help="End with status 3 where anything becomes more permissive.")
@as_json
def diff(
    old: Path,
    new: Path | None,
    lapse: tuple[str, ...],
    on: str | None,
    only: Direction | None,
    every: bool,
    configs: tuple[Path, ...],
    holdings: tuple[Path, ...],
    exit_code: bool,
    as_json: bool,
) -> None:
    """Compare two policies, each a folder or a bundle: every changed cell, and which way it moved.

    Without NEW, --lapse says what changes if something of OLD ends, tomorrow or --on another day.

    Cells that changed alike are one group; "any" stands for all names of an axis, "any but" for all except a few.
    Nothing is left out. An allow that asks for less than before, in any respect, counts as more permissive.

    With --config, at a node, or --holdings, anywhere, it says how many stored records have a question whose answer
    changes now or later: a record is counted once for each operation. Both read only, and may be repeated for several
    nodes.
    """
    before, after = _both(old, new, lapse, on)
    held = read_holdings(holdings, configs)
    with bar("comparing") as progress:
        difference = compare(before.policy, after.policy, progress.reach)
    groups, facts = groups_of(difference, only, by_groups=not as_json), fact_changes(before.policy, after.policy)
    counts = {direction: difference.count(direction) for direction in DIRECTIONS}
    records = touched(difference, held, SystemClock().now())
    if as_json:
        whole = {"counts": counts, "cells": difference.space.count, "axes": AXES, "changes": groups, "facts": facts}
        print_json({**whole, "touched": records, "held": sum(each.records for each in held)})
    elif every:
        for line in _each(difference, only):
            click.echo(line)
    else:
        click.echo(f"From {before.title}\nto   {after.title}\n")
        _print(groups, facts)
        if holdings or configs:
            print_touched(records, held, _SYMBOLS)
        click.echo(", ".join(f"{count:,} cells {_SYMBOLS[way]}" for way, count in counts.items()) + ".")
    if exit_code and counts["more_permissive"]:
        sys.exit(DENIED)


def _both(old: Path, new: Path | None, lapse: tuple[str, ...], on: str | None) -> tuple[Given, Given]:
    """Read what is compared: two policies, or one and what it is when something of it has ended."""
    if new is None and not lapse:
        raise click.UsageError("Name a second policy, or what of this one is to end (--lapse EU.adequacy-jp).")
    before = given(old)
    return before, _lapsed(before if new is None else given(new), lapse, on)


def _lapsed(source: Given, names: tuple[str, ...], on: str | None) -> Given:
    """Let things end on a day; each must be there."""
    if not names:
        return source
    check_removable(removable(source.policy), names, "--lapse")
    tomorrow = SystemClock().now() // DAY * DAY + DAY
    day = written(tomorrow if on is None else moment(on, "--on"))
    title = f"{source.title}, in which {', '.join(names)} ends on {day}"
    return Given(lapsing(source.policy, names, day), source.hash, title)


def _print(groups: list[Group], facts: list[FactChange]) -> None:
    """Print groups of cells, each with its boxes, and what else changes."""
    for group in groups:
        click.echo(f"{_SYMBOLS[group.direction]}, {group.cells:,} cells: {group.before} > {group.after}")
        print_table(AXES, group.boxes)
        click.echo("")
    if facts:
        click.echo("Entries that change:")
        rows = [(each.what, each.table, each.name, "; ".join(each.keys)) for each in facts]
        print_table(("", "table", "name", "old > new"), rows)
        click.echo("")


def _each(difference: Diff, only: Direction | None) -> Iterator[str]:
    """Write each changed cell on a line."""
    for change in difference.changes:
        if only is None or change.direction == only:
            moved = f"{in_short(change.before)} > {in_short(change.after)}"
            for box in change.boxes:
                for cell in box_cells(box):
                    interval = difference.space.interval_words(int(cell[-1]))
                    yield f"{change.direction}: {' '.join(cell[:-1])} {interval}: {moved}"
