"""The relay listener: what other nodes of the roster say and ask, each request signed, each answer too.

Raw ASGI like the webhooks: the signature covers the raw bytes.  Unknown node, retired node, bad signature, replay: 401
with an empty body, counted, and nothing of it logged.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, cast

from litestar.types import ASGIApp

from edge_node.http.answers import RETRY_AFTER_SECONDS, answer, answer_error
from edge_node.http.body import Disconnected, Receive, Scope, Send, read_body
from edge_node.metrics import Metrics
from edge_node.usecases.company.members import Company, Member, member
from edge_node.usecases.governing.border import Border
from shared import wire
from shared.clock import Clock
from shared.errors import BusyError, CallerError, HomeportError, SealBroken
from shared.errors.trust import ProtocolTooNew, ProtocolTooOld, RequestRefused, RequestReplayed, WireMalformed
from shared.http_signatures import Request, sign_answer, verify_request
from shared.limits import BODY_BYTES_MAX, BODY_SECONDS_MAX
from shared.nonces import NonceMemory, refuse_replay
from shared.roster import Node
from shared.telemetry import logger
from shared.wire import Message
from shared.wire.paths import PATHS, TAG
from shared.wire.types import RelayProblemCode

RELAY_BYTES_MAX = 3 * BODY_BYTES_MAX
"""A body: the largest ciphertext of the wire, in base64, with its frame."""

Handler = Callable[[Member, Node, Any], Awaitable[Message]]
"""Answers one kind of message; gets this node, the node that sent it, and the message."""

_TYPES = {path: type_ for type_, path in PATHS.items()}
_JSON = (b"content-type", b"application/json")
_OWN_STATE = (wire.RelayAnswer, wire.ViewRefused, wire.RelayProblem)
"""Answers that say nothing of a person; for those that do, whoever makes them has asked the policy."""
_OK, _BAD, _FORBIDDEN, _BUSY = 200, 400, 403, 503


class _Asked(NamedTuple):
    """A request of another node, proved."""

    here: Member
    sender: Node
    request: Request


class RelayDoor:
    """Answers the relay listener."""

    def __init__(
        self,
        company: Company,
        handlers: Mapping[type[Message], Handler],
        nonces: NonceMemory,
        border: Border,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Take who this node is, what answers each message, where nonces are remembered, and what asks the policy."""
        self._company = company
        self._handlers = handlers
        self._nonces = nonces
        self._border = border
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        type_ = _TYPES.get(scope["path"])
        if type_ is None or scope["method"] != "POST":
            await answer(send, 404 if type_ is None else 405)
            return
        try:
            body = await read_body(scope, receive, RELAY_BYTES_MAX, BODY_SECONDS_MAX)
            asked = await self._prove(scope, body)
        except Disconnected:
            return
        except (RequestRefused, RequestReplayed) as error:
            self._metrics.peers.relay_refused.labels(str(error.details.get("reason", error.code))).inc()
            await answer(send, 401)
            return
        except (CallerError, BusyError) as error:
            await answer_error(send, error)
            return
        status, message = await self._handle(asked, type_)
        await self._answer(send, asked, status, message)

    async def _prove(self, scope: Scope, body: bytes) -> _Asked:
        """Find out which node of the roster sent this, and that it did so once."""
        here = member(self._company)
        authority = here.authority if here is not None else None
        if here is None or authority is None:
            raise RequestRefused(reason="not_enrolled")
        query = scope["query_string"].decode("latin-1")
        url = authority + scope["path"] + (f"?{query}" if query else "")
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        request = Request(scope["method"], url, fields, body)

        def key_of(name: str) -> bytes | None:
            node = here.other(name)
            return node.keys.ed25519 if node is not None else None

        now = self._clock.now()
        signed = verify_request(request, key_of, tag=TAG, now_ms=now)
        await refuse_replay(self._nonces, signed, now_ms=now)
        sender = here.other(signed.keyid)
        if sender is None:
            raise RequestRefused(reason="signature")
        return _Asked(here, sender, request)

    async def _handle(self, asked: _Asked, type_: type[Message]) -> tuple[int, Message]:
        """Read the message and have it answered; whatever goes wrong becomes a code."""
        try:
            message = wire.decode(type_, asked.request.body)
            done = await self._handlers[type_](asked.here, asked.sender, message)
        except (ProtocolTooOld, ProtocolTooNew, WireMalformed, SealBroken) as error:
            return _BAD, _problem(cast("RelayProblemCode", error.code))
        except BusyError:
            return _BUSY, _problem("busy")
        except Exception as error:  # noqa: BLE001 - the last frame: a fault of ours is answered, its text may hold words
            code = error.code if isinstance(error, HomeportError) else "unforeseen"
            logger().error("alert_relay_failed", error=type(error).__name__, code=code)
            return _BUSY, _problem("busy")
        return (_FORBIDDEN if isinstance(done, wire.ViewRefused | wire.RelayProblem) else _OK), done

    async def _answer(self, send: Send, asked: _Asked, status: int, message: Message) -> None:
        """Sign and send an answer; where the policy lets not even a refusal leave, an empty one that says nothing."""
        if isinstance(message, _OWN_STATE) and not self._border.ask(type(message), asked.sender.region).allowed:
            await answer(send, _FORBIDDEN)
            return
        body, this = wire.encode(message), asked.here.self
        signed = sign_answer(
            asked.request, status, body, this.signing, keyid=this.name, tag=TAG, now_ms=self._clock.now()
        )
        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in signed)
        retry = ((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),) if status == _BUSY else ()
        await answer(send, status, body, (_JSON, *headers, *retry))


def relay_app(door: RelayDoor) -> ASGIApp:
    """Give the listener's application."""
    return cast("ASGIApp", door)


def _problem(code: RelayProblemCode) -> wire.RelayProblem:
    """Name what went wrong."""
    return wire.RelayProblem(protocol=wire.PROTOCOL, code=code)
