"""Reading a subject's one-to-one conversation: still sealed, as it rests."""

from typing import NamedTuple

import msgspec

from shared.database.contract import Database

_SUBJECT = """
SELECT s.id, c.id FROM subject s JOIN conversation c ON c.subject = s.id
WHERE s.pseudonym = :pseudonym AND s.keep = 'active'
"""
_NEWEST = """
SELECT m.key, m.sealed, m.account, m.at, m.received_at,
       (SELECT count(*) FROM message o WHERE o.conversation = m.conversation AND o.direction = 'out'
        AND o.received_at >= m.received_at)
FROM message m WHERE m.conversation = :conversation AND m.direction = 'in' AND m.keep = 'active'
ORDER BY m.at DESC, m.id DESC LIMIT 1
"""
_IDENTITIES = "SELECT key, sealed FROM identity WHERE subject = :subject AND valid_to IS NULL ORDER BY id"
_GROUPED = "SELECT 1 FROM message WHERE subject = :subject AND grouped = 1 AND direction = 'in' LIMIT 1"


class NewestRow(NamedTuple):
    """The newest message a subject sent; field order is that of the query."""

    key: int
    sealed: bytes
    account: int
    at: int
    received_at: int
    answers: int
    """Messages that the business sent since it was received."""


class ConversationHead(msgspec.Struct, frozen=True):
    """What answering a subject starts from, read at one moment."""

    newest: NewestRow | None
    identities: list[tuple[int, bytes]]
    """Key and sealed identifier of each identity that is the subject's now."""
    in_groups: bool


async def read_head_of(database: Database, pseudonym: str) -> ConversationHead | None:
    """Read the head of an active subject's conversation; ``None`` where there is no such subject."""
    async with database.read() as transaction:
        found = await transaction.fetch(_SUBJECT, {"pseudonym": pseudonym})
        if not found:
            return None
        subject, conversation = found[0]
        newest = await transaction.fetch(_NEWEST, {"conversation": conversation})
        identities = await transaction.fetch(_IDENTITIES, {"subject": subject})
        grouped = await transaction.fetch(_GROUPED, {"subject": subject})
    return ConversationHead(
        NewestRow(*newest[0]) if newest else None, [(key, sealed) for key, sealed in identities], bool(grouped)
    )
