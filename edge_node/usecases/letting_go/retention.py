"""The retention sweeper: looks for what has expired, and lets it go in small batches that never keep a webhook waiting.

Content is ordered removed and goes the way of every removal (:mod:`edge_node.usecases.letting_go.removal`): log entry,
journal, key, row, write-ahead log.  A batch is of buckets that hold few keys together, and whatever else of its owners
is due goes with it, so that a bucket is wrapped again once and one that has expired whole not at all.  Bookkeeping is
deleted.

How far it came is in the store: a process that dies leaves it to the next holder of the lease.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from edge_node.core.marks import message_mark
from edge_node.core.retention import Class
from edge_node.metrics import Metrics
from edge_node.storage.content.bookkeeping import MARKS, Mark, count_overdue, delete_expired
from edge_node.storage.content.holds import count_holds
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.retention import (
    Came,
    Cursor,
    Expired,
    Order,
    count_due,
    count_open_expiries,
    order_expired,
    read_expired,
    read_neighbours,
)
from edge_node.storage.content.sweeps import Due, Progress, keep_progress, read_progress
from edge_node.storage.keys.filling import count_rows
from edge_node.storage.keys.hierarchy import bucket_of
from edge_node.storage.keys.store import KeyStore
from edge_node.storage.opening import open_sealed
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.letting_go.retaining import Retaining
from shared.clock import Clock
from shared.crypto import BlindIndex, pack
from shared.database.contract import Database
from shared.errors import IntegrityError
from shared.ids import draw_opaque_id
from shared.limits import BUCKET_ROWS_MAX
from shared.message import Edit, Event, Message
from shared.telemetry import logger

PAGE_ROWS = 256
ROWS_MAX = 512
"""Rows of one batch, and of all that is ordered and not carried out yet."""

REWRAPPED_MAX = 16 * BUCKET_ROWS_MAX
"""Row keys in the buckets that the first page of a batch touches: no more are wrapped again while the key store is
written.  Sixteen buckets that are full; of people who wrote little, as many as the page has."""

_OWNERS_AT_ONCE = 16
"""Owners whose other rows are read at once: bounds memory to so many times ``ROWS_MAX`` rows."""

PASS_MILLISECONDS = 86_400_000
"""A pass begins anew so long after it began: what a duty kept or another law, and what failed, is looked at again."""

LOOK_SECONDS = 1.0
"""How soon a sweep goes by another bundle."""

PAUSE_SECONDS = 0.05
LEASE_MILLISECONDS = 60_000

_event = msgspec.json.Decoder(Event)


class Sweeper(LeasedWork):
    """Runs under a lease, so that one process of a region does it."""

    name = "sweeper"

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        lease: Lease,
        retaining: Retaining,
        metrics: Metrics,
        clock: Clock,
        *,
        busy: Callable[[], bool],
        every_seconds: float,
    ) -> None:
        """Take the open stores, the lease, how long what is kept, and what says that ingest needs the stores now."""
        self._content = content
        self._keys = keys
        super().__init__(lease)
        self._retaining = retaining
        self._bundle = ""
        self._metrics = metrics.keeping
        self._clock = clock
        self._busy = busy
        self._every_seconds = every_seconds
        self.on_ordered: Callable[[], None] = lambda: None

    async def once(self) -> int:
        """Sweep every class to its end; give how many rows were ordered removed or deleted."""
        now = self._clock.now()
        self._bundle = self._retaining.bundle
        if not await self._retaining.ready():
            return 0
        tombstones = (await self._keys.indexes("tombstone"))[0]
        await self.measure()
        swept = 0
        for of, due in await self._retaining.content_due(now):
            swept += await self._sweep_content(of, due, tombstones)
        for what, before in await self._retaining.bookkeeping_due(now):
            swept += await self._sweep_bookkeeping(what, before)
        if due_holds := await self.measure():
            logger().warning("alert_holds_due", count=due_holds)
        return swept

    async def batch(self, due: Due, tombstones: BlindIndex) -> tuple[int, bool]:
        """Order one batch removed; give how many rows, and whether the sweep came to its end."""
        now = self._clock.now()
        progress = await read_progress(self._content, due)
        begun = _begins_anew(progress, now)
        after = Cursor() if begun else Cursor(progress.received_at, progress.row)
        page, window_ends = await read_expired(self._content, due, after, PAGE_ROWS)
        filling = await count_rows(self._keys, {bucket_of(row.key) for row in page if not row.held})
        chosen = _few_rewrapped(page, filling)
        rows = {row.row: row for row in chosen if not row.held}
        wanted = len(rows)
        await self._add_neighbours(due, rows)
        through = len(chosen) == len(page) < PAGE_ROWS
        to = Cursor(chosen[-1].received_at, chosen[-1].row) if chosen else after
        if through and window_ends is not None:
            to = window_ends
        orders = await self._orders(due, list(rows.values()), tombstones)
        ended = through and window_ends is None
        came = Came(to, max(wanted - len(orders), 0), begun, ended)
        if ordered := await order_expired(self._content, due, orders, came, now):
            self._retaining.note(Counter((rows[each.row].law, rows[each.row].data_class) for each in orders))
        return ordered, ended

    async def _add_neighbours(self, due: Due, rows: dict[int, Expired]) -> None:
        """Add to ``rows`` what else of their owners is due."""
        one_of_each = _one_of_each(due, rows.values())
        for start in range(0, len(one_of_each), _OWNERS_AT_ONCE):
            if len(rows) >= ROWS_MAX:
                break
            near = await read_neighbours(self._content, due, one_of_each[start : start + _OWNERS_AT_ONCE], ROWS_MAX)
            new = [each for each in near if not each.held and each.row not in rows]
            rows |= {each.row: each for each in new[: ROWS_MAX - len(rows)]}

    async def measure(self) -> int:
        """Count what is past its time and the holds that stand; give how many of these are due for review."""
        now = self._clock.now()
        overdue: dict[str, int] = {}
        content = await self._retaining.content_due(now)
        await keep_progress(self._content, {due.name for _, due in content})
        for of, due in content:
            overdue[of] = overdue.get(of, 0) + await count_due(self._content, due)
        for what, before in await self._retaining.bookkeeping_due(now):
            overdue[what] = await count_overdue(self._content, what, before, now)
        for name, count in overdue.items():
            self._metrics.overdue.labels(name).set(count)
        holds, due_holds = await count_holds(self._content, now)
        self._metrics.holds.set(holds)
        self._metrics.holds_due.set(due_holds)
        return due_holds

    async def _sweep_content(self, of: Class, due: Due, tombstones: BlindIndex) -> int:
        """Order everything of a class (and kind) removed that is due."""
        swept, ended = 0, False
        while not ended and await self._may_go_on():
            if await count_open_expiries(self._content) < ROWS_MAX:
                ordered, ended = await self.batch(due, tombstones)
                swept += ordered
                if ordered:
                    self._metrics.expired.labels(of).inc(ordered)
                    self.on_ordered()
            if not ended:
                await self._clock.sleep(PAUSE_SECONDS)
        return swept

    async def _sweep_bookkeeping(self, what: Class | Mark, before: int) -> int:
        """Delete everything of a class that is due."""
        swept = 0
        while await self._may_go_on():
            deleted = await delete_expired(self._content, what, before, PAGE_ROWS, self._clock.now())
            if not deleted:
                break
            swept += deleted
            self._metrics.expired.labels(what).inc(deleted)
            await self._clock.sleep(PAUSE_SECONDS)
        if swept and what in MARKS:
            await self._content.checkpoint()  # a suppression mark is itself personal data; a reader only delays it
        return swept

    async def _may_go_on(self) -> bool:
        """Wait while ingest needs the stores; ``False`` where another process holds the lease, or policy changed."""
        while self._busy():
            await self._clock.sleep(PAUSE_SECONDS)
        if self._retaining.bundle != self._bundle:
            return False
        now = self._clock.now()
        if not await self._lease.hold(now):
            return False
        self._metrics.swept.set(now / 1000)
        return True

    async def _orders(self, due: Due, rows: Sequence[Expired], tombstones: BlindIndex) -> list[Order]:
        """Make orders of rows; of a message, its tombstone, for which it is opened once more."""
        batch = draw_opaque_id(self._keys.entropy)
        if due.table == "event":
            return [Order(f"{batch}-{row.row}", row.row, row.key, None, tombstones.version) for row in rows]
        opened = await self._open(rows)
        return [
            Order(
                f"{batch}-{row.row}",
                row.row,
                row.key,
                _tombstone(row, opened[row.key], tombstones),
                tombstones.version,
                draw_opaque_id(self._keys.entropy),
            )
            for row in rows
            if row.key in opened
        ]

    async def _open(self, rows: Sequence[Expired]) -> dict[int, bytes]:
        """Open messages by key; one that does not open is left where it is, with an alert."""
        try:
            opened = await open_sealed(self._keys, "message", [(row.key, row.sealed) for row in rows])
        except IntegrityError:
            opened = {}
            for row in rows:
                with contextlib.suppress(IntegrityError):
                    opened |= await open_sealed(self._keys, "message", [(row.key, row.sealed)])
        if len(opened) < len(rows):
            logger().error("alert_expired_not_opened", table="message", count=len(rows) - len(opened))
        return opened

    async def _work(self) -> None:
        """Sweep, wait, and again."""
        while True:
            self._bundle, seconds = self._retaining.bundle, self._every_seconds
            try:
                if not await self._retaining.ready():
                    seconds = LOOK_SECONDS
                elif await self._lease.hold(self._clock.now()):
                    swept = await self.once()
                    if swept:
                        logger().info("retention_swept", count=swept)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next sweep is due all the same
                logger().error("alert_retention_failed", error=type(error).__name__)
            await self._wait(seconds)

    async def _wait(self, seconds: float) -> None:
        """Wait until the next sweep is due, or another bundle is in force."""
        until = self._clock.elapsed() + seconds
        while self._retaining.bundle == self._bundle and (left := until - self._clock.elapsed()) > 0:
            await self._clock.sleep(min(LOOK_SECONDS, left))


def _begins_anew(progress: Progress, now: int) -> bool:
    """Say whether the next batch begins at the oldest row: a pass comes to its end first, however long it takes."""
    came_through = progress.swept_at >= progress.began_at
    return not progress.began_at or (came_through and now - progress.began_at >= PASS_MILLISECONDS)


def _few_rewrapped(page: Sequence[Expired], filling: Mapping[int, int]) -> Sequence[Expired]:
    """Give the rows at the beginning of a page in whose buckets few keys lie, covered rows among them."""
    buckets: set[int] = set()
    keys = 0
    for place, row in enumerate(page):
        bucket = bucket_of(row.key)
        if row.held or bucket in buckets:
            continue
        keys += filling[bucket]
        if buckets and keys > REWRAPPED_MAX:
            return page[:place]
        buckets.add(bucket)
    return page


def _one_of_each(due: Due, rows: Iterable[Expired]) -> list[Expired]:
    """Give one row of each conversation (of events: of each subject)."""
    by_owner = {row.conversation if due.table == "message" else row.subject: row for row in rows}
    return list(by_owner.values())


def _tombstone(row: Expired, opened: bytes, tombstones: BlindIndex) -> bytes | None:
    """Compute a message's tombstone from its own words."""
    event = _event.decode(opened)
    if not isinstance(event, Message | Edit):
        return None
    return tombstones.of_packed(pack(message_mark(row.account, event.message_id)))
