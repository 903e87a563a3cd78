"""Taking events in: guarded inserts that no tombstone, no erased subject and no repetition passes."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from edge_node.storage.content.head import turn_of
from edge_node.storage.content.keeping import covered, taken_back_and_kept
from shared.database.contract import Database, Row, Step, StepResult

_COLUMNS = """
(mark, account, conversation, subject, direction, kind, at, received_at, edited_at, edit, original, grouped, key,
 sealed, keep)
"""
_LIVES = """
(CAST(:subject AS INTEGER) IS NULL OR EXISTS (SELECT 1 FROM subject WHERE id = :subject AND keep = 'active'))
"""
_MESSAGE_VALUES = """
SELECT CAST(:mark AS BLOB), CAST(:account AS INTEGER), CAST(:conversation AS INTEGER), CAST(:subject AS INTEGER),
       CAST(:direction AS TEXT), CAST(:kind AS TEXT), CAST(:at AS INTEGER), CAST(:received_at AS INTEGER),
       CAST(:edited_at AS INTEGER), CAST(:edit AS BLOB), CASE WHEN :edited_at = 0 THEN 1 ELSE 0 END,
       CAST(:grouped AS INTEGER), CAST(:key AS INTEGER), CAST(:sealed AS BLOB),
       CASE WHEN EXISTS (SELECT 1 FROM tombstone WHERE mark = CAST(:tombstone AS BLOB)) THEN 'held' ELSE 'active' END
"""
# What was taken back before it came stays out; under a hold it is kept and shown to nobody.
_NOT_TAKEN_BACK = "NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = CAST(:tombstone AS BLOB))"
_LET_IN = f"({_NOT_TAKEN_BACK} OR {taken_back_and_kept('message')})"
_GUARDED_MESSAGE = f"""
INSERT INTO message {_COLUMNS} {_MESSAGE_VALUES}
WHERE {_LIVES} AND {_LET_IN}
"""
INSERT_MESSAGE = _GUARDED_MESSAGE + "ON CONFLICT (mark) DO NOTHING"

_MINE = "(COALESCE(subject, 0) = COALESCE(CAST(:subject AS INTEGER), 0) AND direction = :direction)"
_MINE_OF_TWO = (
    "(COALESCE(message.subject, 0) = COALESCE(excluded.subject, 0) AND message.direction = excluded.direction)"
)

# What was said first is evidence: under a hold that keeps what is taken back, an edit is kept beside its message.
_VERSION_HELD = covered("message", "recall")
# The key that an edit replaces is ordered destroyed before the edit takes the row: same transaction, same condition.
_SUPERSEDE = f"""
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT), 'supersede', 'edited', 'ordered', key, CAST(:now AS INTEGER) FROM message
WHERE mark = :mark AND (edited_at, edit) < (CAST(:edited_at AS INTEGER), CAST(:edit AS BLOB)) AND {_MINE}
  AND keep = 'active' AND {_LIVES} AND NOT {_VERSION_HELD}
"""  # noqa: S608 - constants of this page
_UPSERT_EDIT = f"""{_GUARDED_MESSAGE}
ON CONFLICT (mark) DO UPDATE SET
    kind = excluded.kind, key = excluded.key, sealed = excluded.sealed, edited_at = excluded.edited_at,
    edit = excluded.edit
WHERE (message.edited_at, message.edit) < (excluded.edited_at, excluded.edit) AND {_MINE_OF_TWO}
  AND message.keep = 'active' AND NOT {_VERSION_HELD}
"""
# A message whose place an edit by another has taken displaces it; ``displacing`` says what becomes of that edit.
_SUPERSEDE_DISPLACED = f"""
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT), 'supersede', 'displaced', 'ordered', key, CAST(:now AS INTEGER) FROM message
WHERE mark = :mark AND original = 0 AND NOT {_MINE} AND keep = 'active' AND {_LIVES}
"""  # noqa: S608 - constants of this page
_DISPLACE = f"""{_GUARDED_MESSAGE}
ON CONFLICT (mark) DO UPDATE SET
    account = excluded.account, conversation = excluded.conversation, subject = excluded.subject,
    direction = excluded.direction, kind = excluded.kind, at = excluded.at, received_at = excluded.received_at,
    edited_at = excluded.edited_at, edit = excluded.edit, original = excluded.original, grouped = excluded.grouped,
    key = excluded.key, sealed = excluded.sealed
WHERE message.original = 0 AND NOT {_MINE_OF_TWO} AND message.keep = 'active'
"""
_INSERT_EVENT = f"""
INSERT INTO event (mark, about, account, conversation, subject, kind, at, received_at, key, sealed, keep)
SELECT CAST(:mark AS BLOB), CAST(:about AS BLOB), CAST(:account AS INTEGER), CAST(:conversation AS INTEGER),
       CAST(:subject AS INTEGER), CAST(:kind AS TEXT), CAST(:at AS INTEGER), CAST(:received_at AS INTEGER),
       CAST(:key AS INTEGER), CAST(:sealed AS BLOB),
       CASE WHEN EXISTS (SELECT 1 FROM tombstone WHERE mark = CAST(:tombstone AS BLOB)) THEN 'held' ELSE 'active' END
WHERE {_LIVES} AND ({_NOT_TAKEN_BACK} OR {taken_back_and_kept("event")})
ON CONFLICT (mark) DO NOTHING
"""  # noqa: S608 - constants of this page
_JUDGE_MESSAGE = f"""
SELECT key, subject, direction, original, edited_at, edit,
       CASE WHEN keep = 'active' AND {_VERSION_HELD} THEN 1 ELSE 0 END
FROM message WHERE mark = :mark
"""  # noqa: S608 - constants of this page
_JUDGE_EVENT = "SELECT key FROM event WHERE mark = :mark"
_TOMBSTONE = "SELECT 1 FROM tombstone WHERE mark = :mark"
_LOGGED = "SELECT 1 FROM log_entry WHERE key = :key AND state <> 'done'"
_FIRST_SEEN = "UPDATE message SET at = :at, original = 1 WHERE mark = :mark AND original = 0"

Verdict = Literal["stored", "duplicate", "tombstoned", "foreign", "beside", "displaces", "again"]
"""What became of a row: stored now; there already; taken back before; an edit by another author, or one that a hold
keeps from its message; a message whose place an edit by another has taken; to be judged anew."""


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
    edit: bytes
    """The mark of the edit, empty for a message: decides between two edits at one time."""
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


class Replacing(NamedTuple):
    """An edit or a displacing message, and the log entry that orders the replaced key destroyed."""

    log_entry: str
    row: MessageRow


def take_in_steps(
    messages: Sequence[MessageRow],
    events: Sequence[EventRow],
    edits: Sequence[Replacing],
    displacing: Sequence[Replacing],
    now: int,
) -> list[Step]:
    """Give the statements that take a batch in: first what is inserted, then two for each row that may replace one."""
    # Plain tuples: the driver binds them in half the time that a subclass takes.
    steps = []
    if messages:
        steps.append(Step(INSERT_MESSAGE, [tuple(row) for row in messages]))
    if events:
        steps.append(Step(_INSERT_EVENT, [tuple(row) for row in events]))
    for log_entry, row in displacing:
        steps.append(Step(_SUPERSEDE_DISPLACED, [(log_entry, now, row.mark, row.subject, row.direction)]))
        steps.append(Step(_DISPLACE, [row]))
    for log_entry, row in edits:
        order = (log_entry, now, row.mark, row.edited_at, row.edit, row.subject, row.direction)
        steps += [Step(_SUPERSEDE, [order]), Step(_UPSERT_EDIT, [row])]
    return steps


async def write_batch(
    database: Database, people: int, intent: int, steps: Sequence[Step], inserted: Sequence[int]
) -> tuple[list[StepResult], bool]:
    """Write a batch; give each step's result, and whether each of the first statements inserted all its rows."""
    opening = turn_of(database, people, intent)
    results = (await database.run([*opening, *steps]))[len(opening) :]
    counts = [count for count in inserted if count]
    return results, all(result.changed == count for result, count in zip(results, counts, strict=False))


async def judge(database: Database, messages: Iterable[MessageRow], events: Iterable[EventRow]) -> dict[int, Verdict]:
    """Say by key what became of each row of a batch that was not whole."""
    verdicts: dict[int, Verdict] = {}
    async with database.read() as transaction:
        for row in messages:
            found = await transaction.fetch(_JUDGE_MESSAGE, {"mark": row.mark})
            tombs = await transaction.fetch(_TOMBSTONE, {"mark": row.tombstone})
            logged = await transaction.fetch(_LOGGED, {"key": row.key})
            # A key that the log names was in place, and another row has taken it since.
            verdicts[row.key] = "stored" if logged else _message_verdict(row, found, bool(tombs))
        for event in events:
            found = await transaction.fetch(_JUDGE_EVENT, {"mark": event.mark})
            tombs = await transaction.fetch(_TOMBSTONE, {"mark": event.tombstone})
            logged = await transaction.fetch(_LOGGED, {"key": event.key})
            verdicts[event.key] = "stored" if logged else _event_verdict(event, found, bool(tombs))
    return verdicts


def _message_verdict(row: MessageRow, found: Sequence[Row], tombstoned: bool) -> Verdict:
    """Decide for one message or edit from what stands in the store."""
    if found and found[0][0] == row.key:
        return "stored"
    if tombstoned:
        return "tombstoned"
    if not found:
        return "again"
    _, subject, direction, original, edited_at, edit, version_held = found[0]
    if (subject, direction) == (row.subject, row.direction):
        newer = (edited_at, edit) < (row.edited_at, row.edit)
        return "beside" if row.edited_at and version_held and newer else "duplicate"
    if row.edited_at:
        return "foreign"
    return "duplicate" if original else "displaces"


def _event_verdict(row: EventRow, found: Sequence[Row], tombstoned: bool) -> Verdict:
    """Decide for any other event from what stands in the store."""
    if found:
        return "stored" if found[0][0] == row.key else "duplicate"
    return "tombstoned" if tombstoned else "again"


def first_seen_step(rows: Sequence[MessageRow]) -> Step:
    """Give the statement that notes when a message was really sent whose edit came before it."""
    return Step(_FIRST_SEEN, [(row.at, row.mark) for row in rows])
