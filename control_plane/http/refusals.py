"""Refused requests: each is counted, and the log gets one line a minute for each reason, so that nobody can fill it."""

from control_plane.metrics import Metrics
from shared.clock import Clock
from shared.telemetry import logger

_QUIET_SECONDS = 60.0


class Refusals:
    """Counts refusals by reason."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        """Begin with none."""
        self._metrics = metrics
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def count(self, reason: str) -> None:
        """Count one refusal for a reason, which is a code of ours and holds nothing of the request."""
        self._metrics.refused.labels(reason).inc()
        now = self._clock.elapsed()
        said, unsaid = self._said.get(reason, (now - _QUIET_SECONDS, 0))
        if now - said >= _QUIET_SECONDS:
            logger().warning("request_refused", reason=reason, count=unsaid + 1)
            self._said[reason] = (now, 0)
        else:
            self._said[reason] = (said, unsaid + 1)
