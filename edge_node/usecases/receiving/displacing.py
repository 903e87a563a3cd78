"""A message comes whose place an edit by somebody else has taken: give the place to the message.

The edit in its place is filed as an event of its own, and edits by the message's own author that were kept as events
become edits of it: all in the transaction that takes the message in.
"""

import msgspec

from edge_node.storage.content.displacing import SealedEdit, read_displaced
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.receiving.filing import Clerk, Filed
from shared.crypto import Cipher, content_place
from shared.database.contract import Database
from shared.message import Event

_EVENT = msgspec.json.Decoder(Event)


class Displacement(msgspec.Struct):
    """What is filed anew for one message, and the marks of the events that go because of it."""

    filed: list[Filed] = msgspec.field(default_factory=list)
    released: list[bytes] = msgspec.field(default_factory=list)


class Displacer:
    """Opens what a message displaces."""

    def __init__(self, content: Database, keys: KeyStore, clerk: Clerk) -> None:
        """Take the open stores and the clerk who marks."""
        self._content = content
        self._keys = keys
        self._clerk = clerk

    async def displace(self, message: Filed, subject: int | None) -> Displacement:
        """File ``message`` of ``subject`` (its row) so that it takes its place, with what that moves."""
        found = Displacement([msgspec.structs.replace(message, displaces=True)])
        in_place, held = await read_displaced(self._content, message.message or b"", subject)
        if in_place is not None and (filed := await self._open(message, "message", in_place, as_event=True)):
            found.filed.append(filed)
        for each in held:
            filed = await self._open(message, "event", each, as_event=False)
            if filed is not None:
                found.filed.append(filed)
                found.released.append(each.mark)
        return found

    async def _open(self, message: Filed, table: str, row: SealedEdit, *, as_event: bool) -> Filed | None:
        """Open an edit as it rests and file it; ``None`` where it has gone meanwhile."""
        keys = await self._keys.open_rows([row.key])
        if row.key not in keys:
            return None
        place = content_place(self._keys.region, keys[row.key].owner, table, "sealed", row.key)
        event = _EVENT.decode(Cipher(keys[row.key].key).open(row.sealed, place))
        taken = msgspec.structs.replace(message.taken, event=event, received_at=row.received_at)
        return self._clerk.file_again(taken, as_event=as_event)
