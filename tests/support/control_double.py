"""A control plane for tests of nodes: it speaks the real signed protocol over a real socket, and can be away or lie.

It keeps every body that it was ever sent, so that a test can search what a node says for what it must not.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from shared import wire
from shared.crypto.dsse import Envelope
from shared.crypto.signing import PublicKeys, SigningKeys, draw_signing_keys, fingerprint
from shared.enrolment_token import EnrolmentToken, write_token
from shared.errors.trust import RequestRefused, RequestReplayed
from shared.http_signatures import Request, Signed, sign_answer, verify_request
from shared.nonces import ProcessNonces, refuse_replay
from shared.policy.bundling import Bundle, read_bundle
from shared.roster import CONTROL_PLANE, Officer, SignedRoster, read_signed, root_fingerprint, sign, write
from shared.roster.edits import add_node, found, retire_node
from shared.roster.model import ControlPlane, NodeIntroduction
from tests.support.house_policy import bundle_bytes
from tests.support.trust import CONTROL, Seeded, drawn

OFFICER = draw_signing_keys(Seeded("officer ada"))
STRANGER = draw_signing_keys(Seeded("a stranger"))
PUBLISHERS = {"ada": OFFICER, "bea": draw_signing_keys(Seeded("officer bea"))}
"""The officers: rosters take one of them, policies that permit more take both."""
SECRET = bytes(range(32))
_OF: dict[str, type[wire.Message]] = {
    "/node/v1/enrolments": wire.Enrolment,
    "/node/v1/beats": wire.Beat,
    "/node/v1/recalls": wire.RecallNotice,
    "/node/v1/cases": wire.CaseNotice,
    "/node/v1/commands": wire.CommandAsk,
    "/node/v1/receipts": wire.ReceiptPush,
}


def now_ms() -> int:
    """Give the time."""
    return time.time_ns() // 1_000_000


class ControlDouble:
    """Runs in a thread of its own; what it was told is read from its fields."""

    def __init__(self, certificate: Path | None = None, key: Path | None = None) -> None:
        """Take a certificate and its key to speak TLS."""
        self._tls = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        control = ControlPlane(self.address, CONTROL.public, fingerprint(CONTROL.public), "eu-test")
        officers = tuple(Officer(person, keys.public) for person, keys in PUBLISHERS.items())
        self.roster = found("acme", 1, officers, control, now_ms())
        self.kept: list[SignedRoster] = []
        """Earlier rosters, served one by one to who asks after a version."""
        self.signers: dict[str, SigningKeys] = {"ada": OFFICER}
        self.asked_rosters: list[str] = []
        self.bodies: list[bytes] = []
        self.told: list[wire.Message] = []
        self.refused: list[str] = []
        self.errors: list[Exception] = []
        self.commands: list[wire.Command] = []
        self.receipts: dict[str, wire.Receipt] = {}
        self.problems: tuple[str, ...] = ()
        self.signing: SigningKeys = CONTROL
        self.bundles: dict[int, bytes] = {}  # published, by version
        self.asked_policies: list[str] = []
        self.head: Callable[[], Envelope | None] = self.newest
        self.answer_with: Callable[[str, wire.Message], wire.Message | None] = lambda _path, _message: None
        self.lie: Callable[[str, int, bytes], tuple[int, bytes]] = lambda _path, status, body: (status, body)
        self._enrolled: dict[str, wire.Enrolment] = {}
        self._nonces = ProcessNonces()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # --- what officers and operators do ---

    def token(self, node: str, **changes: Any) -> str:
        """Give an enrolment token."""
        facts: dict[str, Any] = {
            "address": self.address,
            "control_plane": fingerprint(CONTROL.public),
            "root": root_fingerprint(self.roster),
            "node": node,
            "secret": SECRET,
            "until": now_ms() + 600_000,
        }
        return write_token(EnrolmentToken(**facts | changes))

    def take_in(self, node: str) -> None:
        """Let officers name an enrolled node."""
        told = self._enrolled[node]
        introduced = NodeIntroduction(node, told.region, told.jurisdiction, None, told.keys)
        self._next(add_node(self.roster, introduced, now_ms()))

    def retire(self, node: str) -> None:
        """Let officers retire a node."""
        self._next(retire_node(self.roster, node, now_ms()))

    def signed(self) -> SignedRoster:
        """Give the roster with its officers' signatures."""
        return SignedRoster(self.roster, tuple(sign(self.roster, person, key) for person, key in self.signers.items()))

    def _next(self, roster: Any) -> None:
        self.roster = msgspec.structs.replace(roster, version=self.roster.version + 1)

    def publish(self, bundle: Bundle, *people: str) -> None:
        """Publish a bundle that these officers signed; without any named, all."""
        self.bundles[bundle.version] = bundle_bytes(bundle, *people, keys=PUBLISHERS)

    def newest(self, ago_ms: int = 0, by: SigningKeys | None = None) -> Envelope | None:
        """State the newest bundle: so long ago, by its own keys or others."""
        if not self.bundles:
            return None
        signed = read_bundle(self.bundles[max(self.bundles)])
        head = wire.Head(version=signed.bundle.version, hash=signed.hash, stated_at=now_ms() - ago_ms)
        return wire.sign_head(by or self.signing, head)

    def command(self, kind: str, target: Any, *, case: str | None = None, name: str | None = None) -> wire.Command:
        """Ask a node for something."""
        number = len(self.commands) + 1
        made = wire.Command(
            protocol=1,
            id=name or drawn(f"command {number}"),
            cursor=number,
            case=case or drawn(f"case {number}"),
            kind=kind,
            target=target,
            reason="subject_request",
            issued_at=now_ms(),
        )
        self.commands.append(made)
        return made

    # --- what it was told ---

    def of(self, kind: type[Any]) -> list[Any]:
        """Give what was told of one kind, in order."""
        return [message for message in list(self.told) if isinstance(message, kind)]

    @property
    def pseudonyms(self) -> set[str]:
        """Give every name that was registered, dummies among them."""
        named = {name for beat in self.of(wire.Beat) for name in beat.registrations}
        return named | {notice.pseudonym for notice in self.of(wire.CaseNotice)}

    # --- the server ---

    def start(self) -> "ControlDouble":
        """Answer."""
        config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=self.port,
            log_level="critical",
            lifespan="off",
            interface="asgi3",
            **self._tls,
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=server.run, daemon=True)
        self._thread.start()
        while not server.started:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join()
            self._server = None

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._serve(scope, receive, send)
        except Exception as error:  # whatever it is, the test that caused it must see it
            self.errors.append(error)
            raise

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        fields = tuple((name.decode(), value.decode()) for name, value in scope["headers"])
        query = scope["query_string"].decode()
        request = Request(scope["method"], f"{self.address}{scope['path']}{'?' if query else ''}{query}", fields, body)
        self.bodies.append(body + repr(fields).encode())
        if scope["path"] == "/node/v1/roster":
            status, answer = 200, write(self._following(query))
        elif scope["path"] == "/node/v1/policies":
            status, answer = self._policy(request, query)
        else:
            status, answer = await self._answer(request, scope["path"])
        status, answer = self.lie(scope["path"], status, answer)
        added: tuple[tuple[str, str], ...] = ()
        if status != 401:
            added = sign_answer(
                request, status, answer, self.signing, keyid=CONTROL_PLANE, tag="homeport-uplink", now_ms=now_ms()
            )
        headers = [(name.encode(), value.encode()) for name, value in added]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, request: Request, path: str) -> tuple[int, bytes]:
        message, now = wire.decode(_OF[path], request.body), now_ms()
        try:
            signed = verify_request(request, lambda name: self._key(name, message), tag="homeport-uplink", now_ms=now)
            await refuse_replay(self._nonces, signed, now_ms=now)
        except (RequestRefused, RequestReplayed) as error:
            self.refused.append(str(error.details.get("reason", error.code)))
            return 401, b""
        answer = self.answer_with(path, message) or await self._reply(message, signed)
        if isinstance(answer, wire.Problem):
            return answer.status, wire.encode(answer)
        self.told.append(message)
        return 200, wire.encode(answer)

    def _following(self, query: str) -> SignedRoster:
        self.asked_rosters.append(query)
        after = int(query.removeprefix("after=") or 2**53)
        later = [signed for signed in self.kept if signed.roster.version > after]
        return min(later, key=lambda signed: signed.roster.version, default=self.signed())

    def _policy(self, request: Request, query: str) -> tuple[int, bytes]:
        verify_request(request, lambda name: self._key(name, None), tag="homeport-uplink", now_ms=now_ms())
        self.asked_policies.append(query)
        after = int(query.removeprefix("after="))
        later = [version for version in self.bundles if version > after]
        return (200, self.bundles[min(later)]) if later else (404, b"")

    def _key(self, name: str, message: wire.Message | None) -> bytes | None:
        if isinstance(message, wire.Enrolment):
            return message.keys.ed25519
        node = self.roster.active(name)
        return node.keys.ed25519 if node else None

    async def _reply(self, message: wire.Message, signed: Signed) -> wire.Message:
        match message:
            case wire.Enrolment():
                assert message.secret == SECRET
                assert message.node == signed.keyid
                self._enrolled[message.node] = message
                return wire.EnrolmentAnswer(protocol=1, node=message.node, roster_version=self.roster.version)
            case wire.Beat():
                facts = {"now": now_ms(), "problems": self.problems, "head": self.head()}
                return wire.BeatAnswer(protocol=1, oldest=1, roster_version=self.roster.version, **facts)
            case wire.CommandAsk(after=after, wait_seconds=seconds):
                return await self._page(after, min(seconds, 2))
            case wire.ReceiptPush(envelope=envelope):
                node = self.roster.active(signed.keyid)
                assert node is not None
                receipt = wire.open_receipt(envelope, PublicKeys(node.keys.ed25519, node.keys.mldsa65))
                assert receipt.node == signed.keyid
                assert self.receipts.setdefault(receipt.command, receipt) == receipt
                return wire.Accepted(protocol=1)
            case _:
                return wire.Accepted(protocol=1)

    async def _page(self, after: int, seconds: int) -> wire.CommandPage:
        end = time.monotonic() + seconds
        while True:
            found = tuple(each for each in self.commands if each.cursor > after)[:100]
            if found or time.monotonic() > end:
                return wire.CommandPage(protocol=1, commands=found, next=found[-1].cursor if found else after)
            await asyncio.sleep(0.02)


@contextlib.contextmanager
def control_double() -> Any:
    """Run a control plane for a test."""
    control = ControlDouble().start()
    try:
        yield control
        assert control.errors == []
    finally:
        control.stop()


def reread(signed: SignedRoster) -> SignedRoster:
    """Give a roster as another program reads it."""
    return read_signed(write(signed))
