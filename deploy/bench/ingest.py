"""``bench ingest``: how many webhooks a second Homeport takes in, beside a no-op and two naive receivers.

Servers share one core, the load has the other.  Interleaved rounds, so that what else the machine does meets all of
them alike; medians count.  Then, at half the top rate, as many rounds of latencies on a schedule; and at the end the
stored rows are counted against the acknowledged messages.
"""

import argparse
import contextlib
import importlib.util
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvloop

from deploy.bench import load, report, servers
from deploy.bench.bodies import Maker, Writers

PER_BODY = 100
"""Messages in a body of the batch load."""
CONNECTIONS, BATCH_CONNECTIONS = 256, 64
"""Connections with one request under way each, for single messages and for bodies of 100.  Every receiver gets the
same; more bodies of 100 at once than a node's queue holds would be answered 503."""
_SEED = 20_261_123
_QUANTILES = (("p50", 0.5), ("p99", 0.99))
_WARM_BODIES = 5
_ROOM = 1.3
"""How many more requests are made than the last rounds needed."""
_LEAST_BODIES = 500


class Pace(msgspec.Struct, frozen=True):
    """How long everything takes, in seconds, and how many people write."""

    rounds: int = 5
    warm: float = 0.4
    seconds: float = 3.0
    latency_seconds: float = 4.0
    people: int = 2_000


SHORT = Pace(rounds=1, warm=0.1, seconds=0.6, latency_seconds=1.0, people=200)


class Target(msgspec.Struct):
    """One thing to measure: where to send, what, and what came of it."""

    name: str
    port: int
    make: Maker
    store: str | None = None
    """Whose rows are counted: ``pywa``, ``line``, ``homeport``."""
    per_body: int = 1
    rates: list[float] = msgspec.field(default_factory=list)
    """Messages a second, by round."""
    guess: float = 0.0
    """Messages a second that it may reach; says how many requests are made for a round."""
    acknowledged: int = 0
    """Messages answered 200."""
    refused: int = 0
    """Bodies answered otherwise."""

    def take(self, burst: load.Burst) -> None:
        """Count what a load did."""
        self.acknowledged += burst.acknowledged * self.per_body
        self.refused += burst.refused

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rates)


def main(arguments: list[str]) -> int:
    """Run the bench; give 0, or 1 where an acknowledged message is not stored or a webhook was refused."""
    parser = argparse.ArgumentParser(prog="bench ingest", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round of a second each: does it run?")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    chosen = parser.parse_args(arguments)
    pace = SHORT if chosen.short else Pace()
    server_core, load_core = servers.cores()
    os.sched_setaffinity(0, load_core)
    with servers.scratch() as folder, contextlib.ExitStack() as stack:
        sync = report.disk_sync_us(folder)
        result = _measure(stack, folder, server_core, pace)
    result |= {"sync_us": sync, "short": chosen.short, "own_core": server_core != load_core}
    result |= report.circumstances()
    report.print_table(result)
    if chosen.json:
        print(json.dumps(result))
    return 1 if result["lost"] or result["refused"] else 0


def _measure(stack: contextlib.ExitStack, folder: Path, core: set[int], pace: Pace) -> dict[str, object]:
    """Start the servers, run every round, and give the numbers."""
    _say("starting servers, setting a node up")
    writers = Writers(pace.people, _SEED)
    targets = {target.name: target for target in _naive(stack, folder, core, writers)}
    node = stack.enter_context(servers.homeport_node(folder, core))
    for name, make, per_body in (
        ("homeport_whatsapp", writers.whatsapp, 1),
        ("homeport_line", writers.line, 1),
        ("homeport_batch", writers.whatsapp_batches(PER_BODY), PER_BODY),
    ):
        targets[name] = Target(name, node.port, make, "homeport", per_body)
    _warm_up(targets, writers, pace)
    for number in range(1, pace.rounds + 1):
        for target in targets.values():
            _round(target, pace)
            _say(f"round {number}/{pace.rounds}  {target.name:<18} {target.rates[-1]:>9,.0f} messages/s")
    late: dict[str, list[load.Burst]] = {"homeport_whatsapp": [], "homeport_line": []}
    for number in range(1, pace.rounds + 1):
        for name, bursts in late.items():
            bursts.append(_at_half(targets[name], pace, number))
    node.stop()
    return _result(targets, late, folder)


def _naive(stack: contextlib.ExitStack, folder: Path, core: set[int], writers: Writers) -> Iterator[Target]:
    """Start the receivers to compare with; one whose library is not installed is left out."""
    for name, kind, library, make in (
        ("noop", "noop", None, writers.whatsapp),
        ("pywa", "pywa", "pywa_async", writers.whatsapp),
        ("line_bot_sdk", "line", "linebot", writers.line),
    ):
        if library is not None and importlib.util.find_spec(library) is None:
            _say(f"{name} is left out: not installed (deploy/requirements/bench.txt)")
            continue
        server = stack.enter_context(servers.receiver(kind, folder, core))
        yield Target(name, server.port, make, kind if library else None)


def _warm_up(targets: dict[str, Target], writers: Writers, pace: Pace) -> None:  # noqa: ARG001
    """Let everybody write once, so that nobody is new in a round, and find out roughly what each server can do."""
    for target in targets.values():
        requests = target.make(_WARM_BODIES) if target.per_body > 1 else writers.everybody(target.make)
        began = time.perf_counter()
        target.take(_closed(target, iter(requests), 0.0, 60.0))
        target.guess = len(requests) * target.per_body / (time.perf_counter() - began)
        _say(f"warm-up    {target.name:<18} {target.guess:>9,.0f} messages/s")


def _round(target: Target, pace: Pace) -> None:
    """Measure one target once; its requests are made beforehand, while no server has anything to do."""
    bodies = int(_ROOM * target.guess * (pace.warm + pace.seconds) / target.per_body) + _LEAST_BODIES
    requests = iter(target.make(bodies)) if target.store else itertools.cycle(target.make(_LEAST_BODIES))
    burst = _closed(target, requests, pace.warm, pace.seconds)
    target.take(burst)
    target.rates.append(burst.rate * target.per_body)
    target.guess = max(target.guess, target.rates[-1])


def _at_half(target: Target, pace: Pace, number: int) -> load.Burst:
    """Send at half of what the target can take, on a schedule, and give the latencies."""
    rate = target.median / 2
    requests = target.make(int(rate * (pace.latency_seconds + pace.warm)))
    burst = uvloop.run(load.open_loop(target.port, requests, rate, warm=pace.warm, seed=_SEED + number))
    target.take(burst)
    _say(
        f"latency {number}/{pace.rounds}  {target.name:<16} {rate:>9,.0f} messages/s  p99 {burst.quantile(0.99):.1f} ms"
    )
    return burst


def _closed(target: Target, requests: Iterator[bytes], warm: float, seconds: float) -> load.Burst:
    """Load one target as fast as it answers."""
    connections = CONNECTIONS if target.per_body == 1 else BATCH_CONNECTIONS
    return uvloop.run(load.closed_loop(target.port, requests, connections=connections, warm=warm, seconds=seconds))


def _quantiles(bursts: list[load.Burst]) -> dict[str, float]:
    """Give latencies in ms: medians of the rounds', and the longest of all."""
    found = {label: statistics.median(burst.quantile(share) for burst in bursts) for label, share in _QUANTILES}
    found["max"] = max(burst.quantile(1.0) for burst in bursts)
    return {label: round(value, 2) for label, value in found.items()}


def _result(targets: dict[str, Target], late: dict[str, list[load.Burst]], folder: Path) -> dict[str, object]:
    """Put the numbers together; a ratio is ``None`` where its naive receiver is not installed."""
    kept = {"homeport": folder / "data" / "content.db"}
    kept |= {name: folder / f"{name}.db" for name in ("pywa", "line")}
    stores = sorted({target.store for target in targets.values() if target.store})
    stored = {name: servers.count_messages(kept[name]) for name in stores}
    acknowledged = {
        name: sum(target.acknowledged for target in targets.values() if target.store == name) for name in stores
    }
    top = max(late, key=lambda name: targets[name].median)
    return {
        "bench": "ingest",
        "ratio_pywa": _ratio(targets, "homeport_whatsapp", "pywa"),
        "ratio_line_bot_sdk": _ratio(targets, "homeport_line", "line_bot_sdk"),
        "p99_ms_at_half": max(_quantiles(bursts)["p99"] for bursts in late.values()),
        "batch_messages_per_s": round(targets["homeport_batch"].median),
        "lost": acknowledged["homeport"] - stored["homeport"],
        "refused": sum(target.refused for target in targets.values()),
        "top_rate": round(targets[top].median),
        "medians": {name: round(target.median) for name, target in targets.items()},
        "rounds": {name: [round(rate) for rate in target.rates] for name, target in targets.items()},
        "latency_ms": {name: _quantiles(bursts) for name, bursts in late.items()},
        "acknowledged": acknowledged,
        "stored": stored,
    }


def _ratio(targets: dict[str, Target], ours: str, naive: str) -> float | None:
    """Divide two medians."""
    return round(targets[ours].median / targets[naive].median, 2) if naive in targets else None


def _say(text: str) -> None:
    """Print a line of progress, apart from the result."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
