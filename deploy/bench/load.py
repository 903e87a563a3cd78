"""Load over HTTP/1.1 connections that stay open, without an HTTP client in the way.

Closed loop: each connection sends its next request when the last one is answered; gives the top rate.  Open loop:
requests leave on a schedule whatever the answers do, and a latency counts from the moment the schedule named, so a
server that falls behind cannot hide it.
"""

import asyncio
import gc
import random
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import msgspec

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_EMPTY = b"content-length: 0\r\n"
_DRAIN_SECONDS = 60.0

Answered = Callable[["Connection", int], None]


class LoadFailed(RuntimeError):
    """The server closed a connection or did not answer: there is nothing to measure."""


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, answered: Answered, broken: Callable[[], None]) -> None:
        """Call ``answered`` with the status of each answer, ``broken`` if the server hangs up."""
        self._answered = answered
        self._broken = broken
        self._buffer = b""
        self.transport: asyncio.WriteTransport
        self.due = 0.0
        """When the request under way was to be sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; uvloop's is no subclass of asyncio's."""
        self.transport = cast("asyncio.WriteTransport", transport)

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take in a part of an answer."""
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        if _EMPTY not in data:
            found = _LENGTH.search(data, 0, end + 2)
            if found is None or len(data) < end + 4 + int(found[1]):
                self._buffer = data
                return
        self._buffer = b""
        self._answered(self, int(data[9:12]))

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that the server, or we, closed it."""
        self._broken()

    def close(self) -> None:
        """Close it from our side."""
        self._broken = lambda: None
        self.transport.close()


class Burst(msgspec.Struct):
    """What came of a load."""

    acknowledged: int = 0
    """Answers 200, all of them."""
    refused: int = 0
    """Other answers."""
    rate: float = 0.0
    """Answers a second within the measured window; 0 for an open loop."""
    latencies: list[float] = msgspec.field(default_factory=list)
    """Seconds from schedule to answer, sorted; of an open loop."""

    def quantile(self, share: float) -> float:
        """Give the latency that ``share`` of the requests did not exceed, in milliseconds."""
        return self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)] * 1_000


class _Run:
    """What both loops share: connections, counts, and an end."""

    def __init__(self) -> None:
        self.burst = Burst()
        self.connections: list[Connection] = []
        self.under_way = 0
        self.over = asyncio.get_running_loop().create_future()

    async def connect(self, port: int, count: int) -> None:
        """Open the connections."""
        for _ in range(count):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self.answered, self.broken), "127.0.0.1", port
            )
            self.connections.append(connection)

    def answered(self, connection: Connection, status: int) -> None:
        """Take an answer: each way of loading says what it does with it."""

    def broken(self) -> None:
        """End: a connection was closed by the server."""
        if not self.over.done():
            self.over.set_exception(LoadFailed("the server closed a connection"))

    def count(self, status: int) -> None:
        """Count an answer."""
        self.under_way -= 1
        if status == 200:
            self.burst.acknowledged += 1
        else:
            self.burst.refused += 1

    async def finish(self, seconds: float) -> Burst:
        """Wait for the last answer, close, and give what came of it."""
        gc.collect()
        gc.disable()  # a pause of ours would be measured as the server's
        try:
            await asyncio.wait_for(self.over, seconds + _DRAIN_SECONDS)
        except TimeoutError:
            raise LoadFailed("no answer within a minute") from None
        finally:
            gc.enable()
            for connection in self.connections:
                connection.close()
        return self.burst


class _Closed(_Run):
    """A closed loop over ``requests`` or until told to stop."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        super().__init__()
        self._requests = requests
        self._began = self._ended = (0.0, 0)

    def start(self, warm: float, seconds: float) -> None:
        """Send the first request of each connection; measure from ``warm`` seconds on, for ``seconds``."""
        loop = asyncio.get_running_loop()
        self._began = (time.perf_counter(), 0)
        loop.call_later(warm, self._mark)
        loop.call_later(warm + seconds, self._stop)
        for connection in self.connections:
            self._next(connection)

    def answered(self, connection: Connection, status: int) -> None:
        """Count, and send the next."""
        self.count(status)
        self._next(connection)

    def _next(self, connection: Connection) -> None:
        request = next(self._requests, None) if not self._ended[1] else None
        if request is not None:
            self.under_way += 1
            connection.send(request)
            return
        self._stop()
        if not self.under_way and not self.over.done():
            (began, before), (ended, after) = self._began, self._ended
            self.burst.rate = (after - before) / (ended - began) if after > before else 0.0
            self.over.set_result(None)

    def _mark(self) -> None:
        """Begin to measure, unless it is over already."""
        if not self._ended[1]:
            self._began = (time.perf_counter(), self.burst.acknowledged)

    def _stop(self) -> None:
        """End the measured window; requests under way are still waited for."""
        if not self._ended[1] and self.burst.acknowledged:
            self._ended = (time.perf_counter(), self.burst.acknowledged)


class Steady(_Run):
    """A closed loop over requests that are handed in in portions; whoever measures reads ``burst`` as it goes on."""

    def __init__(self) -> None:
        """Send nothing yet."""
        super().__init__()
        self._requests: Iterator[bytes] = iter(())
        self._heard = asyncio.Event()

    async def answer(self) -> None:
        """Wait for the next answer."""
        self._heard.clear()
        await self._heard.wait()

    def begin(self, requests: Iterator[bytes]) -> None:
        """Send as fast as answers come."""
        self._requests, self.over = requests, asyncio.get_running_loop().create_future()
        for connection in self.connections:
            self._next(connection)

    async def end(self) -> None:
        """Send no more, and wait for the answers to what is under way; raises ``LoadFailed``."""
        self._requests = iter(())
        try:
            await asyncio.wait_for(self.over, _DRAIN_SECONDS)
        except TimeoutError:
            raise LoadFailed("no answer within a minute") from None

    def answered(self, connection: Connection, status: int) -> None:
        """Count, and send the next."""
        self.count(status)
        self._heard.set()
        self._next(connection)

    def close(self) -> None:
        """Close the connections."""
        for connection in self.connections:
            connection.close()

    def _next(self, connection: Connection) -> None:
        request = next(self._requests, None)
        if request is not None:
            self.under_way += 1
            connection.send(request)
        elif not self.under_way and not self.over.done():
            self.over.set_result(None)


class _Open(_Run):
    """An open loop: ``requests`` leave when ``due`` says, counted in seconds from the start."""

    def __init__(self, requests: Sequence[bytes], due: Sequence[float], warm: float) -> None:
        super().__init__()
        self._requests, self._due, self._warm = requests, due, warm
        self._sent = 0
        self._idle: deque[Connection] = deque()
        self._start = 0.0

    def start(self) -> None:
        """Begin the schedule."""
        self._idle.extend(self.connections)
        self._start = time.perf_counter()
        self._pump()

    def answered(self, connection: Connection, status: int) -> None:
        """Take the latency, and give the connection back."""
        now = time.perf_counter() - self._start
        if connection.due >= self._warm:
            self.burst.latencies.append(now - connection.due)
        self.count(status)
        self._idle.append(connection)
        if not self.under_way and self._sent == len(self._due) and not self.over.done():
            self.burst.latencies.sort()
            self.over.set_result(None)

    def _pump(self) -> None:
        """Send what is due, then look again at once: this core has nothing else to do, and a timer is too coarse."""
        now = time.perf_counter() - self._start
        while self._sent < len(self._due) and self._due[self._sent] <= now and self._idle:
            connection = self._idle.popleft()
            connection.due = self._due[self._sent]
            connection.send(self._requests[self._sent])
            self._sent += 1
            self.under_way += 1
        if self._sent < len(self._due) and not self.over.done():
            asyncio.get_running_loop().call_soon(self._pump)


async def closed_loop(port: int, requests: Iterator[bytes], *, connections: int, warm: float, seconds: float) -> Burst:
    """Send as fast as answers come, for ``seconds`` after ``warm`` seconds, or until ``requests`` end.

    Raises ``LoadFailed``.
    """
    run = _Closed(requests)
    await run.connect(port, connections)
    run.start(warm, seconds)
    return await run.finish(warm + seconds)


async def open_loop(
    port: int, requests: Sequence[bytes], rate: float, *, connections: int = 256, warm: float, seed: int
) -> Burst:
    """Send ``requests`` at ``rate`` a second on average, in random order of gaps as independent senders do (Poisson).

    Latencies of what was due in the first ``warm`` seconds are left out.  Raises ``LoadFailed``.
    """
    chance = random.Random(seed)  # noqa: S311  gaps keep no secret
    due, at = [], 0.0
    for _ in requests:
        at += chance.expovariate(rate)
        due.append(at)
    run = _Open(requests, due, warm)
    await run.connect(port, connections)
    run.start()
    return await run.finish(at)
