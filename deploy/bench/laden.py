"""A node that lets messages go and wraps keys anew in portions, when told to: the loaded side of ``bench custody``.

It is run as any node is, by supervisor and worker, with one listener more, on which the bench orders portions.  The
parts that work are the node's own: retention sweeper, remover, epoch keeper.  Only their pace is the bench's: the
sweeper's clock stands still between portions, so that what is due is what a portion orders, and neither sweeper nor
keeper looks by itself.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import Counter

from edge_node.app import Node, assemble
from edge_node.assembly import epoch_beat
from edge_node.core.retention import Periods
from edge_node.http.answers import answer
from edge_node.metrics import Metrics
from edge_node.settings import load_settings
from edge_node.storage.content.leases import Lease
from edge_node.storage.keys.epochs import count_left, read_epochs
from edge_node.stores import Stores, open_stores
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.letting_go.retaining import Retaining
from edge_node.usecases.letting_go.retention import LEASE_MILLISECONDS, Sweeper
from edge_node.usecases.receiving.committer import Committer
from shared.clock import DAY, Milliseconds, SystemClock
from shared.limits import BATCH_EVENTS_MAX
from shared.process import Wanted, supervise

LISTENER = "load"
PERIOD: Milliseconds = 365 * DAY
"""How long messages are kept."""

_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 30.0


class Carried(msgspec.Struct, frozen=True):
    """What a portion came to: messages gone to the end of their removal, keys wrapped anew by the beat."""

    expired: int
    rewrapped: int


class _StandingClock(SystemClock):
    """A clock whose wall stands where the bench sets it; it sleeps as others do."""

    def __init__(self, at: Milliseconds) -> None:
        self.at = at

    def now(self) -> Milliseconds:
        """Give the instant set."""
        return self.at


class Load:
    """Orders portions of the node's own work."""

    def __init__(
        self,
        node: Node,
        stores: Stores,
        committer: Committer,
        policy: PolicyBook,
        metrics: Metrics,
        oldest: Milliseconds,
    ) -> None:
        """Take an open node; the oldest message of its store arrived at ``oldest``, the next a millisecond later."""
        self._stores = stores
        self._metrics = metrics
        self._clock = _StandingClock(oldest + PERIOD)
        custody = node._custody  # noqa: SLF001 - the node's own, which nobody but the bench has to set the pace of
        self._keeper, self._node_sweeper = custody.epochs, custody.sweeper
        self._sweeper = Sweeper(
            stores.content,
            stores.keys,
            Lease(stores.content, "retention", "bench", LEASE_MILLISECONDS),
            Retaining(stores.content, Periods({"message": PERIOD}, PERIOD), policy),
            metrics,
            self._clock,
            busy=lambda: committer.waiting > BATCH_EVENTS_MAX,
            every_seconds=PERIOD,
        )
        self._sweeper.on_ordered = custody.remover.wake
        self._beat = epoch_beat(stores, metrics)

    async def take_over(self) -> None:
        """Keep the node's own sweeper and keeper from looking by themselves."""
        await self._keeper.stop()
        await self._node_sweeper.stop()

    async def prepare(self, keys: int) -> None:
        """See to it that at least ``keys`` keys are left to wrap anew: else end the beat, and begin the next."""
        retired = [epoch.version for epoch in await read_epochs(self._stores.keys) if epoch.state == "retired"]
        left = await count_left(self._stores.keys, retired[0]) if retired else 0
        while left < keys:
            progress = await self._beat.step(0)
            left = keys if progress is None or progress.state == "begun" else 0

    async def carry(self, messages: int, steps: int) -> Carried:
        """Let the next ``messages`` expire, go so many steps of the beat, and wait until all is done."""
        gone, wrapped = _count(self._metrics.removed, "expire"), _count(self._metrics.custody.rewrapped)
        self._clock.at += messages
        await asyncio.gather(self._sweeper.once(), self._go_on(steps))
        until = self._clock.elapsed() + _PATIENCE_SECONDS
        while _count(self._metrics.removed, "expire") < gone + messages and self._clock.elapsed() < until:
            await self._clock.sleep(_LOOK_SECONDS)
        return Carried(
            _count(self._metrics.removed, "expire") - gone, _count(self._metrics.custody.rewrapped) - wrapped
        )

    async def _go_on(self, steps: int) -> None:
        for _ in range(steps):
            await self._keeper.once()

    async def app(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer ``/prepare/KEYS`` and ``/carry/MESSAGES/STEPS``."""
        if scope["type"] != "http":
            return
        _, what, *numbers = scope["path"].split("/")
        body = b""
        if what == "prepare":
            await self.prepare(int(numbers[0]))
        else:
            body = msgspec.json.encode(await self.carry(int(numbers[0]), int(numbers[1])))
        await answer(send, 200, body)


class _Laden:
    """An open node with the bench's listener."""

    def __init__(self, node: Node, load: Load) -> None:
        self.apps = {**node.apps, LISTENER: load.app}
        self.step_back = node.step_back


@asynccontextmanager
async def open_node(settings_path: Path) -> AsyncIterator[_Laden]:
    """Open a node as ``edge_node.app`` does, and put the bench's listener beside its own."""
    settings = load_settings(settings_path, {})
    async with open_stores(settings) as stores:
        async with stores.content.read() as transaction:
            (oldest,) = (await transaction.fetch("SELECT min(received_at) FROM message"))[0]
        metrics = Metrics()
        node = await assemble(stores, metrics)
        await node.start()
        try:
            # The bench works with the node's own parts, at its own pace.
            load = Load(node, stores, node._committer, node._policy, metrics, oldest)  # noqa: SLF001
            await load.take_over()
            yield _Laden(node, load)
        finally:
            await node.stop()


def _count(counter: Counter, *labels: str) -> int:
    """Read a counter, or the part of it with these label values."""
    (family,) = counter.collect()
    return int(
        sum(
            sample.value
            for sample in family.samples
            if sample.name.endswith("_total") and tuple(sample.labels.values()) == labels
        )
    )


def main(arguments: list[str]) -> int:
    """Run the node of a settings file, with the bench's listener at the port given, until it is stopped."""
    path, port = Path(arguments[0]), arguments[1]
    settings = load_settings(path, {})
    supervise(
        path.absolute(),
        app=f"{__spec__.name}:open_node",
        listen=[
            Wanted("public", settings.listen, "listen"),
            Wanted("private", settings.private_listen, "private_listen"),
            Wanted(LISTENER, f"127.0.0.1:{port}", LISTENER),
        ],
        pid_file=settings.pid_file,
        connections_max=settings.limits.connections_max,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
