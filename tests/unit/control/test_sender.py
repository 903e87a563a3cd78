"""Sending to a hook: the numbers that were judged are the numbers connected to, however the name moves meanwhile."""

import asyncio
import datetime as dt
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from control_plane.outgoing.sender import Sender
from shared.addresses import HostPort
from shared.checked_connections import resolve


class Names:
    """A resolver whose answers change from one question to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(self, _host: str, _port: int) -> list[str]:
        """Give the next answer."""
        self.asked += 1
        return self.answers.pop(0)


@pytest.fixture
async def server():
    """Give a server on this machine and the connections it saw."""
    seen: list[bytes] = []

    async def handle(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1], seen
    listening.close()


async def test_a_name_that_turns_private_is_never_connected_to(server):
    port, seen = server
    names = Names(["127.0.0.1"])
    answer = await Sender(frozenset(), 5, names.resolve).post(f"https://hooks.example.org:{port}/", {}, b"{}")
    assert answer == (None, "address_refused_private")
    assert seen == []


async def test_a_name_is_asked_once_so_that_it_cannot_move_between_check_and_connection(server):
    port, seen = server
    names = Names(["192.0.2.1", "127.0.0.1"], ["127.0.0.1"])
    answer = await Sender(frozenset(), 5, names.resolve).post(f"https://hooks.example.org:{port}/", {}, b"{}")
    assert answer == (None, "address_refused_private")
    names = Names(["127.0.0.1"])
    allowed = frozenset({HostPort("crm.internal", port)})
    status, code = await Sender(allowed, 5, names.resolve).post(f"http://crm.internal:{port}/x", {"a": "b"}, b"{}")
    assert (status, code, names.asked) == (204, "http_204", 1)
    assert seen[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert f"host: crm.internal:{port}\r\n".encode() in seen[0].lower()


async def test_a_certificate_that_nobody_vouches_for_is_no_receiver(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "crm.internal")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(pem)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "both.pem")
    seen: list[bytes] = []

    async def handle(reader, _writer):
        seen.append(await reader.read(1))

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    allowed = frozenset({HostPort("crm.internal", port)})
    answer = await Sender(allowed, 5, Names(["127.0.0.1"]).resolve).post(f"https://crm.internal:{port}/", {}, b"{}")
    listening.close()
    assert answer == (None, "unreachable")
    assert b"".join(seen) == b""


@pytest.mark.parametrize(
    ("answers", "code"),
    [([], "address_refused_unresolved"), (["127.0.0.1"], "unreachable")],
    ids=["no such host", "nobody listens"],
)
async def test_a_receiver_that_is_not_there_is_a_code(answers, code):
    allowed = frozenset({HostPort("crm.internal", 1)})
    sender = Sender(allowed, 5, Names(answers).resolve)
    assert await sender.post("http://crm.internal:1/", {}, b"{}") == (None, code)


async def test_a_receiver_that_does_not_answer_is_left_in_time():
    listening = await asyncio.start_server(lambda _r, _w: asyncio.sleep(30), "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    allowed = frozenset({HostPort("127.0.0.1", port)})
    assert await Sender(allowed, 0.2).post(f"http://127.0.0.1:{port}/", {}, b"{}") == (None, "timeout")
    listening.close()


@pytest.mark.parametrize("host", ["a..example.org", "a" * 64 + ".example.org"])
async def test_a_name_that_no_resolver_can_ask_for_resolves_to_nothing(host):
    assert await resolve(host, 443) == []
