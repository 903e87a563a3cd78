"""Answers to a webhook: a status and, where it helps an operator, the error's code; never a word of the request."""

import msgspec

from edge_node.http.body import Send
from shared.errors import BusyError, HomeportError

RETRY_AFTER_SECONDS = 2
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_PROBLEM = (b"content-type", b"application/problem+json")
_QUIET = frozenset({401, 403})
"""Answered without a body: an unknown account and a bad signature look the same."""


async def answer(send: Send, status: int, body: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a whole response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_text(send: Send, text: str) -> None:
    """Send a plain text, which no browser takes for anything else."""
    await answer(send, 200, text.encode("ascii"), (_TEXT, (b"x-content-type-options", b"nosniff")))


async def answer_error(send: Send, error: HomeportError) -> None:
    """Send an error of the catalogue."""
    status, body, headers = error_response(error)
    await answer(send, status, body, headers)


def error_response(error: HomeportError) -> tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]:
    """Give status, body and headers of an error: problem details (RFC 9457), ``Retry-After`` where repeating helps."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(error, BusyError):
        headers += ((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),)
    if error.status in (408, 413):
        headers += ((b"connection", b"close"),)
    if error.status in _QUIET:
        return error.status, b"", headers
    title = (type(error).__doc__ or error.code).strip().splitlines()[0]
    problem = {
        "type": f"urn:homeport:error:{error.code}",
        "title": title,
        "status": error.status,
        "detail": error.remedy,
    }
    return error.status, msgspec.json.encode(problem), (_PROBLEM, *headers)
