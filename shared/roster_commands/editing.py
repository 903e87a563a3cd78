"""``homeport roster init|add|retire|set-key|set-control``: make a roster, change it; signing is a step of its own."""

from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from shared.clock import SystemClock
from shared.roster import edits
from shared.roster.model import CompanySlug, ControlPlane, NodeIntroduction, Officer, Roster, Witness
from shared.roster.words import differences
from shared.roster_commands.common import FILE, load, load_introduction, save_draft

_roster = click.option("--roster", "path", type=FILE, required=True, help="The roster to start from.")
_threshold = click.option("--threshold", type=click.IntRange(1, 100), help="How many officers must sign from now on.")


def _change(path: Path, change: Callable[[Roster, int], Roster]) -> None:
    """Make a change on a roster file, write the draft, and say what it changes."""
    before = load(path)
    now_ms = SystemClock().now()
    draft = change(edits.draft_of(before, now_ms), now_ms)
    target = save_draft(draft, path, before)
    for sentence in differences(before.roster, draft):
        click.echo(sentence)
    click.echo(f"Wrote {target}, version {draft.version}, unsigned. Next: homeport roster sign {target} --key YOUR.key")


@click.command(short_help="Make a company's first roster.")
@click.argument("company")
@click.option("--officer", "officers", type=FILE, multiple=True, required=True, help="An officer's public file.")
@click.option("--control", type=FILE, required=True, help="The control plane's introduction.")
@click.option("--threshold", type=click.IntRange(1, 100), required=True, help="How many officers must sign.")
def init(company: str, officers: tuple[Path, ...], control: Path, threshold: int) -> None:
    """Make version 1 of COMPANY's roster as roster-1.json in this folder, unsigned."""
    try:
        msgspec.convert(company, CompanySlug)
    except msgspec.ValidationError:
        raise click.BadParameter("a-z first, then a-z 0-9 and single -, at most 48", param_hint="COMPANY") from None
    people = tuple(load_introduction(each, Officer) for each in officers)
    made = edits.found(company, threshold, people, load_introduction(control, ControlPlane), SystemClock().now())
    target = save_draft(made, None, None)
    click.echo(f"Wrote {target}. Next: homeport roster show {target}; then each officer: homeport roster sign {target}")


@click.group(short_help="Add a node, an officer or a witness.")
def add() -> None:
    """Add somebody. A signed roster stays as it is; its successor is written beside it."""


@add.command("node")
@click.argument("introduction", type=FILE)
@_roster
def add_node(introduction: Path, path: Path) -> None:
    """Take a node in, by the INTRODUCTION it wrote. Compare its fingerprints by voice before you sign."""
    node = load_introduction(introduction, NodeIntroduction)
    _change(path, lambda draft, now_ms: edits.add_node(draft, node, now_ms))


@add.command("officer")
@click.argument("introduction", type=FILE)
@_roster
@_threshold
def add_officer(introduction: Path, path: Path, threshold: int | None) -> None:
    """Add an officer, or give one of that name a new key, by the public file that homeport roster key wrote."""
    officer = load_introduction(introduction, Officer)
    _change(path, lambda draft, _: edits.add_officer(draft, officer, threshold))


@add.command("witness")
@click.argument("introduction", type=FILE)
@_roster
def add_witness(introduction: Path, path: Path) -> None:
    """Add a witness of the evidence log, or give one of that name a new key."""
    witness = load_introduction(introduction, Witness)
    _change(path, lambda draft, _: edits.add_witness(draft, witness))


@click.group(short_help="Retire a node, an officer or a witness.")
def retire() -> None:
    """Take somebody out."""


@retire.command("node")
@click.argument("name")
@_roster
def retire_node(name: str, path: Path) -> None:
    """Retire a node for good: it stays listed, and neither its name nor its keys ever come back."""
    _change(path, lambda draft, now_ms: edits.retire_node(draft, name, now_ms))


@retire.command("officer")
@click.argument("person")
@_roster
@_threshold
def retire_officer(person: str, path: Path, threshold: int | None) -> None:
    """Take an officer out."""
    _change(path, lambda draft, _: edits.retire_officer(draft, person, threshold))


@retire.command("witness")
@click.argument("name")
@_roster
def retire_witness(name: str, path: Path) -> None:
    """Take a witness out."""
    _change(path, lambda draft, _: edits.retire_witness(draft, name))


@click.command("set-key", short_help="Give a node new keys.")
@click.argument("introduction", type=FILE)
@_roster
def set_key(introduction: Path, path: Path) -> None:
    """Give an active node the new keys of its INTRODUCTION; the old ones are kept as former and never come back."""
    node = load_introduction(introduction, NodeIntroduction)
    _change(path, lambda draft, now_ms: edits.set_node_keys(draft, node, now_ms))


@click.command("set-control", short_help="Give the control plane another address or new keys.")
@click.argument("introduction", type=FILE)
@_roster
def set_control(introduction: Path, path: Path) -> None:
    """Give the control plane the address and keys of its INTRODUCTION."""
    control = load_introduction(introduction, ControlPlane)
    _change(path, lambda draft, _: edits.set_control_plane(draft, control))
