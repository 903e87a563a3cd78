"""``/v1/hooks``: where the company's own systems are told of events."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody
from msgspec import Meta

from control_plane.core.errors import NotFound
from control_plane.core.events import instant
from control_plane.core.minting import write_hook
from control_plane.http.api_people import DrawnId
from control_plane.http.asking import Asked, IdempotencyKey, OpenPlane, answered, authorise, needs
from control_plane.http.problems import documented
from control_plane.storage import hooks
from control_plane.storage.work import Work
from control_plane.usecases.once import Made, Request, once
from shared.addresses import URL_CHARACTERS_MAX, judge_url


class HookOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hook to make: an https address on the internet, or one that an operator set."""

    url: Annotated[str, Meta(min_length=1, max_length=URL_CHARACTERS_MAX)]


class HookView(msgspec.Struct, frozen=True, kw_only=True):
    """A hook; ``secret`` (``whsec_...``) checks its deliveries and is shown in the answer that makes it."""

    id: str
    url: str
    state: Literal["active", "gone"]
    """``gone``: it answered 410 and is told nothing more."""
    made_by: str
    made_at: str
    waiting: int
    given_up: int
    secret: str = ""


class HookList(msgspec.Struct, frozen=True):
    """Hooks, the oldest first."""

    items: tuple[HookView, ...]


class Hooks(Controller):
    """Hooks."""

    path = "/v1/hooks"
    tags = ("events",)
    guards = (authorise,)

    @post("/", opt=needs("hooks:write"), responses=documented(400, 401, 403, 422))
    async def make_hook(
        self,
        data: JSONBody[HookOrder],
        request: Asked,
        plane: OpenPlane,
        idempotency_key: IdempotencyKey = "",
    ) -> Response[HookView]:
        """Tell an address of every event from now on, signed as Standard Webhooks says."""
        judge_url(data.url, plane.allowed)
        actor = request.state.actor

        async def act(work: Work) -> Made:
            id_ = work.draw_id()
            await hooks.add(work.t, id_, data.url, actor.principal, work.now)
            return Made(201, _hook(hooks.Hook(id_, data.url, actor.principal, work.now, "active", 0, 0)), id_)

        asked = Request(actor.principal, idempotency_key, "POST", self.path, msgspec.json.encode(data))
        kept = await once(plane.store, asked, act)
        return answered(kept, write_hook(plane.mint("hook", kept.minted)))

    @get("/", opt=needs("hooks:read"), responses=documented(400, 401, 403))
    async def list_hooks(self, plane: OpenPlane) -> HookList:
        """List hooks, and how many deliveries wait or were given up."""
        async with plane.store.database.read() as t:
            return HookList(tuple(_hook(each) for each in await hooks.everyone(t)))

    @delete("/{hook:str}", opt=needs("hooks:write"), responses=documented(400, 401, 403, 404))
    async def remove_hook(self, hook: DrawnId, plane: OpenPlane) -> None:
        """Tell an address nothing more; what waits is dropped."""
        async with plane.store.work() as work:
            if not await hooks.close(work.t, hook, "removed"):
                raise NotFound


def _hook(each: hooks.Hook) -> HookView:
    """Write a hook for programs."""
    return HookView(
        id=each.id,
        url=each.url,
        state="gone" if each.state == "gone" else "active",
        made_by=each.made_by,
        made_at=instant(each.made_at),
        waiting=each.waiting,
        given_up=each.given_up,
    )
