"""Lets something happen right before a call of ours, once: what another process does at that very moment."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Act = Callable[[], Awaitable[Any]]


class Between:
    """Interposes acts before functions, as ``monkeypatch`` names them; each act happens at one call only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take what puts everything back at the end of the test."""
        self._monkeypatch = monkeypatch

    def before(self, target: Any, name: str, act: Act, *, when: Callable[..., bool] = lambda *_: True) -> None:
        """Do ``act`` right before the first call of ``target.name`` whose arguments satisfy ``when``."""
        real, waiting = getattr(target, name), [act]

        async def call(*arguments: Any, **named: Any) -> Any:
            if waiting and when(*arguments):
                await waiting.pop()()
            return await real(*arguments, **named)

        self._monkeypatch.setattr(target, name, call)


class Died(BaseException):
    """The process ended here; nothing of ours catches it."""


async def die() -> None:
    """End the process's life."""
    raise Died
