"""A stream looks at its token also while there is always more to say."""

from types import SimpleNamespace

from control_plane.http import api_events
from control_plane.metrics import Metrics
from control_plane.usecases.signals import Signals
from shared.clock import SystemClock


async def test_a_removed_token_ends_a_stream_that_never_falls_silent(monkeypatch):
    clock = SystemClock()
    plane = SimpleNamespace(
        store=SimpleNamespace(clock=clock),
        settings=SimpleNamespace(heartbeat_seconds=0.01),
        metrics=Metrics(),
        signals=Signals(clock),
    )

    async def always_more(_plane, number):
        await clock.sleep(0.002)
        return b"id: 1\n\n", number + 1

    async def removed(_request):
        return False

    monkeypatch.setattr(api_events, "_page", always_more)
    monkeypatch.setattr(api_events, "_still_allowed", removed)
    said = []
    async for text in api_events._follow(None, plane, 0, "crm"):
        said.append(text)
        assert len(said) < 100
    assert len(said) > 1
    assert plane.signals.streams == {}
