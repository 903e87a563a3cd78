"""``/v1/principals``, ``/v1/proposals``: who may ask, by which tokens, and what takes two persons."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from control_plane.core.access import Role, Scope
from control_plane.core.errors import NotFound
from control_plane.core.events import instant
from control_plane.core.four_eyes import Act, Proposal, ProposalState
from control_plane.core.minting import write_access
from control_plane.core.paging import Position, read_cursor, write_cursor
from control_plane.http.asking import Asked, Cursor, IdempotencyKey, Limit, OpenPlane, answered, authorise, needs
from control_plane.http.plane import Plane
from control_plane.http.problems import documented
from control_plane.storage import principals
from control_plane.storage.principals import Token
from control_plane.storage.work import Work
from control_plane.usecases.once import Made, Request, once
from control_plane.usecases.people import appoint, decide, dismiss, give_token
from shared.roster.model import PersonSlug

_SLUG = r"^[a-z](?:-?[a-z0-9]){0,47}$"
PrincipalName = Annotated[str, PathParameter(pattern=_SLUG, max_length=48, description="A principal's name.")]
DrawnId = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{32}$", max_length=32, description="A drawn name.")]


class PrincipalOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A principal to make; ``person`` is the short name of the person, or of the team that owns a program."""

    name: PersonSlug
    person: PersonSlug
    role: Role


class PrincipalView(msgspec.Struct, frozen=True, kw_only=True):
    """A principal."""

    name: str
    person: str
    role: Role
    made_at: str
    removed_at: str | None


class PrincipalList(msgspec.Struct, frozen=True):
    """Principals, by name."""

    items: tuple[PrincipalView, ...]


class AccessOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to make: scopes (all of the role without), and how long it is good (until it is removed without)."""

    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=20)] | None = None
    minutes: Annotated[int, Meta(ge=1, le=10 * 366 * 24 * 60)] | None = None


class AccessView(msgspec.Struct, frozen=True, kw_only=True):
    """A token; ``secret`` is the token itself, shown in the answer that makes it and never again."""

    id: str
    principal: str
    scopes: tuple[Scope, ...]
    made_at: str
    until: str | None
    removed_at: str | None
    secret: str = ""


class AccessList(msgspec.Struct, frozen=True):
    """Tokens of a principal, without their secrets."""

    items: tuple[AccessView, ...]


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """What one person proposed and another decides."""

    id: str
    act: Act
    subject: str
    """The principal that is to be, or to be no more, or the node."""
    person: str | None
    role: Role | None
    proposed_by: str
    at: str
    state: ProposalState
    decided_by: str | None
    decided_at: str | None


class ProposalPage(msgspec.Struct, frozen=True):
    """Proposals in the order in which they were made."""

    items: tuple[ProposalView, ...]
    next: str | None


class Principals(Controller):
    """Principals and tokens."""

    path = "/v1/principals"
    tags = ("principals",)
    guards = (authorise,)

    @get("/", opt=needs("principals:read"), responses=documented(400, 401, 403))
    async def list_principals(self, plane: OpenPlane) -> PrincipalList:
        """List every principal, those removed too."""
        async with plane.store.database.read() as t:
            return PrincipalList(tuple(_principal(each) for each in await principals.everybody(t)))

    @post(
        "/",
        opt=needs("principals:write"),
        responses={
            **documented(400, 401, 403, 409, 422),
            202: ResponseSpec(ProposalView, generate_examples=False, description="Proposed; another person decides."),
        },
    )
    async def make_principal(
        self,
        data: JSONBody[PrincipalOrder],
        request: Asked,
        plane: OpenPlane,
        idempotency_key: IdempotencyKey = "",
    ) -> Response[PrincipalView]:
        """Make a principal (201), or propose an officer, operator or auditor (202) for another person to approve."""
        actor = request.state.actor

        async def act(work: Work) -> Made:
            made = await appoint(work, data.name, data.person, data.role, actor)
            if isinstance(made, Proposal):
                return Made(202, proposal_view(made))
            return Made(201, _principal(made))

        asked = Request(actor.principal, idempotency_key, "POST", self.path, msgspec.json.encode(data))
        return answered(await once(plane.store, asked, act))

    @delete(
        "/{name:str}",
        opt=needs("principals:write"),
        status_code=202,
        response_description="Proposed; another person decides.",
        responses={
            **documented(400, 401, 403, 404),
            204: ResponseSpec(None, generate_examples=False, description="Removed."),
        },
    )
    async def remove_principal(self, name: PrincipalName, request: Asked, plane: OpenPlane) -> Response[ProposalView]:
        """Take all tokens of a principal away at once, and remove it (204).

        That another person's officer, operator or auditor is removed for good is proposed (202).
        """
        async with plane.store.work() as work:
            proposed = await dismiss(work, name, request.state.actor)
        nothing: Any = None
        return Response(nothing, status_code=204) if proposed is None else Response(proposal_view(proposed))

    @get("/{name:str}/tokens", opt=needs("principals:read"), responses=documented(400, 401, 403, 404))
    async def list_tokens(self, name: PrincipalName, plane: OpenPlane) -> AccessList:
        """List a principal's tokens, without their secrets."""
        async with plane.store.database.read() as t:
            if await principals.find(t, name) is None:
                raise NotFound
            return AccessList(tuple(_access(each) for each in await principals.tokens(t, name)))

    @post("/{name:str}/tokens", opt=needs("principals:write"), responses=documented(400, 401, 403, 404, 422))
    async def make_token(
        self,
        name: PrincipalName,
        data: JSONBody[AccessOrder],
        request: Asked,
        plane: OpenPlane,
        idempotency_key: IdempotencyKey = "",
    ) -> Response[AccessView]:
        """Make a token; its secret is in this answer only.

        Tokens of another person's officer, operator or auditor are made by command, on the machine.
        """
        actor = request.state.actor

        async def act(work: Work) -> Made:
            id_ = work.draw_id()
            secret = plane.mint("access", id_)
            made = await give_token(work, name, data.scopes, data.minutes, actor, id_, secret)
            return Made(201, _access(made), id_)

        path = f"{self.path}/{name}/tokens"
        asked = Request(actor.principal, idempotency_key, "POST", path, msgspec.json.encode(data))
        kept = await once(plane.store, asked, act)
        return answered(kept, write_access(plane.mint("access", kept.minted)))

    @delete("/{name:str}/tokens/{token:str}", opt=needs("principals:write"), responses=documented(400, 401, 403, 404))
    async def remove_token(self, name: PrincipalName, token: DrawnId, plane: OpenPlane) -> None:
        """Remove a token: it is refused from now on, and streams opened with it end."""
        async with plane.store.work() as work:
            if not await principals.remove_token(work.t, name, token, work.now):
                raise NotFound


class Proposals(Controller):
    """What takes two persons."""

    path = "/v1/proposals"
    tags = ("principals",)
    guards = (authorise,)

    @get("/", opt=needs("proposals:read", "state", "limit", "cursor"), responses=documented(400, 401, 403, 422))
    async def list_proposals(
        self,
        plane: OpenPlane,
        status: Annotated[Literal[ProposalState, "any"], QueryParameter(name="state")] = "any",
        limit: Limit = 50,
        cursor: Cursor = "",
    ) -> ProposalPage:
        """List proposals, the oldest first."""
        async with plane.store.database.read() as t:
            rows = await principals.proposals(t, read_cursor(cursor), status, limit + 1)
        after = write_cursor(Position(rows[limit - 1].at, rows[limit - 1].id)) if len(rows) > limit else None
        return ProposalPage(tuple(proposal_view(row) for row in rows[:limit]), after)

    @post(
        "/{proposal:str}/approve",
        status_code=200,
        opt=needs("proposals:decide"),
        responses=documented(400, 401, 403, 404, 409, 422),
    )
    async def approve(
        self, proposal: DrawnId, request: Asked, plane: OpenPlane, idempotency_key: IdempotencyKey = ""
    ) -> Response[ProposalView]:
        """Approve, as another person than who proposed it and whom it concerns; it is carried out at once."""
        return await self._decide(proposal, request, plane, idempotency_key, approves=True)

    @post(
        "/{proposal:str}/reject",
        status_code=200,
        opt=needs("proposals:decide"),
        responses=documented(400, 401, 403, 404, 409, 422),
    )
    async def reject(
        self, proposal: DrawnId, request: Asked, plane: OpenPlane, idempotency_key: IdempotencyKey = ""
    ) -> Response[ProposalView]:
        """Reject it, or take one's own proposal back."""
        return await self._decide(proposal, request, plane, idempotency_key, approves=False)

    async def _decide(
        self, proposal: str, request: Asked, plane: Plane, key: str, *, approves: bool
    ) -> Response[ProposalView]:
        """Decide, and let this process see a barred node at once."""
        actor = request.state.actor

        async def act(work: Work) -> Made:
            return Made(200, proposal_view(await decide(work, proposal, actor, approves=approves)))

        path = f"{self.path}/{proposal}/{'approve' if approves else 'reject'}"
        kept = await once(plane.store, Request(actor.principal, key, "POST", path, b""), act)
        await plane.keeper.refresh()
        return answered(kept)


def proposal_view(proposal: Proposal) -> ProposalView:
    """Write a proposal for programs."""
    return ProposalView(
        id=proposal.id,
        act=proposal.act,
        subject=proposal.subject,
        person=proposal.person or None,
        role=proposal.role,
        proposed_by=proposal.proposed_by,
        at=instant(proposal.at),
        state=proposal.state,
        decided_by=proposal.decided_by,
        decided_at=None if proposal.decided_at is None else instant(proposal.decided_at),
    )


def _principal(each: principals.Principal) -> PrincipalView:
    """Write a principal for programs."""
    removed = None if each.removed_at is None else instant(each.removed_at)
    return PrincipalView(
        name=each.name, person=each.person, role=each.role, made_at=instant(each.made_at), removed_at=removed
    )


def _access(each: Token) -> AccessView:
    """Write a token for programs."""
    return AccessView(
        id=each.id,
        principal=each.principal,
        scopes=each.scopes,
        made_at=instant(each.made_at),
        until=None if each.until is None else instant(each.until),
        removed_at=None if each.removed_at is None else instant(each.removed_at),
    )
