"""One signed question to another node and its signed answer, over a direct connection to the roster's address."""

import asyncio

import httpx

from edge_node.usecases.company.members import Company, member_or_refuse
from edge_node.vouching import trusted
from shared import wire
from shared.addresses import program_address_fault
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors.relay import NodeUnknown, NodeUnreachable
from shared.errors.trust import AnswerRefused, ProtocolTooNew, ProtocolTooOld, WireMalformed
from shared.http_signatures import Request, sign_request, verify_answer
from shared.ids import draw_opaque_id
from shared.roster import Node
from shared.wire import Message
from shared.wire.paths import ANSWERS, PATHS, TAG

ANSWER_BYTES_MAX = 16 * 1024 * 1024
"""A page of fifty messages with long texts is far below it."""

_TYPE = ("content-type", "application/json")
_CONNECTIONS_MAX = 64


class RelayClient:
    """Asks other nodes; one for a process, closed with it."""

    def __init__(self, company: Company, clock: Clock, entropy: Entropy, *, ca_file: str | None = None) -> None:
        """Take who this node is, time and chance; connections are made when something is asked.

        ``ca_file`` replaces the public authorities: ``SettingsInvalid`` where it holds no certificates.
        """
        self._company = company
        self._clock = clock
        self._entropy = entropy
        self._http = httpx.AsyncClient(
            verify=trusted(ca_file, "relay.ca_file"),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=_CONNECTIONS_MAX, keepalive_expiry=30.0),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def ask(self, node: str, message: Message, seconds_max: float) -> Message:
        """Send ``message`` to ``node`` and give its answer, which may be a ``RelayProblem``, within ``seconds_max``.

        Raises ``NodeUnknown`` where the roster in force has no such node with a relay address, ``NodeUnreachable``
        (reason) where that address is none for pseudonyms (plain http off this machine), or no answer came in time that
        the node signed for this request.
        """
        here = member_or_refuse(self._company)
        peer = here.other(node)
        if peer is None or peer.relay is None:
            raise NodeUnknown(node=node)
        fault = program_address_fault(peer.relay)
        if fault is not None:
            raise NodeUnreachable(reason=fault)
        request = sign_request(
            Request("POST", peer.relay + PATHS[type(message)], (_TYPE,), wire.encode(message)),
            here.self.signing,
            keyid=here.self.name,
            tag=TAG,
            nonce=draw_opaque_id(self._entropy),
            now_ms=self._clock.now(),
        )
        answer, body = await self._send(request, seconds_max)
        self._verify(request, answer, body, peer)
        return _read(message, body)

    async def _send(self, request: Request, seconds_max: float) -> tuple[httpx.Response, bytes]:
        """Send a request and read its answer, both within the time."""
        try:
            async with asyncio.timeout(seconds_max):
                sent = self._http.build_request(
                    request.method,
                    request.url,
                    headers=list(request.fields),
                    content=request.body,
                    timeout=seconds_max,
                )
                answer = await self._http.send(sent, stream=True)
                try:
                    return answer, await _read_bounded(answer)
                finally:
                    await answer.aclose()
        except (httpx.TimeoutException, TimeoutError):
            raise NodeUnreachable(reason="timeout") from None
        except (httpx.InvalidURL, UnicodeError):
            raise NodeUnreachable(reason="address") from None
        except httpx.HTTPError as error:
            raise NodeUnreachable(reason=type(error).__name__) from None

    def _verify(self, request: Request, answer: httpx.Response, body: bytes, peer: Node) -> None:
        """Believe nothing that the node did not sign for this request."""
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
        try:
            verify_answer(
                request,
                answer.status_code,
                fields,
                body,
                peer.keys.ed25519,
                keyid=peer.name,
                tag=TAG,
                now_ms=self._clock.now(),
            )
        except AnswerRefused as refused:
            raise NodeUnreachable(reason=f"answer_{refused.details['reason']}", status=answer.status_code) from None


def _read(message: Message, body: bytes) -> Message:
    """Read an answer as one of those that the message can have."""
    possible: tuple[type[Message], ...] = (*ANSWERS[type(message)], wire.RelayProblem)
    for type_ in possible:
        try:
            return wire.decode(type_, body)
        except WireMalformed:
            continue
        except (ProtocolTooOld, ProtocolTooNew) as error:
            raise NodeUnreachable(reason=error.code) from None
    raise NodeUnreachable(reason="wire_malformed")


async def _read_bounded(answer: httpx.Response) -> bytes:
    """Read the body up to the bound."""
    content = bytearray()
    async for piece in answer.aiter_raw(64 * 1024):
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            raise NodeUnreachable(reason="answer_too_large")
    return bytes(content)
