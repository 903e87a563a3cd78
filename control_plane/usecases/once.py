"""The same request with the same Idempotency-Key is done once and answered the same.

Source: draft-ietf-httpapi-idempotency-key-header-07 (IETF, 2025-10).

The answer is kept in the very transaction that does the work, so that no crash comes between.  A secret in it is not
kept: it is minted again (:mod:`control_plane.core.minting`).
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from control_plane.core.errors import KeyReused
from control_plane.storage import answers
from control_plane.storage.answers import Kept
from control_plane.storage.work import Store, Work
from shared.database.contract import Transaction


class Made(NamedTuple):
    """What an act made: HTTP status, the answer's content, and the id of the secret that is shown with it once."""

    status: int
    content: msgspec.Struct
    minted: str = ""


class Request(NamedTuple):
    """What makes two requests the same: who asks, under which key, for what."""

    principal: str
    key: str
    """Empty where the request has none."""
    method: str
    path: str
    body: bytes

    @property
    def sha256(self) -> str:
        """The digest of everything but the key."""
        return _sha256(b"\0".join((self.method.encode(), self.path.encode(), self.body)))


async def answered_before(store: Store, request: Request) -> Kept | None:
    """Give the answer that is kept for this key; ``KeyReused`` where it was for something else.

    For acts that are long prepared: :func:`once` still decides who acts.
    """
    if not request.key:
        return None
    async with store.database.read() as t:
        return await _kept_for(t, request)


async def once(store: Store, request: Request, act: Callable[[Work], Awaitable[Made]]) -> Kept:
    """Do ``act`` unless it was done for this key; ``KeyReused`` where the key was used for something else."""
    async with store.work() as work:
        if not request.key:
            return _kept(request, await act(work))
        found = await _kept_for(work.t, request)
        if found is None:
            found = _kept(request, await act(work))
            await answers.keep(work.t, request.principal, _sha256(request.key.encode()), found, work.now)
        return found


async def _kept_for(t: Transaction, request: Request) -> Kept | None:
    """Give the answer that is kept for a key."""
    found = await answers.find(t, request.principal, _sha256(request.key.encode()))
    if found is not None and found.request_sha256 != request.sha256:
        raise KeyReused
    return found


def _kept(request: Request, made: Made) -> Kept:
    """Give an answer as it is kept."""
    return Kept(request.sha256, made.status, msgspec.json.encode(made.content), made.minted)


def _sha256(data: bytes) -> str:
    """Give a digest: the store holds no key and no request."""
    return hashlib.sha256(data).hexdigest()
