"""One bounded way to ask a platform's interface: fixed base address, bearer token, JSON in and out."""

import asyncio
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from shared.errors import PlatformUnavailable
from shared.errors.replying import SendUnclear

T = TypeVar("T")

ANSWER_BYTES_MAX = 1024 * 1024
"""Longest answer that is read: settings and lists of apps are a few kilobytes."""

ASK_SECONDS_MAX = 10.0
"""Longest wait for a connection, and for each piece of an answer."""

WHOLE_FACTOR = 3
"""A whole answer may take this many times as long: pieces that just arrive in time must not add up for ever."""


class Answer(msgspec.Struct, frozen=True):
    """A platform's answer: its HTTP status and its bytes; use :func:`read` on them."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the platform did what was asked."""
        return self.status == httpx.codes.OK

    @property
    def unclear(self) -> bool:
        """Whether what was asked may be done or not: the platform failed, gave up waiting, or accepted otherwise."""
        accepted = httpx.codes.is_success(self.status) and not self.good
        return httpx.codes.is_server_error(self.status) or accepted or self.status == httpx.codes.REQUEST_TIMEOUT

    @property
    def refused(self) -> bool:
        """Whether the token was not accepted for this; Graph says 400 for an expired one, too."""
        return self.status in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}


class PlatformClient:
    """Asks one platform under one token; an async context manager.

    Proxies and ``.netrc`` of the environment are not used: a token goes to ``base`` over a direct connection.
    """

    def __init__(self, base: str, token: str, *, seconds_max: float = ASK_SECONDS_MAX) -> None:
        """Take the platform's base address (checked in the settings) and the account's access token."""
        self._base = httpx.URL(base.rstrip("/"))
        self._whole_seconds_max = WHOLE_FACTOR * seconds_max
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=seconds_max,
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> "PlatformClient":
        """Open nothing yet: connections are made when something is asked."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def get(self, *path: str, **query: str) -> Answer:
        """Ask for ``path`` (its parts, quoted here) below the base address."""
        return await self._ask("GET", path, query, None)

    async def post(self, *path: str, body: dict[str, Any]) -> Answer:
        """Send ``body`` as JSON to ``path`` below the base address."""
        return await self._ask("POST", path, {}, body)

    async def deliver(self, *path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        """Send a message: like :meth:`post`, but what became of it must not be guessed.

        Any answer is given back, whatever its status.  ``PlatformUnavailable`` where no connection was made, so that
        nothing was sent; ``SendUnclear`` (reason) where the request went out and no answer came that can be read.
        """
        request = self._request("POST", path, {}, body, headers)
        try:
            return await self._exchange(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            raise PlatformUnavailable(reason="unreachable") from None
        except (httpx.TimeoutException, TimeoutError):
            raise SendUnclear(reason="timeout") from None
        except httpx.HTTPError as error:  # its text holds the address and with it the account's ids
            raise SendUnclear(reason=type(error).__name__) from None
        except PlatformUnavailable as error:
            raise SendUnclear(**error.details) from None

    async def _ask(
        self, method: str, path: tuple[str, ...], query: dict[str, str], body: dict[str, Any] | None
    ) -> Answer:
        """Send one request and read its answer; ``PlatformUnavailable`` (reason) where there is none to read."""
        request = self._request(method, path, query, body)
        try:
            answer = await self._exchange(request)
        except (httpx.TimeoutException, TimeoutError):
            raise PlatformUnavailable(reason="timeout") from None
        except httpx.HTTPError as error:  # its text holds the address and with it the account's ids
            raise PlatformUnavailable(reason=type(error).__name__) from None
        redirect = httpx.codes.is_redirect(answer.status)
        if redirect or answer.unclear or answer.status == httpx.codes.TOO_MANY_REQUESTS:
            raise PlatformUnavailable(status=answer.status)
        return answer

    def _request(
        self,
        method: str,
        path: tuple[str, ...],
        query: dict[str, str],
        body: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Request:
        """Write a request for ``path`` (its parts, quoted here) below the base address."""
        below = "/".join(quote(part, safe="") for part in path)
        url = self._base.copy_with(raw_path=f"{self._base.path.rstrip('/')}/{below}".encode())
        return self._http.build_request(method, url, params=query or None, json=body, headers=headers)

    async def _exchange(self, request: httpx.Request) -> Answer:
        """Send a request and read its answer whole, within the bounds of time and size."""
        async with asyncio.timeout(self._whole_seconds_max):
            answer = await self._http.send(request, stream=True)
            try:
                content = await _read_bounded(answer)
            finally:
                await answer.aclose()
        return Answer(answer.status_code, content)


def read(answer: Answer, shape: type[T]) -> T:
    """Decode an answer; ``PlatformUnavailable`` where it is not of the documented shape."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise PlatformUnavailable(reason="unexpected_shape", status=answer.status) from None


async def _read_bounded(answer: httpx.Response) -> bytes:
    """Read the body, decompressed, up to the bound."""
    content = bytearray()
    async for piece in answer.aiter_bytes(64 * 1024):
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            raise PlatformUnavailable(reason="answer_too_large")
    return bytes(content)
