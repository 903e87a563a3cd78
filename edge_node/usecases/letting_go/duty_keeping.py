"""What laws keep, kept: duties written down from the bundle in force, and what waits under one asked again in time.

Statements look duties up in the store (:mod:`edge_node.storage.content.keeping`), so no process decides by what it
remembers, and none is asked too late.  This work writes them from the bundle, puts what they kept before the one table
of duties, which names the article, and takes up again what waits when its date has come.  What it takes up goes the way
of every removal.
"""

from collections.abc import Callable, Sequence

from edge_node.core.duties import AHEAD, backing_of, judged, law_duties
from edge_node.core.stored import BESIDE, CLASSES, class_of
from edge_node.storage.content.binding import ended_holds, rebind, standing_holds
from edge_node.storage.content.duties import (
    PAGE_ROWS,
    KeptRow,
    Waiting,
    Written,
    duties_written,
    enter_strays,
    note_bound,
    note_kept,
    resume_due,
    unjudged,
    write_duties,
)
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.settling import Left, WaitingErasure, left_of, note_settled, try_again, waiting_erasure
from edge_node.storage.keys.destruction import count_subject_keys
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.letting_go.holding import Holder
from shared.clock import Clock, Milliseconds
from shared.database.contract import Database
from shared.ids import draw_opaque_id
from shared.policy.conflicts import Kept
from shared.policy.spans import FOR_EVER
from shared.telemetry import logger

EVERY_SECONDS = 1.0
"""How soon what waits is looked at."""

ANEW: Milliseconds = AHEAD // 3
"""So often duties are written anew: rows that a law keeps since they were stored become free as time goes on."""

STRAYS: Milliseconds = 3_600_000
"""So often it is looked for rows that were taken back before they came, and are kept: each is given an entry."""

AGAIN_MIN: Milliseconds = 3_600_000
"""An erasure that waits for its rows' dates is looked at no oftener."""

AGAIN_MAX: Milliseconds = 86_400_000
"""Whatever waits is asked again after so long, before its date: a person's law may be another one by now."""

PAUSE_SECONDS = 0.05
LEASE_MILLISECONDS = 10_000


async def write_where_due(content: Database, policy: PolicyBook, now: Milliseconds) -> Written:
    """Write the duties of the bundle in force where that is due; give what they are written from.

    Without a bundle nothing is written, what was known of duties stays; so it does where a process has not heard yet of
    a bundle that another one goes by.
    """
    written = await duties_written(content) or Written()
    found = policy.in_force
    if found is None:
        return written
    same = written.bundle == found.kept.hash
    if (same and 0 <= now - written.at < ANEW) or written.version > found.kept.version:
        return written
    duties = law_duties(found.evaluator.tables, policy.own_law(), now)
    return await write_duties(content, duties, found.kept.hash, found.kept.version, now)


class DutyKeeper(LeasedWork):
    """Runs under a lease, so that one process of a region does it."""

    name = "duty-keeper"

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        policy: PolicyBook,
        holder: Holder,
        lease: Lease,
        clock: Clock,
        *,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the open stores, the policy in force, who releases holds, and what says that ingest needs the stores."""
        super().__init__(lease)
        self._content = content
        self._keys = keys
        self._policy = policy
        self._holder = holder
        self._clock = clock
        self._busy = busy
        self._strays_at = -STRAYS
        self._awaiting = False
        self.on_ordered: Callable[[], None] = lambda: None

    async def ensure(self) -> None:
        """See to it that the duties of the bundle in force are in the store: before anything is ordered removed."""
        await write_where_due(self._content, self._policy, self._clock.now())

    async def once(self) -> int:
        """Do everything that is due; give how much was looked at.

        Where nobody can say what a law keeps (there is no policy, or the restored store has yet to learn it), nothing
        that waits is taken up; nor by a process that has not heard of the newest bundle yet.
        """
        done, written = await self._renew()
        for hold in await ended_holds(self._content, self._clock.now()):
            await self._holder.release(hold, actor="law")
            self.on_ordered()
            done += 1
        if not self._goes_by(written):
            return done
        looked_at = 0
        while await self._may_go_on(looked_at):
            looked_at, freed = await resume_due(self._content, self._clock.now())
            if freed:
                self.on_ordered()
                logger().info("removals_resumed", count=freed)
            done += looked_at
            if not looked_at:
                break
        waiting: list[Waiting] = []
        while await self._may_go_on(len(waiting)) and (waiting := await unjudged(self._content, written.version)):
            await note_kept(self._content, [self._judge(each) for each in waiting], written.version)
            done += len(waiting)
        while await self._may_go_on():
            erasure = await waiting_erasure(self._content, self._clock.now())
            if erasure is None:
                break
            done += await self._look_at(erasure)
        return done

    async def _may_go_on(self, looked_at: int = 0) -> bool:
        """Wait after a whole page, and while ingest needs the stores; ``False`` where another process has the lease."""
        if looked_at == PAGE_ROWS:
            await self._clock.sleep(PAUSE_SECONDS)
        while self._busy():
            await self._clock.sleep(PAUSE_SECONDS)
        return await self._lease.hold(self._clock.now())

    def _goes_by(self, written: Written) -> bool:
        """Say whether this process decides by the bundle that duties were written from, and it may be gone by here."""
        found = self._policy.in_force
        if not written.known and not self._awaiting:
            logger().error("alert_duties_await_policy", version=written.awaited)
        self._awaiting = not written.known
        return found is not None and found.kept.version == written.version and written.known

    async def _renew(self) -> tuple[int, Written]:
        """Write duties anew where it is time, or another bundle is in force; give 1 if so, and what they are of."""
        now = self._clock.now()
        written = await write_where_due(self._content, self._policy, now)
        binds = not written.bound and self._goes_by(written)
        if binds:
            await self._bind_again(now)
            await note_bound(self._content, written.version)
        if not self._strays_at <= now < self._strays_at + STRAYS:
            self._strays_at = now
            await enter_strays(self._content, draw_opaque_id(self._keys.entropy), now)
        return int(binds), written

    async def _bind_again(self, now: Milliseconds) -> None:
        """Bind the holds that stand to the bundle in force: it may let them stop less, or more, or name an article."""
        for hold in await standing_holds(self._content):
            laws = self._policy.laws_with(hold.laws)
            backing = backing_of(self._policy.tables, laws, hold.reason, hold.asked, now, hold.placed_at)
            if backing is not None:
                await rebind(self._content, hold, backing, draw_opaque_id(self._keys.entropy), now)

    def _judge(self, row: Waiting) -> KeptRow:
        """Put a removal before the table."""
        now = self._clock.now()
        name = class_of(row.table, row.kind)
        kept = judged(
            self._policy.tables, self._policy.laws_with(row.laws), name, "recall", row.stored_at, row.covering, now
        )
        return _row(row.log_entry, name, "events" if row.table == "event" else "messages", row.subject, kept, 1, now)

    async def _look_at(self, erasure: WaitingErasure) -> int:
        """Let an erasure go on, or note what of it is kept."""
        now = self._clock.now()
        if await try_again(self._content, erasure, draw_opaque_id(self._keys.entropy), now):
            self.on_ordered()
            return 1
        laws = self._policy.laws_with(erasure.laws.split())
        rows: dict[tuple[str, str], KeptRow] = {}
        again = FOR_EVER
        for left in await left_of(self._content, erasure):
            row, first = self._judge_left(erasure, left, laws, now)
            rows[row.data_class, row.store] = _later(rows.get((row.data_class, row.store)), row)
            again = min(again, first)
        dated = all(row.until is not None for row in rows.values())
        keys = await count_subject_keys(self._keys, erasure.pseudonym)
        again_at = min(max(again, now + AGAIN_MIN), now + AGAIN_MAX)
        kept = list(rows.values())
        await note_settled(self._content, erasure, kept, keys, again_at, now if dated and kept else None)
        self.on_ordered()
        return 1

    def _judge_left(
        self, erasure: WaitingErasure, left: Left, laws: Sequence[str], now: Milliseconds
    ) -> tuple[KeptRow, Milliseconds]:
        """Put what is left of one kind of row before the table; give with it when the first of it may go."""
        name = "media" if left.table == "media" else _class_of(left.table, left.kind)
        oldest, newest = (
            judged(self._policy.tables, laws, name, "erase", at, left.covering, now)
            for at in (left.oldest_at, left.newest_at)
        )
        row = _row(erasure.log_entry, name, left.store, erasure.subject, newest, left.amount, now)
        row = row._replace(again_at=FOR_EVER)  # the erasure has its own date
        return row, oldest.until if oldest.until is not None else FOR_EVER

    async def _work(self) -> None:
        """Look, wait, and again."""
        while True:
            try:
                if await self._lease.hold(self._clock.now()):
                    await self.once()
            except Exception as error:  # noqa: BLE001 - whatever it was, what waits is to be looked at all the same
                logger().error("alert_duties_failed", error=type(error).__name__)
            await self._clock.sleep(EVERY_SECONDS)


def _row(
    entry: str, data_class: str, store: str, subject: int | None, kept: Kept, count: int, now: Milliseconds
) -> KeptRow:
    """Write down what the table said; what it lets go, though a statement kept it, is asked again at once."""
    until = FOR_EVER if kept.until is None else kept.until
    again = now if kept.keep == "tombstoned" else min(until, now + AGAIN_MAX)
    return KeptRow(
        entry,
        data_class,
        store,
        subject,
        kept.keep,
        kept.reason,
        kept.duty or "",
        kept.article or "",
        kept.until,
        again,
        count,
    )


def _later(one: KeptRow | None, other: KeptRow) -> KeptRow:
    """Put rows of one class together: they are kept as the one that is kept longest."""
    if one is None:
        return other
    longest = max(one, other, key=lambda row: FOR_EVER if row.until is None else row.until)
    return longest._replace(amount=one.amount + other.amount)


def _class_of(table: str, kind: str) -> str:
    """Give the class of data of a kind of row, of whatever table."""
    found = next((each for each in CLASSES if each == table), None)
    return BESIDE[table] if found is None else class_of(found, kind)
