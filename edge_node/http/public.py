"""The public listener: the platforms' webhooks and nothing else.

The webhook handler is raw ASGI, because the signature covers the raw bytes and because every layer between socket and
handler costs each message; a webhook that arrives whole does without ASGI's task and messages, too.
"""

import asyncio
from functools import partial
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp

from edge_node.channels.contract import Channel
from edge_node.http.answers import answer, answer_error, answer_text, error_response
from edge_node.http.body import Disconnected, Receive, Scope, Send, header, read_body
from edge_node.http.handshake import read_query
from edge_node.metrics import Metrics
from edge_node.usecases.receiving.bus import BusIntake
from edge_node.usecases.receiving.handshake import Handshake
from edge_node.usecases.receiving.intake import Intake
from shared.errors import HomeportError, StoreUnavailable
from shared.process.protocol import Respond
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
        except Exception as error:  # noqa: BLE001 - the last frame: a fault of ours is answered so that the platform repeats
            known = self._known(error)
            status = known.status
            await answer_error(send, known)
        self._metrics.answered(self._channel.name, status)

    def begin(self, account: str, scope: Scope, body: bytes, respond: Respond) -> bool:
        """Begin to take a whole POST in, which is answered later; ``False`` where :meth:`answer` has to look at it."""
        headers = scope["headers"]
        if (
            scope["method"] != "POST"
            or len(body) > self._limits.bytes_max
            or header(headers, b"content-encoding") is not None
            or (self._bus is not None and self._bus.sends(header(headers, b"content-type")))
        ):
            return False
        signature = header(headers, self._channel.signature_header)
        try:
            done = self._intake.begin(self._channel.name, account, body, signature)
        except Exception as error:  # noqa: BLE001 - as in ``answer``
            self._respond(respond, error)
        else:
            done.add_done_callback(partial(self._end, respond))
        return True

    def _end(self, respond: Respond, done: asyncio.Future[None]) -> None:
        """Answer a webhook that is safe, or could not be taken in."""
        self._respond(respond, StoreUnavailable() if done.cancelled() else done.exception())

    def _respond(self, respond: Respond, error: BaseException | None) -> None:
        """Answer 200, or what an error says."""
        if error is None:
            status = 200
            respond(200, b"", ())
        else:
            response = error_response(self._known(error))
            status = response[0]
            respond(*response)
        self._metrics.answered(self._channel.name, status)

    def _known(self, error: BaseException) -> HomeportError:
        """Give an error of the catalogue; another one raises an alert, and the platform is to send again."""
        if isinstance(error, HomeportError):
            return error
        logger().error("alert_webhook_failed", error=type(error).__name__, channel=self._channel.name)
        return StoreUnavailable()

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


class PublicApp:
    """The application: one address per channel and account, ``/webhooks/{channel}/{account}``.

    Webhooks are taken out before Litestar's router, which would cost each of them more than its signature does
    (deploy/decisions/0006); whatever else is asked for is Litestar's to answer.
    """

    def __init__(self, webhooks: dict[str, Webhooks]) -> None:
        """Take what answers for each channel."""
        self._webhooks = webhooks
        self._others = Litestar(route_handlers=[], openapi_config=None, logging_config=None, debug=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._find(scope)
        if found is not None:
            await found[0].answer(found[1], scope, receive, send)
            return
        await self._others(cast("Any", scope), cast("Any", receive), cast("Any", send))

    def begin(self, scope: Scope, body: bytes, respond: Respond) -> bool:
        """Begin to take a webhook in that is whole (:class:`shared.process.protocol.Beginner`)."""
        found = self._find(scope)
        return found is not None and found[0].begin(found[1], scope, body, respond)

    def _find(self, scope: Scope) -> tuple[Webhooks, str] | None:
        """Give who answers for a webhook's address, and the name of the account; more than one segment names none."""
        if scope["type"] != "http":
            return None
        parts = scope["path"].split("/", 3)
        if len(parts) != 4 or parts[1] != "webhooks" or parts[2] not in self._webhooks:
            return None
        account = parts[3].removesuffix("/")
        # More than one segment names no account, and is answered like an unknown one.
        return self._webhooks[parts[2]], "" if "/" in account else account


def public_app(webhooks: dict[str, Webhooks]) -> ASGIApp:
    """Build the application."""
    return cast("ASGIApp", PublicApp(webhooks))
