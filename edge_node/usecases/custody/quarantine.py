"""What takes events in while a restored store is in quarantine, and steps aside when it is over.

Until all that was let go since the backup is gone nobody is looked up: each event is sealed whole under a key of its
own, kept once by its mark, and acknowledged.  A recall is carried out at once.  Then everything goes to
:mod:`edge_node.usecases.receiving.taking_in`, also what waited (:mod:`edge_node.usecases.custody.quarantine_keeping`).
"""

from collections.abc import Sequence

import msgspec

from edge_node.storage.content.quarantine import WaitingRow, keep_waiting, kept, read_quarantine
from edge_node.storage.content.removals import recall_steps
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import DayScope, KeyStore
from edge_node.usecases.receiving.filing import Clerk, Filed, Taken
from edge_node.usecases.receiving.sealing import day_owners
from edge_node.usecases.receiving.taking_in import Outcome, TakingIn, recall_order
from shared.clock import DAY, Clock
from shared.crypto import content_place, seal_once
from shared.database.contract import Database, ScriptRefused, Step
from shared.errors import KeyCurrentChanged, StoreUnavailable
from shared.message import Event, Recall

TABLE = "quarantined"
_ATTEMPTS = 8
_encoder = msgspec.json.Encoder()


class Waiting(msgspec.Struct, frozen=True):
    """What is sealed of an event that waits."""

    event: Event
    account_name: str
    scope: str
    country: str | None = None
    """The account's."""


class Gate:
    """Takes events in: into quarantine while one stands, else as always."""

    def __init__(
        self, content: Database, keys: KeyStore, clerk: Clerk, taking_in: TakingIn, clock: Clock, *, closed: bool
    ) -> None:
        """Take the open stores, who marks and who takes in; ``closed``: a quarantine stands that replays."""
        self._content = content
        self._keys = keys
        self._clerk = clerk
        self._taking_in = taking_in
        self._clock = clock
        self.closed = closed

    async def take_in(self, batch: Sequence[Taken]) -> Outcome:
        """Commit a batch to both stores; like :meth:`TakingIn.take_in`."""
        for _ in range(_ATTEMPTS):
            if not self.closed:
                return await self._taking_in.take_in(batch)
            try:
                return await self._keep(batch)
            except KeyCurrentChanged:
                continue
            except ScriptRefused:
                await self.look()
        raise StoreUnavailable(store="content")

    async def look(self) -> None:
        """See whether the quarantine still replays; once it does not, it never will again while this process runs."""
        if self.closed:
            found = await read_quarantine(self._content)
            if found is None or found.state != "replaying":
                self._taking_in.look_again()
                self.closed = False

    async def _keep(self, batch: Sequence[Taken]) -> Outcome:
        """Seal and keep what came, and order what is taken back."""
        now = self._clock.now()
        filed: dict[bytes, Filed] = {}
        for taken in batch:
            each = self._clerk.file_again(taken, as_event=False)
            filed.setdefault(each.mark, each)
        recalls = [each for each in filed.values() if isinstance(each.event, Recall)]
        waiting = [each for each in filed.values() if not isinstance(each.event, Recall)]
        outcome = Outcome(duplicates=len(batch) - len(filed), recalls=len(recalls), removals=len(recalls))
        draft, rows = await self._seal(waiting, now)
        orders: list[Step] = []
        for each in recalls:
            orders += recall_steps(recall_order(each, self._clerk.tombstone_version, self._keys.entropy), now)
        await self._keys.commit(draft, now)
        try:
            results = await keep_waiting(self._content, draft.id, rows, orders)
        except ScriptRefused:
            await discard_unused(self._keys, [row.key for row in rows], [], [])
            raise
        if not rows or results[0].changed == len(rows):
            self._keys.settle(draft)
            outcome.stored = len(rows)
            return outcome
        there = await kept(self._content, rows)
        await discard_unused(self._keys, [row.key for row in rows if row.key not in there], [], [draft.id])
        outcome.stored, outcome.duplicates = len(there), outcome.duplicates + len(rows) - len(there)
        return outcome

    async def _seal(self, waiting: Sequence[Filed], now: int) -> tuple[Draft, list[WaitingRow]]:
        """Draw a key for each event and seal it whole."""
        scopes: list[DayScope] = [("account", each.taken.account_name, now // DAY) for each in waiting]
        days = await day_owners(self._keys, scopes)
        standing = {name for name, new in days.values() if not new}
        await self._keys.reserve(3 * len(waiting) + 8)
        await self._keys.remember(list(standing))
        draft = self._keys.draft(standing, now)
        for (kind, scope, day), (name, new) in days.items():
            if new:
                draft.owner(name, kind, scope, day)
        rows = []
        for each, day_scope in zip(waiting, scopes, strict=True):
            owner = days[day_scope][0]
            key, secret, nonce = draft.row(owner, TABLE, each.mark)
            taken = each.taken
            plain = _encoder.encode(Waiting(taken.event, taken.account_name, taken.scope, taken.country))
            sealed = seal_once(secret, nonce, plain, content_place(self._keys.region, owner, TABLE, "sealed", key))
            received_at = taken.received_at
            rows.append(WaitingRow(each.mark, each.message, taken.account, received_at, key, sealed, each.tombstone))
        return draft, rows
