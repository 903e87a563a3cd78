"""The private listener: is the process alive, may it be sent traffic, and its numbers.  Not for the internet."""

from collections.abc import Awaitable, Callable

from litestar import Litestar, Response, get
from litestar.types import ASGIApp

from control_plane.metrics import Metrics

Readiness = Callable[[], Awaitable[dict[str, str]]]
"""Gives what is not ready, by part; empty where all is."""

_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def private_app(metrics: Metrics, readiness: Readiness) -> ASGIApp:
    """Build the application."""

    @get("/health/live", sync_to_thread=False)
    def live() -> dict[str, str]:
        """Say that the event loop answers."""
        return {"state": "live"}

    @get("/health/ready")
    async def ready() -> Response[dict[str, str]]:
        """Say whether a case would be taken now; 503 names the part that is not ready."""
        missing = await readiness()
        return Response(missing or {"state": "ready"}, status_code=503 if missing else 200)

    @get("/metrics", sync_to_thread=False)
    def numbers() -> Response[bytes]:
        """Give the metrics in Prometheus' text format."""
        return Response(metrics.exposition(), media_type=_EXPOSITION)

    return Litestar(route_handlers=[live, ready, numbers], openapi_config=None, logging_config=None, debug=False)
