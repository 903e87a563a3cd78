"""``/v1/events``: what happened, as server-sent events (WHATWG HTML, section 9.2), taken up where they broke.

An event's number is its id; ``Last-Event-ID``, or ``after`` in the query, says what was seen last.  Events are kept for
30 days.  A silent stream gets a comment now and then; as often, silent or not, its token is looked at again.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from control_plane.core.errors import TokenRefused
from control_plane.core.events import told
from control_plane.http.asking import Asked, OpenPlane, actor_of, authorise, needs
from control_plane.http.plane import Plane
from control_plane.http.problems import documented
from control_plane.storage import events
from shared.errors import QueueFull

PAGE = 200
NOW = -1
STREAMS_MAX = 256
"""Event streams open at once in a process: they must not take the connections that nodes need."""
STREAMS_OF_ONE_MAX = 32
"""Of these, event streams of one principal: one program that never closes any must not shut the others out."""
_NUMBER_MAX = 2**53 - 1
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""The latter keeps proxies from holding events back."""


class StreamedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of the stream: its number, its kind, and JSON of ``type``, ``timestamp`` and ``data``."""

    id: str = ""
    event: str = ""
    data: str = ""
    retry: int = 0


class Events(Controller):
    """Events."""

    path = "/v1/events"
    tags = ("events",)
    guards = (authorise,)

    @get(
        "/",
        opt=needs("events:read", "after", "follow"),
        media_type="text/event-stream",
        responses={
            **documented(400, 401, 403),
            200: ResponseSpec(
                StreamedEvent,
                generate_examples=False,
                description="Server-sent events; this is the form of one.",
                media_type="text/event-stream",
            ),
        },
    )
    async def stream(
        self,
        request: Asked,
        plane: OpenPlane,
        after: Annotated[
            int, QueryParameter(ge=NOW, le=_NUMBER_MAX, description="What came after this number; -1: from now on.")
        ] = NOW,
        follow: Annotated[bool, QueryParameter(description="Stay for what happens; else end.")] = True,
        last_event_id: Annotated[
            str, HeaderParameter(name="Last-Event-ID", pattern=r"^[0-9]{0,15}$", description="Goes before after.")
        ] = "",
    ) -> Stream:
        """Give events; without a number, those from now on."""
        number = int(last_event_id) if last_event_id else after
        if number == NOW:
            async with plane.store.database.read() as t:
                number = await events.last(t)
        owner = request.state.actor.principal
        of_all, of_one = plane.signals.streams.total(), plane.signals.streams[owner]
        if follow and (of_all >= STREAMS_MAX or of_one >= STREAMS_OF_ONE_MAX):
            raise QueueFull(waiting=of_one)
        content = _follow(request, plane, number, owner) if follow else _backlog(plane, number)
        return Stream(content, media_type="text/event-stream", headers=_HEADERS)


async def _backlog(plane: Plane, number: int) -> AsyncIterator[bytes]:
    """Give what there is after a number, and end."""
    yield b": what there is\n\n"
    while True:
        text, number = await _page(plane, number)
        if not text:
            return
        yield text


async def _follow(request: Asked, plane: Plane, number: int, owner: str) -> AsyncIterator[bytes]:
    """Give what happened and what happens, until the reader, its token or this process goes."""
    clock, pause = plane.store.clock, plane.settings.heartbeat_seconds
    plane.metrics.streams.inc()
    plane.signals.streams[owner] += 1
    try:
        yield b"retry: 1000\n: hello\n\n"
        beat_at = clock.elapsed() + pause
        while not plane.signals.closing:
            mark = plane.signals.mark
            text, number = await _page(plane, number)
            if text:
                yield text
            if clock.elapsed() >= beat_at:
                beat_at = clock.elapsed() + pause
                if not await _still_allowed(request):
                    return
                if not text:
                    yield b": beat\n\n"
            if text:
                continue
            await plane.signals.wait_events(mark, min(1.0, pause))
    finally:
        plane.signals.streams[owner] -= 1
        plane.signals.streams += Counter[str]()  # drops who has none left
        plane.metrics.streams.dec()


async def _page(plane: Plane, number: int) -> tuple[bytes, int]:
    """Give the next events as text, and the number of the last."""
    async with plane.store.database.read() as t:
        found = await events.after(t, number, PAGE)
    text = b"".join(
        b"id: %d\nevent: %b\ndata: %b\n\n" % (each.id, each.kind.encode(), told(each.kind, each.at, each.data))
        for each in found
    )
    return text, found[-1].id if found else number


async def _still_allowed(request: Asked) -> bool:
    """Say whether the token that opened a stream still would."""
    try:
        return "events:read" in (await actor_of(request)).scopes
    except TokenRefused:
        return False
