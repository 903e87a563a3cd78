"""``homeport control principal``: who may ask the control plane, and by which tokens."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from control_plane.commands.common import config_option, with_stores
from control_plane.core.access import ROLES, SCOPES, Role, Scope
from control_plane.core.minting import mint, write_access
from control_plane.stores import Opened
from shared.screen import print_table

_SLUG = re.compile(r"[a-z](?:-?[a-z0-9]){0,47}")


def _slug(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Check a short name."""
    if _SLUG.fullmatch(value) is None:
        raise click.BadParameter("a-z first, then a-z 0-9 and single -, at most 48")
    return value


@click.group(short_help="Say who may ask, and give tokens.")
def principal() -> None:
    """Principals belong to persons and have one role; two persons appoint officers, operators and auditors."""


@principal.command("add")
@click.argument("name", callback=_slug)
@click.option("--person", required=True, callback=_slug, help="Short name of the person or the owning team.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@config_option
def add(name: str, person: str, role: Role, config: Path) -> None:
    """Make the principal NAME.

    While fewer than two persons can decide, this appoints anybody. Afterwards an officer, operator or auditor is only
    proposed: another person approves it through the API.
    """
    from control_plane.core.four_eyes import Proposal  # noqa: PLC0415
    from control_plane.storage.principals import Principal  # noqa: PLC0415
    from control_plane.usecases.people import appoint  # noqa: PLC0415

    async def act(opened: Opened) -> Principal | Proposal:
        async with opened.store.work() as work:
            return await appoint(work, name, person, role, None)

    made = with_stores(config, act)
    if isinstance(made, Proposal):
        click.echo(f"Proposed. Another person than {person} approves it: POST /v1/proposals/{made.id}/approve")
    else:
        click.echo(f"{name} is a principal. Next: homeport control principal token {name}")


@principal.command("list")
@config_option
def list_(config: Path) -> None:
    """List every principal."""
    from control_plane.storage import principals  # noqa: PLC0415

    async def act(opened: Opened) -> list[principals.Principal]:
        async with opened.store.database.read() as t:
            return await principals.everybody(t)

    found = with_stores(config, act)
    rows = [(each.name, each.person, each.role, "removed" if each.removed_at else "in force") for each in found]
    print_table(("name", "person", "role", "state"), rows)


@principal.command("remove")
@click.argument("name", callback=_slug)
@config_option
def remove(name: str, config: Path) -> None:
    """Take all tokens of the principal NAME away at once, and remove it.

    Once two persons can decide, that an officer, operator or auditor is removed for good is only proposed: another
    person approves it through the API.
    """
    from control_plane.core.four_eyes import Proposal  # noqa: PLC0415
    from control_plane.usecases.people import dismiss  # noqa: PLC0415

    async def act(opened: Opened) -> Proposal | None:
        async with opened.store.work() as work:
            return await dismiss(work, name, None)

    proposed = with_stores(config, act)
    click.echo("Its tokens are refused from now on.")
    if proposed is None:
        click.echo(f"{name} is removed.")
    else:
        click.echo(f"Removing {name} is proposed. Another person approves it: POST /v1/proposals/{proposed.id}/approve")


@principal.command("token")
@click.argument("name", callback=_slug)
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Default: all of the role.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is good; default: until it is removed.")
@config_option
def token(name: str, scopes: tuple[Scope, ...], days: int | None, config: Path) -> None:
    """Make a token of the principal NAME; it is shown once, and only a digest of it is kept."""
    from control_plane.storage.principals import Token  # noqa: PLC0415
    from control_plane.usecases.people import give_token  # noqa: PLC0415

    async def act(opened: Opened) -> tuple[Token, bytes]:
        async with opened.store.work() as work:
            id_ = work.draw_id()
            secret = mint(opened.mint_key, "access", id_)
            minutes = None if days is None else days * 24 * 60
            return await give_token(work, name, scopes or None, minutes, None, id_, secret), secret

    made, secret = with_stores(config, act)
    click.echo(write_access(secret))
    until = "" if made.until is None else f", until {datetime.fromtimestamp(made.until // 1000, tz=UTC):%Y-%m-%d}"
    click.echo(f"Token {made.id} of {name}{until}. Scopes: {' '.join(made.scopes)}", err=True)
