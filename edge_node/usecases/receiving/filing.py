"""What a batch of events becomes before anything is sealed: which rows, under which marks, for whom."""

from collections.abc import Iterable

import msgspec

from edge_node.core.custody import portions
from edge_node.core.marks import mark_parts, message_mark
from shared.crypto import BlindIndex, pack
from shared.message import Edit, Event, Message, Person, Recall, Unclassified

RECENT_MAX = 100_000
"""Marks of committed events kept in memory, so that a repetition costs nothing."""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """An admitted event with the account it belongs to."""

    event: Event
    account: int
    account_name: str
    scope: str
    """Within what the account's identities are unique: LINE provider, Meta portfolio."""
    received_at: int
    country: str | None = None
    """Where the account's customers are, as far as nothing better is known of one."""

    def __repr__(self) -> str:
        """Say what kind it is, and no word of it."""
        return f"Taken({type(self.event).__name__})"


class Filed(msgspec.Struct, frozen=True, gc=False):
    """A row to be: one event or one person's part of it, its dedupe mark, and who it belongs to."""

    taken: Taken
    event: Event
    person: Person | None
    mark: bytes
    message: bytes | None
    """The mark of the message it is, edits or takes back, else ``None``."""
    tombstone: bytes | None
    """Where there is a message: its tombstone's mark."""
    as_event: bool = False
    """Keep an edit as an event of its own: it came from another author than the message."""
    displaces: bool = False
    """Put a message into its place although an edit by another author stands there."""

    def __repr__(self) -> str:
        """Say what kind it is, and no word of it."""
        return f"Filed({type(self.event).__name__})"


class Filing(msgspec.Struct):
    """A batch, sorted: rows to seal, recalls to order, and how many were there already."""

    rows: list[Filed] = msgspec.field(default_factory=list)
    recalls: list[Filed] = msgspec.field(default_factory=list)
    duplicates: int = 0


class Clerk:
    """Computes marks and leaves out what was taken in a moment ago."""

    def __init__(self, marks: BlindIndex, tombstones: BlindIndex) -> None:
        """Take the current blind indexes of marks and tombstones."""
        self._marks = marks
        self._tombstones = tombstones
        # Two generations, as taking single entries off the front of a dict grows slow.
        self._recent: dict[bytes, None] = {}
        self._before: dict[bytes, None] = {}

    @property
    def tombstone_version(self) -> int:
        """Say under which version of the tombstone key marks are made."""
        return self._tombstones.version

    def file(self, batch: Iterable[Taken]) -> Filing:
        """Sort a batch; the first of several equal marks counts."""
        filing = Filing()
        seen: set[bytes] = set()
        for taken in batch:
            for event, person in portions(taken.event):
                filed = self._mark(taken, event, person)
                if filed.mark in seen or filed.mark in self._recent or filed.mark in self._before:
                    filing.duplicates += 1
                    continue
                seen.add(filed.mark)
                (filing.recalls if isinstance(event, Recall) else filing.rows).append(filed)
        return filing

    def file_again(self, taken: Taken, *, as_event: bool) -> Filed:
        """File an event anew that rests already, as what it is or ``as_event``."""
        event, person = portions(taken.event)[0]
        return msgspec.structs.replace(self._mark(taken, event, person), as_event=as_event)

    def remember(self, filing: Filing) -> None:
        """Note what is committed; never before."""
        for filed in (*filing.rows, *filing.recalls):
            self._recent[filed.mark] = None
        if len(self._recent) > RECENT_MAX // 2:
            self._before, self._recent = self._recent, {}

    def _mark(self, taken: Taken, event: Event, person: Person | None) -> Filed:
        """Compute the marks of one row."""
        packed = pack(mark_parts(taken.account_name, event))
        mark = self._marks.of_packed(packed)
        if isinstance(event, Message):
            return Filed(taken, event, person, mark, mark, self._tombstones.of_packed(packed))
        if isinstance(event, Edit | Recall):
            target = pack(message_mark(taken.account_name, event.message_id))
            tombstone = self._tombstones.of_packed(target)
            return Filed(taken, event, person, mark, self._marks.of_packed(target), tombstone)
        if isinstance(event, Unclassified) and event.message_id is not None:
            target = pack(message_mark(taken.account_name, event.message_id))
            return Filed(taken, event, person, mark, self._marks.of_packed(target), self._tombstones.of_packed(target))
        return Filed(taken, event, person, mark, None, None)
