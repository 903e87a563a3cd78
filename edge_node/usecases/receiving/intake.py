"""Where data comes in: verify the bytes, parse, decide where each event may rest, commit, and only then answer.

The order is the promise.  Nothing of a request is looked at before its signature holds; nothing is acknowledged
before it is synced in both stores.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from edge_node.channels.contract import Channel
from edge_node.core.accounts import Account, account_of, is_app_level
from edge_node.metrics import Metrics
from edge_node.storage.content.accounts import StoredAccount
from edge_node.storage.content.refusals import record_refusals
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.company.relaying import Bound, Relayer
from edge_node.usecases.receiving.admitting import Admitter
from edge_node.usecases.receiving.committer import Committer
from edge_node.usecases.receiving.filing import Taken
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors import SignatureRefused, TooManyUpdates
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event
from shared.telemetry import logger


class _Sorted(msgspec.Struct):
    """The events of one body by what becomes of them."""

    here: list[Taken] = msgspec.field(default_factory=list)
    away: dict[Bound, list[Event]] = msgspec.field(default_factory=dict)
    """By home node, channel and account."""
    refused: dict[tuple[str, str], int] = msgspec.field(default_factory=dict)
    """By account and reason."""


class Intake:
    """Receives the webhooks of every channel."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        book: AccountBook,
        admitter: Admitter,
        committer: Committer,
        relayer: Relayer,
        content: Database,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Take the channels by name, the accounts, who says where events may rest, what commits and what sends home."""
        self._channels = channels
        self._book = book
        self._admitter = admitter
        self._committer = committer
        self._relayer = relayer
        self._content = content
        self._metrics = metrics
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, channel_name: str, account_name: str, body: bytes, signature: bytes | None) -> None:
        """Take one webhook in; on return everything in it is safe, or was refused on record.  Raises as :meth:`begin`.

        What keeps a store or another node from taking it is raised as well: ``StoreUnavailable``, ``HomeUnreachable``.
        """
        await self.begin(channel_name, account_name, body, signature)

    def begin(self, channel_name: str, account_name: str, body: bytes, signature: bytes | None) -> asyncio.Future[None]:
        """Begin to take one webhook in; what is given is done when everything in it is safe, or refused on record.

        Raises ``SignatureRefused``, ``BodyMalformed``, ``TooManyUpdates``; ``QueueFull`` or ``ShuttingDown`` where the
        platform has to send it again.
        """
        channel = self._channels[channel_name]
        stored = self._book.find(channel_name, account_name)
        verified = channel.verify(self._book.secrets(stored), body, signature)
        if not verified or stored is None:
            raise SignatureRefused
        return self._begin(channel_name, stored, channel.parse(body), len(body))

    async def take(self, channel_name: str, stored: StoredAccount, events: list[Event], size_bytes: int) -> None:
        """Take in the events of a verified webhook of ``size_bytes``; like :meth:`receive`."""
        await self._begin(channel_name, stored, events, size_bytes)

    def _begin(
        self, channel_name: str, stored: StoredAccount, events: list[Event], size_bytes: int
    ) -> asyncio.Future[None]:
        """Begin to take in the events of a verified webhook."""
        if len(events) > BODY_UPDATES_MAX:
            raise TooManyUpdates(count=len(events))
        now = self._clock.now()
        sorted_events = self._sort(channel_name, stored, events, now)
        if sorted_events.here and not sorted_events.refused and not sorted_events.away:
            return self._committer.enqueue(sorted_events.here, size_bytes)
        task = asyncio.create_task(self._place(sorted_events, size_bytes, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _place(self, sorted_events: _Sorted, size_bytes: int, now: int) -> None:
        """Bring each event of a webhook to where it belongs."""
        if sorted_events.here:
            await self._committer.submit(sorted_events.here, size_bytes)
        if sorted_events.refused:
            await self._refuse(sorted_events.refused)
        if sorted_events.away:
            await self._relayer.send_home(sorted_events.away, now)

    def _sort(self, channel_name: str, stored: StoredAccount, events: list[Event], now: int) -> _Sorted:
        """Ask for each event whose it is and where it may rest."""
        result = _Sorted()
        found: dict[tuple[str, bool], Account | None] = {}
        for event in events:
            named = (event.via, is_app_level(event))
            if named in found:
                account = found[named]
            else:
                account = account_of(self._book.all, channel_name, stored.account, named[0], app_level=named[1])
                found[named] = account
            placing = self._admitter.place(account, event)
            if placing.here and account is not None:
                row = self._book.row(account.name).id
                result.here.append(Taken(event, row, account.name, account.scope, now, account.country))
            if placing.home is not None and account is not None:
                result.away.setdefault((placing.home, account.channel, account.name), []).append(event)
            if placing.refused is not None:
                refused = (account or stored.account).name, placing.refused
                result.refused[refused] = result.refused.get(refused, 0) + 1
        self._metrics.read(channel_name, events)
        return result

    async def _refuse(self, refused: Mapping[tuple[str, str], int]) -> None:
        """Keep a record, without a word of them, of events that may not rest here, and raise an alert."""
        await record_refusals(self._content, refused, self._clock.now())
        for (account, reason), count in refused.items():
            self._metrics.refused.labels(reason).inc(count)
            logger().warning("alert_refused_at_intake", account=account, reason=reason, events=count)
