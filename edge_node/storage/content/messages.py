"""Taking events in: guarded inserts that no tombstone, no erased subject and no repetition passes."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from edge_node.storage.content.head import turn
from shared.database.contract import Database, Row, Step, StepResult

_COLUMNS = """
(mark, account, conversation, subject, direction, kind, at, received_at, edited_at, grouped, keep, key, sealed)
"""
_LIVES = """
(CAST(:subject AS INTEGER) IS NULL OR EXISTS (SELECT 1 FROM subject WHERE id = :subject AND keep = 'active'))
"""
_MESSAGE_VALUES = """
SELECT CAST(:mark AS BLOB), CAST(:account AS INTEGER), CAST(:conversation AS INTEGER), CAST(:subject AS INTEGER),
       CAST(:direction AS TEXT), CAST(:kind AS TEXT), CAST(:at AS INTEGER), CAST(:received_at AS INTEGER),
       CAST(:edited_at AS INTEGER), CAST(:grouped AS INTEGER), 'active', CAST(:key AS INTEGER), CAST(:sealed AS BLOB)
"""
_GUARDED_MESSAGE = f"""
INSERT INTO message {_COLUMNS} {_MESSAGE_VALUES}
WHERE {_LIVES} AND NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = :tombstone)
"""  # noqa: S608 - constants of this page
INSERT_MESSAGE = _GUARDED_MESSAGE + "ON CONFLICT (mark) DO NOTHING"

# The key that an edit replaces is ordered destroyed before the edit takes the row: same transaction, same condition.
_SUPERSEDE = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT), 'supersede', 'edited', 'ordered', key, CAST(:now AS INTEGER) FROM message
WHERE mark = :mark AND edited_at < :edited_at AND COALESCE(subject, 0) = COALESCE(CAST(:subject AS INTEGER), 0)
  AND keep = 'active'
"""
_UPSERT_EDIT = (
    _GUARDED_MESSAGE
    + """
ON CONFLICT (mark) DO UPDATE SET
    kind = excluded.kind, key = excluded.key, sealed = excluded.sealed, edited_at = excluded.edited_at
WHERE message.edited_at < excluded.edited_at AND COALESCE(message.subject, 0) = COALESCE(excluded.subject, 0)
  AND message.keep = 'active'
"""
)
_INSERT_EVENT = f"""
INSERT INTO event (mark, about, account, conversation, subject, kind, at, received_at, keep, key, sealed)
SELECT CAST(:mark AS BLOB), CAST(:about AS BLOB), CAST(:account AS INTEGER), CAST(:conversation AS INTEGER),
       CAST(:subject AS INTEGER), CAST(:kind AS TEXT), CAST(:at AS INTEGER), CAST(:received_at AS INTEGER), 'active',
       CAST(:key AS INTEGER), CAST(:sealed AS BLOB)
WHERE {_LIVES} AND NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = CAST(:tombstone AS BLOB))
ON CONFLICT (mark) DO NOTHING
"""  # noqa: S608 - constants of this page
_JUDGE_MESSAGE = "SELECT mark, key, subject, edited_at FROM message WHERE mark = :mark"
_JUDGE_EVENT = "SELECT mark, key FROM event WHERE mark = :mark"
_TOMBSTONE = "SELECT mark FROM tombstone WHERE mark = :mark"
_FIRST_SEEN = "UPDATE message SET at = :at WHERE mark = :mark AND edited_at > 0 AND at > :at"

Verdict = Literal["stored", "duplicate", "tombstoned", "foreign", "again"]
"""What became of a row: stored now; there already; taken back before; of another author; to be judged anew."""


class MessageRow(NamedTuple):
    """A message, or an edit of one (``edited_at`` over 0); field order is that of the statements' parameters."""

    mark: bytes
    account: int
    conversation: int | None
    subject: int | None
    direction: str
    kind: str
    at: int
    received_at: int
    edited_at: int
    grouped: int
    key: int
    sealed: bytes
    tombstone: bytes


class EventRow(NamedTuple):
    """Any other event; field order is that of the statement's parameters."""

    mark: bytes
    about: bytes | None
    account: int
    conversation: int | None
    subject: int | None
    kind: str
    at: int
    received_at: int
    key: int
    sealed: bytes
    tombstone: bytes | None


class EditRow(NamedTuple):
    """An edit and the log entry that orders the replaced key destroyed."""

    log_entry: str
    row: MessageRow


def take_in_steps(
    messages: Sequence[MessageRow], events: Sequence[EventRow], edits: Sequence[EditRow], now: int
) -> list[Step]:
    """Give the statements that take a batch in, edits after the messages they may belong to."""
    # Plain tuples: the driver binds them in half the time that a subclass takes.
    steps = []
    if messages:
        steps.append(Step(INSERT_MESSAGE, [tuple(row) for row in messages]))
    if events:
        steps.append(Step(_INSERT_EVENT, [tuple(row) for row in events]))
    for edit in edits:
        row = edit.row
        steps.append(Step(_SUPERSEDE, [(edit.log_entry, now, row.mark, row.edited_at, row.subject)]))
        steps.append(Step(_UPSERT_EDIT, [row]))
    return steps


async def write_batch(
    database: Database, people: int, steps: Sequence[Step], messages: int, events: int
) -> tuple[list[StepResult], bool]:
    """Write a batch; give each step's result and whether every message and event was new."""
    results = (await database.run([turn(database, people), *steps]))[1:]
    index, whole = 0, True
    for count in (messages, events):
        if count:
            whole = whole and results[index].changed == count
            index += 1
    return results, whole


async def judge(
    database: Database, messages: Iterable[MessageRow], events: Iterable[EventRow], replaced_by: frozenset[int]
) -> dict[int, Verdict]:
    """Say by key what became of each row of a batch that was not whole.

    ``replaced_by`` are the keys of the batch's own edits: a message that one of them replaced was stored, and its key
    is ordered destroyed.
    """
    verdicts: dict[int, Verdict] = {}
    async with database.read() as transaction:
        for row in messages:
            found = await transaction.fetch(_JUDGE_MESSAGE, {"mark": row.mark})
            tombs = await transaction.fetch(_TOMBSTONE, {"mark": row.tombstone})
            replaced = bool(found) and not row.edited_at and found[0][1] in replaced_by
            verdicts[row.key] = "stored" if replaced else _message_verdict(row, found, bool(tombs))
        for event in events:
            found = await transaction.fetch(_JUDGE_EVENT, {"mark": event.mark})
            tombs = await transaction.fetch(_TOMBSTONE, {"mark": event.tombstone})
            verdicts[event.key] = _event_verdict(event, found, bool(tombs))
    return verdicts


def _message_verdict(row: MessageRow, found: Sequence[Row], tombstoned: bool) -> Verdict:
    """Decide for one message or edit from what stands in the store."""
    if found and found[0][1] == row.key:
        return "stored"
    if tombstoned:
        return "tombstoned"
    if not found:
        return "again"
    if row.edited_at and found[0][2] != row.subject:
        return "foreign"
    return "duplicate"


def _event_verdict(row: EventRow, found: Sequence[Row], tombstoned: bool) -> Verdict:
    """Decide for any other event from what stands in the store."""
    if found:
        return "stored" if found[0][1] == row.key else "duplicate"
    return "tombstoned" if tombstoned else "again"


def first_seen_step(rows: Sequence[MessageRow]) -> Step:
    """Give the statement that notes when a message was really sent whose edit came before it."""
    return Step(_FIRST_SEEN, [(row.at, row.mark) for row in rows])
