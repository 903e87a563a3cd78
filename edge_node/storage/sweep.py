"""Remove keys that no content came to use: what a crash between the two commits leaves behind.

Each commit of keys leaves an intent that goes once its content is committed.  An intent older than an hour belongs to
a commit that did not finish: every key it names is looked up in the content and, where nothing uses it, discarded.
"""

import msgspec

from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Intent
from edge_node.storage.keys.store import KeyStore
from shared.clock import Milliseconds
from shared.database.contract import Database, Transaction

AGE = 3_600_000
"""Milliseconds: unfinished work is younger."""

ROUND_MAX = 50

_USED = {
    "message": "SELECT key FROM message WHERE mark = :lookup",
    "event": "SELECT key FROM event WHERE mark = :lookup",
    "identity": "SELECT key FROM identity WHERE blind = :lookup",
    "conversation": "SELECT key FROM conversation WHERE blind = :lookup",
    "account": "SELECT key FROM account WHERE key = :key",
    "shown": "SELECT key FROM shown WHERE key = :key",
}
_BY_KEY = frozenset({"account", "shown"})
_LOGGED = "SELECT 1 FROM log_entry WHERE key = :key AND state <> 'done'"
_OLD = "SELECT id, body FROM intent WHERE created_at < :before ORDER BY id LIMIT :most"
_OWNER_USED = """
SELECT 1 FROM owner_key o JOIN bucket_key b ON b.owner = o.id
JOIN row_key r ON r.id >= b.id * 256 AND r.id < b.id * 256 + 256 WHERE o.name = :name LIMIT 1
"""


async def sweep_unused_keys(keys: KeyStore, content: Database, now: Milliseconds) -> int:
    """Discard the unused keys of intents older than an hour; give how many."""
    async with keys.database.read() as transaction:
        rows = await transaction.fetch(_OLD, {"before": now - AGE, "most": ROUND_MAX})
    swept = 0
    for intent_id, body in rows:
        intent = msgspec.msgpack.decode(body, type=Intent)
        async with content.read() as transaction:
            unused = [use[2] for use in intent.uses if not await _is_used(transaction, *use)]
        await discard_unused(keys, unused, [], [intent_id])
        swept += len(unused)
        async with keys.database.read() as transaction:
            owners = [name for name in intent.owners if not await transaction.fetch(_OWNER_USED, {"name": name})]
        if owners:
            await discard_unused(keys, [], owners, [])
    return swept


async def _is_used(transaction: Transaction, table: str, lookup: bytes, key: int) -> bool:
    """Say whether content, or a removal that is not done, names a key."""
    parameters = {"key": key} if table in _BY_KEY else {"lookup": lookup}
    if any(row[0] == key for row in await transaction.fetch(_USED[table], parameters)):
        return True
    return bool(await transaction.fetch(_LOGGED, {"key": key}))
