"""A node as the control plane sees it: keys, signed requests, checked answers; it only speaks the protocol."""

import os
from typing import TypeVar

import httpx

from shared import wire
from shared.crypto.dsse import Envelope
from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import PublicKeys, SigningKeys, draw_signing_keys
from shared.enrolment_token import EnrolmentToken
from shared.entropy import SystemEntropy
from shared.http_signatures import Request, sign_request, verify_answer
from shared.roster import CONTROL_PLANE, NodeIntroduction
from shared.wire import Command, NodeKeys, Place, Receipt, Result, sign_receipt
from tests.support.control import now_ms
from tests.support.node import PATIENCE_S

M = TypeVar("M", bound=wire.Message)
_HEALTH = wire.Health(0, 0, 0, 0, 0, 0)


def drawn() -> str:
    """Draw a pseudonym or opaque id."""
    return os.urandom(16).hex()


class NodeDouble:
    """One node."""

    def __init__(self, name: str, address: str, control: PublicKeys) -> None:
        self.name, self.address, self._control = name, address, control
        self.keys = draw_signing_keys(SystemEntropy())
        self._hpke = draw_sealing_key(SystemEntropy()).public
        self.beats = 0

    @property
    def public(self) -> NodeKeys:
        """Its public keys."""
        return NodeKeys(self.keys.public.ed25519, self.keys.public.mldsa65, self._hpke)

    @property
    def introduction(self) -> NodeIntroduction:
        """What officers put into the roster."""
        return NodeIntroduction(self.name, f"{self.name}-region", "DE", None, self.public)

    def request(self, path: str, body: bytes, method: str = "POST", at: int | None = None, **how: str) -> Request:
        """Give a signed request: ``keyid`` and ``tag`` as asked."""
        return sign_request(
            Request(method, f"{self.address}{path}", (), body),
            self.keys,
            keyid=how.get("keyid", self.name),
            tag=how.get("tag", "homeport-uplink"),
            nonce=os.urandom(16).hex(),
            now_ms=at or now_ms(),
        )

    def send(self, request: Request) -> httpx.Response:
        """Send a request as it is."""
        return httpx.request(
            request.method,
            request.url,
            content=request.body,
            headers=[*request.fields, ("content-type", "application/json")],
            trust_env=False,
            timeout=PATIENCE_S,
        )

    def checked(self, request: Request) -> httpx.Response:
        """Send a request and check that the control plane signed the answer to it."""
        answer = self.send(request)
        if answer.status_code != 401:
            verify_answer(
                request,
                answer.status_code,
                answer.headers.multi_items(),
                answer.content,
                self._control.ed25519,
                keyid=CONTROL_PLANE,
                tag="homeport-uplink",
                now_ms=now_ms(),
            )
        return answer

    def post(self, path: str, message: wire.Message) -> httpx.Response:
        """Post a message."""
        return self.checked(self.request(f"/node/v1/{path}", wire.encode(message)))

    def told(self, path: str, message: wire.Message, kind: type[M]) -> M:
        """Post a message and read the answer, which is a good one."""
        answer = self.post(path, message)
        assert answer.status_code == 200, answer.text
        return wire.decode(kind, answer.content)

    def refused(self, path: str, message: wire.Message) -> tuple[int, str, bool]:
        """Post a message that is refused by name; give status, code and whether a repeat may do."""
        answer = self.post(path, message)
        problem = wire.decode(wire.Problem, answer.content)
        assert answer.status_code == problem.status
        return problem.status, problem.code, problem.retry

    def enrol(self, token: EnrolmentToken, **change: object) -> httpx.Response:
        """Enrol with a token."""
        facts = {
            "protocol": 1,
            "secret": token.secret,
            "node": self.name,
            "region": f"{self.name}-region",
            "jurisdiction": "DE",
            "keys": self.public,
            "relay": None,
        }
        return self.post("enrolments", wire.Enrolment(**facts | change))

    def beat(self, *pseudonyms: str, **change: object) -> wire.BeatAnswer:
        """Beat, registering pseudonyms among dummies."""
        return self.told("beats", self.beat_message(*pseudonyms, **change), wire.BeatAnswer)

    def beat_message(self, *pseudonyms: str, **change: object) -> wire.Beat:
        """Give a beat."""
        self.beats += 1
        padded = (*pseudonyms, *(drawn() for _ in range(8))) if pseudonyms else ()
        facts = {
            "protocol": 1,
            "oldest": 1,
            "node": self.name,
            "number": self.beats,
            "beat_seconds": 30,
            "registrations": padded,
            "health": _HEALTH,
            "roster_version": 2,
        }
        return wire.Beat(**facts | change)

    def commands(self, after: int = 0, wait: int = 0) -> wire.CommandPage:
        """Ask for commands."""
        ask = wire.CommandAsk(protocol=1, after=after, wait_seconds=wait)
        return self.told("commands", ask, wire.CommandPage)

    def receipt(self, asked: Command | None = None, **change: object) -> Receipt:
        """Give a receipt for a command."""
        facts = {
            "command": asked.id if asked else drawn(),
            "case": asked.case if asked else drawn(),
            "node": self.name,
            "kind": asked.kind if asked else "erase",
            "started_at": now_ms() - 100,
            "finished_at": now_ms(),
            "results": (Result(store="messages", method="destroyed", count=3, article=None, until=None),),
            "roster_version": 2,
            "bundle": None,
            "provider": "file",
        }
        return Receipt(**facts | change)

    def push(
        self, receipt: Receipt, places: tuple[Place, ...] = (), keys: SigningKeys | None = None
    ) -> wire.ReceiptPush:
        """Sign a receipt, with other keys where asked."""
        return self.pushed(sign_receipt(keys or self.keys, receipt), places)

    @staticmethod
    def pushed(envelope: Envelope, places: tuple[Place, ...] = ()) -> wire.ReceiptPush:
        """Give the message that carries an envelope."""
        return wire.ReceiptPush(protocol=1, envelope=envelope, places=places)

    def sign_for(self, command: Command, places: tuple[Place, ...] = ()) -> None:
        """Do what a command asks, and have the receipt accepted."""
        self.told("receipts", self.push(self.receipt(command), places), wire.Accepted)
