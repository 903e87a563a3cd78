"""The public listener: nodes below ``/node/v1/``, programs below ``/v1/``, the program API's schema at ``/schema``.

Nodes are taken out before the framework's router: their signature covers raw bytes, and their answers are signed.
"""

from typing import Any, cast

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from control_plane.http.api_cases import CaseOrder, Cases
from control_plane.http.api_events import Events
from control_plane.http.api_hooks import HookOrder, Hooks
from control_plane.http.api_nodes import Nodes, TokenOrder
from control_plane.http.api_people import AccessOrder, PrincipalOrder, Principals, Proposals
from control_plane.http.api_policies import Policies
from control_plane.http.asking import Asked
from control_plane.http.body import Receive, Scope, Send
from control_plane.http.nodes import PREFIX, NodeDoor
from control_plane.http.plane import Plane
from control_plane.http.problems import framework, named, unforeseen
from shared.errors import HomeportError

BODY_BYTES_MAX = 16 * 1024 * 1024
"""A request of a program: the largest are a roster of a thousand nodes and a policy bundle."""
API_VERSION = "1"


def public_app(door: NodeDoor, plane: Plane) -> ASGIApp:
    """Build the application."""
    programs = program_api(plane)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await door.answer(scope, receive, send)
        else:
            await programs(cast("Any", scope), cast("Any", receive), _counted(send, plane))

    return cast("ASGIApp", app)


def program_api(plane: Plane) -> Litestar:
    """Build the program API."""
    app = Litestar(
        route_handlers=[Cases, Nodes, Policies, Principals, Proposals, Events, Hooks],
        dependencies={"plane": Provide(_plane, sync_to_thread=False)},
        exception_handlers={HomeportError: named, HTTPException: framework, Exception: unforeseen},
        request_class=Asked,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
    )
    app.state.plane = plane
    _close_orders(app)
    return app


def _close_orders(app: Litestar) -> None:
    """Say in the schema what the decoder does: an order with a member that nobody knows is refused."""
    for order in (AccessOrder, CaseOrder, HookOrder, PrincipalOrder, TokenOrder):
        app.openapi_schema.components.schemas[order.__name__].additional_properties = False


def _openapi() -> OpenAPIConfig:
    """Describe the API: one document, at ``/schema`` and ``/schema/openapi.json``."""
    return OpenAPIConfig(
        title="Homeport control plane",
        version=API_VERSION,
        description="Cases, nodes, policies, principals and events, by pseudonym only.",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=("/", "/openapi.json"))],
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"bearer": []}],
        use_handler_docstrings=True,
    )


def _plane(request: Request[Any, Any, Any]) -> Plane:
    """Give what handlers work on."""
    plane: Plane = request.app.state.plane
    return plane


def _counted(send: Send, plane: Plane) -> Any:
    """Count the status of each answer."""

    async def counting(message: Any) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            plane.metrics.answers.labels(str(message["status"])).inc()
        await send(message)

    return counting
