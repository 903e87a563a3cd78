"""Set up, list, check and remove accounts: load, decide, store.

Decisions are in ``core/accounts``; storing (credentials sealed) is the :class:`AccountStore`'s; asking a platform
is a :class:`Probe`'s, handed in, so that nothing here opens a connection.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from edge_node.core.accounts import (
    Account,
    Credentials,
    WhatsAppIds,
    ensure_apart,
    validate,
    validate_credentials,
)
from edge_node.core.findings import Finding
from edge_node.core.stated import Met
from shared.errors import AccountInvalid, AccountUnknown


class AccountStore(Protocol):
    """Where accounts are kept: the public part in the clear, credentials sealed."""

    async def load(self) -> list[tuple[Account, Credentials]]:
        """Give every account with its credentials."""
        ...

    async def save(self, account: Account, credentials: Credentials, *, replace: bool) -> None:
        """Store an account; ``AccountExists`` where the name is taken and ``replace`` is false."""
        ...

    async def remove(self, name: str) -> None:
        """Forget an account and destroy its credentials; ``AccountUnknown`` where there is none."""
        ...


class Probe(Protocol):
    """Asks one platform what it says of an account."""

    async def __call__(self, account: Account, credentials: Credentials) -> list[Finding]:
        """Give findings; ``PlatformUnavailable`` where the platform does not answer."""
        ...


async def add(store: AccountStore, account: Account, credentials: Credentials) -> None:
    """Set up a new account; ``AccountInvalid`` or ``AccountExists`` where it cannot be."""
    validate(account)
    validate_credentials(account, credentials)
    ensure_apart(account, [other for other, _ in await store.load()])
    await store.save(account, credentials, replace=False)


async def replace(store: AccountStore, account: Account, credentials: Credentials) -> None:
    """Put new settings or secrets in the place of the account of that name; ``AccountUnknown`` if there is none.

    The channel stays and so does the scope: stored identities were indexed under them.  Country, home, who may relay
    for it and what was stated of its platform's conditions stay where none is given.
    """
    validate(account)
    validate_credentials(account, credentials)
    stored = {other.name: other for other, _ in await store.load()}
    old = stored.pop(account.name, None)
    if old is None:
        raise AccountUnknown(account=account.name)
    _ensure_kept(old, account)
    ensure_apart(account, stored.values())
    kept = msgspec.structs.replace(
        account,
        country=account.country or old.country,
        home=account.home or old.home,
        relayed_by=account.relayed_by or old.relayed_by,
        met=account.met or old.met,
    )
    await store.save(kept, credentials, replace=True)


async def set_country(store: AccountStore, name: str, country: str | None) -> None:
    """Say where an account's customers are, or that it says nothing of them; ``AccountUnknown``, ``AccountInvalid``."""
    await _change(store, name, country=country)


async def set_home(store: AccountStore, name: str, home: str | None) -> None:
    """Say at which node what arrives for an account rests, ``None``: here; ``AccountUnknown``, ``AccountInvalid``."""
    await _change(store, name, home=home)


async def set_relayed_by(store: AccountStore, name: str, nodes: tuple[str, ...]) -> None:
    """Say which nodes may send home what they receive for an account; ``AccountUnknown``, ``AccountInvalid``."""
    await _change(store, name, relayed_by=nodes)


async def state(store: AccountStore, name: str, demand: str, met: Met | None) -> None:
    """Keep somebody's word that an account meets a demand of its platform, or take it back (``None``).

    ``AccountUnknown``, ``AccountInvalid``.
    """
    account, _ = await find(store, name)
    others = tuple(each for each in account.met if each.demand != demand)
    await _change(store, name, met=others if met is None else (*others, met))


async def find(store: AccountStore, name: str) -> tuple[Account, Credentials]:
    """Give an account by its name; ``AccountUnknown``."""
    found = next((pair for pair in await store.load() if pair[0].name == name), None)
    if found is None:
        raise AccountUnknown(account=name)
    return found


async def list_accounts(store: AccountStore) -> list[tuple[Account, Credentials]]:
    """Give all accounts, by name."""
    return sorted(await store.load(), key=lambda pair: pair[0].name)


async def remove(store: AccountStore, name: str) -> None:
    """Forget the account; webhooks for it are answered 401 from then on.  Stored messages stay."""
    await store.remove(name)


async def check(
    store: AccountStore, name: str, probes: Mapping[str, Probe], others: Collection[str] | None = None
) -> list[Finding]:
    """Look at one account: first what is here, then what its platform says of callback and storage settings.

    ``others`` are the other nodes that can be reached by the roster in force, ``None`` where there is no roster.
    """
    account, credentials = await find(store, name)
    findings = [look_at_home(account, others), *_look_at_secrets(account, credentials, await store.load())]
    if credentials.access_token is None:
        asked = Finding(
            "platform",
            "unknown",
            "the platform was not asked: no access token is stored for this account",
            "Store one with account add --replace --access-token-file.",
        )
        return [*findings, asked]
    return [*findings, *await probes[account.channel](account, credentials)]


def look_at_home(account: Account, others: Collection[str] | None) -> Finding:
    """Say where what arrives for an account goes; ``others`` as for :func:`check`."""
    if account.home is None:
        relays = f"; relayed by: {', '.join(account.relayed_by)}" if account.relayed_by else ""
        return Finding("home", "ok", f"here: what arrives rests here where the policy in force lets it{relays}")
    what = f"node {account.home}: what arrives here is sent there, sealed, where the policy in force lets it"
    if others is None:
        remedy = "Enrol this node: homeport edge enrol. Until then its platform is told to send again."
        return Finding("home", "warning", f"{what}; but this node is in no roster", remedy)
    if account.home not in others:
        remedy = f"homeport edge account set-home {account.name} NODE. Until then its platform is told to send again."
        return Finding("home", "warning", f"{what}; but the roster names no other node so that can be reached", remedy)
    return Finding("home", "ok", what)


async def _change(store: AccountStore, name: str, **changes: object) -> None:
    """Change fields of an account's public part."""
    account, credentials = await find(store, name)
    changed = msgspec.structs.replace(account, **changes)
    validate(changed)
    await store.save(changed, credentials, replace=True)


def _ensure_kept(old: Account, new: Account) -> None:
    """Raise ``AccountInvalid`` where a replacement changes what stored identities depend on."""
    if old.channel != new.channel:
        raise AccountInvalid(field_name="channel", wants="the channel it has; use another name for another channel")
    if old.scope != new.scope:
        raise AccountInvalid(field_name="scope", wants="the scope it has; stored identities are unique within it")


def _look_at_secrets(
    account: Account, credentials: Credentials, stored: list[tuple[Account, Credentials]]
) -> list[Finding]:
    """Compare what is stored here: rotation under way, and one app with two different secrets."""
    findings = []
    if len(credentials.secrets) > 1:
        findings.append(
            Finding("secrets", "warning", "two secrets are valid", "Remove the old one once rotation is complete.")
        )
    else:
        findings.append(Finding("secrets", "ok", "one secret is valid"))
    if len(credentials.bus_secrets) > 1:
        what, remedy = "two secrets of the bus are valid", "Remove the old one once rotation is complete."
        findings.append(Finding("bus", "warning", what, remedy))
    if isinstance(account.ids, WhatsAppIds):
        for other, theirs in stored:
            same_app = isinstance(other.ids, WhatsAppIds) and other.ids.app_id == account.ids.app_id
            if same_app and set(theirs.secrets).isdisjoint(credentials.secrets):
                findings.append(
                    Finding(
                        "secrets",
                        "warning",
                        f"account {other.name} names the same app but has another secret",
                        "Store the app's secret for both: Meta signs with one key per app.",
                    )
                )
    return findings
