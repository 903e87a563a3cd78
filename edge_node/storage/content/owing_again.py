"""What a restored node owes the control plane anew: recalls and cases that the lost store may not have told.

Nobody knows how far that store came, so all of it is told again; the control plane knows a case by its id, and doing
it twice is doing it once.
"""

from collections.abc import Sequence
from typing import cast

from edge_node.storage.content.places import places_of
from edge_node.storage.journal import JournalEntry
from shared.database.contract import Transaction
from shared.wire import PROTOCOL, CaseNotice, Command, SubjectTarget, encode
from shared.wire.types import ReasonCode

_ENROLLED = "SELECT 1 FROM uplink"
_SHOWN = "SELECT node, id FROM disclosure WHERE subject = :subject AND closed_at IS NULL ORDER BY node, id"
_NOTICE = """
INSERT INTO outbox (id, kind, body, created_at) VALUES (:id, 'case', :body, :now) ON CONFLICT (id) DO NOTHING
"""
# As if it had been asked: it joins the erasure that is under way, or is signed for at once where nobody is left.
_OWE = """
INSERT INTO command (id, command_cursor, case_id, origin, kind, body, state, received_at)
VALUES (:id, 0, :id, 'node', 'erase', :body, 'waiting', :now) ON CONFLICT (id) DO NOTHING
"""
# An entry of a message is named by its recall alone; what else that took has a name with an end.
_RECALL = """
INSERT INTO outbox (id, kind, mark, created_at)
SELECT 'recall-' || CAST(:id AS TEXT), 'recall', m.mark, CAST(:now AS INTEGER) FROM message m
WHERE m.key = :key AND EXISTS (SELECT 1 FROM disclosure d WHERE d.mark = m.mark AND d.closed_at IS NULL)
  AND EXISTS (SELECT 1 FROM uplink)
ON CONFLICT (id) DO NOTHING
"""


async def note_recalls_again(transaction: Transaction, lines: Sequence[JournalEntry], now: int) -> None:
    """Note the recalls among some lines of what other nodes were shown, before their messages are gone."""
    rows = [(line.log_entry, now, line.key) for line in lines if line.act == "recall" and "-" not in line.log_entry]
    if rows:
        await transaction.execute_many(_RECALL, rows)


async def owe_cases_again(transaction: Transaction, line: JournalEntry, subject: int | None, now: int) -> None:
    """Owe the cases that were opened here for an erasure: their notice, and a receipt when it is carried out."""
    if not line.cases or line.owner is None or not await transaction.fetch(_ENROLLED):
        return
    shown = await transaction.fetch(_SHOWN, {"subject": subject}) if subject is not None else []
    places = places_of([(node, disclosure) for node, disclosure in shown])
    reason = cast("ReasonCode", line.reason)
    for case in line.cases:
        notice = CaseNotice(
            protocol=PROTOCOL,
            case=case,
            kind="erasure",
            pseudonym=line.owner,
            reason=reason,
            at=line.ordered_at,
            places=places,
        )
        await transaction.execute(_NOTICE, {"id": f"case-{case}", "body": encode(notice), "now": now})
        command = Command(
            protocol=PROTOCOL,
            id=case,
            cursor=0,
            case=case,
            kind="erase",
            target=SubjectTarget(line.owner),
            reason=reason,
            issued_at=line.ordered_at,
        )
        await transaction.execute(_OWE, {"id": case, "body": encode(command), "now": now})
