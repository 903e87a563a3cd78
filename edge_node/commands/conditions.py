"""``homeport edge account conditions|set-condition``: what a platform asks for, and who says that it is so."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.core.accounts import Account
from edge_node.core.conditions import SEEN_TO, Demanded, demanded, of_channel, stateable
from edge_node.core.stated import Met
from edge_node.settings import EdgeSettings
from edge_node.usecases import accounts as usecase
from shared.clock import SystemClock
from shared.errors import AccountInvalid
from shared.screen import print_table

if TYPE_CHECKING:
    from edge_node.stores import Stores


@click.command("conditions", short_help="What its platform asks for, and what of it is met.")
@config_option
@click.argument("name")
def conditions(config: Path, name: str) -> None:
    """Show what the policy in force says that its platform asks of the account NAME, and who said that it is so.

    Exit status 1 if something is not met: what the platform's terms forbid without it is then refused.
    """
    account, found = asyncio.run(_look(settings_of(config), name))
    rows = [_row(account, each) for each in found]
    if rows:
        print_table(("condition", "asks for", "met", "says", "article"), rows)
    else:
        click.echo(f"The policy in force has no condition for {account.channel}, or there is no policy.")
    if any(row[2] == "NO" for row in rows):
        click.echo(f"homeport edge account set-condition {name} CONDITION --by WHO states that one is met.")
        raise click.exceptions.Exit(1)


@click.command("set-condition", short_help="State that what its platform asks for is so.")
@config_option
@click.argument("name")
@click.argument("condition")
@click.option("--by", help="Who says so: a name that the company can ask.")
@click.option("--reference", default="", help="Where it can be seen: an address, a file's number.")
@click.option("--withdraw", is_flag=True, help="It is so no more.")
def set_condition(config: Path, name: str, condition: str, by: str | None, reference: str, withdraw: bool) -> None:
    """State that the account NAME meets CONDITION (provider_page_published), with who says so and today's date.

    It is kept sealed beside the account. The policy in force says which conditions there are: account conditions NAME.
    """
    settings = settings_of(config)
    if withdraw:
        met = None
    elif by is None:
        raise AccountInvalid(field_name="by", wants="--by: who says so; or --withdraw")
    else:
        met = Met(condition, by, SystemClock().now(), reference)
    asyncio.run(_state(settings, name, condition, met))
    said = "is not met any more" if withdraw else f"is met, says {by}"
    click.echo(f"{condition} of {name} {said}. A running node takes it up within seconds.")


async def _look(settings: EdgeSettings, name: str) -> tuple[Account, list[Demanded]]:
    """Read an account and its platform's conditions in the policy in force."""
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them

    async with open_stores(settings) as stores:
        account, _ = await usecase.find(stores.accounts, name)
        return account, of_channel(await in_force(stores), account.channel)


async def _state(settings: EdgeSettings, name: str, condition: str, met: Met | None) -> None:
    """Keep or take back a word; one that nothing asks for is refused."""
    from edge_node.stores import open_stores  # noqa: PLC0415

    async with open_stores(settings) as stores:
        account, _ = await usecase.find(stores.accounts, name)
        known = stateable(await in_force(stores), account.channel)
        if met is not None and condition not in known:
            own = f"the node sees to it: {SEEN_TO[condition]}" if condition in SEEN_TO else ""
            wants = own or f"one of: {', '.join(known) or f'none; no policy asks anything of {account.channel}'}"
            raise AccountInvalid(field_name="condition", wants=wants)
        await usecase.state(stores.accounts, name, condition, met)


async def in_force(stores: "Stores") -> dict[str, Demanded]:
    """Read every platform condition of the policy in force; none where there is no policy."""
    from edge_node.storage.content.policies import PolicyStore  # noqa: PLC0415
    from shared.policy.bundling import read_bundle  # noqa: PLC0415

    store = PolicyStore(stores.content)
    kept = await store.newest()
    return {} if kept is None else demanded(read_bundle(await store.body(kept.version)).bundle.policy)


def _row(account: Account, each: Demanded) -> tuple[str, str, str, str, str]:
    """Describe one condition in a line of the table."""
    met = next((word for word in account.met if word.demand == each.demands), None)
    if each.demands in SEEN_TO:
        how = f"by the node: {SEEN_TO[each.demands]}"
    elif met is None:
        how = "NO"
    else:
        seen = f", {met.reference}" if met.reference else ""
        how = f"says {met.by}, {datetime.fromtimestamp(met.at / 1000, UTC):%Y-%m-%d}{seen}"
    return each.name, each.demands, how, each.says, each.article
