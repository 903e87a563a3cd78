"""The receivers that Homeport is measured against, each a process: a no-op, pywa, line-bot-sdk.

``python -m deploy.bench.receivers noop|pywa|line PORT STORE``.  All three are raw ASGI under uvicorn with uvloop and
httptools, as Homeport is, so that what differs is the receiver.  The two naive ones verify and parse with their
vendor library and write plain text to SQLite, one commit for each message, before they answer 200: WAL and
``synchronous=FULL``, so what they acknowledge is on disk.
"""

import sqlite3
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn

from deploy.bench.bodies import LINE_SECRET, NUMBER, WHATSAPP_SECRET

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SCHEMA = """CREATE TABLE message (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, at INTEGER NOT NULL, body TEXT
)"""


class PlainStore:
    """Messages as plain text in one SQLite file.

    The connection lives in the event loop's thread: handing each message to a thread and back costs more than the
    wait for the disk (measured with aiosqlite; README.md), so this is the faster way to be naive.
    """

    def __init__(self, path: Path) -> None:
        """Make the file."""
        self._link = sqlite3.connect(path, isolation_level=None)
        self._link.execute("PRAGMA journal_mode = wal")
        self._link.execute("PRAGMA synchronous = full")
        self._link.execute(_SCHEMA)

    def keep(self, message_id: str, sender: str, at: int, body: str | None) -> None:
        """Write one message; committed and synced when this returns.  A repetition changes nothing."""
        self._link.execute(
            "INSERT OR IGNORE INTO message (message_id, sender, at, body) VALUES (?, ?, ?, ?)",
            (message_id, sender, at, body),
        )


def noop(_store: Path) -> App:
    """Answer 200 and nothing else: what server and load alone can do."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await _answer(send, 200)

    return app


def pywa(store: Path) -> App:
    """Receive with pywa; its handler is awaited before the answer.

    pywa's own route answers first and handles afterwards, so a kill in between loses what was acknowledged.
    """
    from pywa_async import WhatsApp  # noqa: PLC0415  only this receiver needs it
    from pywa_async.types import Message  # noqa: PLC0415

    plain = PlainStore(store)
    client = WhatsApp(
        phone_id=NUMBER.phone_number_id,
        token="never-sent",  # noqa: S106  it receives only
        app_secret=WHATSAPP_SECRET.decode(),
        verify_token="never-asked",  # noqa: S106
        server=None,
    )

    async def keep(_client: WhatsApp, message: Message) -> None:
        plain.keep(message.id, message.from_user.wa_id or "", int(message.timestamp.timestamp()), message.text)

    client.on_message(keep)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        signature = _header(scope, b"x-hub-signature-256")
        refused = await client.webhook_update_validator(body, signature)
        _text, status = refused or await client.webhook_update_handler(body)
        await _answer(send, status)

    return app


def line(store: Path) -> App:
    """Receive with line-bot-sdk's parser."""
    from linebot.v3.exceptions import InvalidSignatureError  # noqa: PLC0415  only this receiver needs it
    from linebot.v3.webhook import WebhookParser  # noqa: PLC0415
    from linebot.v3.webhooks import MessageEvent, TextMessageContent  # noqa: PLC0415

    plain = PlainStore(store)
    parser = WebhookParser(LINE_SECRET.decode())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        try:
            events = parser.parse(body.decode(), _header(scope, b"x-line-signature"))
        except InvalidSignatureError:
            await _answer(send, 401)
            return
        for event in events:
            if isinstance(event, MessageEvent) and isinstance(event.message, TextMessageContent):
                plain.keep(event.message.id, event.source.user_id, event.timestamp, event.message.text)
        await _answer(send, 200)

    return app


async def _body(receive: Receive) -> bytes:
    """Give the whole body."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


def _header(scope: Scope, name: bytes) -> str:
    """Give a header's value, or nothing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _answer(send: Send, status: int) -> None:
    """Answer without a body."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def main(arguments: list[str]) -> None:
    """Serve the receiver that ``arguments`` name until killed."""
    kind, port, store = arguments
    app = {"noop": noop, "pywa": pywa, "line": line}[kind](Path(store))
    uvicorn.run(
        app,
        port=int(port),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=600,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
