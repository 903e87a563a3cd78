"""What a node's processes ask of the kernel, from ``strace -f -y``, and whether it was synced before a 200.

A call that one thread begins while another is at work stands on two lines of a trace; it counts as done where it
returns.  A sync holds for what was written to its file before the sync began.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

READS = ("read", "readv", "recvfrom", "recvmsg")
WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg")
SYNCS = ("fsync", "fdatasync")
STRACE = ("strace", "-f", "-y", "-s", "48", "-e", "trace=" + ",".join((*READS, *WRITES, *SYNCS, "openat", "open")))

_LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<name>\w+)\()(?P<rest>.*)")
_TARGET = re.compile(r"\d+<([^>]*)>")
_CUT = "<unfinished ...>"


class Call(NamedTuple):
    """One system call: what it worked on, how it was called, and the lines on which it began and returned."""

    name: str
    target: str
    text: str
    began: int
    ended: int


class Exchange(NamedTuple):
    """One webhook: the call that read the beginning of its request, and the one that wrote its answer's."""

    read: Call
    answer: Call

    @property
    def status(self) -> int:
        """Give the status of the answer."""
        return int(self.answer.text.partition("HTTP/1.1 ")[2][:3])


def calls_of(lines: Iterable[str]) -> list[Call]:
    """Read a trace; calls that failed or never returned are left out: they did nothing that may be relied on."""
    found: list[Call] = []
    begun: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        match = _LINE.match(line)
        if match is None:
            continue
        pid, rest, began = match["pid"], match["rest"], number
        name = match["name"] or match["resumed"]
        if match["resumed"]:
            _, first, began = begun.pop(pid, ("", "", number))
            rest = first + rest
        if rest.rstrip().endswith(_CUT):
            begun[pid] = name, rest.rstrip().removesuffix(_CUT), began
            continue
        text, _, result = rest.rpartition(" = ")
        if result and not result.startswith(("-", "?")):
            target = _TARGET.match(result if name.startswith("open") else text)
            found.append(Call(name, target[1] if target else "", text, began, number))
    return sorted(found, key=lambda call: call.began)


def exchanges_of(calls: Iterable[Call]) -> list[Exchange]:
    """Give the webhooks of a trace in the order in which their requests were read."""
    waiting: dict[str, Call] = {}
    found: list[Exchange] = []
    for call in calls:
        if call.target.startswith(("socket:", "TCP:")):
            if call.name in READS and '"POST /webhooks/' in call.text:
                waiting[call.target] = call
            elif call.name in WRITES and '"HTTP/1.1 ' in call.text and call.target in waiting:
                found.append(Exchange(waiting.pop(call.target), call))
    return sorted(found, key=lambda exchange: exchange.read.began)


class Store(NamedTuple):
    """The calls on one store's files, its write-ahead log among them."""

    name: str
    all_writes: list[Call]
    all_syncs: list[Call]

    @classmethod
    def of(cls, calls: Iterable[Call], name: str) -> "Store":
        """Pick the calls on the SQLite file ``name``."""
        ours = [call for call in calls if call.target.endswith((f"/{name}", f"/{name}-wal"))]
        return cls(name, [call for call in ours if call.name in WRITES], [call for call in ours if call.name in SYNCS])

    def writes(self, since: int, until: int) -> list[Call]:
        """Give the writes that began after one line and before another."""
        return [call for call in self.all_writes if since < call.began < until]

    def unsynced(self, since: int, until: int) -> list[Call]:
        """Give those of them for which no sync of the same file has begun after them and returned in time."""
        syncs = [call for call in self.all_syncs if since < call.began and call.ended < until]
        return [
            write
            for write in self.writes(since, until)
            if not any(sync.target == write.target and sync.began > write.ended for sync in syncs)
        ]


class Trace:
    """A trace as it was read: every call, those on both stores, and the webhooks in the order of their requests."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read it."""
        self.lines = list(lines)
        self.calls = calls_of(self.lines)
        self.keys, self.content = Store.of(self.calls, "keys.db"), Store.of(self.calls, "content.db")
        self.exchanges = exchanges_of(self.calls)

    def without(self, doomed: Callable[[str], bool]) -> "Trace":
        """Give the trace without some of its lines: one that a node with a fault would have left."""
        return Trace(line for line in self.lines if not doomed(line))

    def unsafe(self, exchange: Exchange, wants: Iterable[str] = ("keys", "content")) -> Iterator[str]:
        """Give every way in which one webhook was answered too early, where it was the only one at that time.

        ``wants`` names the stores that it must have written; what is written must be synced in any case.
        """
        span = exchange.read.ended, exchange.answer.began
        for store in (self.keys, self.content):
            if store.name.removesuffix(".db") in wants and not store.writes(*span):
                yield f"nothing was written to {store.name}"
            if store.unsynced(*span):
                yield f"{store.name} was written and not synced before the answer"
        keys, content = self.keys.writes(*span), self.content.writes(*span)
        if any(self.keys.unsynced(span[0], write.began) for write in content):
            yield "content was written before its keys were synced"
        if "keys" in wants and keys and content and keys[-1].began > content[-1].began:
            yield "keys were written after the content"

    def unproven(self, exchange: Exchange) -> bool:
        """Say whether no whole commit, keys first, lies between request and answer; others' may lie there, too."""
        at = exchange.read.ended
        for store in (self.keys, self.content):
            first = next(iter(store.writes(at, exchange.answer.began)), None)
            synced = [
                sync.ended
                for sync in store.all_syncs
                if first and first.target == sync.target and first.ended < sync.began
            ]
            if not synced or synced[0] > exchange.answer.began:
                return True
            at = synced[0]
        return False

    def unnamed(self, exchange: Exchange) -> list[str]:
        """Give the write-ahead logs that were made, and whose folder was not synced, before an answer was written."""
        made: dict[str, int] = {}
        for call in self.calls:
            if call.name.startswith("open") and "O_CREAT" in call.text and call.target.endswith(".db-wal"):
                made.setdefault(call.target, call.ended)
        syncs = [call for call in self.calls if call.name in SYNCS and call.ended < exchange.answer.began]
        return [
            Path(file).name
            for file, at in made.items()
            if not any(sync.target == str(Path(file).parent) and sync.began > at for sync in syncs)
        ]
