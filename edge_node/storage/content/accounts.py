"""Accounts with their credentials: sealed like everything else, under a key of the account's own."""

from typing import NamedTuple

import msgspec

from edge_node.core.accounts import Account, Credentials
from edge_node.storage.content.head import turn_of_intent
from edge_node.storage.keys.store import DayScope, KeyStore
from shared.clock import Clock
from shared.crypto import content_place, seal_once
from shared.crypto.sealing import Cipher
from shared.database.contract import Database, ScriptRefused, Step
from shared.errors import AccountExists, AccountUnknown, KeyCurrentChanged, KeyMissing, StoreUnavailable
from shared.ids import draw_opaque_id

_ATTEMPTS = 5
_LOAD = "SELECT id, key, sealed FROM account WHERE sealed IS NOT NULL ORDER BY name"
_COUNTER = "SELECT accounts FROM content_store"
_RAISE_COUNTER = "UPDATE content_store SET accounts = accounts + 1"
_RETIRE_KEY = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT), 'supersede', 'credentials_changed', 'ordered', key, CAST(:now AS INTEGER)
FROM account WHERE name = :name AND key IS NOT NULL
"""
_SAVE = """
INSERT INTO account (name, channel, key, sealed) VALUES (:name, :channel, :key, :sealed)
ON CONFLICT (name) DO UPDATE SET channel = excluded.channel, key = excluded.key, sealed = excluded.sealed
WHERE account.sealed IS NULL
"""
_REPLACE = "UPDATE account SET channel = :channel, key = :key, sealed = :sealed WHERE name = :name"
_REMOVE = "UPDATE account SET key = NULL, sealed = NULL WHERE name = :name AND sealed IS NOT NULL"


class _Sealed(msgspec.Struct, frozen=True):
    """What is sealed of an account."""

    account: Account
    credentials: Credentials


class StoredAccount(NamedTuple):
    """An account as a running node uses it: its row, its public part and its secrets."""

    id: int
    account: Account
    credentials: Credentials


class Accounts:
    """The accounts of a node, in its stores."""

    def __init__(self, content: Database, keys: KeyStore, clock: Clock) -> None:
        """Take both open stores and the clock."""
        self._content = content
        self._keys = keys
        self._clock = clock

    async def counter(self) -> int:
        """Give the number that every change of the accounts raises."""
        async with self._content.read() as transaction:
            return int((await transaction.fetch(_COUNTER))[0][0])

    async def load_rows(self) -> list[StoredAccount]:
        """Give all accounts with their rows; ``KeyMissing`` or ``SealBroken`` where one cannot be opened."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._load_rows_once()
            except KeyMissing:
                continue  # one was replaced between the two looks
        return await self._load_rows_once()

    async def _load_rows_once(self) -> list[StoredAccount]:
        """Read rows, then their keys."""
        async with self._content.read() as transaction:
            rows = await transaction.fetch(_LOAD)
        keys = await self._keys.open_rows([key for _, key, _ in rows])
        loaded = []
        for row, key, sealed in rows:
            if key not in keys:
                raise KeyMissing(table="account")
            place = content_place(self._keys.region, keys[key].owner, "account", "sealed", key)
            plain = msgspec.json.decode(Cipher(keys[key].key).open(sealed, place), type=_Sealed)
            loaded.append(StoredAccount(row, plain.account, plain.credentials))
        return loaded

    async def load(self) -> list[tuple[Account, Credentials]]:
        """Give all accounts with their credentials, by name."""
        return [(stored.account, stored.credentials) for stored in await self.load_rows()]

    async def save(self, account: Account, credentials: Credentials, *, replace: bool) -> None:
        """Seal and keep an account; ``AccountExists`` where one of that name is there and not to be replaced."""
        for _ in range(_ATTEMPTS):
            try:
                await self._save_once(account, credentials, replace=replace)
            except KeyCurrentChanged:
                continue
            return
        raise StoreUnavailable(store="keys")

    async def remove(self, name: str) -> None:
        """Forget an account's credentials, their key first ordered destroyed; its messages stay as they are."""
        steps = [
            Step(_RETIRE_KEY, [(draw_opaque_id(self._keys.entropy), self._clock.now(), name)]),
            Step(_REMOVE, [(name,)], expect=1),
            Step(_RAISE_COUNTER),
        ]
        try:
            await self._content.run(steps)
        except ScriptRefused:
            raise AccountUnknown(account=name) from None

    async def _save_once(self, account: Account, credentials: Credentials, *, replace: bool) -> None:
        """Draw a key, seal, commit keys and then content."""
        now = self._clock.now()
        scope: DayScope = ("account", f"credentials/{account.name}", 0)
        owner = (await self._keys.remember_days([scope])).get(scope)
        await self._keys.reserve(3)
        draft = self._keys.draft([owner] if owner else [], now)
        if owner is None:
            owner = draw_opaque_id(self._keys.entropy)
            draft.owner(owner, scope[0], scope[1], scope[2])
        key, secret, nonce = draft.row(owner, "account", account.name.encode())
        place = content_place(self._keys.region, owner, "account", "sealed", key)
        sealed = seal_once(secret, nonce, msgspec.json.encode(_Sealed(account, credentials)), place)
        await self._keys.commit(draft, now)
        if replace:
            steps = [
                Step(_RETIRE_KEY, [(draw_opaque_id(self._keys.entropy), now, account.name)]),
                Step(_REPLACE, [(account.channel, key, sealed, account.name)], expect=1),
            ]
        else:
            steps = [Step(_SAVE, [(account.name, account.channel, key, sealed)], expect=1)]
        opening = turn_of_intent(self._content, draft.id)
        try:
            await self._content.run([*opening, *steps, Step(_RAISE_COUNTER)])
        except ScriptRefused:
            raise (AccountUnknown if replace else AccountExists)(account=account.name) from None
        self._keys.settle(draft)
        await self._keys.flush()
