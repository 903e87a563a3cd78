"""Draw keys and commit them; read them back to open what they sealed.

What a process remembers of keys holds for one ``generation`` of the store, which every destruction raises: a commit
is taken only at the generation it was drawn at, else ``KeyCurrentChanged`` and the keys are drawn again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.hierarchy import (
    Bucket,
    Owner,
    OwnerKind,
    RowKey,
    unwrap_bucket,
    unwrap_index,
    unwrap_owner,
    unwrap_row,
    wrap_index,
)
from edge_node.storage.keys.provider import KeyProvider, ensure_epoch, epoch_cipher
from shared.crypto import KEY_BYTES, BlindIndex, Cipher
from shared.crypto.labels import BLIND
from shared.database.contract import ConstraintViolated, Database, Row, ScriptRefused, Step
from shared.entropy import Entropy
from shared.errors import KeyCurrentChanged, KeyMissing, SettingsInvalid, StoreMissing, StoreUnavailable
from shared.limits import BUCKET_ROWS_MAX

OWNERS_REMEMBERED = 10_000
"""Owners whose keys a process keeps ready; the least recently used is forgotten first."""

_IDS_RESERVED = 4_096

_OWNER = """
SELECT o.name, o.id, o.version, o.epoch, o.wrapped, b.id, b.version, b.owner_version, b.floor, b.wrapped,
       (SELECT max(r.id) FROM row_key r WHERE r.id >= b.id * 256 AND r.id < b.id * 256 + 256)
FROM owner_key o LEFT JOIN bucket_key b ON b.id = (SELECT max(id) FROM bucket_key WHERE owner = o.id)
"""
_OWNER_BY_NAME = _OWNER + "WHERE o.name = :name"
_OWNER_BY_DAY = _OWNER + "WHERE o.kind = :kind AND o.scope = :scope AND o.day = :day"
HEAD = "SELECT generation, (SELECT max(version) FROM epoch WHERE state = 'current') FROM key_store"
"""The generation, and the epoch that wraps new keys."""
_COMMIT_HEAD = "SELECT 1 FROM key_store WHERE generation = :generation"
_COMMIT_OWNERS = """
INSERT INTO owner_key (id, name, kind, scope, day, version, epoch, wrapped, created_at)
VALUES (:id, :name, :kind, :scope, :day, :version, :epoch, :wrapped, :created_at)
"""
_COMMIT_BUCKETS = """
INSERT INTO bucket_key (id, owner, version, owner_version, floor, wrapped)
VALUES (:id, :owner, :version, :owner_version, :floor, :wrapped)
"""
_COMMIT_ROWS = "INSERT INTO row_key (id, bucket_version, wrapped) VALUES (:id, :bucket_version, :wrapped)"
_COMMIT_INTENT = "INSERT INTO intent (id, created_at, body) VALUES (:id, :created_at, :body)"
_SETTLE = "DELETE FROM intent WHERE id = :id"
_READ_ROWS = """
SELECT r.id, r.bucket_version, r.wrapped, b.id, b.owner_version, b.wrapped, o.name, o.version, o.epoch, o.wrapped, o.id
FROM row_key r JOIN bucket_key b ON b.id = r.id / 256 JOIN owner_key o ON o.id = b.owner WHERE r.id = :row
"""

DayScope = tuple[OwnerKind, str, int]
"""Kind, scope and day (days since the epoch) of a conversation's or account's key."""


class KeyStore:
    """The open key store of a node."""

    def __init__(self, database: Database, provider: KeyProvider, region: str, entropy: Entropy) -> None:
        """Take the open database; :func:`open_key_store` reads what it needs to know first."""
        self.database = database
        self.region = region
        self.entropy = entropy
        self.generation = 0
        self.remembered: OrderedDict[str, Owner] = OrderedDict()
        self.settled: list[int] = []
        self.turn = asyncio.Lock()
        """Held while keys are drawn until they are committed, and while some are destroyed, after which what was drawn
        before would be refused and sealed again: it saves that work, and promises nothing."""
        self.provider = provider
        self._epochs: dict[int, Cipher] = {}
        self._current_epoch = 0
        self._ids: Iterator[int] = iter(())
        self._ids_left = 0

    def epoch(self, version: int) -> Cipher:
        """Give an epoch key, asking the provider once."""
        if version not in self._epochs:
            self._epochs[version] = epoch_cipher(self.provider, self.region, version)
        return self._epochs[version]

    def forget_epoch(self, version: int) -> None:
        """Drop an epoch key from memory: it is destroyed."""
        self._epochs.pop(version, None)

    @property
    def current_epoch(self) -> tuple[int, Cipher]:
        """Give the epoch that wraps new owner keys."""
        return self._current_epoch, self.epoch(self._current_epoch)

    async def read_head(self) -> None:
        """Read region, generation and current epoch; refuse a store of another region."""
        async with self.database.read() as transaction:
            region = await transaction.fetch("SELECT region FROM key_store")
            head = await transaction.fetch(HEAD)
        if not region:
            raise StoreMissing(store="keys")
        if region[0][0] != self.region:
            raise SettingsInvalid(field_name="region", reason="the key store was made for another region")
        self.generation, self._current_epoch = head[0]

    async def indexes(self, purpose: str) -> list[BlindIndex]:
        """Give the blind indexes of ``purpose``, the newest first; older ones are still looked up."""
        async with self.database.read() as transaction:
            rows = await transaction.fetch(
                "SELECT version, epoch, wrapped FROM index_key WHERE purpose = :purpose ORDER BY version DESC",
                {"purpose": purpose},
            )
        return [
            BlindIndex(purpose, version, unwrap_index(self.epoch(epoch), epoch, purpose, version, wrapped))
            for version, epoch, wrapped in rows
        ]

    async def remember(self, names: Sequence[str]) -> None:
        """Make the keys of owners ready; ``KeyMissing`` where one has none."""
        wanted, missing = set(names), set[str]()
        for name in wanted:  # set operations with the keys' view would walk everything that is remembered
            if name in self.remembered:
                self.remembered.move_to_end(name)
            else:
                missing.add(name)
        while missing:
            head, rows = await self._read_at(Step(_OWNER_BY_NAME, [(name,) for name in sorted(missing)]))
            if head[0] == self.generation:
                self._keep(rows)
                if not wanted <= self.remembered.keys():
                    raise KeyMissing(table="owner_key")
                break
            self.forget(*head)
            missing = wanted
        while len(self.remembered) > max(OWNERS_REMEMBERED, len(wanted)):
            self.remembered.popitem(last=False)

    async def remember_days(self, scopes: Sequence[DayScope]) -> dict[DayScope, str]:
        """Make the day keys of conversations and accounts ready; give the name of each that exists."""
        found: dict[DayScope, str] = {}
        for scope in scopes:
            head, rows = await self._read_at(Step(_OWNER_BY_DAY, [scope]))
            if head[0] != self.generation:
                self.forget(*head)
            self._keep(rows)
            if rows:
                found[scope] = rows[0][0]
        return found

    async def reserve(self, count: int) -> None:
        """Make sure that ``count`` ids are at hand for a draft; ids given are never given again."""
        if self._ids_left >= count:
            return
        size = max(_IDS_RESERVED, count)
        step = Step("UPDATE key_store SET next_id = next_id + :size RETURNING next_id", [(size,)], expect=1)
        end = (await self.database.run([step]))[0].rows[0][0]
        self._ids, self._ids_left = iter(range(end - size, end)), size

    def draft(self, names: Iterable[str], now: int) -> Draft:
        """Begin to draw keys for remembered owners; ids must be reserved.

        Raises ``KeyCurrentChanged`` where an owner was forgotten meanwhile: remember again and repeat.
        """

        def ids() -> Iterator[int]:
            while True:
                if self._ids_left <= 0:  # another draft of this process took what was reserved
                    self.remembered.clear()
                    raise KeyCurrentChanged
                self._ids_left -= 1
                yield next(self._ids)

        try:
            # Copies: what a draft begins counts once it is committed, and goes with it otherwise.
            owners = {name: self.remembered[name].copy() for name in names}
        except KeyError:
            raise KeyCurrentChanged from None
        return Draft(
            generation=self.generation,
            epoch=self.current_epoch,
            owners=owners,
            ids=ids(),
            entropy=self.entropy,
            now=now,
        )

    async def commit(self, draft: Draft, now: int) -> None:
        """Insert what was drawn, with its intent, and forget intents that are settled; synced on return."""
        settled = list(self.settled)
        steps = [Step(_COMMIT_HEAD, [(draft.generation,)], expect=1)]
        steps += [
            Step(sql, rows)
            for sql, rows in (
                (_SETTLE, [(intent,) for intent in settled]),
                (_COMMIT_OWNERS, draft.owner_rows),
                (_COMMIT_BUCKETS, draft.bucket_rows),
                (_COMMIT_ROWS, draft.row_rows),
                (_COMMIT_INTENT, [(draft.id, now, draft.intent())]),
            )
            if rows
        ]
        try:
            await self.database.run(steps)
        except (ScriptRefused, ConstraintViolated) as refusal:
            await self._read_generation_anew(keep=isinstance(refusal, ScriptRefused))
            raise KeyCurrentChanged from None
        except StoreUnavailable:
            self.remembered.clear()
            raise
        del self.settled[: len(settled)]
        if draft.generation == self.generation:
            self.remembered.update(draft.owners)

    def settle(self, draft: Draft) -> None:
        """Note that the content of ``draft`` is committed: its intent goes with a later commit."""
        self.settled.append(draft.id)

    async def flush(self) -> None:
        """Remove the intents that are settled now: before a stop."""
        settled = list(self.settled)
        if settled:
            await self.database.run([Step(_SETTLE, [(intent,) for intent in settled])])
            del self.settled[: len(settled)]

    def forget(self, generation: int, epoch: int) -> None:
        """Drop every remembered key; what is read from now on counts for ``generation`` and its current epoch."""
        self.remembered.clear()
        self.generation, self._current_epoch = generation, epoch

    async def open_rows(self, rows: Sequence[int]) -> dict[int, RowKey]:
        """Unwrap row keys by id; one that is not there is left out.  ``SealBroken`` where a key was exchanged."""
        async with self.database.read() as transaction:
            found = await transaction.fetch_many(_READ_ROWS, [(key,) for key in rows])
        return {row[0]: self._open_row(row) for row in found}

    def _open_row(self, row: Row) -> RowKey:
        """Unwrap one row key from epoch down."""
        key, bucket_version, wrapped, bucket, owner_version, bucket_wrapped, name, version, epoch, owner_wrapped, i = (
            row
        )
        owner = Owner(i, name, version, unwrap_owner(self.epoch(epoch), epoch, name, version, owner_wrapped))
        bucket_cipher = Cipher(unwrap_bucket(owner, bucket, owner_version, bucket_wrapped))
        return RowKey(key, name, unwrap_row(name, bucket_cipher, key, bucket_version, wrapped))

    async def _read_at(self, step: Step) -> tuple[Row, list[Row]]:
        """Read rows together with the generation and epoch they are true for."""
        head, found = await self.database.run([Step(HEAD), step])
        return head.rows[0], found.rows

    async def _read_generation_anew(self, *, keep: bool) -> None:
        """Start over from what the store holds now; with ``keep``, what is remembered stays where that is of now."""
        async with self.database.read() as transaction:
            head = (await transaction.fetch(HEAD))[0]
        if not keep or head != (self.generation, self._current_epoch):
            self.forget(*head)

    def _keep(self, rows: Sequence[Row]) -> None:
        """Unwrap owners with the bucket that takes their next rows, and remember them."""
        for name, owner_id, version, epoch, wrapped, bucket, bucket_version, by, floor, bucket_wrapped, last in rows:
            owner = Owner(owner_id, name, version, unwrap_owner(self.epoch(epoch), epoch, name, version, wrapped))
            if bucket is not None:
                slot = floor if last is None else max(floor, last - bucket * BUCKET_ROWS_MAX + 1)
                cipher = Cipher(unwrap_bucket(owner, bucket, by, bucket_wrapped))
                owner.bucket = Bucket(bucket, bucket_version, cipher, slot)
            self.remembered[name] = owner


async def create_key_store(database: Database, provider: KeyProvider, region: str, entropy: Entropy, now: int) -> None:
    """Fill a migrated, empty key store: region, first epoch, one blind-index key for each purpose."""
    version = 1
    provider.create(region)
    epoch = Cipher(ensure_epoch(provider, region, version, entropy))
    index_rows = [
        (purpose, 1, version, wrap_index(epoch, version, purpose, 1, entropy.draw(KEY_BYTES), entropy), now)
        for purpose in sorted(BLIND)
    ]
    await database.run(
        [
            Step("INSERT INTO key_store (id, region, generation, next_id) VALUES (1, :region, 1, 1)", [(region,)]),
            Step("INSERT INTO epoch (version, state, created_at) VALUES (:v, 'current', :now)", [(version, now)]),
            Step(
                "INSERT INTO index_key (purpose, version, epoch, wrapped, created_at) "
                "VALUES (:purpose, :version, :epoch, :wrapped, :now)",
                index_rows,
            ),
        ]
    )


async def open_key_store(database: Database, provider: KeyProvider, region: str, entropy: Entropy) -> KeyStore:
    """Open a filled key store."""
    store = KeyStore(database, provider, region, entropy)
    await store.read_head()
    return store
