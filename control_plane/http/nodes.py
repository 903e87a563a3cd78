"""The nodes' side of the public listener: raw bytes, signature, nonce, then the message; every answer signed.

A request that is not a node's is answered 401, empty and unsigned, and learns nothing; why is counted, and logged as a
code.  An enrolment is signed by the key that it brings, so that message is read before its signature is checked; what
it says counts only with the one-time secret.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from control_plane.core.errors import RequestMalformed, RosterMissing
from control_plane.http.body import Disconnected, Receive, Scope, Send, answer, read_body
from control_plane.http.refusals import Refusals
from control_plane.metrics import Metrics
from control_plane.usecases.node_office import NodeOffice
from control_plane.usecases.roster_keeper import RosterKeeper
from shared.clock import Clock
from shared.crypto.signing import SigningKeys
from shared.errors import BusyError, HomeportError, StoreUnavailable
from shared.errors.trust import RequestRefused, WireMalformed
from shared.http_signatures import KeysOf, Request, Signed, Tag, sign_answer, verify_request
from shared.nonces import NonceMemory, refuse_replay
from shared.roster.rules import CONTROL_PLANE
from shared.roster.texts import write
from shared.telemetry import logger
from shared.wire import (
    PROTOCOL,
    Beat,
    CaseNotice,
    CommandAsk,
    Enrolment,
    Message,
    Problem,
    RecallNotice,
    ReceiptPush,
    decode,
    encode,
)

PREFIX = "/node/v1/"
RETRY_AFTER_SECONDS = 2
_TAG: Tag = "homeport-uplink"
_JSON = (("content-type", "application/json"),)
_PAGES = frozenset({"policies", "roster"})
"""What is fetched: files as officers signed them."""
_AFTER = re.compile(r"after=([0-9]{1,15})")
_UNSIGNED = frozenset({401, 408, 413})
"""Answered before anybody is known: empty."""


class _Way(NamedTuple):
    """A message that may be posted, and who answers it."""

    kind: type[Message]
    office: Callable[[Signed, Any], Awaitable[Message]]


class NodeDoor:
    """Answers everything below ``/node/v1/``."""

    def __init__(
        self,
        office: NodeOffice,
        keeper: RosterKeeper,
        nonces: NonceMemory,
        keys: SigningKeys,
        address: str,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Take who answers, whose keys count, where nonces are kept, and what this control plane signs with.

        ``address``: scheme, host and port by which nodes know it; what a request was signed for.
        """
        self._office = office
        self._keeper = keeper
        self._nonces = nonces
        self._keys = keys
        self._address = address
        self._metrics = metrics
        self._clock = clock
        self._refusals = Refusals(metrics, clock)
        self._ways = {
            "enrolments": _Way(Enrolment, office.enrol),
            "beats": _Way(Beat, office.beat),
            "recalls": _Way(RecallNotice, office.recall),
            "cases": _Way(CaseNotice, office.case),
            "commands": _Way(CommandAsk, office.commands),
            "receipts": _Way(ReceiptPush, office.receipt),
        }

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, the answer says nothing of what was sent."""
        name = scope["path"].removeprefix(PREFIX)
        known = name if name in self._ways or name in _PAGES else "other"
        try:
            request = self._request(scope, await read_body(receive))
        except Disconnected:
            return
        except HomeportError as error:
            await answer(send, error.status, b"", (("connection", "close"),))
            self._metrics.node_answers.labels(known, str(error.status)).inc()
            return
        status, body = await self._answered(request, scope["method"], name)
        await answer(send, status, body, self._signature(request, status, body))
        self._metrics.node_answers.labels(known, str(status)).inc()

    def _request(self, scope: Scope, body: bytes) -> Request:
        """Give the request as it was signed: for the address that nodes know, never for what the sender wrote."""
        path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace")
        query = scope["query_string"].decode("ascii", "replace")
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        return Request(scope["method"], f"{self._address}{path}{'?' if query else ''}{query}", fields, body)

    async def _answered(self, request: Request, method: str, name: str) -> tuple[int, bytes]:
        """Give status and body."""
        try:
            if name not in self._ways and name not in _PAGES:
                return 404, b""
            if method != ("GET" if name in _PAGES else "POST"):
                return 405, b""
            if name == "roster":
                return 200, await self._roster(_query(request))
            if name == "policies":
                return 200, await self._policy(request)
            return 200, encode(await self._posted(request, self._ways[name]))
        except RequestRefused as error:
            self._refusals.count(str(error.details.get("reason", "")))
            return 401, b""
        except HomeportError as error:
            return self._problem(error)
        except Exception as error:  # noqa: BLE001 - the last frame: a fault of ours is answered so that the node repeats
            logger().error("alert_node_request_failed", error=type(error).__name__)
            return self._problem(StoreUnavailable())

    async def _posted(self, request: Request, way: _Way) -> Message:
        """Check who sent it, then read it, then do it."""
        message: Message | None = None
        keys_of: KeysOf = self._keeper.key_of
        if way.kind is Enrolment:
            try:
                enrolment = decode(Enrolment, request.body)
            except WireMalformed:
                raise RequestRefused(reason="form") from None
            message, keys_of = enrolment, {enrolment.node: enrolment.keys.ed25519}.get
        signed = verify_request(request, keys_of, tag=_TAG, now_ms=self._clock.now())
        key = keys_of(signed.keyid)
        if isinstance(message, Enrolment):
            await self._office.refuse_strangers(message)  # a stranger's nonces must not fill the store
        await refuse_replay(self._nonces, signed, now_ms=self._clock.now())
        done = await way.office(signed, message if message is not None else decode(way.kind, request.body))
        if keys_of(signed.keyid) != key:
            # Given up, retired or barred while it waited: whoever holds these keys is told nothing any more.
            raise RequestRefused(reason="signature")
        return done

    async def _roster(self, query: str) -> bytes:
        """Give the roster in force, or with ``after=VERSION`` the one that follows.

        It is public, so that a node may have it before it is named in it.
        """
        after = _AFTER.fullmatch(query)
        if after is not None:
            return write(await self._keeper.following(int(after[1])))
        if self._keeper.signed is None:
            raise RosterMissing
        return write(self._keeper.signed)

    async def _policy(self, request: Request) -> bytes:
        """Give a node of the roster the first policy bundle after the version that it names."""
        signed = verify_request(request, self._keeper.key_of, tag=_TAG, now_ms=self._clock.now())
        await refuse_replay(self._nonces, signed, now_ms=self._clock.now())
        after = _AFTER.fullmatch(_query(request))
        if after is None:
            raise RequestMalformed(reason="query")
        return await self._office.policy_after(int(after[1]))

    def _problem(self, error: HomeportError) -> tuple[int, bytes]:
        """Give an error of the catalogue without its words; a replay is answered like a stranger."""
        if error.status == 401:
            self._refusals.count(error.code)
            return 401, b""
        self._metrics.faults.labels(error.code).inc()
        if not isinstance(error, BusyError):
            logger().warning("node_request_refused", code=error.code, reason=str(error.details.get("reason", "")))
        wait = RETRY_AFTER_SECONDS if error.retry else None
        problem = Problem(
            protocol=PROTOCOL, code=error.code, status=error.status, retry=error.retry, retry_after_seconds=wait
        )
        return error.status, encode(problem)

    def _signature(self, request: Request, status: int, body: bytes) -> tuple[tuple[str, str], ...]:
        """Sign an answer, if the request has a signature to bind it to."""
        if status in _UNSIGNED or not body:
            return ()
        try:
            added = sign_answer(
                request, status, body, self._keys, keyid=CONTROL_PLANE, tag=_TAG, now_ms=self._clock.now()
            )
        except ValueError:
            return _JSON
        return _JSON + added


def _query(request: Request) -> str:
    """Give the query of a request."""
    return request.url.partition("?")[2]
