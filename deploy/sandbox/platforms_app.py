"""A stand-in for both platforms' interfaces: answers what ``homeport edge account check`` asks.

Shapes after the WhatsApp Business Platform documentation (webhooks/override, local-storage, 2026) with
facebook/openapi v23.0, and line-openapi (2026-07-01).  :func:`serving` runs it on a free port of this machine;
``python -m deploy.sandbox.platforms_app PORT`` runs it in the foreground.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from deploy.sandbox.line import line_body, sign_line
from deploy.sandbox.names import LineChannel, WhatsAppNumber

START_SECONDS_MAX = 15.0


class World(msgspec.Struct):
    """What the stand-in knows; a test changes it to tell another story."""

    token: str = "EAAJsandboxtoken"  # noqa: S105  opens nothing outside the sandbox
    whatsapp: WhatsAppNumber = WhatsAppNumber()
    line: LineChannel = LineChannel()
    line_secret: bytes = b"0123456789abcdef0123456789abcdef"
    callbacks: dict[str, str] = {}
    """Meta's ``webhook_configuration``: ``phone_number``, ``whatsapp_business_account``, ``application``."""
    storage: dict[str, Any] = msgspec.field(
        default_factory=lambda: {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": "DE"}
    )
    subscribed: list[str] = msgspec.field(default_factory=lambda: [WhatsAppNumber().app_id])
    endpoint: str | None = None
    """LINE's webhook address; ``None``: never set, answered 404."""
    active: bool = True
    chat_mode: str = "bot"
    fault: str = ""
    """``redirect``, ``error``, ``huge`` or ``garbage``: answer everything so."""
    asked: list[str] = []
    """The paths asked for, in order: what a test may look at."""
    seen_elsewhere: list[str] = []
    """``Authorization`` headers that arrived at ``/elsewhere``, where a redirect points."""


def platforms_app(world: World) -> Litestar:
    """Make the app that tells of ``world``."""
    return Litestar(
        route_handlers=[_elsewhere, _number, _number_settings, _subscribed_apps, _info, _endpoint, _test],
        state=State({"world": world}, deep_copy=False),
        openapi_config=None,
        logging_config=None,
    )


@contextlib.contextmanager
def serving(world: World) -> Iterator[str]:
    """Serve ``world`` on a free port in a thread; gives the base address for both platforms."""
    config = uvicorn.Config(platforms_app(world), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="sandbox-platforms", daemon=True)
    started = threading.Event()
    startup = server.startup

    async def startup_told(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = startup_told  # type: ignore[method-assign]  # the server has no hook of its own for it
    thread.start()
    if not started.wait(START_SECONDS_MAX):
        raise RuntimeError("the stand-in did not start")
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS_MAX)


def _world(request: Request[Any, Any, Any]) -> World:
    """Give the app's world, and note what was asked."""
    world: World = request.app.state["world"]
    world.asked.append(request.url.path)
    return world


def _odd(world: World, request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Give the fault's answer, or the refusal of a wrong token; ``None`` where all is well."""
    match world.fault:
        case "redirect":
            return Response(None, status_code=302, headers={"location": f"{request.base_url}elsewhere"})
        case "error":
            return Response({"error": {"code": 2}}, status_code=503)
        case "huge":
            return Response(b"[" + b" " * (2 * 1024 * 1024) + b"]", media_type="application/json")
        case "garbage":
            return Response(b"<html>sorry</html>", media_type="text/html")
    if request.headers.get("authorization") != f"Bearer {world.token}":
        return Response({"error": {"code": 190, "type": "OAuthException"}}, status_code=401)
    return None


@get("/elsewhere")
async def _elsewhere(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Note who comes here: nobody who keeps a token to its platform."""
    _world(request).seen_elsewhere.append(request.headers.get("authorization", ""))
    return {}


@get("/{version:str}/{node:str}")
async def _number(request: Request[Any, Any, Any], node: FromPath[str]) -> Response[Any]:
    """Answer ``GET /{phone-number-id}?fields=webhook_configuration``."""
    world = _world(request)
    odd = _odd(world, request)
    if odd is not None:
        return odd
    if node != world.whatsapp.phone_number_id:
        return _no_such_node()
    return Response({"webhook_configuration": world.callbacks, "id": node})


@get("/{version:str}/{node:str}/settings")
async def _number_settings(request: Request[Any, Any, Any], node: FromPath[str]) -> Response[Any]:
    """Answer ``GET /{phone-number-id}/settings``."""
    world = _world(request)
    odd = _odd(world, request)
    if odd is not None:
        return odd
    if node != world.whatsapp.phone_number_id:
        return _no_such_node()
    return Response({"calling": {"status": "disabled"}, "storage_configuration": world.storage})


@get("/{version:str}/{node:str}/subscribed_apps")
async def _subscribed_apps(request: Request[Any, Any, Any], node: FromPath[str]) -> Response[Any]:
    """Answer ``GET /{WABA}/subscribed_apps``."""
    world = _world(request)
    odd = _odd(world, request)
    if odd is not None:
        return odd
    if node != world.whatsapp.waba_id:
        return _no_such_node()
    apps = [{"whatsapp_business_api_data": {"id": app, "name": "Sandbox"}} for app in world.subscribed]
    return Response({"data": apps})


@get("/v2/bot/info")
async def _info(request: Request[Any, Any, Any]) -> Response[Any]:
    """Answer LINE's ``GET /v2/bot/info``."""
    world = _world(request)
    told = {
        "userId": world.line.bot_user_id,
        "basicId": "@000sandbox",
        "displayName": "Sandbox",
        "chatMode": world.chat_mode,
        "markAsReadMode": "auto",
    }
    return _odd(world, request) or Response(told)


@get("/v2/bot/channel/webhook/endpoint")
async def _endpoint(request: Request[Any, Any, Any]) -> Response[Any]:
    """Answer LINE's ``GET /v2/bot/channel/webhook/endpoint``."""
    world = _world(request)
    odd = _odd(world, request)
    if odd is not None:
        return odd
    if world.endpoint is None:
        return Response({"message": "Not found"}, status_code=404)
    return Response({"endpoint": world.endpoint, "active": world.active})


@post("/v2/bot/channel/webhook/test", status_code=200)
async def _test(request: Request[Any, Any, Any]) -> Response[Any]:
    """Answer LINE's ``POST /v2/bot/channel/webhook/test``: really send the empty webhook, and tell what came."""
    world = _world(request)
    odd = _odd(world, request)
    if odd is not None:
        return odd
    body = line_body(channel=world.line)
    headers = {"x-line-signature": sign_line(world.line_secret, body), "content-type": "application/json"}
    try:
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            status = (await client.post(world.endpoint or "", content=body, headers=headers)).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        status = 0
    told = {
        "success": status == httpx.codes.OK,
        "timestamp": "2026-11-20T00:00:00.000Z",
        "statusCode": status,
        "reason": "OK" if status == httpx.codes.OK else "ERROR",
        "detail": str(status),
    }
    return Response(told)


def _no_such_node() -> Response[Any]:
    """Answer as Graph does for an id that the token cannot see."""
    return Response({"error": {"code": 100, "type": "GraphMethodException"}}, status_code=400)


if __name__ == "__main__":
    uvicorn.run(platforms_app(World()), host="127.0.0.1", port=int(sys.argv[1]))
