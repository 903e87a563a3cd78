"""Remove keys that no content came to use: what a crash between the two commits leaves behind.

Each commit of keys leaves an intent that goes once its content is committed.  An intent older than an hour belongs to
a commit that did not finish, or that stands still: the content store first notes that it may not finish any more, then
every key it names is looked up there and, where nothing uses it, discarded.
"""

import msgspec

from edge_node.storage.content.head import turn
from edge_node.storage.content.registry import WALKED
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Intent
from edge_node.storage.keys.store import KeyStore
from shared.clock import DAY, Milliseconds
from shared.database.contract import Database, Step, Transaction

AGE = 3_600_000
"""Milliseconds: unfinished work is younger."""

FENCE_AGE = 30 * DAY
"""Milliseconds: no commit is on its way for so long."""

ROUND_MAX = 50

_LOGGED = "SELECT 1 FROM log_entry WHERE key = :key AND state <> 'done'"
_OLD = "SELECT id, body FROM intent WHERE created_at < :before ORDER BY id LIMIT :most"
_FENCE = "INSERT INTO swept (intent, at) VALUES (:intent, :at) ON CONFLICT (intent) DO NOTHING"
_FORGET_FENCES = "DELETE FROM swept WHERE at < :before"


async def sweep_unused_keys(keys: KeyStore, content: Database, now: Milliseconds) -> int:
    """Discard the unused keys of intents older than an hour; give how many."""
    async with keys.database.read() as transaction:
        rows = await transaction.fetch(_OLD, {"before": now - AGE, "most": ROUND_MAX})
    if not rows:
        return 0
    # From here on a commit of theirs that is still on its way is refused; what came before is seen below.
    fences = Step(_FENCE, [(intent_id, now) for intent_id, _ in rows])
    await content.run([turn(content), fences, Step(_FORGET_FENCES, [(now - FENCE_AGE,)])])
    swept = 0
    for intent_id, body in rows:
        intent = msgspec.msgpack.decode(body, type=Intent)
        async with content.read() as transaction:
            unused = [use[2] for use in intent.uses if not await _is_used(transaction, *use)]
        await discard_unused(keys, unused, intent.owners, [intent_id])
        swept += len(unused)
    return swept


async def _is_used(transaction: Transaction, table: str, lookup: bytes, key: int) -> bool:
    """Say whether content, or a removal that is not done, names a key."""
    used = WALKED[table].used
    parameters = {"lookup": lookup} if ":lookup" in used else {"key": key}
    if any(row[0] == key for row in await transaction.fetch(used, parameters)):
        return True
    return bool(await transaction.fetch(_LOGGED, {"key": key}))
