"""What is known of a file, sealed with its derivative; and the openers of a derivative, its file and its message."""

import msgspec

from edge_node.storage.blobs import BlobKey
from edge_node.storage.keys.hierarchy import RowKey
from edge_node.storage.keys.store import KeyStore
from shared.crypto import NONCE_BYTES, Cipher, content_place
from shared.message import Edit, Event, Message

TABLE = "derivative"
_event = msgspec.json.Decoder(Event)


class MediaFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file was said to be, and what it is."""

    media: str
    media_id: str | None = None
    declared_type: str | None = None
    declared_sha256: str | None = None
    sniffed_type: str | None = None
    """What its first bytes show; ``None`` where they show nothing, or it is not here."""
    agrees: bool = True
    """Whether the declared type can be what was found."""
    sha256: str | None = None
    size: int | None = None

    def __repr__(self) -> str:
        """Name the kind, and no identifier."""
        return f"MediaFacts({self.media})"


def facts_place(keys: KeyStore, owner: str, key: int) -> bytes:
    """Name the place of a description."""
    return content_place(keys.region, owner, TABLE, "sealed", key)


def seal_facts(keys: KeyStore, row: RowKey, facts: MediaFacts) -> bytes:
    """Seal a description anew under its row key."""
    place = facts_place(keys, row.owner, row.id)
    return Cipher(row.key).seal(msgspec.json.encode(facts), place, keys.entropy.draw(NONCE_BYTES))


def open_facts(keys: KeyStore, row: RowKey, sealed: bytes) -> MediaFacts:
    """Open a description; ``SealBroken`` where it is another's."""
    return msgspec.json.decode(Cipher(row.key).open(sealed, facts_place(keys, row.owner, row.id)), type=MediaFacts)


def blob_key(keys: KeyStore, row: RowKey) -> BlobKey:
    """Give what seals the chunks of a derivative's file."""
    return BlobKey(Cipher(row.key), content_place(keys.region, row.owner, TABLE, "blob", row.id))


def open_message(keys: KeyStore, row: RowKey, sealed: bytes) -> Message | Edit | None:
    """Open a message; ``None`` where the row holds another event."""
    place = content_place(keys.region, row.owner, "message", "sealed", row.id)
    event = _event.decode(Cipher(row.key).open(sealed, place))
    return event if isinstance(event, Message | Edit) else None
