"""``homeport edge account add|list|check|set-country|remove``: which numbers and channels this node receives for.

``conditions`` and ``set-condition`` have a page of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from edge_node.commands.common import config_option, confirmed, settings_of
from edge_node.commands.conditions import conditions, in_force, set_condition
from edge_node.commands.secrets import read_credentials
from edge_node.core.accounts import Account, Credentials, Finding, LineIds, WhatsAppIds
from edge_node.core.conditions import unmet
from edge_node.settings import EdgeSettings
from edge_node.usecases import accounts as usecase
from shared.errors import AccountInvalid, AccountUnknown
from shared.screen import print_table

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
    wanted = Account(name, ids, scope, app_home=app_home, country=country)
    credentials = read_credentials(channel, secret_files, verify_token_files, access_token_file, bus_secret_files)
    act = usecase.replace if replace else usecase.add
    _with_accounts(settings, lambda store: act(store, wanted, credentials))
    click.echo(f"Account {name} is set up. Callback: https://<public name of this node>/webhooks/{channel}/{name}")
    if country is None:
        click.echo("No country: whoever is known by nothing better is refused. homeport edge account set-country.")
    if all(entry.account != name for entry in settings.admit):
        click.echo(f'Not admitted yet: add [[admit]] with account = "{name}" to {config}, or its messages are refused.')
    click.echo("A running node takes it up within seconds.")


@account.command("list")
@config_option
def list_accounts(config: Path) -> None:
    """List the accounts with what may rest here; no secret is shown."""
    settings = settings_of(config)
    found = _with_accounts(settings, usecase.list_accounts)
    if not found:
        click.echo("No account is set up yet: homeport edge account add --help.")
        return
    print_table(
        ("account", "channel", "scope", "country", "ids", "secrets", "token", "admitted"),
        [_row(settings, each, credentials) for each, credentials in found],
    )


@account.command(short_help="Ask the platform about its callback and storage.")
@config_option
@click.argument("name")
@click.option("--test", is_flag=True, help="LINE: have an empty webhook sent to the callback (60 an hour).")
def check(config: Path, name: str, test: bool) -> None:
    """Look at the account NAME: its secrets, and what its platform says of callback and storage settings.

    Exit status 1 if anything needs mending.
    """
    from edge_node.platforms import LineProbe, WhatsAppProbe  # noqa: PLC0415  loads the HTTP client

    settings = settings_of(config)
    probes: dict[str, usecase.Probe] = {
        "whatsapp": WhatsAppProbe(settings.platforms.whatsapp_api),
        "line": LineProbe(settings.platforms.line_api, test=test),
    }
    findings = [
        _admitted(settings, name),
        *_unmet(settings, name),
        *_with_accounts(settings, lambda store: usecase.check(store, name, probes)),
    ]
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
    _with_accounts(settings, lambda store: usecase.set_country(store, name, code))
    click.echo(f"Country of {name}: {country}. A running node takes it up within seconds.")


@account.command(short_help="Remove an account and its credentials.")
@config_option
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(config: Path, name: str, yes: bool) -> None:
    """Remove the account NAME and destroy its credentials; what it received stays."""
    settings = settings_of(config)
    if name not in [each.name for each, _ in _with_accounts(settings, usecase.list_accounts)]:
        raise AccountUnknown(account=name)
    if not yes:
        confirmed("Webhooks for this account will be answered 401. Remove it?")
    _with_accounts(settings, lambda store: usecase.remove(store, name))
    click.echo(f"Account {name} is removed. A running node sees it within seconds.")


def _with_accounts(settings: EdgeSettings, act: Callable[[usecase.AccountStore], Awaitable[T]]) -> T:
    """Open the stores, do ``act`` with the account store, and close them again."""
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them

    async def inside() -> T:
        async with open_stores(settings) as stores:
            return await act(stores.accounts)

    return asyncio.run(inside())


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


def _row(settings: EdgeSettings, each: Account, credentials: Credentials) -> tuple[str, ...]:
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
    return each.name, each.channel, each.scope, country, ids, secrets, token, _rests(settings, each.name)


def _rests(settings: EdgeSettings, name: str) -> str:
    """Say in words where an account's messages go."""
    for entry in settings.admit:
        if entry.account == name:
            return "rests here" if entry.home is None else f"home {entry.home}"
    return "refused"


def _unmet(settings: EdgeSettings, name: str) -> list[Finding]:
    """Say what the account's platform asks for, by the policy in force, that nobody stated."""
    from edge_node.stores import open_stores  # noqa: PLC0415

    async def inside() -> list[Finding]:
        async with open_stores(settings) as stores:
            found, _ = await usecase.find(stores.accounts, name)
            known = await in_force(stores)
        remedy = f"See to it, then homeport edge account set-condition {name} CONDITION --by WHO."
        return [
            Finding("condition", "warning", f"{each.demands} is not stated: {each.says}", remedy)
            for each in unmet(known, found, known)
        ]

    return asyncio.run(inside())


def _admitted(settings: EdgeSettings, name: str) -> Finding:
    """Say whether the settings admit the account."""
    where = _rests(settings, name)
    if where == "refused":
        remedy = "Add an [[admit]] entry for it to the settings file."
        return Finding("admission", "warning", "not on the list: its messages are refused", remedy)
    return Finding("admission", "ok", where)


account.add_command(conditions)
account.add_command(set_condition)
