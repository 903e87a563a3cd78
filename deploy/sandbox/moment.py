"""The time by the stand-ins' clock, in milliseconds since the epoch."""

from shared.clock import SystemClock

_CLOCK = SystemClock()


def now_ms() -> int:
    """Give the present instant."""
    return _CLOCK.now()
