"""What a process must not do: dump core, print what people wrote, or hold a head that never ends."""

import asyncio
import socket
from pathlib import Path

import pytest
import uvicorn

from shared.process.protocol import HEAD_BYTES_MAX, HEAD_S_MAX, BoundedProtocol
from tests.integration.process.harness import Client, ask_once, until
from tests.integration.process.sample_app import CANARY


def core_limits(pid):
    """Give the soft and hard limit on core files of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max core file")).split()[4:6]


async def test_core_dumps_are_off_in_supervisor_and_worker(node):
    first = node.start()
    for pid in (first.pid, first.worker):
        assert core_limits(pid) == ["0", "0"]
    assert (await ask_once(first.private)).content["dumpable"] == 0


def test_what_the_supervisor_makes_is_for_its_account_alone(node):
    node.start()
    for name in ("node.pid", "node.control"):
        assert (node.folder / name).stat().st_mode & 0o077 == 0


async def test_an_exception_in_the_app_leaves_its_class_and_place_in_the_log_and_no_word_of_it(node):
    first = node.start()
    client = await Client(first.public).connect()
    await client.send("/boom", body=b"planted-in-a-body")
    assert (await client.read()).status == 500
    await client.close()
    await asyncio.to_thread(until, lambda: '"library_error"' in node.log())
    log = node.log()
    assert '"error": "RuntimeError"' in log
    assert "process/sample_app.py:" in log
    assert CANARY not in log
    assert "planted-in-a-body" not in log


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"POST / HTTP/9.9 secret\r\n\r\n"])
async def test_bytes_that_are_no_request_are_answered_400_and_logged_nowhere(node, nonsense):
    first = node.start()
    before = node.log()
    client = await Client(first.public).connect()
    client.writer.write(nonsense)
    assert (await client.reader.read()).startswith(b"HTTP/1.1 400 ")
    await client.close()
    assert node.log() == before


async def test_a_head_that_never_ends_is_refused_at_its_limit(node):
    first = node.start()
    client = await Client(first.public).connect()
    client.writer.write(b"GET / HTTP/1.1\r\nx-long: ")
    answer = asyncio.create_task(client.reader.read(100))
    sent = 0
    while not answer.done() and sent < 100 * HEAD_BYTES_MAX:
        client.writer.write(b"y" * 1024)
        sent += 1024
        await asyncio.sleep(0.001)
    assert (await answer).startswith(b"HTTP/1.1 431 ")
    await client.close()
    assert (await ask_once(first.public)).status == 200


@pytest.fixture
async def half_open():
    """Connect to a protocol object whose seconds the test counts itself."""
    config = uvicorn.Config(lambda *_: None, interface="asgi3", lifespan="off", ws="none", log_config=None)
    config.load()
    state = uvicorn.Server(config).server_state
    ours, theirs = socket.socketpair()
    _, protocol = await asyncio.get_running_loop().connect_accepted_socket(
        lambda: BoundedProtocol(config, state, {}), theirs
    )
    reader, writer = await asyncio.open_connection(sock=ours)
    yield protocol, reader, writer
    writer.close()


async def test_a_head_that_takes_too_long_is_cut_off(half_open):
    protocol, reader, writer = half_open
    writer.write(b"GET / HTTP/1.1\r\nhost: n")
    await asyncio.to_thread(until, lambda: protocol._head_open)
    for _ in range(HEAD_S_MAX):
        protocol.tick()
    assert not protocol.transport.is_closing()
    protocol.tick()
    assert await reader.read() == b""


async def test_a_connection_that_never_says_anything_is_cut_off(half_open):
    protocol, reader, _ = half_open
    for _ in range(75):
        protocol.tick()
    assert not protocol.transport.is_closing()
    protocol.tick()
    assert await reader.read() == b""
