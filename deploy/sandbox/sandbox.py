"""The sandbox: the world, its clock, its chance, the courier, the faults and the OpenAPI check, as one thing."""

import random

import msgspec

from deploy.sandbox.clock import SandboxClock
from deploy.sandbox.contract import Contract, Described, Violation
from deploy.sandbox.courier import Courier
from deploy.sandbox.exchange import Asked
from deploy.sandbox.faults import Faults
from deploy.sandbox.limits import Buckets
from deploy.sandbox.names import draw_ulid
from deploy.sandbox.world import Bot, World


class Request(msgspec.Struct, frozen=True):
    """A request that was answered: what for, and how."""

    at: int
    method: str
    path: str
    endpoint: str
    status: int
    """0: no answer was given, by order."""
    fault: str = ""


class Sandbox:
    """Stand-ins for both platforms, at work on one event loop."""

    def __init__(self, world: World | None = None, *, seed: int = 0, contract: Contract | None = None) -> None:
        """Take what is known at the beginning, the seed of every chance, and what requests are checked against."""
        self.contract = contract or Contract()
        self._seed = seed
        self._begin(world or World())

    def _begin(self, world: World) -> None:
        """Start from ``world``, with nothing asked, sent or ordered yet."""
        self.world = world
        self.clock = SandboxClock()
        # One generator each: what people do must not depend on when the business asks, or when a body is carried.
        self.chance = self._generator("platforms")
        self.acting = self._generator("people")
        self.buckets = Buckets()
        self.faults = Faults()
        self.requests: list[Request] = []
        self.violations: list[Violation] = []
        self.courier = Courier(world, self.clock, self._generator("courier"))
        self.courier.on_received = self._hand_over_tokens

    def _generator(self, name: str) -> random.Random:
        """Make one of the seeded generators."""
        return random.Random(f"{name}/{self._seed}")  # noqa: S311  invented ids keep no secret

    async def begin_anew(self) -> None:
        """Give up what is on its way and start over with a new world."""
        await self.courier.close()
        self._begin(World())

    def check(self, asked: Asked, described: Described) -> None:
        """Hold a request to the vendor's description; what it breaks is recorded."""
        self.violations += self.contract.violations(asked, described)

    def draw_request_id(self) -> str:
        """Give an id as the platforms name requests."""
        return draw_ulid(self.clock.now(), self.chance).lower()

    def _hand_over_tokens(self, bot: Bot, events: object) -> None:
        """Let the minute of each reply token begin: it counts from when its webhook is received."""
        del bot
        if isinstance(events, list):
            for event in events:
                token = self.world.reply_tokens.get(event.get("replyToken", ""))
                if token is not None:
                    token.received_at = self.clock.now()
