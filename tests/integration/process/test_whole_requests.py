"""Requests that arrive whole are offered to the application without a task; all others take ASGI's way."""

import asyncio
import socket

import pytest
import uvicorn

from shared.process.protocol import CLOSE, BoundedProtocol
from tests.integration.process.harness import until

HEAD = b"POST /%b HTTP/1.1\r\nhost: n\r\ncontent-length: %d\r\n\r\n"


class App:
    """Takes what is for ``/begun``, and keeps who wants an answer; answers the rest as ASGI has it."""

    def __init__(self):
        self.begun = []

    def begin(self, scope, body, respond):
        if scope["path"] != "/begun":
            return False
        self.begun.append((body, respond))
        return True

    async def __call__(self, scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def line():
    """Connect to a protocol object with an application of this page."""
    app = App()
    config = uvicorn.Config(app, interface="asgi3", lifespan="off", ws="none", log_config=None, proxy_headers=False)
    config.load()
    state = uvicorn.Server(config).server_state
    ours, theirs = socket.socketpair()
    _, protocol = await asyncio.get_running_loop().connect_accepted_socket(
        lambda: BoundedProtocol(config, state, {}), theirs
    )
    reader, writer = await asyncio.open_connection(sock=ours)
    yield app, protocol, reader, writer
    writer.close()


def request(path: bytes, body: bytes) -> bytes:
    return HEAD % (path, len(body)) + body


async def begun(app, count=1):
    await asyncio.to_thread(until, lambda: len(app.begun) == count)


async def answer_of(reader) -> tuple[int, list[bytes], bytes]:
    """Give status, lines of the head and body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
    length = next(int(line[16:]) for line in head if line.startswith(b"content-length: "))
    return int(head[0].split()[1]), head[1:], await reader.readexactly(length)


async def test_a_whole_request_is_taken_and_answered_later_on_a_connection_that_stays(line):
    app, protocol, reader, writer = line
    for number in range(3):
        writer.write(request(b"begun", b"body %d" % number))
        await begun(app, number + 1)
        body, respond = app.begun[number]
        assert body == b"body %d" % number
        assert not protocol.server_state.tasks
        respond(503, b"later", ((b"retry-after", b"2"),))
        status, head, said = await answer_of(reader)
        assert (status, said) == (503, b"later")
        assert b"retry-after: 2" in head
        assert not [each for each in head if each.startswith(b"connection")]


@pytest.mark.parametrize(("path", "cut"), [(b"begun", 6), (b"other", 0)])
async def test_what_comes_in_parts_or_is_not_taken_goes_the_other_way(line, path, cut):
    app, protocol, reader, writer = line
    sent = request(path, b"0123456789")
    if cut:
        writer.write(sent[:-cut])
        await asyncio.to_thread(until, lambda: len(protocol.server_state.tasks) == 1)
    writer.write(sent[-cut:])
    status, _, said = await answer_of(reader)
    assert (status, said) == (202, b"0123456789")
    assert not app.begun


async def test_requests_sent_at_once_are_answered_in_their_order(line):
    app, _, reader, writer = line
    writer.write(request(b"begun", b"one") + request(b"other", b"two") + request(b"begun", b"three"))
    await begun(app)
    app.begun[0][1](200, b"1", ())
    assert (await answer_of(reader))[2] == b"1"
    assert (await answer_of(reader))[2] == b"two"
    await begun(app, 2)
    app.begun[1][1](200, b"3", ())
    assert (await answer_of(reader))[2] == b"3"


@pytest.mark.parametrize("why", ["the sender", "a drain", "a stop", "the application"])
async def test_an_answer_that_closes_its_connection_says_so_once(line, why):
    app, protocol, reader, writer = line
    sent = request(b"begun", b"x")
    writer.write(sent.replace(b"host: n", b"host: n\r\nconnection: close") if why == "the sender" else sent)
    await begun(app)
    if why == "a drain":
        protocol.cycle.default_headers = [CLOSE]
    if why == "a stop":
        protocol.shutdown()
    app.begun[0][1](200, b"", (CLOSE,) if why == "the application" else ())
    status, head, _ = await answer_of(reader)
    assert status == 200
    assert head.count(b"connection: close") == 1
    assert await reader.read() == b""


async def test_whoever_hung_up_is_answered_nothing(line):
    app, protocol, _, writer = line
    writer.write(request(b"begun", b"x"))
    await begun(app)
    writer.close()
    await asyncio.to_thread(until, lambda: protocol.cycle.disconnected)
    app.begun[0][1](200, b"", ())
    assert not protocol.cycle.response_complete
