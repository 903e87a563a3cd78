"""The public listener: the platforms' webhooks and nothing else.

The webhook handler is raw ASGI, because the signature covers the raw bytes and because every layer between socket and
handler costs each message.
"""

from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp

from edge_node.channels.contract import Channel
from edge_node.http.answers import answer, answer_error, answer_text
from edge_node.http.body import Disconnected, Receive, Scope, Send, header, read_body
from edge_node.http.handshake import read_query
from edge_node.metrics import Metrics
from edge_node.usecases.receiving.bus import BusIntake
from edge_node.usecases.receiving.handshake import Handshake
from edge_node.usecases.receiving.intake import Intake
from shared.errors import HomeportError, StoreUnavailable
from shared.telemetry import logger


class BodyLimits(msgspec.Struct, frozen=True):
    """How large a body may be (bytes) and how long it may take to arrive (seconds)."""

    bytes_max: int
    seconds_max: float


class Webhooks:
    """Answers the webhooks of one channel."""

    def __init__(
        self,
        channel: Channel,
        intake: Intake,
        handshake: Handshake | None,
        metrics: Metrics,
        limits: BodyLimits,
        bus: BusIntake | None = None,
    ) -> None:
        """Take the channel and what receives for it; ``handshake`` and ``bus`` where the channel has one."""
        self._channel = channel
        self._intake = intake
        self._bus = bus
        self._handshake = handshake
        self._metrics = metrics
        self._limits = limits

    async def answer(self, account: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for ``account``; whatever happens, the answer says nothing of what was sent."""
        try:
            status = await self._answer(account, scope, receive, send)
        except Disconnected:
            return
        except HomeportError as error:
            status = error.status
            await answer_error(send, error)
        except Exception as error:  # noqa: BLE001 - the last frame: a fault of ours is answered so that the platform repeats
            logger().error("alert_webhook_failed", error=type(error).__name__, channel=self._channel.name)
            status = 503
            await answer_error(send, StoreUnavailable())
        self._metrics.answered(self._channel.name, status)

    async def _answer(self, account: str, scope: Scope, receive: Receive, send: Send) -> int:
        """Take a POST in, answer a GET as the handshake, and turn other methods away."""
        method = scope["method"]
        if method == "POST":
            body = await read_body(scope, receive, self._limits.bytes_max, self._limits.seconds_max)
            bus = self._bus
            if bus is not None and bus.sends(header(scope["headers"], b"content-type")):
                await bus.receive(account, body, header(scope["headers"], bus.signature_header))
                await answer(send, 200)
                return 200
            signature = header(scope["headers"], self._channel.signature_header)
            await self._intake.receive(self._channel.name, account, body, signature)
            await answer(send, 200)
            return 200
        if method == "GET" and self._handshake is not None:
            await answer_text(send, self._handshake.answer(account, read_query(scope["query_string"])))
            return 200
        allowed = b"GET, POST" if self._handshake is not None else b"POST"
        await answer(send, 405, b"", ((b"allow", allowed),))
        return 405


def public_app(webhooks: dict[str, Webhooks]) -> ASGIApp:
    """Build the application: one address per channel and account, ``/webhooks/{channel}/{account}``.

    Webhooks are taken out before Litestar's router, which would cost each of them more than its signature does
    (deploy/decisions/0006); whatever else is asked for is Litestar's to answer.
    """
    others = Litestar(route_handlers=[], openapi_config=None, logging_config=None, debug=False)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            parts = scope["path"].split("/", 3)
            if len(parts) == 4 and parts[1] == "webhooks" and parts[2] in webhooks:
                account = parts[3].removesuffix("/")
                # More than one segment names no account, and is answered like an unknown one.
                await webhooks[parts[2]].answer("" if "/" in account else account, scope, receive, send)
                return
        await others(cast("Any", scope), cast("Any", receive), cast("Any", send))

    return cast("ASGIApp", app)
