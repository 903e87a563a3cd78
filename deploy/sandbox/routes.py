"""Every address that the stand-ins answer at, with its name for faults and its place in the vendor's description."""

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Literal

import msgspec

from deploy.sandbox import (
    line_account,
    line_content,
    line_messages,
    whatsapp_account,
    whatsapp_media,
    whatsapp_messages,
)
from deploy.sandbox.contract import Described
from deploy.sandbox.exchange import Answer, Asked
from deploy.sandbox.openapi_mending import LINE, WHATSAPP
from deploy.sandbox.sandbox import Sandbox

Handler = Callable[[Sandbox, Asked, Any], Awaitable[Answer]]
Auth = Literal["line", "number", "waba", "node", "whatsapp", "none"]
"""Whose token is asked for: the channel's; the one of the number, WABA or media named in the path; any number's."""


class Route(msgspec.Struct, frozen=True):
    """One method and address."""

    name: str
    method: str
    template: str
    """Parts in braces; ``{version}`` is a Graph version such as ``v25.0``."""
    auth: Auth
    handler: Handler
    described: str | None = None
    """The path in the vendor's file; ``None`` where the file lacks it."""

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Give the parts of a path that fits, or ``None``."""
        found = _pattern(self.template).fullmatch(path) if method == self.method else None
        return found.groupdict() if found else None

    def place(self, sandbox: Sandbox, asked: Asked) -> Described | None:
        """Say where the vendor describes this request; a node of Graph is a number or a file."""
        if self.described is None:
            return None
        if self.auth == "node" and sandbox.world.number(asked.parts["node"]) is None:
            return Described(WHATSAPP, "/{Version}/{Media-ID}")
        return Described(LINE if self.auth == "line" else WHATSAPP, self.described)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Turn a template into an expression."""
    parts = re.split(r"\{(\w+)\}", template)
    expression = ""
    for place, part in enumerate(parts):
        if place % 2 == 0:
            expression += re.escape(part)
        else:
            expression += rf"(?P<{part}>v[0-9]+\.[0-9]+)" if part == "version" else rf"(?P<{part}>[^/]+)"
    return re.compile(expression)


def _line(name: str, method: str, path: str, handler: Handler, described: str | None = None) -> Route:
    """Write a route of LINE."""
    return Route(f"line.{name}", method, path, "line", handler, described or path)


_MESSAGE = "/v2/bot/message"
_CONTENT = f"{_MESSAGE}/{{messageId}}/content"
_NUMBER = "/{version}/{number}"

ROUTES = (
    _line("reply", "POST", f"{_MESSAGE}/reply", line_messages.reply),
    _line("push", "POST", f"{_MESSAGE}/push", line_messages.push),
    _line("multicast", "POST", f"{_MESSAGE}/multicast", line_messages.multicast),
    _line("quota", "GET", f"{_MESSAGE}/quota", line_messages.quota),
    _line("consumption", "GET", f"{_MESSAGE}/quota/consumption", line_messages.consumption),
    _line("content", "GET", _CONTENT, line_content.content),
    _line("preview", "GET", f"{_CONTENT}/preview", line_content.preview),
    _line("transcoding", "GET", f"{_CONTENT}/transcoding", line_content.transcoding),
    _line("profile", "GET", "/v2/bot/profile/{userId}", line_account.profile),
    _line("link_token", "POST", "/v2/bot/user/{userId}/linkToken", line_account.link_token),
    _line("mark_as_read", "POST", "/v2/bot/chat/markAsRead", line_account.mark_as_read),
    _line("loading", "POST", "/v2/bot/chat/loading/start", line_account.loading),
    _line("info", "GET", "/v2/bot/info", line_account.info),
    _line("endpoint", "GET", "/v2/bot/channel/webhook/endpoint", line_account.endpoint),
    _line("set_endpoint", "PUT", "/v2/bot/channel/webhook/endpoint", line_account.set_endpoint),
    _line("test", "POST", "/v2/bot/channel/webhook/test", line_account.test),
    Route("line.dialog", "GET", "/dialog/bot/accountLink", "none", line_account.dialog),
    Route(
        "whatsapp.messages",
        "POST",
        f"{_NUMBER}/messages",
        "number",
        whatsapp_messages.send_message,
        "/{Version}/{Phone-Number-ID}/messages",
    ),
    Route(
        "whatsapp.upload",
        "POST",
        f"{_NUMBER}/media",
        "number",
        whatsapp_media.upload,
        "/{Version}/{Phone-Number-ID}/media",
    ),
    Route("whatsapp.contact_book", "DELETE", f"{_NUMBER}/contact_book", "number", whatsapp_account.forget_contact),
    Route(
        "whatsapp.settings",
        "GET",
        f"{_NUMBER}/settings",
        "number",
        whatsapp_account.settings,
        "/{Version}/{Phone-Number-ID}/settings",
    ),
    Route(
        "whatsapp.set_settings",
        "POST",
        f"{_NUMBER}/settings",
        "number",
        whatsapp_account.set_settings,
        "/{Version}/{Phone-Number-ID}/settings",
    ),
    *(
        Route(
            f"whatsapp.{name}",
            method,
            "/{version}/{waba}/subscribed_apps",
            "waba",
            handler,
            "/{Version}/{WABA-ID}/subscribed_apps",
        )
        for name, method, handler in (
            ("subscribed_apps", "GET", whatsapp_account.subscribed_apps),
            ("subscribe", "POST", whatsapp_account.subscribe),
            ("unsubscribe", "DELETE", whatsapp_account.unsubscribe),
        )
    ),
    Route("whatsapp.download", "GET", "/whatsapp_business/attachments/{secret}", "whatsapp", whatsapp_media.download),
    Route("whatsapp.node", "GET", "/{version}/{node}", "node", whatsapp_account.node, "/{Version}/{Phone-Number-ID}"),
    Route(
        "whatsapp.set_callback",
        "POST",
        _NUMBER,
        "number",
        whatsapp_account.set_callback,
        "/{Version}/{Phone-Number-ID}",
    ),
    Route(
        "whatsapp.delete_media", "DELETE", "/{version}/{node}", "node", whatsapp_media.delete, "/{Version}/{Media-ID}"
    ),
)
