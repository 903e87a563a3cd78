"""``homeport edge subject show|residence``: whose law applies to a person, and where they said they live."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.core.accounts import is_country
from edge_node.core.classes import names_of
from edge_node.settings import EdgeSettings
from shared.errors import SettingsInvalid
from shared.screen import print_table

if TYPE_CHECKING:
    from edge_node.storage.content.jurisdictions import Law

_pseudonym = click.option("--pseudonym", required=True, help="As homeport edge find gives it.")


@click.group(short_help="Whose law applies to a person.")
def subject() -> None:
    """Show whose law applies to a person and why, and note where they said they live."""


@subject.command(short_help="Show whose law applies to a person.")
@config_option
@_pseudonym
def show(config: Path, pseudonym: str) -> None:
    """Show whose law applies to a person, by what, and what may not rest here for it."""
    _print(asyncio.run(_show(settings_of(config), pseudonym)))


@subject.command(short_help="Note where a person said they live.")
@config_option
@_pseudonym
@click.option("--country", required=True, help="DE, US-CA; none: they took it back.")
def residence(config: Path, pseudonym: str, country: str) -> None:
    """Note where a person said they live: their law is that country's from now on, whatever their number says.

    It is on record. What may not rest here under that law is restricted at once: shown to no desk, used for nothing.
    """
    if country != "none" and not is_country(country):
        raise SettingsInvalid(field_name="--country", wants="a code of ISO 3166 (DE, US-CA), or none")
    _print(asyncio.run(_declare(settings_of(config), pseudonym, None if country == "none" else country)))


def _print(law: "Law") -> None:
    """Print a subject's law."""
    print_table(
        ("what", "now"),
        [
            ("jurisdiction", law.jurisdiction or "none is certain"),
            ("country", law.country or "unknown"),
            ("known by", law.basis or "not derived yet"),
            ("how sure", law.certainty),
            ("others that may apply", law.others or "none"),
            ("sources that disagree", law.conflicts or "none"),
            ("declared residence", law.declared or "none"),
            ("may not rest here", ", ".join(names_of(law.restricted)) or "nothing"),
        ],
    )


async def _show(settings: EdgeSettings, pseudonym: str) -> "Law":
    """Open the stores and read."""
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them
    from edge_node.usecases.governing.residence import show_law  # noqa: PLC0415

    async with open_stores(settings) as stores:
        return await show_law(stores.content, pseudonym)


async def _declare(settings: EdgeSettings, pseudonym: str, country: str | None) -> "Law":
    """Open the stores and note it."""
    from edge_node.assembly import assemble_judge  # noqa: PLC0415  only what opens stores loads them
    from edge_node.metrics import Metrics  # noqa: PLC0415
    from edge_node.stores import open_stores  # noqa: PLC0415
    from edge_node.usecases.governing.residence import declare_residence  # noqa: PLC0415

    async with open_stores(settings) as stores:
        judge = await assemble_judge(stores, Metrics())
        _, law = await declare_residence(stores.content, judge, stores.clock, pseudonym, country)
    return law
