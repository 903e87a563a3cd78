"""Nonces of other nodes' requests, in the store: a replay is refused by every process, and after a restart."""

from shared.database.contract import Database, Step

_FORGET = "DELETE FROM relay_nonce WHERE until < :now"
_ADD = """
INSERT INTO relay_nonce (node, nonce, until) VALUES (:node, :nonce, :until) ON CONFLICT (node, nonce) DO NOTHING
"""


class StoredNonces:
    """A :class:`shared.nonces.NonceMemory` over the content store."""

    def __init__(self, database: Database) -> None:
        """Take the open content store."""
        self._database = database

    async def add(self, keyid: str, nonce: str, until_ms: int, now_ms: int) -> bool:
        """Remember a nonce until ``until_ms`` and forget those whose time is over; ``False`` where it was known."""
        done = await self._database.run([Step(_FORGET, [(now_ms,)]), Step(_ADD, [(keyid, nonce, until_ms)])])
        return done[1].changed == 1
