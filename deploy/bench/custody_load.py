"""How much a node still takes in while messages expire and keys are wrapped anew: a part of ``bench custody``.

A whole node on a core of its own, webhooks over HTTP from the other one, signed, one message each.  Windows alternate,
without a pause in between: in one the node takes in and nothing else, in the next it also carries a portion of removals
and re-wraps (:mod:`deploy.bench.laden`), and the window ends when these are done, at the earliest when their pace
has been kept.  A window that took longer than the pace allows is late: it is counted apart, not in the median.
"""

import asyncio
import contextlib
import gc
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import uvloop

from deploy.bench import laden, load, servers
from deploy.bench.bodies import WHATSAPP_ACCOUNT, Writers
from edge_node.assembly import assemble_taking_in
from edge_node.channels.registry import CHANNELS
from edge_node.settings import load_settings
from edge_node.stores import Stores, open_stores
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.filing import Taken

PER_SECOND = 200
"""Messages that expire, and subject keys that are wrapped anew, in each second of a loaded window."""

MESSAGES = 100
"""Messages in the portion of a window."""
STEPS = 1
"""Steps of the epoch beat in a window, of 100 keys each."""
_WINDOW_SECONDS = 0.43
"""The least that a window lasts; then until the next answer.  From 0.5 s on, the pace is not kept any more."""
_CONNECTIONS = 32
_WARM_SECONDS = 0.3
_WAIT_SECONDS = 120.0
_FILL_BODIES = 10
_PER_BODY = 100
_ROOM = 1.3
_FIRST_GUESS = 8_000
_SEED = 20_261_124


class LoadPace(msgspec.Struct, frozen=True):
    """How much is measured: pairs of windows in all and in a round, people, and messages of each beforehand."""

    pairs: int = 300
    pairs_a_round: int = 10
    people: int = 20_000
    messages_each: int = 5


SHORT = LoadPace(pairs=3, pairs_a_round=3, people=500, messages_each=4)


class Window(msgspec.Struct, frozen=True):
    """What was done in one window."""

    rate: float
    """Messages acknowledged a second."""
    seconds: float
    node: float
    """Share of the window in which a thread of the node had a core."""
    queued: float
    """Share in which one wanted a core that somebody else had; of all threads, so it may be over 1."""
    carried: laden.Carried | None = None

    @property
    def kept_pace(self) -> bool:
        """Say whether as much expired and was wrapped anew as had to, in this time."""
        done = self.carried
        return done is not None and min(done.expired, done.rewrapped) >= PER_SECOND * self.seconds


def measure_load(folder: Path, pace: LoadPace, server_core: set[int], load_core: set[int]) -> dict[str, object]:
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
        burst, windows = uvloop.run(_interleave(port, load_port, writers, pace, node.pid))
        servers.stop(settings)
        node.wait()
    finally:
        node.kill()
    found = _summary(windows)
    gone = sum(window.carried.expired for window in windows if window.carried)
    stored = servers.count_messages(folder / "data" / "content.db")
    return {**found, "lost": prepared + burst.acknowledged - gone - stored, "refused": burst.refused}


async def _fill(settings_path: Path, writers: Writers, pace: LoadPace) -> int:
    """Take in messages of a year ago, of which more expire than are needed, and of now; give how many."""
    async with open_stores(load_settings(settings_path, {})) as stores:
        taken = await _taken_of(stores)
        taking_in, now = await assemble_taking_in(stores), stores.clock.now()
        total = pace.people * pace.messages_each
        expiring = min(total, pace.pairs * MESSAGES)
        make, number = writers.whatsapp_batches(_PER_BODY), 0
        while number < total:
            events: list[Taken] = []
            for body in make(_FILL_BODIES):
                events += taken(body)
            for place, each in enumerate(events):
                at = now - laden.PERIOD + number + place if number + place < expiring else now
                event = msgspec.structs.replace(each.event, at=at)
                events[place] = msgspec.structs.replace(each, event=event, received_at=at)
            await taking_in.take_in(events)
            number += len(events)
        await stores.keys.flush()
    return number


async def _taken_of(stores: Stores) -> Callable[[bytes], list[Taken]]:
    """Give what makes of a request what intake would."""
    book = AccountBook(stores.accounts, stores.clock, stores.entropy)
    await book.open()
    await book.close()
    stored = book.row(WHATSAPP_ACCOUNT)

    def taken(request: bytes) -> list[Taken]:
        body = request.partition(b"\r\n\r\n")[2]
        events = CHANNELS["whatsapp"].parse(body)
        return [Taken(event, stored.id, stored.account.name, stored.account.scope, 0) for event in events]

    return taken


async def _interleave(
    port: int, load_port: int, writers: Writers, pace: LoadPace, supervisor: int
) -> tuple[load.Burst, list[Window]]:
    """Take all windows, round by round; the requests of a round are made while the node has nothing to do."""
    steady, windows, guess = load.Steady(), list[Window](), float(_FIRST_GUESS)
    await steady.connect(port, _CONNECTIONS)
    worker = _child(supervisor)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{load_port}", timeout=_WAIT_SECONDS) as client:
        while len(windows) < 2 * pace.pairs:
            pairs = min(pace.pairs_a_round, pace.pairs - len(windows) // 2)
            await client.post(f"/prepare/{2 * pairs * MESSAGES + pairs * STEPS * 100}")
            seconds = _WARM_SECONDS + 2 * pairs * _WINDOW_SECONDS
            made = writers.whatsapp_batches(10)(int(_ROOM * guess * seconds)//10)
            with _undisturbed():
                steady.begin(itertools.chain(made, _more(writers)))
                await asyncio.sleep(_WARM_SECONDS)
                await steady.answer()
                for _ in range(pairs):
                    windows += [await _window(steady, worker, None), await _window(steady, worker, client)]
                await steady.end()
            guess = max(window.rate for window in windows[-2 * pairs :])
            _say(windows, pace)
    steady.close()
    return steady.burst, windows


async def _window(steady: load.Steady, worker: int, client: httpx.AsyncClient | None) -> Window:
    """Count what is acknowledged in one window; with ``client`` a portion is carried in it.

    A commit answers many at once, so a window ends, and the next begins, with the first answer of a commit.
    """
    began, before, spent, carried = time.perf_counter(), steady.burst.acknowledged, _spent(worker), None
    least = asyncio.create_task(asyncio.sleep(_WINDOW_SECONDS))
    if client is not None:
        answered = await client.post(f"/carry/{MESSAGES}/{STEPS}")
        carried = msgspec.json.decode(answered.raise_for_status().content, type=laden.Carried)
    await least
    await steady.answer()
    seconds = time.perf_counter() - began
    node, queued = (after - then for after, then in zip(_spent(worker), spent, strict=True))
    return Window(10*(steady.burst.acknowledged - before) / seconds, seconds, node / seconds, queued / seconds, carried)


def _child(process: int) -> int:
    """Give the only child of a process: of a supervisor, the worker."""
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return int(child)


def _spent(process: int) -> tuple[float, float]:
    """Give the seconds that the threads of a process have had a core, and have waited for one (proc(5), schedstat)."""
    on_core = waited = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        had, queued, _ = (task / "schedstat").read_text("ascii").split()
        on_core, waited = on_core + int(had), waited + int(queued)
    return on_core / 1e9, waited / 1e9


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the garbage collector still: a pause of ours would be measured as the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _more(writers: Writers) -> Iterator[bytes]:
    """Make requests one by one, should a round need more than were made for it."""
    while True:
        yield from writers.whatsapp_batches(10)(1)


def _summary(windows: list[Window]) -> dict[str, object]:
    """Give the medians; of loaded windows those that kept the pace count, and the ratio of all stands beside."""
    alone = [window.rate for window in windows if window.carried is None]
    loaded = [window for window in windows if window.carried is not None]
    kept = [window for window in loaded if window.kept_pace]
    quartiles = statistics.quantiles([window.rate for window in loaded], n=4)
    median = statistics.median(alone)
    return {
        "ingest_under_load_ratio": round(statistics.median([each.rate for each in kept or loaded]) / median, 3),
        "ingest_per_s": {
            "alone": round(median),
            "alone_quartiles": [round(each) for each in statistics.quantiles(alone, n=4)],
            "loaded_quartiles": [round(each) for each in quartiles],
        },
        "load_samples": {"alone": len(alone), "loaded": len(kept), "late": len(loaded) - len(kept)},
        "ingest_under_load_ratio_with_late": round(statistics.median([each.rate for each in loaded]) / median, 3),
        "node_share": {
            name: [
                round(statistics.median(values), 2) for values in zip(*((w.node, w.queued) for w in of), strict=True)
            ]
            for name, of in (("alone", [w for w in windows if w.carried is None]), ("loaded", loaded))
        },
        "core_us": {
            name: round(1e6 * sum(w.node * w.seconds for w in of) / sum(w.rate * w.seconds for w in of), 1)
            for name, of in (("alone", [w for w in windows if w.carried is None]), ("loaded", loaded))
        },
        "load_per_s": {
            "expired": round(statistics.median(each.carried.expired / each.seconds for each in loaded if each.carried)),
            "rewrapped": round(
                statistics.median(each.carried.rewrapped / each.seconds for each in loaded if each.carried)
            ),
        },
    }


def _say(windows: list[Window], pace: LoadPace) -> None:
    """Print how far it is, apart from the result."""
    found = _summary(windows)
    print(
        f"bench: {len(windows) // 2}/{pace.pairs} pairs  ratio {found['ingest_under_load_ratio']}  "
        f"{found['ingest_per_s']}  {found['load_samples']}  load a second {found['load_per_s']} {found['node_share']} {found['core_us']} own {time.process_time():.1f}",
        file=sys.stderr,
        flush=True,
    )
