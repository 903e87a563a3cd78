"""Files of messages over the parts of a node, without a platform: a source that sends what a test says."""

from contextlib import asynccontextmanager

from edge_node.core.governing import own_permission
from edge_node.metrics import Metrics
from edge_node.platforms.opened_media import Opened
from edge_node.settings_media import MediaSettings
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.media import MediaStore
from edge_node.usecases.media.admitting import MediaAdmitter
from edge_node.usecases.media.fetching import LEASE_MILLISECONDS, Fetcher
from edge_node.usecases.media.reading import MediaReader
from shared.clock import SystemClock
from shared.message import Media, Message
from tests.support.stores import message

PIECE = 60_000
RECEIVED_AT = 1_700_000_000_000


class Files:
    """A platform that holds files by their id, and does as a test tells it."""

    def __init__(self, **held: bytes) -> None:
        self.held = held
        self.asked: list[tuple[str, int]] = []
        self.error: Exception | None = None
        self.between = None
        """Awaited between two pieces."""

    @asynccontextmanager
    async def open(self, file, token, offset):
        """Send a file from ``offset`` on."""
        self.asked.append((file.media_id, offset))
        if self.error is not None:
            raise self.error
        data = self.held[file.media_id]
        yield Opened(offset, len(data), file.mime_type, None, self._pieces(data[offset:]))

    async def _pieces(self, data):
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]
            if self.between is not None:
                await self.between(at)


class ThenClock:
    """A clock that runs from the moment at which the bench's messages are received, and can be moved forward."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._began = self._real.now()
        self.later_ms = 0

    def now(self) -> int:
        return RECEIVED_AT + self._real.now() - self._began + self.later_ms

    def elapsed(self) -> float:
        return self._real.elapsed()

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(min(seconds, 0.01))


def picture(number: int, author, media_id: str, **more) -> Message:
    """Give a picture that a person sent."""
    plain = message(number, author, "", **{name: value for name, value in more.items() if name != "media"})
    content = Media("image", media_id=media_id, mime_type="image/jpeg", **more.get("media", {}))
    return Message(**{name: getattr(plain, name) for name in plain.__struct_fields__} | {"content": content})


async def _may(_subject, _account, _event):
    """Let every file rest here."""
    return own_permission("own_state_unasked")


class Desk:
    """What fetches and reads files, over one bench or its like."""

    def __init__(self, stores, source, take_in, clock=None, accounts=(), judge=None, **settings) -> None:
        self.store = MediaStore(stores.content)
        self.metrics = Metrics()
        self.reader = MediaReader(self.store, stores.keys, stores.blobs)
        rows = {stored.id: stored for stored in accounts}

        async def recall(taken):
            await take_in([taken])

        self.fetcher = Fetcher(
            self.store,
            stores.keys,
            stores.blobs,
            source,
            Lease(stores.content, "media", stores.entropy.draw(8).hex(), LEASE_MILLISECONDS),
            MediaSettings(**settings),
            self.metrics,
            clock or stores.clock,
            account_of=rows.get,
            recall=recall,
            may_rest=MediaAdmitter(stores.content, judge).may_rest if judge is not None else _may,
        )

    async def bytes_of(self, mark: bytes) -> bytes:
        """Read a message's file whole."""
        return b"".join([chunk async for chunk in self.reader.read(mark)])

    def counted(self, name: str, **labels: str) -> float:
        """Give a metric of files."""
        return self.metrics.registry.get_sample_value(f"homeport_edge_media_{name}", labels) or 0.0


async def media_desk(bench, source, **more) -> Desk:
    """Give what fetches and reads files over a bench."""
    accounts = await bench.stores.accounts.load_rows()
    return Desk(
        bench.stores, source, bench.taking_in.take_in, more.pop("clock", ThenClock()), accounts, bench.judge, **more
    )
