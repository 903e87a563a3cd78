"""Set up, list, check and remove accounts: load, decide, store.

Decisions are in ``core/accounts``; storing (credentials sealed) is the :class:`AccountStore`'s; asking a platform
is a :class:`Probe`'s, handed in, so that nothing here opens a connection.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from edge_node.core.accounts import (
    Account,
    Credentials,
    Finding,
    WhatsAppIds,
    ensure_apart,
    validate,
    validate_credentials,
)
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

    The channel stays and so does the scope: stored identities were indexed under them.  The country stays where none
    is given, and so does what was stated of its platform's conditions.
    """
    validate(account)
    validate_credentials(account, credentials)
    stored = {other.name: other for other, _ in await store.load()}
    old = stored.pop(account.name, None)
    if old is None:
        raise AccountUnknown(account=account.name)
    _ensure_kept(old, account)
    ensure_apart(account, stored.values())
    kept = msgspec.structs.replace(account, country=account.country or old.country, met=account.met or old.met)
    await store.save(kept, credentials, replace=True)


async def set_country(store: AccountStore, name: str, country: str | None) -> None:
    """Say where an account's customers are, or that it says nothing of them; ``AccountUnknown``, ``AccountInvalid``."""
    account, credentials = await find(store, name)
    changed = msgspec.structs.replace(account, country=country)
    validate(changed)
    await store.save(changed, credentials, replace=True)


async def state(store: AccountStore, name: str, demand: str, met: Met | None) -> None:
    """Keep somebody's word that an account meets a demand of its platform, or take it back (``None``).

    ``AccountUnknown``, ``AccountInvalid``.
    """
    account, credentials = await find(store, name)
    others = tuple(each for each in account.met if each.demand != demand)
    changed = msgspec.structs.replace(account, met=others if met is None else (*others, met))
    validate(changed)
    await store.save(changed, credentials, replace=True)


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


async def check(store: AccountStore, name: str, probes: Mapping[str, Probe]) -> list[Finding]:
    """Look at one account: first what is here, then what its platform says of callback and storage settings."""
    account, credentials = await find(store, name)
    findings = _look_at_secrets(account, credentials, await store.load())
    if credentials.access_token is None:
        asked = Finding(
            "platform",
            "unknown",
            "the platform was not asked: no access token is stored for this account",
            "Store one with account add --replace --access-token-file.",
        )
        return [*findings, asked]
    return [*findings, *await probes[account.channel](account, credentials)]


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
