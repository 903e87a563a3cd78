"""The beat: a node's sign of life, with the pseudonyms that are new since the last one the control plane acknowledged.

What a beat registers is kept before it leaves and is sent again unchanged until it is acknowledged: two batches of the
same people under different dummies would tell which names are real.
"""

import msgspec

from edge_node.core.beats import registrations
from edge_node.core.crossing import law_of_text
from edge_node.metrics import Metrics
from edge_node.storage.content.policies import PolicyStore
from edge_node.storage.content.uplink import Enrolled, UplinkStore
from edge_node.uplink.client import ControlClient
from edge_node.uplink.roster import RosterInForce
from edge_node.uplink.work import HealthOf
from edge_node.usecases.governing.border import Border
from shared import wire
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import StoreUnavailable
from shared.telemetry import logger
from shared.wire.uplink import REGISTRATIONS_MAX

APART_MILLISECONDS = 30_000
"""Clocks this far apart are named: from a minute on, requests are refused."""


class Beats:
    """Sends beats and looks at what is answered."""

    def __init__(
        self,
        store: UplinkStore,
        roster: RosterInForce,
        health: HealthOf,
        metrics: Metrics,
        clock: Clock,
        entropy: Entropy,
        border: Border,
        *,
        beat_seconds: int,
    ) -> None:
        """Take the store, the roster in force, what counts the work that waits, and what asks the policy."""
        self._store, self._roster, self._health = store, roster, health
        self._metrics, self._clock, self._entropy = metrics, clock, entropy
        self._border, self._beat_seconds = border, beat_seconds

    async def beat(self, client: ControlClient, enrolled: Enrolled) -> wire.BeatAnswer:
        """Send one beat; on return the control plane knows everybody whom it registered.

        ``PolicyDenies`` where the policy lets not even a sign of life leave.
        """
        control = self._roster.current().control_plane
        self._border.refuse(self._border.ask(wire.Beat, control.region))
        number, names = await self._batch(enrolled)
        message = wire.Beat(
            protocol=wire.PROTOCOL,
            oldest=wire.PROTOCOL_OLDEST,
            node=enrolled.node,
            number=number,
            beat_seconds=self._beat_seconds,
            registrations=names,
            health=await self._health(enrolled.beat_acknowledged_at),
            roster_version=self._roster.version,
            policy=await self._policy(),
        )
        answer = await client.tell(control, "/node/v1/beats", message, wire.BeatAnswer)
        await self._store.acknowledge_beat(number, names, self._clock.now())
        self._look(answer)
        return answer

    async def _policy(self) -> wire.PolicyStand:
        """Say which policy bundle this node decides by."""
        kept = await PolicyStore(self._store.content).newest()
        return wire.PolicyStand(kept.version, kept.hash) if kept is not None else wire.PolicyStand(0, None)

    async def _batch(self, enrolled: Enrolled) -> tuple[int, tuple[str, ...]]:
        """Give number and registrations of the beat to send: the one that was not acknowledged, or a new one."""
        if enrolled.beat_body is not None:
            return enrolled.beat_number, msgspec.msgpack.decode(enrolled.beat_body, type=tuple[str, ...])
        new = await self._new()
        number, names = enrolled.beat_number + 1, registrations(new, self._entropy)
        if not await self._store.write_beat(number, names):
            # Another process wrote that beat: its names are the ones to send, or there is none to send any more.
            kept = await self._store.load()
            if kept is None or kept.beat_body is None:
                raise StoreUnavailable(store="content")
            return kept.beat_number, msgspec.msgpack.decode(kept.beat_body, type=tuple[str, ...])
        return number, names

    async def _new(self) -> list[str]:
        """Give whom the next beat registers: people whose law lets their pseudonym go to the control plane."""
        region, new = self._roster.current().control_plane.region, list[str]()
        denied: dict[str, int] = {}
        for law, waiting in await self._store.unregistered_laws():
            decision = self._border.registrations(region, law_of_text(law), waiting)
            if decision.allowed:
                new += await self._store.unregistered(law, REGISTRATIONS_MAX - len(new))
            else:
                denied[decision.reason] = denied.get(decision.reason, 0) + waiting
            if len(new) >= REGISTRATIONS_MAX:
                break
        self._metrics.policy.withhold("registrations", denied)
        return new

    def _look(self, answer: wire.BeatAnswer) -> None:
        """Say what the control plane sees wrong with this node, or this node with the control plane."""
        problems = set(answer.problems)
        if abs(answer.now - self._clock.now()) > APART_MILLISECONDS:
            problems.add("clock_apart")
        if answer.oldest > wire.PROTOCOL:
            problems.add("protocol_old")
        for problem in sorted(problems):
            logger().warning("alert_uplink_problem", reason=problem)
