"""The platforms' rate limits, as token buckets over the stand-ins' clock.

WhatsApp: 80 messages a second and number; a message each 6 s to one person, with a burst of 45 (throughput,
2026-05-21; about-the-platform, 2025-12-05).  LINE: 2,000 requests a second, channel and endpoint, 200 for multicast
(reference, rate limits, 2026-08-07).
"""

PAIR_BURST = 45
PAIR_PER_SECOND = 1 / 6


class Buckets:
    """Token buckets by name, each filled at its rate up to its burst."""

    def __init__(self) -> None:
        """Begin with every bucket full."""
        self._levels: dict[tuple[str, ...], tuple[float, int]] = {}

    def take(self, name: tuple[str, ...], *, per_second: float, burst: float, now: int) -> bool:
        """Take one token at ``now`` (ms); ``False`` where there is none."""
        level, at = self._levels.get(name, (burst, now))
        level = min(burst, level + (now - at) / 1000 * per_second)
        granted = level >= 1
        self._levels[name] = (level - 1 if granted else level, now)
        return granted
