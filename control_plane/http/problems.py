"""Errors as problem details (RFC 9457): an error of the catalogue, never a word of the request or of an exception."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec

from shared.errors import BusyError, HomeportError
from shared.telemetry import logger

PROBLEM = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong (RFC 9457), and whether the same request can succeed later."""

    type: str
    """``urn:homeport:error:`` and a stable code."""
    title: str
    status: int
    detail: str
    """What to do next."""
    code: str
    retry: bool
    reason: str | None = None
    """Which field or part it is about, where one is."""


_TITLES = {
    400: ("request_malformed", "The request is not of the form that the schema states."),
    404: ("not_found", "There is nothing at that address."),
    405: ("method_not_allowed", "That address does not know the method."),
    413: ("body_too_large", "The body is larger than a request may be."),
}
_DESCRIPTIONS = {
    400: "Not of this form.",
    401: "No token, or none that is in force.",
    403: "The token may not do this.",
    404: "Nothing of that name.",
    409: "In conflict with what is there.",
    413: "Larger than a request may be.",
    422: "Of this form, but refused.",
    503: "Not now; the same request later will do.",
}


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """Give the problems that a handler may answer, for the schema."""
    return {
        status: ResponseSpec(
            ProblemDetails, generate_examples=False, description=_DESCRIPTIONS[status], media_type=PROBLEM
        )
        for status in (*statuses, 413, 503)
    }


def named(_request: Request[Any, Any, Any], error: HomeportError) -> Response[ProblemDetails]:
    """Answer an error of the catalogue."""
    if error.status >= 500 and not isinstance(error, BusyError):
        logger().error("alert_request_failed", code=error.code, error=type(error).__name__)
    headers: dict[str, str] = {}
    if error.retry:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    title = (type(error).__doc__ or error.code).strip().splitlines()[0]
    reason = error.details.get("reason")
    return _problem(error.status, error.code, title, error.remedy, error.retry, headers, reason)


def framework(_request: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemDetails]:
    """Answer what the framework refused; its words may quote the request, so only field names are kept."""
    code, title = _TITLES.get(error.status_code, _TITLES[400])
    status = error.status_code if error.status_code in _TITLES else 400
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return _problem(status, code, title, "Compare it with /schema.", False, headers, _fields(error))


def unforeseen(_request: Request[Any, Any, Any], error: Exception) -> Response[ProblemDetails]:
    """Answer a fault of ours: its class goes to the log, its text nowhere."""
    logger().error("alert_request_failed", error=type(error).__name__)
    title = "The control plane failed."
    return _problem(500, "internal", title, "Read its log around this time.", False, {}, None)


def _fields(error: HTTPException) -> str | None:
    """Name the fields that the framework found wrong: names of our own schema."""
    extra = error.extra if isinstance(error.extra, list) else []
    keys = [str(each.get("key", "")) for each in extra if isinstance(each, dict)]
    return ", ".join(key for key in keys if key.replace("_", "").isalnum() and len(key) < 40) or None


def _problem(
    status: int, code: str, title: str, detail: str, retry: bool, headers: dict[str, str], reason: str | int | None
) -> Response[ProblemDetails]:
    """Write the answer."""
    problem = ProblemDetails(
        type=f"urn:homeport:error:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        retry=retry,
        reason=None if reason is None else str(reason),
    )
    return Response(problem, status_code=status, media_type=PROBLEM, headers=headers)
