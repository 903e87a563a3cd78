"""Who asks, and may they: bearer tokens, scopes, idempotency keys, for every handler of the program API."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from control_plane.core.access import Scope
from control_plane.core.errors import RequestMalformed, ScopeMissing, TokenRefused
from control_plane.core.minting import digest, read_access
from control_plane.core.paging import LIMIT_MAX
from control_plane.http.plane import Plane
from control_plane.storage import principals
from control_plane.storage.answers import Kept
from control_plane.storage.principals import Actor

OpenPlane = NamedDependency[Plane]


class Asked(Request[Any, Any, Any]):
    """A request of a program; a body that the framework's decoder chokes on is the program's fault, not ours."""

    async def json(self) -> Any:
        """Give the body's JSON; ``RequestMalformed`` where it is no UTF-8, or nested too deeply to be read."""
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError):
            raise RequestMalformed(reason="body") from None


IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[!-~]{0,128}$",
        description="A name drawn for this request: repeated with it, the request is done once and answered the same.",
    ),
]
Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="Most rows in one page.")]
Cursor = Annotated[
    str, QueryParameter(pattern=r"^[A-Za-z0-9_-]{0,256}$", description="The value of next of the page before.")
]


def needs(scope: Scope, *query: str) -> dict[str, Any]:
    """Give what a handler says of itself for :func:`authorise`: the scope it needs, the query parameters it knows."""
    return {"scope_needed": scope, "query_known": frozenset(query)}


async def authorise(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let in who has a token in force with the scope that the handler needs: ``TokenRefused``, ``ScopeMissing``.

    A query parameter that the handler does not know, or that is given twice, is refused: a misspelt filter must not
    mean no filter, and which of two counts must not depend on who reads them.
    """
    wanted = handler.opt.get("scope_needed")
    actor = await actor_of(connection)
    if wanted not in actor.scopes:
        raise ScopeMissing(reason=str(wanted))
    given = connection.query_params
    if not handler.opt["query_known"].issuperset(given) or any(len(given.getall(name)) > 1 for name in given):
        raise RequestMalformed(reason="query")
    connection.scope["state"]["actor"] = actor


async def actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
    """Give who asks; ``TokenRefused`` where no token is in force, whatever is wrong with it."""
    plane: Plane = connection.app.state.plane
    given = connection.headers.getall("authorization", [])
    scheme, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    secret = read_access(text.strip()) if scheme.lower() == "bearer" else None
    if secret is None:
        raise TokenRefused
    async with plane.store.database.read() as t:
        actor = await principals.actor(t, digest(secret), plane.store.clock.now())
    if actor is None:
        raise TokenRefused
    return actor


def answered(kept: Kept, secret: str = "") -> Response[Any]:
    """Write an answer that was kept; ``secret`` is shown with it and nowhere else."""
    body = kept.body
    if secret:
        body = msgspec.json.encode(msgspec.json.decode(body) | {"secret": secret})
    headers = {"cache-control": "no-store"} if secret else {}
    return Response(body, status_code=kept.status, media_type="application/json", headers=headers)
