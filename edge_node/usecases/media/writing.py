"""One file on its way: opened or taken up, received in bounded pieces, sealed in a thread, checked, finished."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from edge_node.core.fetching import Wanted, check
from edge_node.core.sniffing import agrees, sniff
from edge_node.platforms.opened_media import Opened
from edge_node.storage.blobs import REMOVED, BlobKey, BlobStore, BlobWriter
from edge_node.usecases.media.facts import MediaFacts
from shared.errors.media import BlobBroken, MediaNotFetched

PIECE_BYTES = 256 * 1024
"""So much is gathered before a thread seals it."""
LOOK_BYTES = 4 * 1024 * 1024
"""How often it is asked whether the file was let go meanwhile."""


class _Source(Protocol):
    """Where files come from."""

    def open(self, file: Wanted, token: str | None, offset: int) -> AbstractAsyncContextManager[Opened]:
        """Begin to fetch a file."""
        ...


class Told(msgspec.Struct, frozen=True):
    """What the platform said of a file when it sent it."""

    mime_type: str | None = None
    sha256: str | None = None
    size: int | None = None


class Writing:
    """Writes one file."""

    def __init__(self, blobs: BlobStore, name: str, key: BlobKey, alive: Callable[[], Awaitable[bool]]) -> None:
        """Take the folder, the file's name and key, and what says whether it may still be written."""
        self._blobs, self._name, self._key, self._alive = blobs, name, key, alive
        self._writer: BlobWriter | None = None
        self.received = 0
        """Bytes that came in this attempt."""

    @property
    def safe(self) -> int:
        """Bytes of the file that are here."""
        return self._writer.size if self._writer is not None else 0

    async def open(self) -> bool:
        """Open or take up the file; ``False`` where it was let go, and then nothing of it is left."""
        self._writer = await asyncio.to_thread(self._blobs.write, self._name, self._key)
        return await self._look()

    async def fetch(self, source: _Source, file: Wanted, token: str | None) -> Told:
        """Receive what is missing; raises ``MediaNotFetched`` where it did not come or is not what was said."""
        writer = self._opened
        told = Told()
        if not writer.whole:  # a crash may have come right after the last byte
            async with source.open(file, token, writer.size) as opened:
                if opened.size is not None and opened.size > file.bytes_max:
                    raise MediaNotFetched(reason="too_large")
                if opened.offset != writer.size:
                    await asyncio.to_thread(writer.restart)
                await self._receive(opened, file.bytes_max)
                told = Told(opened.mime_type, opened.sha256, opened.size)
        code = check(writer.digest.hexdigest(), writer.size, (file.sha256, told.sha256), (file.size, told.size))
        if code:
            self.close()
            await self.remove()
            raise MediaNotFetched(reason=code)
        return told

    def facts(self, known: MediaFacts, told: Told) -> MediaFacts:
        """Say what the file is, beside what was said of it."""
        writer = self._opened
        declared, sniffed = known.declared_type or told.mime_type, sniff(writer.head)
        return msgspec.structs.replace(
            known,
            declared_type=declared,
            sniffed_type=sniffed,
            agrees=agrees(declared, sniffed),
            sha256=writer.digest.hexdigest(),
            size=writer.size,
        )

    async def finish(self) -> None:
        """Make the file whole and durable."""
        await asyncio.to_thread(self._opened.finish)

    async def remove(self) -> None:
        """Leave nothing of the file."""
        await asyncio.to_thread(self._blobs.remove, [self._name])

    def close(self) -> None:
        """Let go of the file."""
        if self._writer is not None:
            self._writer.close()

    @property
    def _opened(self) -> BlobWriter:
        """The open writer."""
        if self._writer is None:
            raise BlobBroken(reason="not_open")
        return self._writer

    async def _receive(self, opened: Opened, bytes_max: int) -> None:
        """Receive pieces and write them; what came before the connection broke is kept."""
        gathered = bytearray()
        looked = 0
        try:
            async for piece in opened.pieces:
                self.received += len(piece)
                gathered += piece
                if self._opened.size + len(gathered) > bytes_max:
                    raise MediaNotFetched(reason="too_large")
                if len(gathered) >= PIECE_BYTES:
                    # Taken out first: whoever cancels this must not have it written twice.
                    taken, gathered = gathered, bytearray()
                    await asyncio.to_thread(self._opened.write, taken)
                if self.received - looked >= LOOK_BYTES:
                    looked = self.received
                    if not await self._look():
                        raise BlobBroken(reason=REMOVED)
        finally:
            if gathered:
                self._opened.write(gathered)

    async def _look(self) -> bool:
        """Say whether the file may still be written; where not, leave nothing of it."""
        if await self._alive():
            return True
        await self.remove()
        return False
