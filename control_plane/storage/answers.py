"""Answers that were given to requests with an Idempotency-Key."""

from typing import NamedTuple

from shared.database.contract import Transaction, Value

KEPT_MS = 24 * 3_600_000
"""How long the same key is answered the same: a day, as is usual."""

_FIND = """
SELECT request_sha256, status, body, minted FROM answer WHERE principal = :principal AND key_sha256 = :key
"""
_KEEP = """
INSERT INTO answer (principal, key_sha256, request_sha256, status, body, minted, at)
VALUES (:principal, :key, :request, :status, :body, :minted, :at)
"""
_FORGET = "DELETE FROM answer WHERE at < :before"


class Kept(NamedTuple):
    """An answer as it is kept; ``minted`` is the id of the secret that belongs into it, or empty."""

    request_sha256: str
    status: int
    body: bytes
    minted: str


async def find(t: Transaction, principal: str, key_sha256: str) -> Kept | None:
    """Give the answer that a principal's key was given."""
    rows = await t.fetch(_FIND, {"principal": principal, "key": key_sha256})
    return Kept(*rows[0]) if rows else None


async def keep(t: Transaction, principal: str, key_sha256: str, kept: Kept, at: int) -> None:
    """Keep an answer."""
    values: dict[str, Value] = {
        "request": kept.request_sha256,
        "status": kept.status,
        "body": kept.body,
        "minted": kept.minted,
    }
    await t.execute(_KEEP, values | {"principal": principal, "key": key_sha256, "at": at})


async def forget(t: Transaction, now: int) -> None:
    """Remove what is older than a day."""
    await t.execute(_FORGET, {"before": now - KEPT_MS})
