"""The desk listener: views of subjects' timelines, opened, followed live, closed.  On this machine only.

The one place where a node gives content out in the clear.  Until desks and their people come with tokens of their own,
one token opens it: a file of the node's data_dir that its account alone can read.
"""

import hmac
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.types import ASGIApp
from msgspec import Meta

from edge_node.usecases.views.live import LiveViews, Said
from edge_node.usecases.views.viewing import Page, Viewer
from shared.errors import HomeportError
from shared.errors.relay import DeskRefused
from shared.wire.types import NodeName, Pseudonym, PurposeCode, RoleCode

RETRY_MS = 500
"""How soon the reader of a stream comes back after it ended."""

_PROBLEM = "application/problem+json"


class OpenView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for."""

    pseudonym: Pseudonym
    """The subject's at the node that holds it."""
    purpose: PurposeCode
    node: NodeName | None = None
    """The node that holds the subject; this one where it is left out."""
    role: RoleCode = "agent"
    """Of whoever looks; policies decide by it."""


class ViewState(msgspec.Struct, frozen=True):
    """What came of it."""

    view: str
    form: str
    """``full``, ``masked`` or ``metadata``."""
    shown: int
    """Messages that this call added."""
    more: bool
    """Whether there is something older."""


def desk_app(viewer: Viewer, live: LiveViews, token: str) -> ASGIApp:
    """Build the application."""

    def admit(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        """Let nobody in without the token."""
        given = connection.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise DeskRefused

    @post("/views")
    async def open_view(data: OpenView) -> ViewState:
        """Open a view and show its newest messages."""
        return _state(await viewer.open(data.node, data.pseudonym, data.purpose, data.role))

    @post("/views/{view:str}/older", status_code=200)
    async def older(view: Annotated[str, Meta(max_length=64)]) -> ViewState:
        """Show what is older than all that the view shows."""
        return _state(await viewer.older(view))

    @get("/views/{view:str}/stream")
    async def stream(view: str, request: Request[Any, Any, Any]) -> ServerSentEvent:
        """Say what the view shows and what is taken back, from the start or after ``Last-Event-ID``."""
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
        return ServerSentEvent(_events(await live.follow(view, after)))

    @delete("/views/{view:str}")
    async def close_view(view: str) -> None:
        """Close a view: its copies are destroyed."""
        await viewer.close(view)

    return Litestar(
        route_handlers=[open_view, older, stream, close_view],
        guards=[admit],
        exception_handlers={HomeportError: _refuse},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


async def _events(said: AsyncIterator[Said]) -> AsyncIterator[ServerSentEventMessage]:
    """Write what a view says as server-sent events (HTML Living Standard, section 9.2)."""
    yield ServerSentEventMessage(data=None, comment="open", retry=RETRY_MS)
    async for each in said:
        if each.kind == "heartbeat":
            yield ServerSentEventMessage(data=None, comment="heartbeat")
            continue
        body: dict[str, object] = {"disclosure": each.disclosure} if each.disclosure else {}
        if each.message is not None:
            body |= msgspec.to_builtins(each.message)
        # ASCII alone: many readers take U+2028, U+0085 and others, which JSON may hold, for the end of a line.
        data = json.dumps(msgspec.json.decode(msgspec.json.encode(body)))
        yield ServerSentEventMessage(data=data, event=each.kind, id=each.number or None)


def _state(page: Page) -> ViewState:
    """Say what came of it."""
    return ViewState(page.view, page.form, page.shown, page.more)


def _refuse(_: Request[Any, Any, Any], error: HomeportError) -> Response[bytes]:
    """Answer an error of the catalogue as problem details (RFC 9457)."""
    problem = {
        "type": f"urn:homeport:error:{error.code}",
        "title": (type(error).__doc__ or error.code).strip().splitlines()[0],
        "status": error.status,
        "detail": error.remedy,
        **error.details,
    }
    return Response(msgspec.json.encode(problem), status_code=error.status, media_type=_PROBLEM)
