"""Sends one POST to an address that was checked, and connects to the very numbers that were checked.

The name is resolved here, every number judged, and the connection made to the first; TLS still checks the name's
certificate.  The name is not resolved again in between, so it cannot be made to point elsewhere.  Redirects are not
followed and proxies of the environment not used.  Of an answer only the status is read.
"""

import asyncio
import ssl
from collections.abc import Mapping

import httpcore

from shared.addresses import HostPort, Target, judge_url
from shared.checked_connections import CheckedBackend, Resolve, resolve
from shared.errors.outgoing import AddressRefused

ANSWER_BYTES_MAX = 64 * 1024
"""So much of an answer is read and thrown away, so that its sender is not cut off in a short one."""


class Sender:
    """Sends to hooks."""

    def __init__(self, allowed: frozenset[HostPort], seconds_max: float, resolve_: Resolve = resolve) -> None:
        """Take the private addresses that an operator set, and how long an answer may take (seconds)."""
        self._allowed = allowed
        self._seconds_max = seconds_max
        self._resolve = resolve_
        self._tls = ssl.create_default_context()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int | None, str]:
        """Send; give the answer's status, or ``None``, and a code for what happened."""
        try:
            target = judge_url(url, self._allowed)
            async with asyncio.timeout(self._seconds_max):
                status = await self._post(target, headers, body)
        except AddressRefused as error:
            return None, f"address_refused_{error.details.get('reason', '')}"
        except TimeoutError:
            return None, "timeout"
        except (OSError, ssl.SSLError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            return None, "unreachable"
        return status, f"http_{status}"

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> int:
        """Send one request on a connection of its own."""
        scheme, host = (b"https", target.host) if target.tls else (b"http", target.host)
        url = httpcore.URL(
            scheme=scheme, host=host.encode("ascii"), port=target.port, target=target.path.encode("ascii")
        )
        written = f"[{host}]" if ":" in host else host
        default = 443 if target.tls else 80
        fields = {"host": written if target.port == default else f"{written}:{target.port}", **headers}
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls,
                network_backend=CheckedBackend(target, self._resolve),
                max_connections=1,
                retries=0,
            ) as pool,
            pool.stream("POST", url, headers=list(fields.items()), content=body) as answer,
        ):
            size = 0
            async for piece in answer.aiter_stream():
                size += len(piece)
                if size > ANSWER_BYTES_MAX:
                    break
            return int(answer.status)
