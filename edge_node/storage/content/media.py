"""Files of messages, in the content store: which are to be fetched, how far each has come, which may be read.

What is to be looked after is read from the messages themselves (``message.media`` is not ``message.key``): taking a
message in writes nothing more than it did, and what an older release took in is found as well.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.core.classes import mask_of
from edge_node.core.fetching import DENIED
from edge_node.storage.content.derivatives import NewDerivative, insert_steps, order_steps
from edge_node.storage.content.head import turn, turn_of_intent
from edge_node.storage.content.keeping import RESTRICTED
from shared.database.contract import Database, Step

_NEW = """
SELECT mark, received_at, key, sealed FROM message
WHERE media <> key AND kind IN ('image', 'video', 'audio', 'voice', 'document', 'sticker') AND keep = 'active'
ORDER BY id LIMIT :most
"""
_LOOKED = "UPDATE message SET media = key WHERE mark = :mark AND key = :key"
_START = """
INSERT INTO media_fetch (derivative, state, attempts, due_at, code)
SELECT id, 'waiting', 0, CAST(:now AS INTEGER), '' FROM derivative WHERE key = :key
"""
_PRESENT = """
SELECT d.key, d.sealed FROM derivative d JOIN derived_from f ON f.derivative = d.id
WHERE f.mark = :mark AND d.kind = 'media' AND d.keep = 'active' ORDER BY d.id DESC
"""
_LIVES = """
d.keep = 'active'
AND (d.subject IS NULL OR EXISTS (SELECT 1 FROM subject s WHERE s.id = d.subject AND s.keep = 'active'))
"""
# A file that the policy denies is not asked for; it is due again when its subject's files may rest here again.
_MAY_REST = f"""
NOT EXISTS (SELECT 1 FROM subject r WHERE r.id = d.subject AND (r.restricted & {mask_of(["media"])}) <> 0)
"""  # noqa: S608 - constants of this page
# A restriction of processing lets a file be fetched and kept, not used.
_MAY_BE_USED = f"""
NOT EXISTS (SELECT 1 FROM subject s WHERE s.id = d.subject AND (({RESTRICTED}) & {mask_of(["media"])}) <> 0)
"""  # noqa: S608 - constants of this page
_DENIED = f"f.state = 'withheld' AND f.code = '{DENIED}'"
# From the files to their messages: a planner that began with the messages (hence CROSS JOIN) would look at all of them.
_DUE = f"""
SELECT d.key, d.sealed, d.file, f.attempts, m.mark, m.key, m.sealed, m.account, m.received_at, m.subject
FROM media_fetch f CROSS JOIN derivative d CROSS JOIN derived_from o CROSS JOIN message m
WHERE ((f.state = 'waiting' AND f.due_at <= :now) OR ({_DENIED} AND f.due_at <= :now AND {_MAY_REST}))
  AND d.id = f.derivative AND o.derivative = d.id AND m.mark = o.mark AND m.keep = 'active' AND {_LIVES}
ORDER BY f.due_at LIMIT :most
"""  # noqa: S608 - constants of this page
_ALIVE = f"SELECT 1 FROM derivative d WHERE d.key = :key AND {_LIVES}"  # noqa: S608 - constants of this page
_KEEP = "UPDATE derivative SET sealed = :sealed, whole = 1 WHERE key = :key AND keep = 'active'"
_OF_KEY = "derivative = (SELECT id FROM derivative WHERE key = :key)"
_OPEN = f"(state = 'waiting' OR (state = 'withheld' AND code = '{DENIED}'))"
_AGAIN = f"""
UPDATE media_fetch SET state = :state, attempts = :attempts, due_at = :due_at, code = :code
WHERE {_OF_KEY} AND {_OPEN}
"""  # noqa: S608 - constants of this page
_END = f"""
UPDATE media_fetch SET state = :state, attempts = :attempts, code = :code WHERE {_OF_KEY} AND {_OPEN}
"""  # noqa: S608 - constants of this page
_WAITING = "SELECT count(*) FROM media_fetch WHERE state = 'waiting'"
_READABLE = f"""
SELECT d.key, d.sealed, d.file FROM derivative d JOIN derived_from o ON o.derivative = d.id
JOIN message m ON m.mark = o.mark
WHERE o.mark = :mark AND d.kind = 'media' AND d.whole = 1 AND m.keep = 'active' AND {_LIVES} AND {_MAY_BE_USED}
ORDER BY d.id DESC LIMIT 1
"""  # noqa: S608 - constants of this page


class Unseen(NamedTuple):
    """A message whose file is to be looked after; field order is that of the query."""

    mark: bytes
    received_at: int
    key: int
    sealed: bytes


class Starting(NamedTuple):
    """A file to fetch, the key of the file it replaces, and the log entry that orders that one destroyed."""

    new: NewDerivative
    replaces: int | None
    log_entry: str


class Job(NamedTuple):
    """A file to fetch, with the message it belongs to; field order is that of the query."""

    key: int
    sealed: bytes
    file: str
    attempts: int
    mark: bytes
    message_key: int
    message_sealed: bytes
    account: int
    received_at: int
    subject: int | None
    """Whom it is of, where that is known."""


class Readable(NamedTuple):
    """A file that may be read; field order is that of the query."""

    key: int
    sealed: bytes
    file: str


class MediaStore:
    """Files of messages and how far they have come."""

    def __init__(self, content: Database) -> None:
        """Take the open content store."""
        self.content = content

    async def unseen(self, most: int) -> list[Unseen]:
        """Give messages that came, or were edited, since their file was looked after."""
        async with self.content.read() as transaction:
            return [Unseen(*row) for row in await transaction.fetch(_NEW, {"most": most})]

    async def present(self, mark: bytes) -> list[tuple[int, bytes]]:
        """Give the file that a message has, fetched or not: key and sealed description."""
        async with self.content.read() as transaction:
            return [(row[0], row[1]) for row in await transaction.fetch(_PRESENT, {"mark": mark})]

    async def looked(self, seen: Sequence[tuple[bytes, int]]) -> None:
        """Note that there is nothing to do for messages (mark and key) as they stand."""
        if seen:
            await self.content.run([turn(self.content), Step(_LOOKED, seen)])

    async def start(self, files: Sequence[Starting], *, now: int, intent: int) -> set[int]:
        """Note files to fetch, and order destroyed what they replace; give the keys of those that were noted.

        ``ScriptRefused`` where the keys of ``intent`` were swept meanwhile.
        """
        steps = turn_of_intent(self.content, intent)
        places: dict[int, int] = {}
        for new, replaces, log_entry in files:
            places[new.key] = len(steps)
            steps += [*insert_steps(new), Step(_START, [(now, new.key)])]
            if replaces is not None:
                steps += order_steps(log_entry, "edited", replaces, now)
        steps.append(Step(_LOOKED, [(new.mark, new.message_key) for new, _, _ in files]))
        results = await self.content.run(steps)
        return {key for key, place in places.items() if results[place].changed == 1}

    async def due(self, now: int, most: int) -> list[Job]:
        """Give what is to be fetched now."""
        async with self.content.read() as transaction:
            return [Job(*row) for row in await transaction.fetch(_DUE, {"now": now, "most": most})]

    async def alive(self, key: int) -> bool:
        """Say whether a derivative may still be written and read."""
        async with self.content.read() as transaction:
            return bool(await transaction.fetch(_ALIVE, {"key": key}))

    async def finish(self, key: int, sealed: bytes, attempts: int) -> bool:
        """Note that a file is whole; ``False`` where it was let go meanwhile."""
        steps = [
            turn(self.content),
            Step(_KEEP, [(sealed, key)]),
            Step(_END, [("done", attempts, "", key)]),
        ]
        return (await self.content.run(steps))[1].changed == 1

    async def again(self, key: int, attempts: int, due_at: int, code: str) -> None:
        """Note when a file is asked for again, and why it is not here."""
        await self.content.run([turn(self.content), Step(_AGAIN, [("waiting", attempts, due_at, code, key)])])

    async def deny(self, key: int, attempts: int, due_at: int) -> None:
        """Note that the policy does not let a file rest here, and when it is asked again at the soonest."""
        await self.content.run([turn(self.content), Step(_AGAIN, [("withheld", attempts, due_at, DENIED, key)])])

    async def end(self, key: int, state: Literal["withheld", "failed"], attempts: int, code: str) -> None:
        """Note that a file is not asked for any more."""
        await self.content.run([turn(self.content), Step(_END, [(state, attempts, code, key)])])

    async def waiting(self) -> int:
        """Count the files that are to be fetched."""
        async with self.content.read() as transaction:
            return int((await transaction.fetch(_WAITING))[0][0])

    async def readable(self, mark: bytes) -> Readable | None:
        """Give the file of a message that rests here whole and may be read."""
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_READABLE, {"mark": mark})
        return Readable(*rows[0]) if rows else None
