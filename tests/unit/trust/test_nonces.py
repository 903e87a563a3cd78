"""The memory of nonces: each once, forgotten when it may be, and never a request taken unremembered."""

import pytest

from shared.errors import QueueFull
from shared.nonces import ProcessNonces


async def test_a_nonce_counts_once_while_it_is_remembered():
    """To the last millisecond; of another key it is another nonce."""
    memory = ProcessNonces()
    assert await memory.add("eu", "n", 100, 0)
    assert not await memory.add("eu", "n", 100, 100)
    assert await memory.add("ap", "n", 100, 100)
    assert await memory.add("eu", "n", 200, 101)


async def test_memory_is_bounded_by_time():
    """What is over is let go, in whatever order it came."""
    memory = ProcessNonces(nonces_max=3)
    for name, until in (("c", 30), ("a", 10), ("b", 20)):
        assert await memory.add("eu", name, until, 0)
    with pytest.raises(QueueFull):
        await memory.add("eu", "d", 40, 10)
    assert await memory.add("eu", "d", 40, 11)
    assert not await memory.add("eu", "c", 30, 11)


async def test_a_full_memory_still_knows_a_replay():
    """Full is full for what is new; what is remembered is still refused as seen."""
    memory = ProcessNonces(nonces_max=1)
    assert await memory.add("eu", "n", 100, 0)
    assert not await memory.add("eu", "n", 100, 0)
    with pytest.raises(QueueFull):
        await memory.add("eu", "m", 100, 0)
