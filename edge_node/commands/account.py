"""``homeport edge account ...``: for which numbers and channels this node receives, and where what arrives rests.

``conditions`` and ``set-condition`` have a page of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from edge_node.commands.common import config_option, confirmed, settings_of
from edge_node.commands.conditions import conditions, in_force, set_condition
from edge_node.commands.secrets import read_credentials
from edge_node.core.accounts import Account, Credentials, LineIds, WhatsAppIds
from edge_node.core.conditions import unmet
from edge_node.core.findings import Finding
from edge_node.settings import EdgeSettings
from edge_node.usecases import accounts as usecase
from shared.errors import AccountInvalid, AccountUnknown
from shared.roster import read_signed
from shared.screen import print_table

if TYPE_CHECKING:
    from edge_node.stores import Stores

T = TypeVar("T")


@click.group(short_help="Set up, list, check, remove accounts.")
def account() -> None:
    """Set up, list, check and remove the numbers and channels this node receives for."""


@account.command(short_help="Set up a number or channel.")
@config_option
@click.argument("name")
@click.option("--channel", type=click.Choice(["whatsapp", "line"]), required=True, help="The platform.")
@click.option("--scope", required=True, help="LINE: provider id. WhatsApp: Meta business portfolio id.")
@click.option("--bot-user-id", help="LINE: the channel's own user id, U and 32 hexadecimal digits.")
@click.option("--app-id", help="WhatsApp: id of the Meta app whose secret signs.")
@click.option("--waba-id", "waba_ids", multiple=True, help="WhatsApp: business account id; may be repeated.")
@click.option("--phone-number-id", "phone_number_ids", multiple=True, help="WhatsApp: number's id; may be repeated.")
@click.option("--app-home", is_flag=True, help="WhatsApp: this node is the home of what Meta sends to the app only.")
@click.option("--country", help="Where its customers are (TH, US-CA): their law, where nothing better is known.")
@click.option("--home", help="The node at which what arrives for it rests, by its name in the roster; else here.")
@click.option("--relayed-by", "relayed_by", multiple=True, help="A node that may send home what it receives for it.")
@click.option("--secret-file", "secret_files", multiple=True, help="App or channel secret; twice during rotation.")
@click.option("--verify-token-file", "verify_token_files", multiple=True, help="WhatsApp: token of the handshake.")
@click.option("--access-token-file", help="For asking the platform (account check); receiving needs none.")
@click.option("--bus-secret-file", "bus_secret_files", multiple=True, help="LINE: secret of a bus that sends XML.")
@click.option("--replace", is_flag=True, help="Put this in the place of the account of that name.")
def add(
    config: Path,
    name: str,
    channel: str,
    scope: str,
    bot_user_id: str | None,
    app_id: str | None,
    waba_ids: tuple[str, ...],
    phone_number_ids: tuple[str, ...],
    app_home: bool,
    country: str | None,
    home: str | None,
    relayed_by: tuple[str, ...],
    secret_files: tuple[str, ...],
    verify_token_files: tuple[str, ...],
    access_token_file: str | None,
    bus_secret_files: tuple[str, ...],
    replace: bool,
) -> None:
    """Set up the account NAME; its webhook address is /webhooks/CHANNEL/NAME.

    Secrets are read from files, from standard input where the file is -, or asked for on the terminal; the node
    seals them. LINE needs --bot-user-id; WhatsApp needs --app-id, --waba-id and --phone-number-id.
    """
    settings = settings_of(config)
    ids = _line_ids(bot_user_id) if channel == "line" else _whatsapp_ids(app_id, waba_ids, phone_number_ids)
    _refuse_foreign(channel, bot_user_id, (app_id, *waba_ids, *phone_number_ids))
    wanted = Account(name, ids, scope, app_home=app_home, country=country, home=home, relayed_by=relayed_by)
    credentials = read_credentials(channel, secret_files, verify_token_files, access_token_file, bus_secret_files)
    act = usecase.replace if replace else usecase.add
    _with_accounts(settings, lambda stores: act(stores.accounts, wanted, credentials))
    click.echo(f"Account {name} is set up. Callback: https://<public name of this node>/webhooks/{channel}/{name}")
    if country is None:
        click.echo("No country: whoever is known by nothing better is refused. homeport edge account set-country.")
    if home is not None:
        click.echo(f"Home: node {home}; what arrives here is sent there.")
    click.echo("A running node takes it up within seconds.")


@account.command("list")
@config_option
def list_accounts(config: Path) -> None:
    """List the accounts, each with its home; no secret is shown."""
    settings = settings_of(config)
    found = _with_accounts(settings, lambda stores: usecase.list_accounts(stores.accounts))
    if not found:
        click.echo("No account is set up yet: homeport edge account add --help.")
        return
    print_table(
        ("account", "channel", "scope", "country", "ids", "secrets", "token", "relayed by", "home"),
        [_row(each, credentials) for each, credentials in found],
    )


@account.command(short_help="Ask the platform about its callback and storage.")
@config_option
@click.argument("name")
@click.option("--test", is_flag=True, help="LINE: have an empty webhook sent to the callback (60 an hour).")
def check(config: Path, name: str, test: bool) -> None:
    """Look at the account NAME: its home and secrets, and what its platform says of callback and storage settings.

    Exit status 1 if anything needs mending.
    """
    from edge_node.platforms import LineProbe, WhatsAppProbe  # noqa: PLC0415  loads the HTTP client

    settings = settings_of(config)
    probes: dict[str, usecase.Probe] = {
        "whatsapp": WhatsAppProbe(settings.platforms.whatsapp_api),
        "line": LineProbe(settings.platforms.line_api, test=test),
    }

    async def look(stores: "Stores") -> list[Finding]:
        found = await usecase.check(stores.accounts, name, probes, await _others(stores))
        return [*found, *await _unmet(stores, name)]

    findings = _with_accounts(settings, look)
    print_table(
        ("topic", "state", "found", "what to do"),
        [(finding.topic, finding.state, finding.what, finding.remedy) for finding in findings],
    )
    if any(finding.state == "warning" for finding in findings):
        raise click.exceptions.Exit(1)


@account.command("set-country", short_help="Say where an account's customers are.")
@config_option
@click.argument("name")
@click.argument("country")
def set_country(config: Path, name: str, country: str) -> None:
    """Say that the customers of account NAME are in COUNTRY (TH, US-CA), or with none that it says nothing of them.

    Their law is that country's as long as nothing better is known of one: what they declared, the country of their
    WhatsApp user id or number. Who wrote before keeps what was known then.
    """
    settings = settings_of(config)
    code = None if country == "none" else country
    _with_accounts(settings, lambda stores: usecase.set_country(stores.accounts, name, code))
    click.echo(f"Country of {name}: {country}. A running node takes it up within seconds.")


@account.command("set-home", short_help="Say at which node what arrives for an account rests.")
@config_option
@click.argument("name")
@click.argument("node")
def set_home(config: Path, name: str, node: str) -> None:
    """Say that what arrives for account NAME rests at NODE, by its name in the roster, or with none: here.

    It is sent there sealed, and acknowledged when it is stored there; the account has to be set up at NODE, too.
    Where it may rest is for the policy to say. What was stored before stays where it is.
    """
    settings = settings_of(config)
    home = None if node == "none" else node
    _with_accounts(settings, lambda stores: usecase.set_home(stores.accounts, name, home))
    click.echo(f"Home of {name}: {home or 'here'}. A running node takes it up within seconds.")


@account.command("set-relayed-by", short_help="Say which nodes may relay for an account.")
@config_option
@click.argument("name")
@click.argument("nodes", nargs=-1, required=True, metavar="NODE...")
def set_relayed_by(config: Path, name: str, nodes: tuple[str, ...]) -> None:
    """Say that NODE..., by name in the roster, may send home what they receive for account NAME, or with none: nobody.

    Such a node vouches for the platform's signature, and could say what no customer wrote: name those alone to which a
    platform is told to send, or from which the policy sends what may not rest there.
    """
    settings = settings_of(config)
    relays = () if nodes == ("none",) else nodes
    _with_accounts(settings, lambda stores: usecase.set_relayed_by(stores.accounts, name, relays))
    click.echo(f"{name} is relayed by: {', '.join(relays) or 'nobody'}. A running node takes it up within seconds.")


@account.command(short_help="Remove an account and its credentials.")
@config_option
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(config: Path, name: str, yes: bool) -> None:
    """Remove the account NAME and destroy its credentials; what it received stays."""
    settings = settings_of(config)
    found = _with_accounts(settings, lambda stores: usecase.list_accounts(stores.accounts))
    if name not in [each.name for each, _ in found]:
        raise AccountUnknown(account=name)
    if not yes:
        confirmed("Webhooks for this account will be answered 401. Remove it?")
    _with_accounts(settings, lambda stores: usecase.remove(stores.accounts, name))
    click.echo(f"Account {name} is removed. A running node sees it within seconds.")


def _with_accounts(settings: EdgeSettings, act: Callable[["Stores"], Awaitable[T]]) -> T:
    """Open the stores, do ``act`` with them, and close them again."""
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them

    async def inside() -> T:
        async with open_stores(settings) as stores:
            return await act(stores)

    return asyncio.run(inside())


async def _others(stores: "Stores") -> list[str] | None:
    """Name the other nodes that can be reached by the roster in force; ``None`` where there is none."""
    from edge_node.storage.content.uplink import UplinkStore  # noqa: PLC0415

    store = UplinkStore(stores.content)
    enrolled, body = await store.load(), await store.roster()
    if enrolled is None or body is None:
        return None
    roster = read_signed(body).roster
    active = [each for each in roster.nodes if each.name != enrolled.node and roster.active(each.name)]
    return [each.name for each in active if each.relay is not None]


def _line_ids(bot_user_id: str | None) -> LineIds:
    """Make LINE's ids, or say what is missing."""
    if bot_user_id is None:
        raise AccountInvalid(field_name="bot_user_id", wants="--bot-user-id: shown in LINE Developers as Your user ID")
    return LineIds(bot_user_id)


def _whatsapp_ids(app_id: str | None, waba_ids: tuple[str, ...], phone_number_ids: tuple[str, ...]) -> WhatsAppIds:
    """Make Meta's ids, or say what is missing."""
    if app_id is None:
        raise AccountInvalid(field_name="app_id", wants="--app-id: the Meta app's id, from its dashboard")
    return WhatsAppIds(app_id, waba_ids, phone_number_ids)


def _refuse_foreign(channel: str, bot_user_id: str | None, meta_ids: tuple[str | None, ...]) -> None:
    """Refuse options of the other channel: they would be dropped in silence."""
    if channel == "line" and any(meta_ids):
        raise AccountInvalid(field_name="channel", wants="no --app-id, --waba-id, --phone-number-id for LINE")
    if channel == "whatsapp" and bot_user_id is not None:
        raise AccountInvalid(field_name="channel", wants="no --bot-user-id for WhatsApp")


def _row(each: Account, credentials: Credentials) -> tuple[str, ...]:
    """Describe one account in a line of the table."""
    if isinstance(each.ids, LineIds):
        ids = each.ids.bot_user_id
    else:
        numbers = ", ".join(each.ids.phone_number_ids) or "no number"
        ids = f"app {each.ids.app_id}{' (home)' if each.app_home else ''}: {numbers}"
    token = "yes" if credentials.access_token else "no"
    bus = f" + {len(credentials.bus_secrets)} bus" if credentials.bus_secrets else ""
    secrets = f"{len(credentials.secrets)}{bus}"
    country = each.country or "none"
    relays = ", ".join(each.relayed_by) or "nobody"
    return each.name, each.channel, each.scope, country, ids, secrets, token, relays, each.home or "here"


async def _unmet(stores: "Stores", name: str) -> list[Finding]:
    """Say what the account's platform asks for, by the policy in force, that nobody stated."""
    found, _ = await usecase.find(stores.accounts, name)
    known = await in_force(stores)
    remedy = f"See to it, then homeport edge account set-condition {name} CONDITION --by WHO."
    return [
        Finding("condition", "warning", f"{each.demands} is not stated: {each.says}", remedy)
        for each in unmet(known, found, known)
    ]


account.add_command(conditions)
account.add_command(set_condition)
