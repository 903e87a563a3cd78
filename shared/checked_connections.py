"""Connections to checked addresses: a name is resolved, every number judged, and the first of them connected to.

The name is not resolved again in between, so it cannot be made to point elsewhere after it was checked; TLS still
checks the name's certificate.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

from shared.addresses import Target, judge_numbers

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives the numbers that a host has."""


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver; none where it knows no such host."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)  # SOCK_STREAM
    except (OSError, UnicodeError):  # the latter: a name that cannot be written as one (RFC 3490)
        return []
    return [str(place[4][0]) for place in found]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the numbers of one target, after judging them."""

    def __init__(self, target: Target, resolve_: Resolve) -> None:
        """Take the target."""
        self._target = target
        self._resolve = resolve_
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge, connect; ``AddressRefused`` before anything is sent."""
        number = judge_numbers(self._target, await self._resolve(host, port))
        return await self._inner.connect_tcp(number, port, timeout, local_address, socket_options)
