"""How much a node still takes in while messages expire and keys are wrapped anew: a part of ``bench custody``.

A whole node on a core of its own, signed webhooks over HTTP from the other one, in bodies of ten, so that the node and
not the sender is what limits.  Windows alternate, without a pause in between: in one the node takes in and does nothing
else, in the next it also carries a portion of removals and re-wraps (:mod:`deploy.bench.laden`), and the window ends
when these are done and the next commit is answered.  A window in which less was carried than the pace asks for is late:
neither it nor the one before it counts, and another pair is taken.
"""

import asyncio
import contextlib
import gc
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvloop

from deploy.bench import laden, load, servers
from deploy.bench.bodies import WHATSAPP_ACCOUNT, Maker, Writers
from edge_node.assembly import assemble_taking_in
from edge_node.channels.registry import CHANNELS
from edge_node.settings import load_settings
from edge_node.stores import Stores, open_stores
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.custody.epoch_beat import BATCH as KEYS_A_STEP
from edge_node.usecases.receiving.filing import Taken

PER_SECOND = 200
"""Messages that expire, and subject keys that are wrapped anew, in each second of a loaded window at least."""

MESSAGES, STEPS = 100, 1
"""The portion of a window: messages, and steps of the epoch beat."""

_WINDOW_SECONDS = 0.45
"""The least that a window lasts; then until the next answer.  From 0.5 s on the pace is not kept any more."""

_PER_BODY, _CONNECTIONS = 10, 32
_WARM_SECONDS = 0.3
_WAIT_SECONDS = 120.0
_TRIES = 2
"""So many times the pairs are taken at most, where some are late."""
_FILL_BODIES, _FILL_PER_BODY = 10, 100
_ROOM = 1.3
"""How many more requests are made than the round before needed."""
_FIRST_GUESS = 8_000.0
_SEED = 20_261_124


class LoadPace(msgspec.Struct, frozen=True):
    """How much is measured: pairs of windows that count and of a round, people, and messages of each beforehand."""

    pairs: int = 300
    pairs_a_round: int = 10
    people: int = 50_000
    messages_each: int = 4


SHORT = LoadPace(pairs=3, pairs_a_round=3, people=500)


class Window(msgspec.Struct, frozen=True):
    """What was done in one window."""

    messages: int
    """Acknowledged."""
    seconds: float
    core_seconds: float
    """For which a thread of the node had a core."""
    carried: laden.Carried | None = None

    @property
    def rate(self) -> float:
        """Messages acknowledged a second."""
        return self.messages / self.seconds

    @property
    def kept_pace(self) -> bool:
        """Say whether as much expired and was wrapped anew as had to, in this time."""
        done = self.carried
        return done is not None and min(done.expired, done.rewrapped) >= PER_SECOND * self.seconds


def measure_load(folder: Path, pace: LoadPace, server_core: set[int], load_core: set[int]) -> dict[str, Any]:
    """Prepare a store, run a node on it, take windows in turns; give medians a second and their ratio.

    ``lost`` counts acknowledged messages that are not stored, ``refused`` webhooks that were not answered 200.
    """
    folder.mkdir()
    settings, port, private = servers.set_up_node(folder)
    writers = Writers(pace.people, _SEED)
    prepared = asyncio.run(_fill(settings, writers, pace))
    load_port = servers.free_port()
    command = [sys.executable, "-m", "deploy.bench.laden", str(settings), str(load_port)]
    node = servers.Server(command, port, folder / "node.log", server_core)
    os.sched_setaffinity(0, load_core)
    try:
        node.wait_ready(private, "/health/ready")
        burst, windows = uvloop.run(_take(port, load_port, node.pid, writers, pace))
        servers.stop(settings)
        node.wait()
    finally:
        node.kill()
    gone = sum(window.carried.expired for window in windows if window.carried)
    stored = servers.count_messages(folder / "data" / "content.db")
    lost = prepared + burst.acknowledged * _PER_BODY - gone - stored
    return {**summary(windows), "lost": lost, "refused": burst.refused}


async def _fill(settings_path: Path, writers: Writers, pace: LoadPace) -> int:
    """Take in messages of a year ago, as many as are to expire, and of now; give how many in all.

    Everybody writes once before anybody writes again: those who lose a message in a window are all different people.
    """
    async with open_stores(load_settings(settings_path, {})) as stores:
        taken = await _taken_of(stores)
        taking_in, now = await assemble_taking_in(stores), stores.clock.now()
        total = pace.people * pace.messages_each
        expiring = min(total, _TRIES * pace.pairs * MESSAGES)
        make, number = writers.whatsapp_batches(_FILL_PER_BODY), 0
        while number < total:
            events = []
            for each in itertools.chain.from_iterable(map(taken, make(_FILL_BODIES))):
                at = now - laden.PERIOD + number if number < expiring else now
                event = msgspec.structs.replace(each.event, at=at)
                events.append(msgspec.structs.replace(each, event=event, received_at=at))
                number += 1
            await taking_in.take_in(events)
        await stores.keys.flush()
    return number


async def _taken_of(stores: Stores) -> Callable[[bytes], list[Taken]]:
    """Give what makes of a request what intake would."""
    book = AccountBook(stores.accounts, stores.clock, stores.entropy)
    await book.open()
    await book.close()
    stored = book.row(WHATSAPP_ACCOUNT)

    def taken(request: bytes) -> list[Taken]:
        events = CHANNELS["whatsapp"].parse(request.partition(b"\r\n\r\n")[2])
        return [Taken(event, stored.id, stored.account.name, stored.account.scope, 0) for event in events]

    return taken


async def _take(
    port: int, load_port: int, supervisor: int, writers: Writers, pace: LoadPace
) -> tuple[load.Burst, list[Window]]:
    """Take all windows."""
    bench = _Bench(supervisor, load_port, writers, pace)
    return await bench.run(port), bench.windows


class _Bench:
    """Takes the windows."""

    def __init__(self, supervisor: int, load_port: int, writers: Writers, pace: LoadPace) -> None:
        (worker,) = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text("ascii").split()
        self._threads = Path(f"/proc/{worker}/task")
        self._load_port = load_port
        self._make: Maker = writers.whatsapp_batches(_PER_BODY)
        self._pace = pace
        self._steady = load.Steady()
        self.windows: list[Window] = []

    async def run(self, port: int) -> load.Burst:
        """Take all windows, round by round; the requests of a round are made while the node has nothing to do."""
        guess = _FIRST_GUESS
        await self._steady.connect(port, _CONNECTIONS)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._load_port}", timeout=_WAIT_SECONDS) as client:
            while (pairs := min(self._pace.pairs_a_round, self._missing())) > 0:
                # A removal gives its people's keys to the new epoch, too.
                prepared = await client.post(f"/prepare/{pairs * (MESSAGES + STEPS * KEYS_A_STEP)}")
                prepared.raise_for_status()
                seconds = _WARM_SECONDS + 2 * pairs * _WINDOW_SECONDS
                made = self._make(int(_ROOM * guess * seconds / _PER_BODY))
                with _undisturbed():
                    await self._round(itertools.chain(made, self._more()), client, pairs)
                guess = max(window.rate for window in self.windows[-2 * pairs :])
                self._say()
        self._steady.close()
        return self._steady.burst

    async def _round(self, requests: Iterator[bytes], client: httpx.AsyncClient, pairs: int) -> None:
        """Take some pairs of windows."""
        self._steady.begin(requests)
        await asyncio.sleep(_WARM_SECONDS)
        await self._steady.answer()
        for _ in range(pairs):
            self.windows.append(await self._window(None))
            self.windows.append(await self._window(client))
        await self._steady.end()

    async def _window(self, client: httpx.AsyncClient | None) -> Window:
        """Count what is acknowledged in one window; with ``client`` a portion is carried in it.

        A commit answers many at once, so a window ends, and the next begins, with the first answer of a commit.
        """
        began, before, spent, carried = time.perf_counter(), self._steady.burst.acknowledged, self._core_seconds(), None
        least = asyncio.create_task(asyncio.sleep(_WINDOW_SECONDS))
        if client is not None:
            answered = await client.post(f"/carry/{MESSAGES}/{STEPS}")
            carried = msgspec.json.decode(answered.raise_for_status().content, type=laden.Carried)
        await least
        await self._steady.answer()
        messages = (self._steady.burst.acknowledged - before) * _PER_BODY
        return Window(messages, time.perf_counter() - began, self._core_seconds() - spent, carried)

    def _core_seconds(self) -> float:
        """Give for how long the node's threads have had a core: proc(5), the first number of ``schedstat``, in ns."""
        files = [thread / "schedstat" for thread in self._threads.iterdir()]
        return sum(int(file.read_text("ascii").split()[0]) for file in files) / 1e9

    def _missing(self) -> int:
        """Count the pairs that are still to be taken."""
        taken = len(self.windows) // 2
        return min(self._pace.pairs - len(_kept(self.windows)), _TRIES * self._pace.pairs - taken)

    def _more(self) -> Iterator[bytes]:
        """Make requests one by one, should a round need more than were made for it."""
        while True:
            yield from self._make(1)

    def _say(self) -> None:
        """Print how far it is, apart from the result."""
        found = summary(self.windows)
        print(
            f"bench: {len(_kept(self.windows))}/{self._pace.pairs} pairs  ratio {found['ingest_under_load_ratio']}  "
            f"{found['ingest_per_s']}  {found['load_samples']}  {found['core_share']}  {found['core_us']}",
            file=sys.stderr,
            flush=True,
        )


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the garbage collector still: a pause of ours would be measured as the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _kept(windows: Sequence[Window]) -> list[tuple[Window, Window]]:
    """Give the pairs, alone and loaded, whose loaded window kept the pace."""
    return [pair for pair in zip(windows[::2], windows[1::2], strict=True) if pair[1].kept_pace]


def summary(windows: Sequence[Window]) -> dict[str, Any]:
    """Give the medians of pairs that count (of all, where none does), their ratio, and what to judge them by.

    ``windows``: alone and loaded in turns.
    """
    kept = _kept(windows)
    pairs = kept or list(zip(windows[::2], windows[1::2], strict=True))
    both: dict[str, list[Window]] = {"alone": [pair[0] for pair in pairs], "loaded": [pair[1] for pair in pairs]}
    medians = {name: statistics.median(window.rate for window in of) for name, of in both.items()}
    done = [(each.carried.expired, each.carried.rewrapped, each.seconds) for each in both["loaded"] if each.carried]
    return {
        "ingest_under_load_ratio": round(medians["loaded"] / medians["alone"], 2),
        "ingest_per_s": {name: _quartiles([window.rate for window in of]) for name, of in both.items()},
        "load_samples": {"alone": len(kept), "loaded": len(kept), "late": len(windows) // 2 - len(kept)},
        "load_per_s": {
            "expired": _quartiles([expired / seconds for expired, _, seconds in done]),
            "rewrapped": _quartiles([rewrapped / seconds for _, rewrapped, seconds in done]),
        },
        # How much of a core the node had, and what a message took of it: to judge by where others are at work.
        "core_share": {
            name: round(statistics.median(window.core_seconds / window.seconds for window in of), 2)
            for name, of in both.items()
        },
        "core_us": {
            name: round(1e6 * sum(each.core_seconds for each in of) / sum(each.messages for each in of), 1)
            for name, of in both.items()
        },
    }


def _quartiles(values: Sequence[float]) -> list[int]:
    """Give the quartiles; the second is the median."""
    return [round(value) for value in statistics.quantiles(values, n=4)] if len(values) > 1 else [*map(round, values)]
