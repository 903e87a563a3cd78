"""``/v1/policies``: bundles that officers signed are published, listed, and given as the files that they are."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat
from litestar.params import PathParameter, RawBody

from control_plane.core.events import instant
from control_plane.http.asking import Asked, IdempotencyKey, OpenPlane, answered, authorise, needs
from control_plane.http.problems import documented
from control_plane.storage import policies
from control_plane.storage.policies import Published
from control_plane.storage.work import Work
from control_plane.usecases.once import Made, Request, answered_before, once
from control_plane.usecases.policies import check, file_of, put

Version = Annotated[int, PathParameter(ge=1, le=1_000_000, description="A bundle's version.")]


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy bundle that came into force."""

    version: int
    hash: str
    name: str
    label: Literal["demonstration", "production"]
    published_by: str
    """A principal, or ``machine``: by command."""
    accepted_at: str


class PolicyList(msgspec.Struct, frozen=True):
    """Every bundle that came into force, by version; the last one is in force."""

    items: tuple[PolicyView, ...]


@dataclass
class Publishing(Operation):
    """What the schema says of publishing: the body is a file, taken byte by byte."""

    def __post_init__(self) -> None:
        """Describe the body."""
        file = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody(
            content={"application/octet-stream": file},
            description="The bundle's file, as homeport policy sign wrote it.",
            required=True,
        )


class Policies(Controller):
    """Policy bundles."""

    path = "/v1/policies"
    tags = ("policies",)
    guards = (authorise,)

    @post(
        "/",
        opt=needs("policies:publish"),
        operation_class=Publishing,
        responses=documented(400, 401, 403, 404, 409, 422),
    )
    async def publish(
        self, body: RawBody, request: Asked, plane: OpenPlane, idempotency_key: IdempotencyKey = ""
    ) -> Response[PolicyView]:
        """Put a bundle in force that officers of the roster signed; every node fetches it after its next beat.

        It is checked as every node checks it again: who signed, what becomes more permissive than in the bundle in
        force, whether its cases come out. That may take a minute. The bundle in force once more is no change.
        """
        actor = request.state.actor
        asked = Request(actor.principal, idempotency_key, "POST", self.path, body)
        kept = await answered_before(plane.store, asked)
        if kept is not None:
            return answered(kept)
        checked = await check(plane.store, body)

        async def act(work: Work) -> Made:
            return Made(201, policy_view(await put(work, checked, actor.principal)))

        return answered(await once(plane.store, asked, act))

    @get("/", opt=needs("policies:read"), responses=documented(400, 401, 403))
    async def list_policies(self, plane: OpenPlane) -> PolicyList:
        """List every bundle that came into force."""
        async with plane.store.database.read() as t:
            return PolicyList(tuple(policy_view(each) for each in await policies.everything(t)))

    @get("/{version:int}", opt=needs("policies:read"), responses=documented(400, 401, 403, 404))
    async def show_policy(self, version: Version, plane: OpenPlane) -> Response[dict[str, Any]]:
        """Give a bundle's file, byte by byte: what homeport policy reads."""
        file: Any = await file_of(plane.store, version)
        return Response(file, media_type="application/json")


def policy_view(each: Published) -> PolicyView:
    """Write a bundle for programs."""
    return PolicyView(
        version=each.version,
        hash=each.hash,
        name=each.name,
        label=each.label,
        published_by=each.published_by,
        accepted_at=instant(each.accepted_at),
    )
