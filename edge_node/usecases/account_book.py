"""The accounts as intake uses them: in memory, read again within seconds of a change."""

import asyncio
import contextlib

from edge_node.core.accounts import Account
from edge_node.storage.content.accounts import Accounts, StoredAccount
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import HomeportError
from shared.telemetry import logger

LOOK_SECONDS = 2.0
"""How often a process looks whether accounts have changed."""


class AccountBook:
    """Finds an account by channel and name; an unknown one looks the same to a sender as a bad signature."""

    def __init__(self, accounts: Accounts, clock: Clock, entropy: Entropy) -> None:
        """Take the store of accounts."""
        self._accounts = accounts
        self._clock = clock
        self._counter = -1
        self._by_name: dict[tuple[str, str], StoredAccount] = {}
        self._rows: dict[str, StoredAccount] = {}
        self.all: list[Account] = []
        """Every account's public part."""
        self._task: asyncio.Task[None] | None = None
        self._decoy = (entropy.draw(32),)

    async def open(self) -> None:
        """Read the accounts, and keep looking for changes."""
        await self._refresh()
        self._task = asyncio.create_task(self._watch(), name="account-book")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def find(self, channel: str, name: str) -> StoredAccount | None:
        """Give the account of a webhook address, or ``None``."""
        return self._by_name.get((channel, name))

    def row(self, name: str) -> StoredAccount:
        """Give an account that :attr:`all` holds."""
        return self._rows[name]

    def of_row(self, row: int) -> StoredAccount | None:
        """Give the account of a row, or ``None`` where it was removed."""
        return next((stored for stored in self._rows.values() if stored.id == row), None)

    def country_of(self, row: int) -> str | None:
        """Give the country of the account of a row; ``None`` where it has none, or was removed."""
        stored = self.of_row(row)
        return stored.account.country if stored is not None else None

    def secrets(self, stored: StoredAccount | None) -> tuple[bytes, ...]:
        """Give the secrets to verify with: an account's own, or one nobody has, so that both take the same way."""
        return stored.credentials.secrets if stored is not None else self._decoy

    def bus_secrets(self, stored: StoredAccount | None) -> tuple[bytes, ...]:
        """Give the secrets of the account's bus, or one nobody has: without a bus nothing is signed by it."""
        return (stored.credentials.bus_secrets if stored is not None else ()) or self._decoy

    async def _refresh(self) -> None:
        """Read the accounts if they have changed."""
        counter = await self._accounts.counter()
        if counter == self._counter:
            return
        rows = await self._accounts.load_rows()
        self._rows = {stored.account.name: stored for stored in rows}
        self.all = [stored.account for stored in rows]
        self._by_name = {(stored.account.channel, stored.account.name): stored for stored in rows}
        self._counter = counter

    async def _watch(self) -> None:
        """Look every few seconds; what cannot be read keeps the accounts that were."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self._refresh()
            except HomeportError as error:
                logger().error("alert_accounts_unreadable", error=type(error).__name__, code=error.code)
