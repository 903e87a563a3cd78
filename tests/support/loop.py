"""Two nodes of one company over one store, without sockets: every message still goes through its bytes on the wire."""

from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.views import Views
from edge_node.storage.identity import NodeIdentity
from edge_node.usecases.company.members import Member, Self
from edge_node.usecases.governing.border import Border
from edge_node.usecases.views.following import ViewFollower
from edge_node.usecases.views.gate import ViewGates
from edge_node.usecases.views.keeping import ViewKeeper
from edge_node.usecases.views.live import LiveViews
from edge_node.usecases.views.showing import Shower
from edge_node.usecases.views.shown_here import ShownHere
from edge_node.usecases.views.viewing import Viewer
from shared import wire
from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import draw_signing_keys
from shared.entropy import SystemEntropy
from shared.errors.relay import NodeUnreachable
from shared.errors.trust import WireMalformed
from shared.wire import Message
from shared.wire.paths import ANSWERS
from tests.support.company import draw_signers, member_of, signed_roster
from tests.support.stores import Bench


class LaterClock:
    """The bench's clock, moved on by hand."""

    def __init__(self, clock) -> None:
        self._clock, self.later_ms = clock, 0

    def now(self) -> int:
        return self._clock.now() + self.later_ms

    def elapsed(self) -> float:
        return self._clock.elapsed() + self.later_ms / 1000

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Loop:
    """``eu`` asks and ``ap`` shows, over the stores of one bench."""

    def __init__(self, bench: Bench, view_hours: float = 8.0) -> None:
        entropy = SystemEntropy()
        keys = {name: NodeIdentity(draw_signing_keys(entropy), draw_sealing_key(entropy)) for name in ("eu", "ap")}
        nodes = tuple(member_of(name, keys[name], f"http://{name}.example") for name in keys)
        self._roster = signed_roster(draw_signers(), nodes).roster
        self._selves = {name: Self(name, each.signing, each.sealing) for name, each in keys.items()}
        self.clock = LaterClock(bench.stores.clock)
        self.away = False
        self.lose_answers = False
        gates, border = ViewGates(bench.content, bench.policy, self.clock), Border(bench.policy)
        here = ShownHere(bench.policy, self)
        self.shower = Shower(bench.content, bench.keys, gates, border, Metrics(), self.clock)
        self.viewer = Viewer(bench.content, bench.keys, self, self, gates, border, here, self.clock, view_hours)
        self.views = Views(bench.content)
        self.live = LiveViews(self.views, bench.keys, gates, here, self.clock)
        lease = Lease(bench.content, "views", "loop", 15_000)
        self.follower = ViewFollower(
            bench.content, self.viewer, Lease(bench.content, "news", "loop", 30_000), self.clock
        )
        self.keeper = ViewKeeper(self.views, self.viewer, self, self, border, lease, self.clock)

    def self(self) -> Self:
        """Be the asking node."""
        return self._selves["eu"]

    def roster(self):
        """Give the roster in force."""
        return self._roster

    async def ask(self, node: str, message: Message, seconds_max: float) -> Message:
        """Carry a message to the showing node and its answer back, each as bytes."""
        del seconds_max
        if self.away:
            raise NodeUnreachable(reason="timeout")
        here, asker = Member(self._selves[node], self._roster), self._roster.active("eu")
        sent = wire.decode(type(message), wire.encode(message))
        acts = {wire.ViewAsk: self.shower.show, wire.ViewFollow: self.shower.follow, wire.ViewClosed: self.shower.close}
        answer = wire.encode(await acts[type(sent)](here, asker, sent))
        if self.lose_answers:
            raise NodeUnreachable(reason="timeout")
        for type_ in ANSWERS[type(message)]:
            try:
                return wire.decode(type_, answer)
            except WireMalformed:
                continue
        raise AssertionError("no answer of the message's")

    async def said(self, view: str, after: int = 0) -> list:
        """Give everything a view has to say at this moment."""
        found = []
        stream = await self.live.follow(view, after)
        while told := await self.views.events(view, after):
            while after < told[-1].number:
                found.append(await anext(stream))
                after = found[-1].number
        await stream.aclose()
        return found
