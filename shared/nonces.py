"""Nonces of signed requests: tells whether one was seen before.

A nonce need be remembered only while its signature would still be accepted: a signature made at ``created`` is accepted
until ``created + skew``.  Only nonces of verified requests are asked about, so a stranger cannot fill the memory.

A memory in the process forgets when the process ends; a request could then be replayed for as long as its signature
still holds.  Effects are idempotent, so that does no harm by itself; a program that wants none of it keeps its nonces
in a store, behind the same protocol.
"""

import heapq
from typing import Protocol

from shared.errors import QueueFull
from shared.errors.trust import RequestReplayed
from shared.http_signatures import SKEW_MS, Signed

NONCES_MAX = 1_000_000
"""Nonces that may be remembered at once: far above what a company's nodes send in two minutes."""


class NonceMemory(Protocol):
    """Where nonces are remembered."""

    async def add(self, keyid: str, nonce: str, until_ms: int, now_ms: int) -> bool:
        """Remember a nonce until ``until_ms``; ``False`` where it is remembered already.  One step, no race."""
        ...


class ProcessNonces:
    """Nonces in this process's memory."""

    def __init__(self, *, nonces_max: int = NONCES_MAX) -> None:
        """Take how many nonces may be remembered at once."""
        self._max = nonces_max
        self._known: set[tuple[str, str]] = set()
        self._ends: list[tuple[int, str, str]] = []

    async def add(self, keyid: str, nonce: str, until_ms: int, now_ms: int) -> bool:
        """Remember a nonce; when there is no room for it, ``QueueFull``: never take a request unremembered."""
        while self._ends and self._ends[0][0] < now_ms:
            _, *old = heapq.heappop(self._ends)
            self._known.discard((old[0], old[1]))
        if (keyid, nonce) in self._known:
            return False
        if len(self._known) >= self._max:
            raise QueueFull(waiting=len(self._known))
        self._known.add((keyid, nonce))
        heapq.heappush(self._ends, (until_ms, keyid, nonce))
        return True


async def refuse_replay(memory: NonceMemory, signed: Signed, *, now_ms: int, skew_ms: int = SKEW_MS) -> None:
    """Remember a verified request's nonce; ``RequestReplayed`` where it was seen before."""
    if not await memory.add(signed.keyid, signed.nonce, signed.created_ms + skew_ms, now_ms):
        raise RequestReplayed
