"""The one way to the control plane: signed requests out, answers believed only if the control plane signed them.

This is the only page that opens a connection to it.  No redirect is followed, no proxy and no ``.netrc`` of the
environment is used; what is read of an answer is bounded.  A status without a signature is worth nothing but patience:
anybody between the two programs can write one.
"""

import asyncio
from types import TracebackType
from typing import TypeVar

import httpx

from edge_node.storage.identity import NodeIdentity
from edge_node.vouching import trusted
from shared import wire
from shared.addresses import program_address_fault
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors.trust import AnswerRefused
from shared.errors.uplink import ControlRefused, ControlUnknown, ControlUnreachable
from shared.http_signatures import Request, Tag, sign_request, verify_answer
from shared.policy.bundling import BUNDLE_BYTES_MAX
from shared.roster import CONTROL_PLANE, FILE_BYTES_MAX, ControlPlane

M = TypeVar("M", bound=wire.Message)

ANSWER_BYTES_MAX = 1024 * 1024
"""Longest answer that is read: a page of a hundred commands is a few dozen kilobytes."""

NONCE_BYTES = 16
_TAG: Tag = "homeport-uplink"
_TYPE = ("content-type", "application/json")


class Answered:
    """An answer as it came, to be believed once its signature holds."""

    __slots__ = ("_answer", "_clock", "_request", "body", "status")

    def __init__(self, request: Request, answer: httpx.Response, body: bytes, clock: Clock) -> None:
        """Take the request that was sent, the answer's head and its body."""
        self._request, self._answer, self._clock = request, answer, clock
        self.status, self.body = answer.status_code, body

    def verify(self, control_key: bytes) -> None:
        """Check that the control plane gave this answer to this request: else ``AnswerRefused``."""
        fields = [(name, value) for name, value in self._answer.headers.multi_items()]
        verify_answer(
            self._request,
            self.status,
            fields,
            self.body,
            control_key,
            keyid=CONTROL_PLANE,
            tag=_TAG,
            now_ms=self._clock.now(),
        )


class ControlClient:
    """Asks the control plane in a node's name; an async context manager."""

    def __init__(
        self,
        node: str,
        identity: NodeIdentity,
        clock: Clock,
        entropy: Entropy,
        *,
        seconds_max: float,
        ca_file: str | None = None,
    ) -> None:
        """Take who asks; ``seconds_max`` bounds each step of an exchange, ``ca_file`` replaces the public CAs.

        ``SettingsInvalid`` where that file holds no certificates.
        """
        self._node, self._identity = node, identity
        self._clock, self._entropy, self._seconds_max = clock, entropy, seconds_max
        verify = trusted(ca_file, "uplink.ca_file")
        self._http = httpx.AsyncClient(verify=verify, timeout=seconds_max, follow_redirects=False, trust_env=False)

    async def __aenter__(self) -> "ControlClient":
        """Open nothing yet: connections are made when something is asked."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def roster(self, address: str, after: int | None = None) -> Answered:
        """Ask for the signed roster in force, or for the first one after a version, if there is one.

        Who may sign the answer is known only from what is in it.
        """
        query = "" if after is None else f"?after={after}"
        answered = await self._exchange("GET", f"{address}/node/v1/roster{query}", b"", 0, FILE_BYTES_MAX)
        if answered.status != httpx.codes.OK:
            raise ControlUnreachable(status=answered.status)
        return answered

    async def tell(
        self, control: ControlPlane, path: str, message: wire.Message, expected: type[M], *, wait_seconds: float = 0.0
    ) -> M:
        """Send a message to ``control``, as the roster in force describes it, and give its signed answer.

        ``AnswerRefused`` where a good answer is not the control plane's own, ``ControlUnreachable`` where it could
        not be had or came unsigned, ``ControlRefused`` (with the answer's ``answer_code``) where it signed a refusal
        that repeating does not mend.
        """
        url = control.address + path
        answered = await self._exchange("POST", url, wire.encode(message), wait_seconds, ANSWER_BYTES_MAX)
        return wire.decode(expected, _believed(answered, control))

    async def policy(self, control: ControlPlane, after: int) -> bytes:
        """Ask for the file of the first policy bundle after a version; errors as of :meth:`tell`.

        Whether what it says is believed is not decided here: the officers' signatures in it decide.
        """
        url = f"{control.address}/node/v1/policies?after={after}"
        return _believed(await self._exchange("GET", url, b"", 0, BUNDLE_BYTES_MAX), control)

    async def _exchange(self, method: str, url: str, body: bytes, wait_seconds: float, bytes_max: int) -> Answered:
        """Send one signed request and read its answer, whole and bounded in size and time."""
        check_address(url)
        plain = Request(method, url, (_TYPE,) if body else (), body)
        request = sign_request(
            plain,
            self._identity.signing,
            keyid=self._node,
            tag=_TAG,
            nonce=self._entropy.draw(NONCE_BYTES).hex(),
            now_ms=self._clock.now(),
        )
        timeout = httpx.Timeout(self._seconds_max, read=self._seconds_max + wait_seconds)
        try:
            sent = self._http.build_request(method, request.url, headers=request.fields, content=body, timeout=timeout)
            async with asyncio.timeout(3 * self._seconds_max + wait_seconds):
                answer = await self._http.send(sent, stream=True)
                try:
                    content = await _read_bounded(answer, bytes_max)
                finally:
                    await answer.aclose()
        except (httpx.TimeoutException, TimeoutError):
            raise ControlUnreachable(reason="timeout") from None
        except (httpx.InvalidURL, UnicodeError):
            raise ControlUnreachable(reason="address") from None
        except httpx.HTTPError as error:
            raise ControlUnreachable(reason=type(error).__name__) from None
        return Answered(request, answer, content, self._clock)


def check_address(address: str) -> None:
    """Refuse an address to which pseudonyms must not go, ``ControlUnknown``: plain http off this machine, or none."""
    fault = program_address_fault(address)
    if fault is not None:
        raise ControlUnknown(reason=fault)


def _believed(answered: Answered, control: ControlPlane) -> bytes:
    """Give the body of a good answer that the control plane signed; else what :meth:`ControlClient.tell` raises."""
    try:
        answered.verify(control.keys.ed25519)
    except AnswerRefused:
        if answered.status == httpx.codes.OK:
            raise
        raise ControlUnreachable(status=answered.status) from None
    if answered.status == httpx.codes.OK:
        return answered.body
    problem = wire.decode(wire.Problem, answered.body)
    if problem.retry:
        raise ControlUnreachable(status=problem.status, answer_code=problem.code)
    raise ControlRefused(status=problem.status, answer_code=problem.code)


async def _read_bounded(answer: httpx.Response, bytes_max: int) -> bytes:
    """Read the body up to the bound, as it was sent: a digest is of these bytes."""
    content = bytearray()
    async for piece in answer.aiter_raw(64 * 1024):
        content += piece
        if len(content) > bytes_max:
            raise ControlUnreachable(reason="answer_too_large")
    return bytes(content)
