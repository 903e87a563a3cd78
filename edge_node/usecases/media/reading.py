"""Reading a file of a message: only while the message may be seen, chunk by chunk, nothing in plain on the disk."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from edge_node.storage.blobs import BlobStore, chunks_of
from edge_node.storage.content.media import MediaStore
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.keys.hierarchy import RowKey
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.media.facts import MediaFacts, blob_key, open_facts
from shared.errors.media import MediaGone

CHUNKS_AT_ONCE = 16
"""Chunks (1 MiB) that are opened between two looks whether the file may still be read."""


class Readable(NamedTuple):
    """A file that may be read now."""

    facts: MediaFacts
    name: str
    row: RowKey


class MediaReader:
    """Gives the bytes of files."""

    def __init__(self, store: MediaStore, keys: KeyStore, blobs: BlobStore) -> None:
        """Take the open stores and the folder of files."""
        self._store, self._keys, self._blobs = store, keys, blobs

    async def find(self, mark: bytes) -> Readable | None:
        """Give the file of a message (by its mark); ``None`` where there is none, not yet, or none to be seen."""
        await refuse_in_quarantine(self._store.content)
        found = await self._store.readable(mark)
        row = (await self._keys.open_rows([found.key])).get(found.key) if found is not None else None
        if found is None or row is None:
            return None
        return Readable(open_facts(self._keys, row, found.sealed), found.file, row)

    async def read(self, mark: bytes, first: int = 0, count: int | None = None) -> AsyncIterator[bytes]:
        """Give ``count`` chunks of 64 KiB (all) from chunk ``first`` on, of the file of a message.

        ``MediaGone`` where it may not be read, or no more; ``BlobBroken`` where the file is not what was sealed.
        """
        found = await self.find(mark)
        if found is None or found.facts.size is None:
            raise MediaGone
        size, key = found.facts.size, blob_key(self._keys, found.row)
        end = chunks_of(size) if count is None else min(chunks_of(size), first + count)
        for begin in range(first, end, CHUNKS_AT_ONCE):
            if begin > first and not await self._store.readable(mark):
                raise MediaGone
            some = min(CHUNKS_AT_ONCE, end - begin)
            for chunk in await asyncio.to_thread(lambda: list(self._blobs.read(found.name, key, size, begin, some))):  # noqa: B023 - awaited here
                yield chunk
