"""The epoch beat in the key store: a new epoch key, everything that lives wrapped under it, the old one let go.

Each step can be repeated and each can be the last one before a crash: the table ``epoch`` and the column ``epoch`` of
what it wraps say how far the beat has come.  Traffic goes on.  Putting an epoch in force raises the store's generation,
so that every process hears of it with its next commit, and whatever was drawn under the old one is refused and drawn
again; :func:`seal_off` looks once more, and raises it again in the transaction that finds nothing left.
"""

import asyncio
from typing import NamedTuple

from edge_node.storage.keys.hierarchy import unwrap_index, unwrap_owner_key, wrap_index, wrap_owner
from edge_node.storage.keys.provider import ensure_epoch
from edge_node.storage.keys.store import KeyStore
from shared.database.contract import Step
from shared.errors import KeyProviderFailed

_EPOCHS = "SELECT version, state, created_at, destroyed_at FROM epoch ORDER BY version"
_BEGIN = (
    "UPDATE epoch SET state = 'retired' WHERE state = 'current' AND version < :version",
    """
    INSERT INTO epoch (version, state, created_at) VALUES (:version, 'current', :now)
    ON CONFLICT (version) DO NOTHING
    """,
    "UPDATE key_store SET generation = generation + 1",
)
_OWNERS = "SELECT id, name, version, wrapped FROM owner_key WHERE epoch = :epoch LIMIT :most"
_REWRAP_OWNER = """
UPDATE owner_key SET epoch = :new, wrapped = :wrapped WHERE id = :id AND epoch = :old AND version = :version
"""
_INDEXES = "SELECT purpose, version, wrapped FROM index_key WHERE epoch = :epoch"
_REWRAP_INDEX = """
UPDATE index_key SET epoch = :new, wrapped = :wrapped WHERE purpose = :purpose AND version = :version AND epoch = :old
"""
_LEFT = """
SELECT (SELECT count(*) FROM owner_key WHERE epoch = :epoch) + (SELECT count(*) FROM index_key WHERE epoch = :epoch)
"""
_NOTHING_LEFT = """
UPDATE key_store SET generation = generation + 1
WHERE NOT EXISTS (SELECT 1 FROM owner_key WHERE epoch = :epoch)
  AND NOT EXISTS (SELECT 1 FROM index_key WHERE epoch = :epoch)
"""


class Epoch(NamedTuple):
    """One epoch: version, ``current``, ``retired`` or ``destroyed``, and when it came and went (ms)."""

    version: int
    state: str
    created_at: int
    destroyed_at: int | None


async def read_epochs(store: KeyStore) -> list[Epoch]:
    """Give every epoch, the oldest first."""
    async with store.database.read() as transaction:
        return [Epoch(*row) for row in await transaction.fetch(_EPOCHS)]


async def begin_epoch(store: KeyStore) -> tuple[int, bytes]:
    """Draw the next epoch key at every place of the provider; give its version and key.  Not in force yet.

    A key that an earlier attempt has left at some place is taken up, so that no place is left with a key of its own.
    """
    version = max(epoch.version for epoch in await read_epochs(store)) + 1
    key = await asyncio.to_thread(ensure_epoch, store.provider, store.region, version, store.entropy)
    return version, key


async def put_in_force(store: KeyStore, version: int, now: int) -> None:
    """Make an epoch the current one; the one before is retired."""
    retire, begin, tell = _BEGIN
    await store.database.run([Step(retire, [(version,)]), Step(begin, [(version, now)]), Step(tell)])
    await store.read_head()
    store.remembered.clear()


async def count_left(store: KeyStore, epoch: int) -> int:
    """Count the keys that an epoch still wraps."""
    async with store.database.read() as transaction:
        return int((await transaction.fetch(_LEFT, {"epoch": epoch}))[0][0])


async def rewrap_some(store: KeyStore, old: int, most: int) -> int:
    """Wrap up to ``most`` owner keys of an old epoch, and its blind-index keys, under the current one; give how many.

    Keys that a removal has renewed meanwhile are left as they are.
    """
    async with store.database.read() as transaction:
        owners = await transaction.fetch(_OWNERS, {"epoch": old, "most": most})
        indexes = [] if owners else await transaction.fetch(_INDEXES, {"epoch": old})
    steps = []
    if owners:
        steps.append(Step(_REWRAP_OWNER, [_owner_anew(store, old, *row) for row in owners]))
    if indexes:
        steps.append(Step(_REWRAP_INDEX, [_index_anew(store, old, *row) for row in indexes]))
    if steps:
        await store.database.run(steps)
    return len(owners) + len(indexes)


def _owner_anew(
    store: KeyStore, old: int, owner: int, name: str, version: int, wrapped: bytes
) -> tuple[int, bytes, int, int, int]:
    """Wrap an owner key under the current epoch; give the values of its statement."""
    key = unwrap_owner_key(store.epoch(old), old, name, version, wrapped)
    new, cipher = store.current_epoch
    return new, wrap_owner(cipher, new, name, version, key, store.entropy), owner, old, version


def _index_anew(
    store: KeyStore, old: int, purpose: str, version: int, wrapped: bytes
) -> tuple[int, bytes, str, int, int]:
    """Wrap a blind-index key under the current epoch; give the values of its statement."""
    key = unwrap_index(store.epoch(old), old, purpose, version, wrapped)
    new, cipher = store.current_epoch
    return new, wrap_index(cipher, new, purpose, version, key, store.entropy), purpose, version, old


async def seal_off(store: KeyStore, old: int) -> bool:
    """Make sure that nothing is wrapped under an old epoch, now or later; ``False`` where something still is."""
    done = (await store.database.run([Step(_NOTHING_LEFT, [(old,)])]))[0].changed == 1
    await store.read_head()
    store.remembered.clear()
    return done


async def living_keys(store: KeyStore) -> dict[int, bytes]:
    """Give every epoch key that is not destroyed, by version, as the provider has it: for an escrow alone.

    Raises ``KeyProviderFailed`` where one is missing.
    """
    found: dict[int, bytes] = {}
    for epoch in await read_epochs(store):
        if epoch.state != "destroyed":
            key = await asyncio.to_thread(store.provider.find_epoch, store.region, epoch.version)
            if key is None:
                raise KeyProviderFailed(reason="no place has this epoch key", version=epoch.version)
            found[epoch.version] = key
    return found


async def kept_versions(store: KeyStore) -> tuple[int, ...]:
    """Give every epoch whose key the provider must go on keeping: the living, and one drawn but not in force yet."""
    epochs = await read_epochs(store)
    drawn = epochs[-1].version + 1
    kept = [each.version for each in epochs if each.state != "destroyed"]
    if await asyncio.to_thread(store.provider.find_epoch, store.region, drawn) is not None:
        kept.append(drawn)
    return tuple(kept)
