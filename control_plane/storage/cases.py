"""Cases, their commands and receipts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from control_plane.core.cases import Asked, CaseState, Order, Origin, Standing, lapse_of, standing_of
from control_plane.core.paging import Position
from control_plane.storage.work import Work
from shared.crypto.dsse import Envelope
from shared.database.contract import Row, Transaction, Value
from shared.wire import Command, DisclosureTarget, SubjectTarget
from shared.wire.base import PROTOCOL
from shared.wire.types import CaseKind, CommandKind, ReasonCode

_COLUMNS = "id, kind, origin, node, recall, pseudonym, reason, state, opened_by, opened_at, finished_at"
_OPEN = f"""
INSERT INTO case_file ({_COLUMNS})
VALUES (:id, :kind, :origin, :node, :recall, :pseudonym, :reason, 'open', :opened_by, :at, NULL)
"""  # noqa: S608  our own column names
_BY_ID = f"SELECT {_COLUMNS} FROM case_file WHERE id = :id"  # noqa: S608
_BY_RECALL = f"SELECT {_COLUMNS} FROM case_file WHERE node = :node AND recall = :recall"  # noqa: S608
_PAGE = f"""
SELECT {_COLUMNS} FROM case_file
WHERE (opened_at > :at OR (opened_at = :at AND id > :id)) AND (:state = 'any' OR state = :state)
AND (:kind = 'any' OR kind = :kind) ORDER BY opened_at, id LIMIT :limit
"""  # noqa: S608
_STATE = "UPDATE case_file SET state = :state, finished_at = :finished_at WHERE id = :id"
_TALLY = """
SELECT count(*), count(done_at), count(lapsed) FROM command WHERE case_id = :id
"""
_HAS = "SELECT node, kind, discloser, target FROM command WHERE case_id = :id"
_COMMAND = """
INSERT INTO command (id, cursor, case_id, node, kind, discloser, target, reason, issued_at, done_at, lapsed)
VALUES (:id, :cursor, :case_id, :node, :kind, :discloser, :target, :reason, :at, NULL, :lapsed)
"""
_MEMBERS = "SELECT name, state FROM member"
# What a change of the roster does to what is owed: by node, for good where it retired; again owed where it came.
_LAPSES = (
    """
UPDATE command SET lapsed = 'retired' WHERE done_at IS NULL AND (lapsed IS NULL OR lapsed = 'unknown')
AND node IN (SELECT name FROM member WHERE state = 'retired') RETURNING case_id, node
""",
    """
UPDATE command SET lapsed = 'unknown' WHERE done_at IS NULL AND lapsed IS NULL
AND node NOT IN (SELECT name FROM member) RETURNING case_id, node
""",
)
_RETURNS = """
UPDATE command SET lapsed = NULL WHERE lapsed = 'unknown'
AND node IN (SELECT name FROM member WHERE state = 'active') RETURNING case_id, node
"""
_AFTER = """
SELECT id, cursor, case_id, kind, discloser, target, reason, issued_at FROM command
WHERE node = :node AND cursor > :after AND lapsed IS NULL ORDER BY cursor LIMIT :limit
"""
_PLACES = """
SELECT command.node, command.kind, count(*), count(*) - count(command.done_at) - count(command.lapsed),
count(command.lapsed), member.state, node.barred_at
FROM command LEFT JOIN member ON member.name = command.node LEFT JOIN node ON node.name = command.node
WHERE command.case_id = :id
GROUP BY command.node, command.kind, member.state, node.barred_at ORDER BY command.node, command.kind
"""
_UNFINISHED = "SELECT count(*) FROM case_file WHERE state IN ('open', 'waiting')"
_PARTIAL = "SELECT count(*) FROM case_file WHERE state = 'partial'"
_ASKED = """
SELECT command.id, command.case_id, command.node, command.kind, receipt.payload_sha256
FROM command LEFT JOIN receipt ON receipt.command = command.id WHERE command.id = :id
"""
_RECEIPT = """
INSERT INTO receipt (command, case_id, node, envelope, payload_sha256, accepted_at)
VALUES (:command, :case_id, :node, :envelope, :sha256, :at)
"""
_DONE = "UPDATE command SET done_at = :at, lapsed = NULL WHERE id = :id"
_RECEIPTS = """
SELECT command, node, envelope, accepted_at FROM receipt
WHERE case_id = :id AND (accepted_at > :at OR (accepted_at = :at AND command > :after))
ORDER BY accepted_at, command LIMIT :limit
"""


class CaseRow(NamedTuple):
    """A case as it is kept."""

    id: str
    kind: CaseKind
    origin: Origin
    node: str
    recall: str | None
    pseudonym: str | None
    reason: ReasonCode
    state: CaseState
    opened_by: str
    opened_at: int
    finished_at: int | None


class AtPlace(NamedTuple):
    """What one node was asked in a case."""

    node: str
    kinds: tuple[CommandKind, ...]
    asked: int
    owed: int
    lapsed: int
    """Of what was asked: what nobody will sign for."""
    standing: Standing


class Tally(NamedTuple):
    """A case's commands: that somebody has to sign for, that were signed for, that nobody will sign for."""

    owed: int
    done: int
    lapsed: int


class ReceiptRow(NamedTuple):
    """An accepted receipt."""

    command: str
    node: str
    envelope: Envelope
    accepted_at: int


async def open_case(
    work: Work,
    *,
    id_: str,
    kind: CaseKind,
    origin: Origin,
    node: str,
    reason: ReasonCode,
    opened_by: str,
    pseudonym: str | None = None,
    recall: str | None = None,
) -> CaseRow:
    """Keep a new case."""
    row = CaseRow(id_, kind, origin, node, recall, pseudonym, reason, "open", opened_by, work.now, None)
    values = {name: value for name, value in row._asdict().items() if name not in {"state", "opened_at", "finished_at"}}
    await work.t.execute(_OPEN, values | {"at": work.now})
    return row


async def find(t: Transaction, id_: str) -> CaseRow | None:
    """Give a case."""
    rows = await t.fetch(_BY_ID, {"id": id_})
    return CaseRow(*rows[0]) if rows else None


async def find_recall(t: Transaction, node: str, recall: str) -> CaseRow | None:
    """Give the case of a node's recall."""
    rows = await t.fetch(_BY_RECALL, {"node": node, "recall": recall})
    return CaseRow(*rows[0]) if rows else None


async def page(t: Transaction, after: Position, state: str, kind: str, limit: int) -> list[CaseRow]:
    """Give cases in the order in which they were opened; of any state or kind where asked so."""
    parameters: dict[str, Value] = {"at": after.at, "id": after.id, "state": state, "kind": kind, "limit": limit}
    return [CaseRow(*row) for row in await t.fetch(_PAGE, parameters)]


async def unfinished(t: Transaction) -> int:
    """Count the cases with something owed."""
    return int((await t.fetch(_UNFINISHED))[0][0])


async def partial(t: Transaction) -> int:
    """Count the cases that ended with something that nobody will sign for."""
    return int((await t.fetch(_PARTIAL))[0][0])


async def tally(t: Transaction, id_: str) -> Tally:
    """Count a case's commands."""
    asked, done, lapsed = (await t.fetch(_TALLY, {"id": id_}))[0]
    return Tally(asked - done - lapsed, done, lapsed)


async def set_state(work: Work, id_: str, state: CaseState) -> None:
    """Write down how a case stands."""
    finished_at = work.now if state == "finished" else None
    await work.t.execute(_STATE, {"id": id_, "state": state, "finished_at": finished_at})


async def command(work: Work, case: CaseRow, orders: Sequence[Order]) -> int:
    """Write the commands of a case that it does not have yet, each with a cursor; give how many.

    One at a node that the roster has retired or does not know lapses at once: nobody would ever fetch it.
    """
    have = {Order(*row) for row in await work.t.fetch(_HAS, {"id": case.id})} if orders else set()
    fresh = [order for order in orders if order not in have]
    if fresh:
        members: dict[str, Any] = dict(await work.t.fetch(_MEMBERS))
        lapses = {order.node: lapse_of(members.get(order.node)) for order in fresh}
        rows = [
            (
                work.draw_id(),
                cursor,
                case.id,
                order.node,
                order.kind,
                order.discloser,
                order.target,
                case.reason,
                work.now,
                lapses[order.node],
            )
            for cursor, order in zip(await work.cursors(len(fresh)), fresh, strict=True)
        ]
        await work.t.execute_many(_COMMAND, rows)
        work.commanded |= {node for node, lapse in lapses.items() if lapse is None}
    return len(fresh)


async def follow_members(work: Work) -> set[str]:
    """Let what is owed follow a change of the roster; give the cases that this concerns.

    What a retired or unknown node owes lapses; what lapsed since nobody knew its node is owed again where it came.
    """
    lapsed = [row for sql in _LAPSES for row in await work.t.fetch(sql)]
    again = await work.t.fetch(_RETURNS)
    work.commanded |= {node for _, node in again}
    return {case for case, _ in (*lapsed, *again)}


async def own_command(work: Work, case: CaseRow, order: Order) -> None:
    """Write what the opening node does unasked: its command has the case's id and no cursor."""
    row = {"id": case.id, "cursor": None, "case_id": case.id, "reason": case.reason, "at": work.now}
    await work.t.execute(_COMMAND, row | order._asdict() | {"lapsed": None})


async def commands_after(t: Transaction, node: str, after: int, limit: int) -> list[Command]:
    """Give a node's commands after a cursor, in order, as they are said to it."""
    rows = await t.fetch(_AFTER, {"node": node, "after": after, "limit": limit})
    return [_said(row) for row in rows]


async def places(t: Transaction, id_: str) -> list[AtPlace]:
    """Give, for each node of a case, how it stands, what it was asked, what it owes and what nobody will do."""
    found: dict[str, AtPlace] = {}
    for node, kind, count, owed, lapsed, state, barred_at in await t.fetch(_PLACES, {"id": id_}):
        before = found.get(node, AtPlace(node, (), 0, 0, 0, standing_of(state, barred=barred_at is not None)))
        found[node] = before._replace(
            kinds=(*before.kinds, kind),
            asked=before.asked + count,
            owed=before.owed + owed,
            lapsed=before.lapsed + lapsed,
        )
    return list(found.values())


async def asked(t: Transaction, command_id: str) -> Asked | None:
    """Give what a command asked."""
    rows = await t.fetch(_ASKED, {"id": command_id})
    return Asked(*rows[0]) if rows else None


async def keep_receipt(work: Work, about: Asked, envelope: Envelope, sha256: str) -> None:
    """Keep a receipt; its command is done."""
    receipt: dict[str, Value] = {
        "command": about.command,
        "case_id": about.case,
        "node": about.node,
        "sha256": sha256,
        "at": work.now,
    }
    await work.t.execute(_RECEIPT, receipt | {"envelope": msgspec.json.encode(envelope)})
    await work.t.execute(_DONE, {"id": about.command, "at": work.now})


async def receipts(t: Transaction, id_: str, after: Position, limit: int) -> list[ReceiptRow]:
    """Give a case's receipts in the order in which they were accepted."""
    parameters: dict[str, Value] = {"id": id_, "at": after.at, "after": after.id, "limit": limit}
    rows = await t.fetch(_RECEIPTS, parameters)
    return [
        ReceiptRow(command_id, node, msgspec.json.decode(envelope, type=Envelope), at)
        for command_id, node, envelope, at in rows
    ]


def _said(row: Row) -> Command:
    """Write a command as it crosses the border."""
    id_, cursor, case, kind, discloser, target, reason, issued_at = row
    said = DisclosureTarget(discloser, target) if discloser else SubjectTarget(target)
    return Command(
        protocol=PROTOCOL,
        id=id_,
        cursor=cursor,
        case=case,
        kind=kind,
        target=said,
        reason=reason,
        issued_at=issued_at,
    )
