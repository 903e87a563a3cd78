"""``bench profile``: where a node spends its time, function by function and thread by thread.

The node is opened in this process and is handed requests as ASGI, without HTTP in between: what the socket and uvicorn
cost is the no-op of ``bench ingest``.  Each load runs twice, first alone for its true pace, then under cProfile, which
makes small functions look dearer than they are: read the order, not the sums.
"""

import argparse
import asyncio
import cProfile
import io
import os
import pstats
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from deploy.bench import servers
from deploy.bench.bodies import Writers
from edge_node.app import Node, open_node

_PEOPLE = 2_000
_SEED = 7
_LOADS = ("whatsapp", "line", "batch")
_PER_BODY = 100


class Profiles:
    """A cProfile for each thread: the profiler itself only ever sees the thread that started it."""

    def __init__(self) -> None:
        """Watch no thread yet."""
        self._found: dict[str, cProfile.Profile] = {}
        self._on = False

    def watch_threads(self) -> None:
        """Have every thread that starts from now on profiled; it counts while :meth:`switch` is on."""
        threading.setprofile(self._first_event)

    def switch(self, on: bool) -> None:
        """Begin or end: this thread at once, the others by clearing what they had."""
        own = self._found.setdefault("event loop", cProfile.Profile())
        if on:
            for profile in self._found.values():
                profile.clear()
            own.enable()
        else:
            own.disable()

    def print(self, count: int) -> None:
        """Print the dearest functions of every thread that did something."""
        for name, profile in self._found.items():
            if not profile.getstats():
                continue
            text = io.StringIO()
            stats = pstats.Stats(profile, stream=text)
            spent: float = stats.total_tt  # type: ignore[attr-defined]  # there since Python 2, not in typeshed
            if spent < 0.05:
                continue
            stats.sort_stats("tottime").print_stats(count)
            print(f"\n--- {name}: {spent:.2f} s")
            print(_without_places(text.getvalue()))

    def _first_event(self, _frame: Any, _event: str, _argument: Any) -> None:
        """Give the thread that this is called in a profile of its own, in the place of this function."""
        name = threading.current_thread().name
        sys.setprofile(None)
        profile = self._found.setdefault(name, cProfile.Profile())
        profile.enable()


class Spent(msgspec.Struct):
    """What a load took."""

    seconds: float
    threads: dict[str, float]
    """Processor seconds by thread."""


def main(arguments: list[str]) -> int:
    """Profile the loads that ``arguments`` name, all by default; give 0."""
    parser = argparse.ArgumentParser(prog="bench profile", description=__doc__)
    parser.add_argument("load", nargs="*", metavar="whatsapp|line|batch", help="which loads; default: all")
    parser.add_argument("--messages", type=int, default=20_000, help="how many messages each [20000]")
    parser.add_argument("--functions", type=int, default=30, help="how many functions are shown [30]")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.load) - set(_LOADS):
        parser.error(f"no such load: {', '.join(sorted(unknown))}")
    os.sched_setaffinity(0, servers.cores()[0])
    with servers.scratch() as folder:
        settings, _, _ = servers.set_up_node(folder)
        uvloop.run(_profile(settings, chosen.load or list(_LOADS), chosen.messages, chosen.functions))
    return 0


async def _profile(settings: Path, loads: list[str], messages: int, functions: int) -> None:
    """Open the node, let everybody write once, and run each load alone and then profiled."""
    writers = Writers(_PEOPLE, _SEED)
    async with open_node(settings) as node:
        for make in (writers.whatsapp, writers.line):
            await _send(node, writers.everybody(make), 64)
        for load in loads:
            spent = await _send(node, _requests(writers, load, messages), _at_once(load))
            busy = ", ".join(f"{name} {share:.2f} s" for name, share in spent.threads.items() if share >= 0.01)
            print(
                f"\n=== {load}: {messages / spent.seconds:,.0f} messages/s without HTTP; {spent.seconds:.2f} s: {busy}"
            )
    profiles = Profiles()
    profiles.watch_threads()
    try:
        async with open_node(settings) as node:
            await _send(node, writers.everybody(writers.whatsapp), 64)
            for load in loads:
                requests = _requests(writers, load, messages)
                profiles.switch(True)
                await _send(node, requests, _at_once(load))
                profiles.switch(False)
                print(f"\n=== {load}, profiled")
                profiles.print(functions)
    finally:
        threading.setprofile(None)  # typeshed forgets that None ends it


def _requests(writers: Writers, load: str, messages: int) -> list[bytes]:
    """Make the requests of a load."""
    if load == "batch":
        return writers.whatsapp_batches(_PER_BODY)(messages // _PER_BODY)
    return (writers.whatsapp if load == "whatsapp" else writers.line)(messages)


def _at_once(load: str) -> int:
    """Say how many senders wait at the same time, as in ``bench ingest``."""
    return 64 if load != "batch" else 16


async def _send(node: Node, requests: list[bytes], senders: int) -> Spent:
    """Hand all ``requests`` to the node, ``senders`` at a time."""
    scopes = iter([_scope(request) for request in requests])
    before, began = _thread_seconds(), time.perf_counter()
    await asyncio.gather(*(_sender(node, scopes) for _ in range(senders)))
    seconds, after = time.perf_counter() - began, _thread_seconds()
    return Spent(seconds, {name: spent - before.get(name, 0.0) for name, spent in after.items()})


async def _sender(node: Node, scopes: Iterator[tuple[dict[str, Any], bytes]]) -> None:
    """Send one request after the other; anything but 200 ends the bench."""
    for scope, body in scopes:

        async def receive(body: bytes = body) -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message.get("status", 200) != 200:
                raise RuntimeError(f"answered {message['status']}")

        await node.apps["public"](scope, receive, send)  # type: ignore[arg-type]  # litestar's scope type is narrower


def _scope(request: bytes) -> tuple[dict[str, Any], bytes]:
    """Make of a raw request what uvicorn would."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, path, _version = first.split(b" ")
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "method": method.decode(),
        "root_path": "",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"",
        "headers": headers,
        "state": {},
    }
    return scope, body


def _thread_seconds() -> dict[str, float]:
    """Give the processor time of every thread so far, in seconds, by name."""
    tick = os.sysconf("SC_CLK_TCK")
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    spent: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
        name = names.get(int(task.name), "other")
        spent[name] = spent.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / tick
    return spent


def _without_places(table: str) -> str:
    """Shorten the paths of a profile to what lies below the checkout or the packages' folder."""
    for cut in (f"{servers.ROOT}{os.sep}", *(f"{folder}{os.sep}" for folder in sorted(sys.path, key=len) if folder)):
        table = table.replace(cut, "")
    return "\n".join(line for line in table.splitlines()[2:] if line.strip())
