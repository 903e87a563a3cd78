"""Files that no row names go; rows whose file is lost are told of.

A row is committed before its file is made and is removed after it, so a file without a row is what a crash left, or
what somebody put there.  One of the last hour is left alone all the same.
"""

import asyncio
from typing import NamedTuple

from edge_node.storage.blobs import BlobStore
from shared.clock import Milliseconds
from shared.database.contract import Database

AGE = 3_600_000
"""Milliseconds: a younger file is never removed here."""

PREFIXES = tuple(f"{number:02x}" for number in range(256))
_ROWS = "SELECT file, whole, keep FROM derivative WHERE file >= :low AND file < :high"
_STILL = "SELECT 1 FROM derivative WHERE file = :file AND whole = 1 AND keep = 'active'"


class Swept(NamedTuple):
    """What was found in one folder."""

    orphans: int
    """Files removed."""
    missing: int
    """Rows whose file is not there."""


async def sweep_blobs(content: Database, blobs: BlobStore, prefix: str, now: Milliseconds) -> Swept:
    """Look at the folder of one prefix."""
    files = await asyncio.to_thread(blobs.listed, prefix)
    async with content.read() as transaction:
        # Names are hexadecimal digits; "g" follows them all, in every order of letters.
        rows = await transaction.fetch(_ROWS, {"low": prefix, "high": f"{prefix}g"})
    named = {name for name, _, _ in rows}
    orphans = [name for name, at in files.items() if name not in named and at < now - AGE]
    if orphans:
        await asyncio.to_thread(blobs.remove, orphans)
    missing = 0
    for name, whole, keep in rows:
        if whole and keep == "active" and not await asyncio.to_thread(blobs.path(name).exists):
            async with content.read() as transaction:  # it may have been let go between the two looks
                missing += len(await transaction.fetch(_STILL, {"file": name}))
    return Swept(len(orphans), missing)
