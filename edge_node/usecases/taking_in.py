"""One batch, from events to two synced stores: resolve, draw keys, seal, keys first, then content, then judge.

This page is the order of DESIGN's commit: the keys are committed with an intent that names what they are for; the
content is inserted only where its subject lives and no tombstone names it; whatever was not inserted is judged again
before anyone is told that it is safe.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge_node.storage.content.messages import (
    EditRow,
    EventRow,
    MessageRow,
    Verdict,
    first_seen_step,
    judge,
    take_in_steps,
    write_batch,
)
from edge_node.storage.content.removals import RecallOrder, recall_steps
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import DayScope, KeyStore
from edge_node.usecases.filing import Clerk, Filed, Filing, Taken
from edge_node.usecases.resolving import DAY, Resolver
from shared.clock import Clock
from shared.crypto import content_place, seal_once
from shared.database.contract import Database, ScriptRefused
from shared.errors import KeyCurrentChanged, StoreUnavailable
from shared.ids import draw_opaque_id
from shared.message import Edit, Media, Message

_ATTEMPTS = 8
_encoder = msgspec.json.Encoder()


class Outcome(msgspec.Struct):
    """What became of a batch, in numbers."""

    stored: int = 0
    duplicates: int = 0
    tombstoned: int = 0
    foreign_edits: int = 0
    recalls: int = 0


class _Place(NamedTuple):
    """Under whose key a row is sealed and where it belongs."""

    owner: str
    subject: int | None
    conversation: int | None


class _Sealed(NamedTuple):
    """The rows of a batch, sealed, by the kind of statement that takes them; ``filed`` finds them by key."""

    messages: list[MessageRow]
    events: list[EventRow]
    edits: list[EditRow]
    filed: dict[int, Filed]


class TakingIn:
    """Takes batches in, one at a time."""

    def __init__(self, content: Database, keys: KeyStore, clerk: Clerk, resolver: Resolver, clock: Clock) -> None:
        """Take the open stores, the clerk who marks and the resolver who knows people."""
        self._content = content
        self._keys = keys
        self._clerk = clerk
        self._resolver = resolver
        self._clock = clock

    async def take_in(self, batch: Sequence[Taken]) -> Outcome:
        """Commit a batch to both stores; on return all of it is safe, was there before, or was taken back.

        Raises ``StoreUnavailable`` where a store did not take it: nothing may be acknowledged then.
        """
        filing = self._clerk.file(batch)
        outcome = Outcome(duplicates=filing.duplicates, recalls=len(filing.recalls))
        rows, recalls = filing.rows, filing.recalls
        for _ in range(_ATTEMPTS):
            if not rows and not recalls:
                break
            try:
                rows = await self._attempt(rows, recalls, outcome)
            except (KeyCurrentChanged, ScriptRefused):
                await self._resolver.forget()
                continue
            recalls = []
        else:
            raise StoreUnavailable(store="content")
        self._clerk.remember(Filing(filing.rows, filing.recalls))
        return outcome

    async def _attempt(self, rows: Sequence[Filed], recalls: Sequence[Filed], outcome: Outcome) -> list[Filed]:
        """Try to commit what is left of a batch; give the rows that must be judged anew."""
        now = self._clock.now()
        await self._resolver.settle(rows, now)
        draft, sealed = await self._seal(rows, now) if rows else (None, _Sealed([], [], [], {}))
        if draft is not None:
            await self._keys.commit(draft, now)
        steps = take_in_steps(sealed.messages, sealed.events, sealed.edits, now)
        for filed in recalls:
            steps += recall_steps(self._order(filed), now)
        try:
            results, whole = await write_batch(
                self._content, self._resolver.people_counter, steps, len(sealed.messages), len(sealed.events)
            )
        except ScriptRefused:
            if draft is not None:
                await discard_unused(self._keys, [row[0] for row in draft.row_rows], _drawn(draft), [draft.id])
            raise
        if draft is None:
            return []
        first_edit = bool(sealed.messages) + bool(sealed.events)
        missed = [
            edit.row for i, edit in enumerate(sealed.edits) if not results[first_edit + 2 * i + 1].changed
        ]
        if whole and not missed:
            self._keys.settle(draft)
            outcome.stored += len(rows)
            return []
        return await self._judge(draft, sealed, missed, outcome, len(rows))

    async def _seal(self, rows: Sequence[Filed], now: int) -> tuple[Draft, _Sealed]:
        """Draw a key for every row and seal it; nothing has been written yet."""
        days = await self._day_owners(rows, now)
        places = [self._place(filed, days, now) for filed in rows]
        standing = {place.owner for place in places} - {name for name, new in days.values() if new}
        await self._keys.reserve(3 * len(rows) + 8)
        await self._keys.remember(list(standing))
        draft = self._keys.draft(standing, now)
        for (kind, scope, day), (name, new) in days.items():
            if new:
                draft.owner(name, "conversation" if kind == "conversation" else "account", scope, day)
        sealed = _Sealed([], [], [], {})
        for filed, place in zip(rows, places, strict=True):
            self._seal_row(draft, sealed, filed, place)
        return draft, sealed

    async def _day_owners(self, rows: Sequence[Filed], now: int) -> dict[DayScope, tuple[str, bool]]:
        """Find or name the day keys that rows without a known person need; say which are new."""
        scopes = sorted({self._day_scope(filed, now) for filed in rows if filed.person is None})
        found = await self._keys.remember_days(scopes)
        return {
            scope: (found[scope], False) if scope in found else (draw_opaque_id(self._keys.entropy), True)
            for scope in scopes
        }

    def _day_scope(self, filed: Filed, now: int) -> DayScope:
        """Name the conversation or account whose key of the day seals a row of nobody known."""
        group = self._resolver.group_of(filed)
        if group is not None:
            return ("conversation", group.name, now // DAY)
        return ("account", filed.taken.account_name, now // DAY)

    def _place(self, filed: Filed, days: dict[DayScope, tuple[str, bool]], now: int) -> _Place:
        """Say under whose key a row goes and to which subject and conversation it belongs."""
        subject = self._resolver.subject_of(filed)
        group = self._resolver.group_of(filed)
        if subject is not None:
            return _Place(subject.pseudonym, subject.subject, group.conversation if group else subject.conversation)
        owner, _ = days[self._day_scope(filed, now)]
        return _Place(owner, None, group.conversation if group else None)

    def _seal_row(self, draft: Draft, sealed: _Sealed, filed: Filed, place: _Place) -> None:
        """Seal one row under a key of its own."""
        event, taken = filed.event, filed.taken
        owner, subject, conversation = place
        as_message = isinstance(event, Message | Edit) and not filed.as_event
        table, lookup = ("message", filed.message or filed.mark) if as_message else ("event", filed.mark)
        fresh = draft.row(owner, table, lookup)
        content = seal_once(
            fresh.key,
            fresh.nonce,
            _encoder.encode(event),
            content_place(self._keys.region, owner, table, "sealed", fresh.id),
        )
        sealed.filed[fresh.id] = filed
        if isinstance(event, Message | Edit) and as_message:
            row = MessageRow(
                lookup, taken.account, conversation, subject, event.direction, _form(event), event.at,
                taken.received_at, event.at or taken.received_at if isinstance(event, Edit) else 0,
                fresh.id, content, filed.tombstone or b"",
            )  # fmt: skip
            if isinstance(event, Edit):
                sealed.edits.append(EditRow(draw_opaque_id(self._keys.entropy), row))
            else:
                sealed.messages.append(row)
            return
        kind = str(event.__struct_config__.tag)
        sealed.events.append(
            EventRow(
                lookup, taken.account, conversation, subject, kind, event.at, taken.received_at, fresh.id, content
            )
        )

    def _order(self, filed: Filed) -> RecallOrder:
        """Order a recalled message removed."""
        return RecallOrder(
            log_entry=draw_opaque_id(self._keys.entropy),
            reason=filed.event.channel,
            mark=filed.message or b"",
            tombstone=filed.tombstone or b"",
            tombstone_version=self._clerk.tombstone_version,
            at=filed.event.at or filed.taken.received_at,
        )

    async def _judge(
        self, draft: Draft, sealed: _Sealed, missed: Sequence[MessageRow], outcome: Outcome, rows: int
    ) -> list[Filed]:
        """Find out what became of each row; discard keys that sealed nothing; give what must be tried again."""
        verdicts = await judge(self._content, [*sealed.messages, *missed], sealed.events)
        unused = [key for key, verdict in verdicts.items() if verdict != "stored"]
        repeated = [row for row in sealed.messages if verdicts[row.key] == "duplicate"]
        if repeated:
            await self._content.run([first_seen_step(repeated)])
        await discard_unused(self._keys, unused, [], [draft.id])
        again: list[Filed] = []
        counts: dict[Verdict, int] = {"stored": rows - len(verdicts)}
        for key, verdict in verdicts.items():
            counts[verdict] = counts.get(verdict, 0) + 1
            if verdict == "again":
                again.append(sealed.filed[key])
            elif verdict == "foreign":
                again.append(sealed.filed[key]._replace(as_event=True))
        outcome.stored += counts["stored"]
        outcome.duplicates += counts.get("duplicate", 0)
        outcome.tombstoned += counts.get("tombstoned", 0)
        outcome.foreign_edits += counts.get("foreign", 0)
        if counts.get("again"):
            await self._resolver.forget()
        return again


def _drawn(draft: Draft) -> list[str]:
    """Name the owners drawn for a draft."""
    return [row[1] for row in draft.owner_rows]


def _form(event: Message | Edit) -> str:
    """Name the form of a message's content for the clear column: text, voice, sticker."""
    content = event.content
    return content.media if isinstance(content, Media) else str(content.__struct_config__.tag)
