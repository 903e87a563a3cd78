"""Waiting: a commit here wakes at once, one of another process is found by looking, a closing process lets go."""

import asyncio

import pytest

from control_plane.usecases import signals
from control_plane.usecases.signals import Signals
from shared.clock import SystemClock


@pytest.fixture
def only_woken(monkeypatch):
    """Let a waiting request look at the store only when it is woken."""
    monkeypatch.setattr(signals, "LOOK_SECONDS", 1_000.0)


class Shelf:
    """Something that is empty until it is filled, and counts who looks."""

    def __init__(self) -> None:
        self.found: list[int] = []
        self.looks = 0
        self.looked = asyncio.Event()

    async def look(self) -> list[int]:
        """Give what is there."""
        self.looks += 1
        self.looked.set()
        return self.found


async def waiting(shelf, many, seconds=1_000.0, node="eu"):
    """Begin to wait, and come back once it has looked."""
    task = asyncio.create_task(many.poll(node, seconds, shelf.look))
    await shelf.looked.wait()
    return task


async def test_a_commit_wakes_the_node_it_is_for_and_no_other(only_woken):
    many, eu, ap = Signals(SystemClock()), Shelf(), Shelf()
    first, second = await waiting(eu, many), await waiting(ap, many, node="ap")
    assert many.waiting == 2
    eu.found = [1]
    many.told({"eu", "unknown"}, 0)
    assert await asyncio.wait_for(first, 10) == [1]
    assert (eu.looks, ap.looks, many.waiting) == (2, 1, 1)
    many.close()
    assert await asyncio.wait_for(second, 10) == []


async def test_a_commit_between_look_and_wait_is_not_missed(only_woken):
    many, shelf = Signals(SystemClock()), Shelf()

    async def look():
        await shelf.look()
        if shelf.looks == 1:
            many.told({"eu"}, 0)  # what another request of this process commits right now
            return []
        return [2]

    assert await asyncio.wait_for(many.poll("eu", 1_000, look), 10) == [2]


async def test_what_another_process_wrote_is_found_by_looking(monkeypatch):
    monkeypatch.setattr(signals, "LOOK_SECONDS", 0.01)
    many, shelf = Signals(SystemClock()), Shelf()
    task = await waiting(shelf, many)
    shelf.found = [3]
    assert await asyncio.wait_for(task, 10) == [3]


async def test_nobody_waits_longer_than_was_asked_for(only_woken):
    many, shelf = Signals(SystemClock()), Shelf()
    assert await asyncio.wait_for(many.poll("eu", 0.01, shelf.look), 10) == []
    assert many.waiting == 0


async def test_an_event_after_the_mark_is_not_missed(only_woken):
    many = Signals(SystemClock())
    mark = many.mark
    many.told(set(), 7)
    await asyncio.wait_for(many.wait_events(mark, 1_000), 10)
    many.close()
    await asyncio.wait_for(many.wait_events(many.mark, 1_000), 10)
