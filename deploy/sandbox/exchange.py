"""What is asked of the stand-ins and what they answer, before any server: small values, and each platform's errors."""

import json
import re
from typing import Any

import msgspec

REQUEST_BYTES_MAX = 120 * 1024 * 1024
"""The largest upload that Meta takes is 100 MB (media page, 2026-04-17)."""


class Asked(msgspec.Struct, frozen=True):
    """One request, read whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    base: str = ""
    """The address under which it was asked, ``http://127.0.0.1:PORT``."""
    parts: dict[str, str] = {}
    """What the parts in braces of the route's template were."""

    @property
    def token(self) -> str:
        """Give the bearer token, or nothing."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    @property
    def fields(self) -> dict[str, Any]:
        """Give the JSON object of the body; an empty one where it is none."""
        try:
            value = json.loads(self.body) if self.body else {}
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Answer(msgspec.Struct, frozen=True):
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}


def told(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, {"content-type": "application/json"} | (headers or {}))


_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def file_answer(asked: Asked, data: bytes, mime_type: str) -> Answer:
    """Answer with a file, or the part of it that was asked for (RFC 9110 section 14)."""
    headers = {"content-type": mime_type, "accept-ranges": "bytes"}
    found = _RANGE.fullmatch(asked.headers.get("range", ""))
    if found is None:
        return Answer(200, data, headers)
    first, last = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
    if first > last:
        return Answer(416, b"", {"content-range": f"bytes */{len(data)}"})
    return Answer(206, data[first : last + 1], headers | {"content-range": f"bytes {first}-{last}/{len(data)}"})


def line_error(status: int, message: str, details: list[dict[str, str]] | None = None) -> Answer:
    """Answer as LINE does where something is wrong (reference, common specifications, 2026-08-07)."""
    return told({"message": message} | ({"details": details} if details else {}), status)


GRAPH_STATUS = {
    0: 401,
    3: 500,
    10: 403,
    190: 401,
    131000: 500,
    131005: 403,
    131016: 503,
    133004: 503,
    131031: 403,
    131057: 500,
}
"""HTTP status of a code; every other is 400 (error codes page, 2026-05-15)."""

GRAPH_TITLE = {
    0: "AuthException",
    2: "API Service",
    4: "API Too Many Calls",
    10: "Permission Denied",
    100: "Invalid parameter",
    190: "Access token has expired",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131042: "Business eligibility payment issue",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131051: "Unsupported message type",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    131062: "Business-scoped User ID recipients are not supported for this message.",
    132001: "Template does not exist",
}


def graph_error(code: int, details: str = "", *, kind: str = "OAuthException") -> Answer:
    """Answer as Graph does where something is wrong: ``code`` and ``details`` are what may be relied on."""
    title = GRAPH_TITLE.get(code, "Error")
    error: dict[str, Any] = {"message": f"(#{code}) {title}", "type": kind, "code": code, "fbtrace_id": "Asandbox"}
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return told({"error": error}, GRAPH_STATUS.get(code, 400))


def status_error(code: int, details: str = "") -> dict[str, Any]:
    """Write one of ``statuses[].errors[]``."""
    title = GRAPH_TITLE.get(code, "Error")
    return {"code": code, "title": title, "message": title, "error_data": {"details": details or title}}
