"""Rosters as officers signed them, and the nonces of requests that were taken."""

from shared.database.contract import Database, Step, Transaction
from shared.roster.model import SignedRoster
from shared.roster.texts import read_signed, write

_NEWEST = "SELECT signed FROM roster ORDER BY version DESC LIMIT 1"
_NEXT = "SELECT signed FROM roster WHERE version > :version ORDER BY version LIMIT 1"
_VERSION = "SELECT coalesce(max(version), -1) FROM roster"
_ADD = "INSERT INTO roster (version, signed, accepted_at) VALUES (:version, :signed, :at)"
_MEMBER = """
INSERT INTO member (name, state) VALUES (:name, :state) ON CONFLICT (name) DO UPDATE SET state = excluded.state
"""
_NONCE = "INSERT INTO nonce (keyid, nonce, until) VALUES (:keyid, :nonce, :until) ON CONFLICT (keyid, nonce) DO NOTHING"
_FORGET = "DELETE FROM nonce WHERE until < :now"


async def newest(t: Transaction) -> SignedRoster | None:
    """Give the roster in force."""
    rows = await t.fetch(_NEWEST)
    return read_signed(rows[0][0]) if rows else None


async def following(t: Transaction, after: int) -> SignedRoster | None:
    """Give the first roster after a version; the one in force where there is none."""
    rows = await t.fetch(_NEXT, {"version": after})
    return read_signed(rows[0][0]) if rows else await newest(t)


async def version(t: Transaction) -> int:
    """Give the version in force, -1 where there is none."""
    return int((await t.fetch(_VERSION))[0][0])


async def add(t: Transaction, signed: SignedRoster, at: int) -> None:
    """Keep a roster that was accepted, and who is a node in it; none is ever missing in a later one."""
    await t.execute(_ADD, {"version": signed.roster.version, "signed": write(signed), "at": at})
    if signed.roster.nodes:
        await t.execute_many(_MEMBER, [(node.name, node.state) for node in signed.roster.nodes])


class StoredNonces:
    """Nonces in the store: two processes and a restart remember the same ones (:class:`shared.nonces.NonceMemory`)."""

    def __init__(self, database: Database) -> None:
        """Take the open database."""
        self._database = database

    async def add(self, keyid: str, nonce: str, until_ms: int, now_ms: int) -> bool:  # noqa: ARG002
        """Remember a nonce; ``False`` where it is there already.  One statement, so there is no race."""
        done = await self._database.run([Step(_NONCE, [(keyid, nonce, until_ms)])])
        return done[0].changed == 1

    async def forget(self, now_ms: int) -> None:
        """Remove those whose requests would be refused by their age alone."""
        await self._database.run([Step(_FORGET, [(now_ms,)])])
