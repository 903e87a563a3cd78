"""``/v1/nodes``, ``/v1/enrolment-tokens``, ``/v1/enrolments``, ``/v1/roster``: who is a node, and how it stands."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from control_plane.core.errors import NotFound, RosterMissing, RosterRefused
from control_plane.core.events import instant
from control_plane.core.health import NodeState
from control_plane.http.api_people import ProposalView, proposal_view
from control_plane.http.asking import Asked, IdempotencyKey, OpenPlane, answered, authorise, needs
from control_plane.http.plane import Plane
from control_plane.http.problems import documented
from control_plane.storage import nodes, policies
from control_plane.storage.nodes import Enrolled, Seen
from control_plane.storage.work import Work
from control_plane.usecases.node_health import newest_of, problems_seen, state_seen
from control_plane.usecases.once import Made, Request, once
from control_plane.usecases.people import propose_retirement
from control_plane.usecases.tokens import HOURS_MAX, make_enrolment_token
from shared.crypto.signing import Fingerprint, in_groups
from shared.enrolment_token import EnrolmentToken, write_token
from shared.errors.trust import RosterMalformed
from shared.roster import Node, read_signed, root_fingerprint, write
from shared.roster.texts import grouped_node_fingerprints
from shared.wire import Health, NodeKeys
from shared.wire.types import Address, JurisdictionCode, NodeName, ProblemCode, RegionName

NamedNode = Annotated[
    str,
    PathParameter(pattern=r"^[a-z](?:-?[a-z0-9]){0,47}$", max_length=48, description="A node's name in the roster."),
]


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the roster, and what is seen of it."""

    name: str
    region: str
    jurisdiction: str
    state: NodeState
    last_beat_at: str | None
    last_ask_at: str | None
    roster_version: int | None
    """That the node has."""
    policy_version: int | None
    """Of the bundle that the node decides by; 0 where it has none, null until it said so."""
    policy_hash: str | None
    problems: tuple[ProblemCode, ...]
    """What is wrong with it as it last stood, measured by roster and policy in force now."""
    cursor_lag: int
    """Commands that it has not fetched."""
    owed: int
    """Commands that it has not signed for."""
    health: Health | None


class NodeList(msgspec.Struct, frozen=True):
    """Every node of the roster, by name."""

    items: tuple[NodeView, ...]


class TokenOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time token to make."""

    node: NodeName
    hours: Annotated[int, Meta(ge=1, le=HOURS_MAX)] = 24


class EnrolmentTokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time token; ``secret`` is the line that the node's operator needs, shown in this answer only."""

    id: str
    node: str
    until: str
    until_ms: int
    root: Fingerprint
    secret: str = ""


class EnrolmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What a node said of itself when it enrolled."""

    node: NodeName
    region: RegionName
    jurisdiction: JurisdictionCode
    relay: Address | None
    fingerprints: tuple[str, str]
    """Of the keys it signs with and of the key it opens with, to be compared by voice."""
    at: str
    state: Literal["in_roster", "pending"]


class EnrolmentList(msgspec.Struct, frozen=True):
    """Enrolments, by node."""

    items: tuple[EnrolmentView, ...]


class RosterInForce(msgspec.Struct, frozen=True):
    """A roster came into force, or was already."""

    version: int
    root: str


class Nodes(Controller):
    """Nodes."""

    path = "/v1"
    tags = ("nodes",)
    guards = (authorise,)

    @get("/nodes", opt=needs("nodes:read"), responses=documented(400, 401, 403, 404))
    async def list_nodes(self, plane: OpenPlane) -> NodeList:
        """List the nodes of the roster: state, last beat, what they have not fetched and what they owe."""
        roster = plane.keeper.roster
        async with plane.store.database.read() as t:
            seen, lag, owed = await nodes.seen(t), await nodes.lag(t), await nodes.owed(t)
            newest = newest_of(await policies.newest(t))
        views = [
            _node(node, found := seen.get(node.name), lag, owed, problems_seen(found, roster.version, newest))
            for node in roster.nodes
        ]
        return NodeList(tuple(sorted(views, key=lambda view: view.name)))

    @post(
        "/nodes/{node:str}/retirement",
        opt=needs("nodes:retire"),
        responses=documented(400, 401, 403, 404, 409, 422),
    )
    async def retire_node(
        self, node: NamedNode, request: Asked, plane: OpenPlane, idempotency_key: IdempotencyKey = ""
    ) -> Response[ProposalView]:
        """Propose that a node is refused from now on; another person approves it.

        It bars the node here at once, before officers sign a roster that retires it for good.
        """
        if plane.keeper.roster.node(node) is None:
            raise NotFound
        actor = request.state.actor

        async def act(work: Work) -> Made:
            return Made(201, proposal_view(await propose_retirement(work, node, actor)))

        asked = Request(actor.principal, idempotency_key, "POST", f"/v1/nodes/{node}/retirement", b"")
        return answered(await once(plane.store, asked, act))

    @post("/enrolment-tokens", opt=needs("nodes:enrol"), responses=documented(400, 401, 403, 404, 422))
    async def make_token(
        self,
        data: JSONBody[TokenOrder],
        request: Asked,
        plane: OpenPlane,
        idempotency_key: IdempotencyKey = "",
    ) -> Response[EnrolmentTokenView]:
        """Make a one-time token with which a node of that name enrols."""
        actor = request.state.actor

        async def act(work: Work) -> Made:
            id_ = work.draw_id()
            token = await make_enrolment_token(
                work,
                data.node,
                data.hours,
                address=plane.settings.address,
                fingerprint=plane.fingerprint,
                by=actor.principal,
                id_=id_,
                secret=plane.mint("enrolment", id_),
            )
            until = instant(token.until)
            view = EnrolmentTokenView(id=id_, node=token.node, until=until, until_ms=token.until, root=token.root)
            return Made(201, view, id_)

        asked = Request(actor.principal, idempotency_key, "POST", "/v1/enrolment-tokens", msgspec.json.encode(data))
        kept = await once(plane.store, asked, act)
        return answered(kept, write_token(_token(plane, msgspec.json.decode(kept.body, type=EnrolmentTokenView))))

    @get("/enrolments", opt=needs("nodes:read"), responses=documented(400, 401, 403))
    async def list_enrolments(self, plane: OpenPlane) -> EnrolmentList:
        """List what nodes said of themselves when they enrolled; ``pending`` until a roster names these keys."""
        async with plane.store.database.read() as t:
            found = await nodes.enrolments(t)
        signed = plane.keeper.signed
        known = {node.name: node.keys for node in signed.roster.nodes} if signed is not None else {}
        return EnrolmentList(tuple(_enrolment(each, known.get(each.node)) for each in found))

    @get("/roster", opt=needs("roster:read"), responses=documented(400, 401, 403, 404))
    async def show_roster(self, plane: OpenPlane) -> dict[str, Any]:
        """Give the roster in force with its signatures: the file that homeport roster reads."""
        if plane.keeper.signed is None:
            raise RosterMissing
        roster: dict[str, Any] = msgspec.json.decode(write(plane.keeper.signed))
        return roster

    @put("/roster", opt=needs("roster:write"), responses=documented(400, 401, 403, 404, 422))
    async def put_roster(
        self,
        data: JSONBody[dict[str, Any]],  # noqa: ARG002 - for the schema: what is read are the file's own bytes
        request: Asked,
        plane: OpenPlane,
    ) -> RosterInForce:
        """Put a roster in force that officers in force signed: the file that homeport roster wrote.

        The first one is put by command, on the machine.
        """
        if plane.keeper.signed is None:
            raise RosterRefused(reason="the first is put by command")
        try:
            signed = read_signed(await request.body())
        except RosterMalformed as error:
            raise RosterRefused(reason=error.code) from None
        roster = await plane.keeper.put(signed)
        return RosterInForce(roster.version, in_groups(root_fingerprint(roster)))


def _node(
    node: Node,
    seen: Seen | None,
    lag: dict[str, int],
    owed: dict[str, int],
    problems: tuple[ProblemCode, ...],
) -> NodeView:
    """Write a node for programs."""
    health = None
    if seen is not None and seen.beat_at is not None:
        counts = {name: int(getattr(seen, name) or 0) for name in Health.__struct_fields__}
        health = Health(**counts)
    return NodeView(
        name=node.name,
        region=node.region,
        jurisdiction=node.jurisdiction,
        state=state_seen(node, seen),
        last_beat_at=_instant(seen.beat_at if seen else None),
        last_ask_at=_instant(seen.asked_at if seen else None),
        roster_version=seen.roster_version if seen else None,
        policy_version=seen.policy_version if seen else None,
        policy_hash=seen.policy_hash if seen else None,
        problems=problems,
        cursor_lag=lag.get(node.name, owed.get(node.name, 0) if seen is None else 0),
        owed=owed.get(node.name, 0),
        health=health,
    )


def _enrolment(said: Enrolled, known: NodeKeys | None) -> EnrolmentView:
    """Write an enrolment for programs."""
    return EnrolmentView(
        node=said.node,
        region=said.region,
        jurisdiction=said.jurisdiction,
        relay=said.relay,
        fingerprints=grouped_node_fingerprints(said.keys),
        at=instant(said.at),
        state="in_roster" if known == said.keys else "pending",
    )


def _token(plane: Plane, view: EnrolmentTokenView) -> EnrolmentToken:
    """Give the token again, from what is kept of it."""
    return EnrolmentToken(
        address=plane.settings.address,
        control_plane=plane.fingerprint,
        root=view.root,
        node=view.node,
        secret=plane.mint("enrolment", view.id),
        until=view.until_ms,
    )


def _instant(at: int | None) -> str | None:
    """Write an instant that may not have been."""
    return None if at is None else instant(at)
