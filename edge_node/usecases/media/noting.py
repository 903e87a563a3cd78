"""Messages with files, found after they are safe: each file gets a key, a name and a place in the queue."""

from collections.abc import Sequence
from typing import NamedTuple

from edge_node.core.fetching import Wanted, same_file, too_old, wanted
from edge_node.settings_media import MediaSettings
from edge_node.storage.blobs import BlobStore
from edge_node.storage.content.derivatives import NewDerivative
from edge_node.storage.content.media import MediaStore, Starting, Unseen
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.hierarchy import RowKey
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.media.facts import TABLE, MediaFacts, open_facts, open_message, seal_facts
from shared.clock import Clock
from shared.database.contract import ScriptRefused
from shared.errors import KeyCurrentChanged, KeyMissing
from shared.ids import draw_opaque_id


class _Found(NamedTuple):
    """A message whose file is to be fetched, and the derivative that it replaces."""

    message: Unseen
    owner: str
    file: Wanted
    replaces: int | None


class MediaNoter:
    """Looks after the files of messages that came or were edited."""

    def __init__(
        self, store: MediaStore, keys: KeyStore, blobs: BlobStore, settings: MediaSettings, clock: Clock
    ) -> None:
        """Take the open stores and what is fetched at all."""
        self._store = store
        self._keys = keys
        self._blobs = blobs
        self._settings = settings
        self._clock = clock

    async def note(self, messages: Sequence[Unseen]) -> int:
        """Look after each message; give how many files are to be fetched now."""
        rows = await self._keys.open_rows([message.key for message in messages])
        found: list[_Found] = []
        nothing: list[tuple[bytes, int]] = []
        for message in messages:
            if (row := rows.get(message.key)) is None:
                continue  # its key is being destroyed
            if (file := await self._look(message, row)) is not None:
                found.append(file)
            else:
                nothing.append((message.mark, message.key))
        await self._store.looked(nothing)
        try:
            return await self._start(found) if found else 0
        except KeyMissing:  # one of their owners was erased meanwhile: it must not hold up the others
            return sum([await self._start_alone(file) for file in found])

    async def _start_alone(self, found: _Found) -> int:
        """Do so for one; 0 where its owner is gone."""
        try:
            return await self._start([found])
        except KeyMissing:
            return 0

    async def _look(self, message: Unseen, row: RowKey) -> _Found | None:
        """Open a message and find its file; ``None`` where there is nothing to do."""
        event = open_message(self._keys, row, message.sealed)
        if event is None or too_old(message.received_at, self._clock.now()):
            return None
        file = wanted(event, external=self._settings.external, bytes_max=self._settings.bytes_max)
        if file is None:
            return None
        present = await self._store.present(message.mark)
        opened = await self._keys.open_rows([key for key, _ in present])
        for key, sealed in present:
            if key in opened:
                facts = open_facts(self._keys, opened[key], sealed)
                known = facts.declared_sha256 or facts.sha256
                return None if same_file(facts.media_id, known, file) else _Found(message, row.owner, file, key)
        return _Found(message, row.owner, file, None)

    async def _start(self, found: Sequence[_Found]) -> int:
        """Draw keys, seal what is known, commit keys and then content; 0 where it has to be looked at again."""
        now, owners = self._clock.now(), sorted({each.owner for each in found})
        try:
            await self._keys.reserve(2 * len(found) + 2)
            await self._keys.remember(owners)
            draft = self._keys.draft(owners, now)
            files = [self._file(draft, each) for each in found]
            await self._keys.commit(draft, now)
        except KeyCurrentChanged:
            return 0
        try:
            kept = await self._store.start(files, now=now, intent=draft.id)
        except ScriptRefused:
            kept = set()
        unused = [file.new.key for file in files if file.new.key not in kept]
        if unused:
            await discard_unused(self._keys, unused, [], [draft.id])
        else:
            self._keys.settle(draft)
        return len(kept)

    def _file(self, draft: Draft, found: _Found) -> Starting:
        """Draw a key and a name for a file, and seal what is known of it."""
        key, secret, _ = draft.row(found.owner, TABLE, b"")
        file, message = found.file, found.message
        facts = MediaFacts(file.media, file.media_id, file.mime_type, file.sha256)
        sealed = seal_facts(self._keys, RowKey(key, found.owner, secret), facts)
        new = NewDerivative("media", key, sealed, self._blobs.draw_name(), message.mark, message.key)
        return Starting(new, found.replaces, draw_opaque_id(self._keys.entropy))
