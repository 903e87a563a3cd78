"""Commands and what is told: kept before they count, closed together with the receipt that is owed.

A command is kept together with the cursor it came with, so that none is asked for twice or lost.  Its id says whether
it was done; the receipt enters the outbox in the transaction that closes the command.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge_node.core.erasing import Counts, Retained
from edge_node.storage.content.jurisdictions import LAW
from shared.database.contract import Database, ScriptRefused, Step
from shared.wire import Command, Place, encode
from shared.wire.types import ReasonCode

_KEEP = """
INSERT INTO command (id, command_cursor, case_id, origin, kind, body, state, received_at)
VALUES (:id, :command_cursor, :case_id, 'control', :kind, :body, 'waiting', :now) ON CONFLICT (id) DO NOTHING
"""
_MOVE = "UPDATE uplink SET command_cursor = :next WHERE command_cursor < :next"
# Erasures last: a cap may hold them, and what is held must not stand before what is not.
_WAITING = """
SELECT body, received_at FROM command WHERE state = 'waiting'
ORDER BY CASE kind WHEN 'erase' THEN 1 ELSE 0 END, command_cursor, id LIMIT :most
"""
_HELD = "SELECT count(*) FROM command WHERE state = 'waiting' AND kind = 'erase'"
_FINISHED = """
SELECT c.id, c.case_id, c.kind, e.ordered_at, COALESCE(e.finished_at, e.settled_at), COALESCE(e.keys, 0) + e.parted,
       e.messages, e.events, e.identities, e.views, e.derivatives, e.places, e.log_entry,
       CASE WHEN e.finished_at IS NULL THEN e.keys_kept ELSE 0 END
FROM command c JOIN erasure e ON e.log_entry = c.log_entry
WHERE c.state = 'working' AND (e.finished_at IS NOT NULL OR (e.settled_at IS NOT NULL AND e.keys IS NULL
  AND e.parting = 0 AND e.again_at > 0))
ORDER BY 5, c.id LIMIT :most
"""
# What is kept with its date; a hold without one is waited for.
_RETAINED = "SELECT store, count, article, until FROM kept WHERE log_entry = :id ORDER BY store, class"
_BUNDLE = "SELECT bundle FROM law_duties WHERE bundle <> ''"
_CLOSE = (
    "UPDATE command SET state = :state, done_at = :now, body = NULL WHERE id = :id AND state IN ('waiting', 'working')"
)
_PUT = """
INSERT INTO outbox (id, kind, body, created_at, law) VALUES (:id, :kind, :body, :now, :law) ON CONFLICT (id) DO NOTHING
"""
_PUT_RECEIPT = """
INSERT INTO outbox (id, kind, body, created_at, law)
SELECT CAST(:id AS TEXT), 'receipt', CAST(:body AS BLOB), CAST(:now AS INTEGER),
       COALESCE((SELECT e.law FROM command c JOIN erasure e ON e.log_entry = c.log_entry WHERE c.id = :command),
                CAST(:law AS TEXT))
ON CONFLICT (id) DO NOTHING
"""
_OPEN_COMMANDS = "SELECT count(*) FROM command WHERE state IN ('waiting', 'working')"
_DRAFTS = "SELECT id, mark, created_at FROM outbox WHERE body IS NULL AND accepted_at IS NULL ORDER BY created_at"
_FREEZE = f"""
UPDATE outbox SET body = :body, mark = NULL, law = COALESCE(
    (SELECT {LAW} FROM disclosure d JOIN subject s ON s.id = d.subject WHERE d.mark = outbox.mark LIMIT 1), '')
WHERE id = :id AND body IS NULL
"""  # noqa: S608 - constants of this folder
_FORGET_SHOWN = """
DELETE FROM disclosure WHERE mark = :mark AND subject IN (SELECT id FROM subject WHERE keep = 'gone')
"""
_UNTOLD = """
SELECT id, kind, body, law, withheld FROM outbox WHERE accepted_at IS NULL AND body IS NOT NULL
ORDER BY created_at, id LIMIT :most
"""
_TOLD_RECEIPT = "UPDATE outbox SET accepted_at = :now WHERE id = :id AND kind = 'receipt'"
_TOLD_NOTICE = "DELETE FROM outbox WHERE id = :id AND kind <> 'receipt'"
_WITHHOLD = "UPDATE outbox SET withheld = :reason WHERE id = :id"
_WITHHELD = """
SELECT kind, withheld, count(*) FROM outbox WHERE accepted_at IS NULL AND withheld <> '' GROUP BY kind, withheld
ORDER BY kind, withheld
"""
_KEPT_BACK = "SELECT 1 FROM outbox WHERE id = :id AND withheld <> ''"
_DROP = "DELETE FROM outbox WHERE id = :id AND body IS NULL"
_AGAIN = "UPDATE outbox SET accepted_at = NULL WHERE kind = 'receipt' AND accepted_at > :since"
_COUNT_UNTOLD = """
SELECT COALESCE(sum(CASE WHEN kind = 'receipt' THEN 1 ELSE 0 END), 0),
       COALESCE(sum(CASE WHEN kind = 'receipt' THEN 0 ELSE 1 END), 0)
FROM outbox WHERE accepted_at IS NULL
"""


RECALLED, EXPIRED = "recall-", "expiry-"
"""How the name of a noted recall begins: its sender took the message back, or its time was over."""


class Finished(NamedTuple):
    """A command whose erasure is carried out, but for what a law keeps for a time, and whose receipt is owed."""

    id: str
    case: str
    kind: str
    started_at: int
    finished_at: int
    counts: Counts
    places: tuple[Place, ...]
    retained: tuple[Retained, ...]
    keys_kept: int
    bundle: str | None
    """Hash of the policy bundle in force."""


class Untold(NamedTuple):
    """A body that waits to be told; field order is that of the query."""

    id: str
    kind: str
    body: bytes
    law: str = ""
    """Whose law protects whoever it is about: codes separated by spaces; empty where none was known."""
    withheld: str = ""
    """Why the policy kept it here when it was asked last; empty where it did not."""


class Draft(NamedTuple):
    """A recall that was noted and whose places are not read yet."""

    id: str
    mark: bytes
    at: int

    @property
    def name(self) -> str:
        """Give the opaque id under which the control plane is told."""
        return self.id.removeprefix(RECALLED).removeprefix(EXPIRED)

    @property
    def reason(self) -> ReasonCode:
        """Say why the message is gone."""
        return "no_longer_needed" if self.id.startswith(EXPIRED) else "sender_recalled"


class CommandStore:
    """Commands, receipts and notices in the content store."""

    def __init__(self, content: Database) -> None:
        """Take the open content store."""
        self._content = content

    async def keep(self, commands: Sequence[Command], next_cursor: int, now: int) -> None:
        """Keep a page of commands and the cursor after it, together; what is known already stays as it is."""
        rows = [(each.id, each.cursor, each.case, each.kind, encode(each), now) for each in commands]
        steps = [Step(_KEEP, rows)] if rows else []
        await self._content.run([*steps, Step(_MOVE, [(next_cursor,)])])

    async def waiting(self, most: int) -> list[tuple[bytes, int]]:
        """Give bodies and times (ms) of arrival of commands that nothing was done for, in order, erasures last."""
        async with self._content.read() as transaction:
            return [(body, at) for body, at in await transaction.fetch(_WAITING, {"most": most})]

    async def waiting_erasures(self) -> int:
        """Count commands to erase that nothing was done for."""
        async with self._content.read() as transaction:
            return int((await transaction.fetch(_HELD))[0][0])

    async def finished(self, most: int) -> list[Finished]:
        """Give commands whose erasure is carried out."""
        async with self._content.read() as transaction:
            rows = await transaction.fetch(_FINISHED, {"most": most})
            bundle = await transaction.fetch(_BUNDLE)
            retained = {row[12]: await transaction.fetch(_RETAINED, {"id": row[12]}) for row in rows if row[13]}
        return [
            Finished(
                id=row[0],
                case=row[1],
                kind=row[2],
                started_at=row[3],
                finished_at=row[4],
                counts=Counts(*row[5:11]),
                places=read_places(row[11]),
                retained=tuple(
                    Retained(store, count, article or None, until)
                    for store, count, article, until in retained.get(row[12], [])
                ),
                keys_kept=row[13],
                bundle=bundle[0][0] if bundle else None,
            )
            for row in rows
        ]

    async def close(self, command: str, receipt: bytes, now: int, law: str = "") -> bool:
        """Close a command and put its receipt into the outbox; ``False`` where it was closed already.

        ``law`` protects whoever it is about where no erasure here knows better.
        """
        steps = [
            Step(_CLOSE, [("done", now, command)], expect=1),
            Step(_PUT_RECEIPT, [(f"receipt-{command}", receipt, now, command, law)]),
        ]
        try:
            await self._content.run(steps)
        except ScriptRefused:
            return False
        return True

    async def refuse(self, command: str, now: int) -> None:
        """Close a command that cannot be done, without a receipt: nothing is signed that did not happen."""
        await self._content.run([Step(_CLOSE, [("refused", now, command)])])

    async def open_count(self) -> int:
        """Count commands that are not closed."""
        async with self._content.read() as transaction:
            return int((await transaction.fetch(_OPEN_COMMANDS))[0][0])

    async def drafts(self) -> list[Draft]:
        """Give recalls that were noted and have no body yet."""
        async with self._content.read() as transaction:
            return [Draft(*row) for row in await transaction.fetch(_DRAFTS)]

    async def freeze(self, draft: Draft, body: bytes | None) -> None:
        """Give a noted recall its body, for good; without one it is dropped: no copy is anywhere."""
        step = Step(_DROP, [(draft.id,)]) if body is None else Step(_FREEZE, [(body, draft.id)])
        await self._content.run([step, Step(_FORGET_SHOWN, [(draft.mark,)])])

    async def untold(self, most: int) -> list[Untold]:
        """Give what waits to be told, oldest first."""
        async with self._content.read() as transaction:
            return [Untold(*row) for row in await transaction.fetch(_UNTOLD, {"most": most})]

    async def told(self, outbox: str, now: int) -> None:
        """Note that the control plane has it: notices go, receipts are kept, in case it loses them."""
        await self._content.run([Step(_TOLD_RECEIPT, [(now, outbox)]), Step(_TOLD_NOTICE, [(outbox,)])])

    async def withhold(self, untold: Untold, reason: str, instead: bytes | None, now: int) -> None:
        """Note why the policy keeps something here; ``instead`` is a notice that is told in its place, once."""
        steps = [Step(_WITHHOLD, [(reason, untold.id)])]
        if instead is not None:
            steps.append(Step(_PUT, [(f"recall-{untold.id}", "recall", instead, now, untold.law)]))
        await self._content.run(steps)

    async def withheld(self) -> list[tuple[str, str, int]]:
        """Count what the policy keeps here: kind, reason, how many."""
        async with self._content.read() as transaction:
            return [(kind, reason, count) for kind, reason, count in await transaction.fetch(_WITHHELD)]

    async def kept_back(self, outbox: str) -> bool:
        """Say whether the policy keeps a body here."""
        async with self._content.read() as transaction:
            return bool(await transaction.fetch(_KEPT_BACK, {"id": outbox}))

    async def tell_again(self, since: int) -> None:
        """Tell every receipt again that was accepted after ``since`` (ms)."""
        await self._content.run([Step(_AGAIN, [(since,)])])

    async def untold_counts(self) -> tuple[int, int]:
        """Count receipts and notices that wait to be told."""
        async with self._content.read() as transaction:
            receipts, notices = (await transaction.fetch(_COUNT_UNTOLD))[0]
        return int(receipts), int(notices)


def write_places(places: tuple[Place, ...]) -> bytes:
    """Write places for the store."""
    return msgspec.msgpack.encode(places)


def read_places(data: bytes | None) -> tuple[Place, ...]:
    """Read places from the store."""
    return msgspec.msgpack.decode(data, type=tuple[Place, ...]) if data is not None else ()
