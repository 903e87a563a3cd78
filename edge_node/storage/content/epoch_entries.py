"""The node's log of epochs: an entry for each epoch key that is to be destroyed, written before it is."""

from edge_node.storage.content.head import turn
from shared.database.contract import Database, Step

_ORDER = """
INSERT INTO log_entry (id, act, reason, state, ordered_at) VALUES (:id, 'epoch', 'beat', 'ordered', :now)
ON CONFLICT (id) DO NOTHING
"""
_JOURNALED = "UPDATE log_entry SET state = 'journaled' WHERE id = :id AND state = 'ordered'"
_DONE = "UPDATE log_entry SET state = 'done', done_at = :now WHERE id = :id AND state = 'journaled'"


def entry_of(epoch: int) -> str:
    """Name the one entry of an epoch."""
    return f"epoch-{epoch}"


async def order_epoch(content: Database, epoch: int, now: int) -> str:
    """Order an epoch key destroyed; give the entry.  Repeating it changes nothing."""
    await content.run([turn(content), Step(_ORDER, [(entry_of(epoch), now)])])
    return entry_of(epoch)


async def note_epoch_journaled(content: Database, entry: str) -> None:
    """Note that the order is safe at the second place."""
    await content.run([turn(content), Step(_JOURNALED, [(entry,)])])


async def finish_epoch(content: Database, entry: str, now: int) -> None:
    """Note that the epoch key is destroyed everywhere."""
    await content.run([turn(content), Step(_DONE, [(now, entry)])])
