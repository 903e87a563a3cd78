"""Files of messages, fetched after the 200 and sealed while they come.

Under a lease, a few at a time.  What a crash leaves is a part whose whole chunks are verified and kept; the platform is
asked for the rest.  A message taken back, or a subject erased, while its file is on its way: the file's key is
destroyed like the message's, and whoever writes it finds that out within a few megabytes, and at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Literal, Protocol

from edge_node.core.fetching import (
    DENIED,
    DENIED_MS,
    NOT_NOW,
    Again,
    GiveUp,
    Verdict,
    Wanted,
    Withheld,
    judge,
    too_old,
    wanted,
)
from edge_node.metrics import Metrics
from edge_node.platforms.opened_media import Opened
from edge_node.settings_media import MediaSettings
from edge_node.storage.blobs import REMOVED, BlobStore
from edge_node.storage.content.accounts import StoredAccount
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.media import Job, MediaStore
from edge_node.storage.keys.hierarchy import RowKey
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.media.admitting import MayRest
from edge_node.usecases.media.facts import blob_key, open_facts, open_message, seal_facts
from edge_node.usecases.media.noting import MediaNoter
from edge_node.usecases.media.writing import Writing
from edge_node.usecases.receiving.filing import Taken
from shared.clock import Clock
from shared.errors import HomeportError, SealBroken
from shared.errors.media import BlobBroken, BlobBusy, BlobUnwritable, MediaNotFetched
from shared.message import Edit, Message, Recall
from shared.telemetry import logger

LOOK_SECONDS = 1.0
"""How soon a new message's file is seen; an idle look reads twice and writes nothing."""
LEASE_MILLISECONDS = 5_000
"""So long nothing is fetched after a process was killed; renewed every second while something is."""
NOTED_MAX = 50
"""Messages looked after in one round."""


class Source(Protocol):
    """Where files come from: the platforms."""

    def open(self, file: Wanted, token: str | None, offset: int) -> AbstractAsyncContextManager[Opened]:
        """Begin to fetch a file from byte ``offset`` on; ``MediaNotFetched`` (reason) where it is not sent."""
        ...


class Fetcher(LeasedWork):
    """Fetches what is due."""

    name = "fetcher"

    def __init__(
        self,
        store: MediaStore,
        keys: KeyStore,
        blobs: BlobStore,
        source: Source,
        lease: Lease,
        settings: MediaSettings,
        metrics: Metrics,
        clock: Clock,
        *,
        account_of: Callable[[int], StoredAccount | None],
        recall: Callable[[Taken], Awaitable[object]],
        may_rest: MayRest,
    ) -> None:
        """Take the open stores, the platforms, what finds an account by its row, what takes a recall in.

        ``may_rest`` asks the policy whether the file of a message may rest here.
        """
        super().__init__(lease)
        self._store, self._keys, self._blobs, self._source = store, keys, blobs, source
        self._settings, self._metrics, self._clock = settings, metrics, clock
        self._account_of, self._recall, self._may_rest = account_of, recall, may_rest
        self._noter = MediaNoter(store, keys, blobs, settings, clock)
        self._running: dict[int, asyncio.Task[None]] = {}

    async def once(self) -> int:
        """Do one round to its end; give how many files were noted or tried."""
        done = await self._round()
        await self._finish_running()
        return done

    async def _work(self) -> None:
        """Look, fetch, and again."""
        try:
            while True:
                try:
                    await self._round()
                except HomeportError as error:
                    logger().error("alert_media_not_fetched", error=type(error).__name__, code=error.code)
                await self._wait()
        finally:
            self._break_off()
            await self._finish_running()

    async def _wait(self) -> None:
        """Wait until something ends or it is time to look."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        else:
            await self._clock.sleep(LOOK_SECONDS)

    async def _round(self) -> int:
        """Note new files, begin what is due; break everything off where another process has the lease."""
        now = self._clock.now()
        unseen = await self._store.unseen(NOTED_MAX)
        due = await self._due(now)
        self._metrics.media.waiting.set(await self._store.waiting())
        if not unseen and not due and not self._running:
            return 0
        if not await self._lease.hold(now):
            self._break_off()
            return 0
        noted = await self._noter.note(unseen) if unseen else 0
        for job in await self._due(self._clock.now()) if noted else due:
            task = self._running[job.key] = asyncio.create_task(self._attempt(job), name="fetch")
            task.add_done_callback(partial(self._ended, job.key))
        return noted + len(self._running)

    async def _due(self, now: int) -> list[Job]:
        """Give what may be begun now."""
        free = self._settings.at_once - len(self._running)
        if free <= 0:
            return []
        jobs = await self._store.due(now, self._settings.at_once + len(self._running))
        return [job for job in jobs if job.key not in self._running][:free]

    def _ended(self, key: int, task: asyncio.Task[None]) -> None:
        """Forget what has ended, also what was cancelled before it began."""
        if self._running.get(key) is task:
            del self._running[key]

    def _break_off(self) -> None:
        """Cancel what is on its way."""
        for task in self._running.values():
            task.cancel()

    async def _finish_running(self) -> None:
        """Wait for what is on its way."""
        while self._running:
            await asyncio.wait(self._running.values())
            await asyncio.sleep(0)  # who has ended is forgotten in the loop's next turn

    async def _attempt(self, job: Job) -> None:
        """Try once to fetch a file, and note how that ended."""
        try:
            await self._try(job)
        except SealBroken as error:
            logger().error("alert_seal_broken", error=type(error).__name__, table="message")
            await self._apply(job, GiveUp("seal_broken"), "seal_broken")
        except HomeportError as error:
            # A store that is away: nothing can be noted, and the next round finds the file due as it was.
            logger().error("alert_media_not_fetched", error=type(error).__name__, code=error.code)
            await self._clock.sleep(LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it was, this file must not be asked for without a pause
            logger().error("alert_media_not_fetched", error=type(error).__name__)
            now, attempts = self._clock.now(), job.attempts + 1
            await self._apply(job, judge("failed", attempts=attempts, at=job.received_at, now=now), "failed")

    async def _try(self, job: Job) -> None:
        """Open what belongs to a file, fetch it, and apply what follows."""
        rows = await self._keys.open_rows([job.key, job.message_key])
        row, message_row = rows.get(job.key), rows.get(job.message_key)
        if row is None or message_row is None:
            return  # its keys are being destroyed
        event = open_message(self._keys, message_row, job.message_sealed)
        if event is None:
            raise SealBroken(table="message")
        account = self._account_of(job.account)
        writing = Writing(self._blobs, job.file, blob_key(self._keys, row), lambda: self._store.alive(job.key))
        code, retry_after = "", 0
        try:
            await self._fetch(job, row, event, account, writing)
        except MediaNotFetched as error:
            code, retry_after = str(error.details["reason"]), int(error.details.get("retry_after", 0))
        except (BlobBusy, BlobUnwritable, BlobBroken) as error:
            code = "" if error.details.get("reason") == REMOVED else error.code
        finally:
            writing.close()
        if code:
            verdict = judge(
                code,
                attempts=job.attempts + 1,
                at=job.received_at,
                now=self._clock.now(),
                bytes_here=writing.safe,
                retry_after=retry_after,
            )
            if account is not None and isinstance(verdict, Withheld) and verdict.recall:
                # First: where this is cut short, the platform's answer is still there to be had again.
                await self._recall(_taken_back(event, account, job, self._clock.now()))
            await self._apply(job, verdict, code)

    async def _fetch(
        self, job: Job, row: RowKey, event: Message | Edit, account: StoredAccount | None, writing: Writing
    ) -> None:
        """Fetch a file whole, check it against all that was said of it, and keep it."""
        file = wanted(event, external=self._settings.external, bytes_max=self._settings.bytes_max)
        if file is None:
            raise MediaNotFetched(reason="refused")
        if account is None:
            raise MediaNotFetched(reason="account_unknown")
        decision = await self._may_rest(job.subject, account.account, event)
        if not decision.allowed:
            raise MediaNotFetched(reason="policy_missing" if decision.reason in NOT_NOW else DENIED)
        if too_old(job.received_at, self._clock.now()):
            raise MediaNotFetched(reason="expired")
        if not await writing.open():
            return  # let go meanwhile
        try:
            told = await writing.fetch(self._source, file, account.credentials.access_token)
        finally:
            self._metrics.media.bytes.inc(writing.received)
        facts = writing.facts(open_facts(self._keys, row, job.sealed), told)
        await writing.finish()
        if not await self._store.finish(job.key, seal_facts(self._keys, row, facts), job.attempts + 1):
            await writing.remove()
            return
        self._metrics.media.fetched.labels(file.channel).inc()
        if not facts.agrees:
            self._metrics.media.unlike.inc()
        logger().info("media_fetched", channel=file.channel, bytes=facts.size, attempt=job.attempts + 1)

    async def _apply(self, job: Job, verdict: Verdict, code: str) -> None:
        """Note what follows from an attempt; what is not asked for any more leaves no bytes."""
        self._metrics.media.failed.labels(code).inc()
        attempts = job.attempts + 1
        if isinstance(verdict, Again):
            await self._store.again(job.key, attempts, verdict.due_at, verdict.code)
            return
        if code == DENIED:
            await asyncio.to_thread(self._blobs.remove, [job.file])
            due_at = self._clock.now() + (DENIED_MS if job.subject is None else 0)
            await self._store.deny(job.key, job.attempts, due_at)
            return
        state: Literal["failed", "withheld"] = "failed" if isinstance(verdict, GiveUp) else "withheld"
        await asyncio.to_thread(self._blobs.remove, [job.file])
        await self._store.end(job.key, state, attempts, code)
        self._metrics.media.ended.labels(state).inc()
        logger().warning("media_not_kept", state=state, code=code, attempt=attempts)


def _taken_back(event: Message | Edit, account: StoredAccount, job: Job, now: int) -> Taken:
    """Write the recall that a platform's 410 for bytes that are here amounts to."""
    recall = Recall(
        channel=event.channel,
        via=event.via,
        at=max(event.at, job.received_at),
        author=event.author,
        group=event.group,
        message_id=event.message_id,
        direction=event.direction,
        to=event.to,
    )
    return Taken(recall, account.id, account.account.name, account.account.scope, now, account.account.country)
