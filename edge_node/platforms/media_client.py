"""Fetching files: GET requests to checked addresses, redirects followed by hand, the token to its own hosts alone.

An address that a platform names is not trusted: it is judged as text, the numbers it resolves to are judged, and the
connection goes to the very numbers that were judged.  A private address is refused, unless an operator set exactly that
host and port.  Once a redirect has led away from the token's hosts, neither the token nor that exception comes back.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urljoin

import httpcore

from shared.addresses import HostPort, Target, judge_url
from shared.checked_connections import CheckedBackend, Resolve, resolve
from shared.errors.media import MediaNotFetched
from shared.errors.outgoing import AddressRefused

REDIRECTS_MAX = 3
CONNECT_SECONDS_MAX = 10.0
PIECE_SECONDS_MAX = 30.0
"""Longest wait for the next piece of an answer."""
WHOLE_SECONDS_MAX = 1_800.0
"""Longest time of one attempt: pieces that just arrive in time must not add up for ever.  What came is kept."""
SMALL_BYTES_MAX = 64 * 1024
"""Longest answer that describes a file."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {True: 443, False: 80}


class MediaAnswer(NamedTuple):
    """An answer whose body is still to be read."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    pieces: AsyncIterator[bytes]


class Reach(NamedTuple):
    """Where requests of one account go."""

    token: str | None
    token_hosts: frozenset[HostPort]
    """The only places that are sent the token."""
    trusted: frozenset[HostPort]
    """Places that an operator set, which may be private ones."""


class MediaClient:
    """Sends GET requests; connections are not kept, as each is checked for itself."""

    def __init__(self, resolve_: Resolve = resolve) -> None:
        """Take what gives a name's numbers."""
        self._resolve = resolve_
        self._tls = ssl.create_default_context()

    @asynccontextmanager
    async def get(self, url: str, reach: Reach, headers: Mapping[str, str] | None = None) -> AsyncIterator[MediaAnswer]:
        """Ask for ``url`` and follow redirects; the body is read inside the block.

        Raises ``MediaNotFetched`` (reason: address_refused, redirects, unreachable, timeout, cut), inside the block,
        too.
        """
        try:
            async with asyncio.timeout(WHOLE_SECONDS_MAX):
                for _ in range(REDIRECTS_MAX + 1):
                    target = judge_url(url, reach.trusted)
                    if HostPort(target.host, target.port) not in reach.token_hosts:
                        reach = Reach(None, frozenset(), frozenset())
                    async with self._ask(target, reach, headers or {}) as answer:
                        if answer.status not in _REDIRECTS:
                            yield answer
                            return
                        url = urljoin(url, answer.headers.get("location", ""))
                raise MediaNotFetched(reason="redirects")
        except AddressRefused:
            raise MediaNotFetched(reason="address_refused") from None
        except (TimeoutError, httpcore.TimeoutException):
            raise MediaNotFetched(reason="timeout") from None
        except (httpcore.ReadError, httpcore.RemoteProtocolError):
            raise MediaNotFetched(reason="cut") from None
        except (OSError, httpcore.NetworkError, httpcore.ProtocolError):
            raise MediaNotFetched(reason="unreachable") from None

    @asynccontextmanager
    async def _ask(self, target: Target, reach: Reach, headers: Mapping[str, str]) -> AsyncIterator[MediaAnswer]:
        """Send one request on a connection of its own."""
        url = httpcore.URL(
            scheme=b"https" if target.tls else b"http",
            host=target.host.encode("ascii"),
            port=target.port,
            target=target.path.encode("ascii"),
        )
        written = f"[{target.host}]" if ":" in target.host else target.host
        fields = {
            "host": written if target.port == _PORTS[target.tls] else f"{written}:{target.port}",
            "accept-encoding": "identity",
            **headers,
        }
        if reach.token is not None:
            fields["authorization"] = f"Bearer {reach.token}"
        seconds = {"connect": CONNECT_SECONDS_MAX, "read": PIECE_SECONDS_MAX, "write": PIECE_SECONDS_MAX, "pool": 1.0}
        backend = CheckedBackend(target, self._resolve)
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls, network_backend=backend, max_connections=1, retries=0
            ) as pool,
            pool.stream("GET", url, headers=list(fields.items()), extensions={"timeout": seconds}) as answer,
        ):
            known = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            yield MediaAnswer(int(answer.status), known, answer.aiter_stream())


def place_of(base: str) -> HostPort:
    """Give host and port of an address of the settings."""
    target = judge_url(base, frozenset({_loose(base)}))
    return HostPort(target.host, target.port)


def _loose(base: str) -> HostPort:
    """Read host and port as they are written, so that judging never refuses what an operator set."""
    url = httpcore.URL(base)
    port = url.port or _PORTS[url.scheme == b"https"]
    return HostPort(url.host.decode("ascii").strip("[]").lower(), port)


async def read_small(answer: MediaAnswer) -> bytes:
    """Read an answer that describes a file; ``MediaNotFetched`` (unexpected_shape) where it is too long for one."""
    content = bytearray()
    async for piece in answer.pieces:
        content += piece
        if len(content) > SMALL_BYTES_MAX:
            raise MediaNotFetched(reason="unexpected_shape")
    return bytes(content)


def retry_after(headers: Mapping[str, str]) -> int:
    """Read how many seconds the platform asks to wait; 0 where it does not say so in digits (RFC 9110 10.2.3)."""
    written = headers.get("retry-after", "").strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) < 7 else 0


def refusal(answer: MediaAnswer) -> MediaNotFetched:
    """Say how an answer that is no file ends an attempt."""
    if answer.status in {429, 503}:
        return MediaNotFetched(reason="busy", retry_after=retry_after(answer.headers))
    if answer.status >= 500:
        return MediaNotFetched(reason="server_error", retry_after=retry_after(answer.headers))
    return MediaNotFetched(reason={401: "token_refused", 403: "token_refused"}.get(answer.status, "refused"))
