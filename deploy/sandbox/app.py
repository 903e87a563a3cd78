"""The stand-ins' public face: an ASGI app that finds the route, asks for the token, obeys the faults, and answers.

The order is the platforms': who asks is checked first, then what is asked.  Every request is recorded and held to the
vendor's description, whether it is answered well or not.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from deploy.sandbox.exchange import REQUEST_BYTES_MAX, Answer, Asked, graph_error, line_error, told
from deploy.sandbox.faults import Fault
from deploy.sandbox.routes import ROUTES, Route
from deploy.sandbox.sandbox import Request, Sandbox
from deploy.sandbox.world import Bot, Number

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Account = Bot | Number | None

_GARBAGE = Answer(200, b"<html>sorry</html>", {"content-type": "text/html"})
_HUGE = Answer(200, b"[" + b" " * (2 * 1024 * 1024) + b"]", {"content-type": "application/json"})


class PlatformsApp:
    """ASGI application of both platforms on one address."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Take the sandbox that answers."""
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        asked = await read_request(scope, receive)
        if asked.path == "/elsewhere":
            self._sandbox.world.seen_elsewhere.append(asked.headers.get("authorization", ""))
            await write_answer(send, told({}))
            return
        route, asked = _find(asked)
        name = route.name if route else "unknown"
        fault = self._sandbox.faults.take(name)
        described = route.place(self._sandbox, asked) if route else None
        if described is not None:
            self._sandbox.check(asked, described)
        answer = None
        if fault is None or fault.done or fault.kind in {"slow", "cut"}:
            answer = await self._answer(route, asked)
        if fault is not None:
            answer = await _fail(fault, asked, answer, receive, send)
        now = self._sandbox.clock.now()
        status = answer.status if answer else 0
        kind = fault.kind if fault else ""
        self._sandbox.requests.append(Request(now, asked.method, asked.path, name, status, kind))
        if answer is not None and kind == "cut":
            await _write_half(send, answer)
        elif answer is not None:
            await write_answer(send, answer)

    async def _answer(self, route: Route | None, asked: Asked) -> Answer:
        """Check the token, then do what is asked."""
        if route is None:
            return line_error(404, "Not found")
        refused, account = _admit(self._sandbox, route, asked)
        return refused or await route.handler(self._sandbox, asked, account)


def _find(asked: Asked) -> tuple[Route | None, Asked]:
    """Find the route of a request, and what the parts of its path are."""
    for route in ROUTES:
        parts = route.match(asked.method, asked.path)
        if parts is not None:
            return route, msgspec.structs.replace(asked, parts=parts)
    return None, asked


def _admit(sandbox: Sandbox, route: Route, asked: Asked) -> tuple[Answer | None, Account]:
    """Give the account that a token acts for, or the refusal."""
    world, token = sandbox.world, asked.token
    if route.auth == "none":
        return None, None
    if route.auth == "line":
        bot = world.bot_of(token)
        refusal = line_error(401, "Authentication failed. Confirm that the access token is valid.")
        return (None, bot) if bot else (refusal, None)
    numbers = world.numbers_of(token)
    if not numbers:
        return graph_error(190, "The access token is invalid or has expired"), None
    parts = asked.parts
    if route.auth == "whatsapp":
        return None, numbers[0]
    if route.auth == "node":
        kept = world.kept.get(parts["node"])
        names = {parts["node"], kept.account if kept and kept.platform == "whatsapp" else ""}
        found = next((number for number in numbers if number.id in names), None)
    elif route.auth == "waba":
        found = next((number for number in numbers if number.ids.waba_id == parts["waba"]), None)
    else:
        found = next((number for number in numbers if number.id == parts["number"]), None)
    if found is None:
        return graph_error(100, "No such object, or it cannot be seen", kind="GraphMethodException"), None
    return None, found


async def _fail(fault: Fault, asked: Asked, answer: Answer | None, receive: Receive, send: Send) -> Answer | None:
    """Fail as ordered; ``None`` where the client gets no answer."""
    match fault.kind:
        case "status":
            is_line = asked.path.startswith("/v2/")
            text = "The API rate limit has been exceeded. Try again later." if fault.status == 429 else "Error"
            body = {"message": text} if is_line else {"error": {"code": 2, "message": text}}
            return told(body, fault.status)
        case "code":
            return graph_error(fault.code)
        case "garbage":
            return _GARBAGE
        case "huge":
            return _HUGE
        case "redirect":
            return Answer(302, b"", {"location": f"{asked.base}/elsewhere"})
        case "cut":
            return answer
        case "slow":
            await asyncio.sleep(fault.seconds)
            return answer
        case "timeout":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_client_gone(receive), fault.seconds)
            _reset(send)
            return None
        case _:
            _reset(send)
            return None


async def _client_gone(receive: Receive) -> None:
    """Wait until the client gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset(send: Send) -> None:
    """Cut the connection with RST.  ASGI has no word for it; ``send`` is a method of uvicorn's request cycle."""
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None or transport.is_closing():
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def read_request(scope: Scope, receive: Receive) -> Asked:
    """Read a request whole; what is over the bound is cut off and will not be understood."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > REQUEST_BYTES_MAX:
            break
    host, port = scope["server"]
    return Asked(
        scope["method"],
        scope["path"],
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        bytes(body),
        f"http://{host}:{port}",
    )


async def _write_half(send: Send, answer: Answer) -> None:
    """Promise an answer, send its first half, and end the connection."""
    length = str(len(answer.body)).encode()
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers.append((b"content-length", length))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.close()


async def write_answer(send: Send, answer: Answer) -> None:
    """Send an answer."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
