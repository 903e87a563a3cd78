"""The uplink at work: one process of a region does what node and control plane owe each other.

It beats, asks for commands, carries them out, tells what is owed, follows the policy: five loops, while this process
holds the lease.  Each goes on by itself: an ask that waits long keeps no receipt back, and a control plane that is away
keeps none of the node's own work back.  What is refused or not understood is said once in the log, with its code.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from edge_node.metrics import Metrics
from edge_node.settings_uplink import Uplink as UplinkSettings
from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.storage.content.policies import PolicyStore
from edge_node.storage.content.uplink import Enrolled, UplinkStore
from edge_node.storage.identity import NodeIdentity
from edge_node.uplink.beats import Beats
from edge_node.uplink.client import ControlClient
from edge_node.uplink.counts import Counts
from edge_node.uplink.executor import Executor
from edge_node.uplink.policies import PolicyFollower
from edge_node.uplink.roster import RosterInForce
from edge_node.uplink.telling import Teller
from edge_node.uplink.troubles import Troubles
from edge_node.uplink.work import RemnantsOf, Retractor, Waiting
from edge_node.usecases.governing.border import Border
from edge_node.usecases.letting_go.erasing import Eraser
from shared import wire
from shared.clock import Clock
from shared.database.contract import ScriptRefused
from shared.entropy import Entropy
from shared.errors import HomeportError
from shared.errors.policy import PolicyDenies
from shared.errors.trust import AnswerRefused, WireMalformed
from shared.errors.uplink import ControlUnreachable
from shared.wire.downlink import COMMANDS_MAX
from shared.wire.types import ProviderCode

LEASE_MILLISECONDS = 3_000
"""So long nobody does it after a process was killed: what was owed then is done within seconds of its return."""

LOOK_SECONDS = 1.0
"""How soon an enrolment, an order of another process, or a lost lease is seen."""

RETRY_SECONDS_MAX = 5.0
"""A control plane that is back is found within this time."""

_EMPTY_SECONDS = 0.5
"""An empty answer that came at once is not asked for again sooner."""

_AGAIN_MILLISECONDS = 3_600_000


class Uplink:
    """The uplink of one process."""

    def __init__(
        self,
        store: UplinkStore,
        identity: NodeIdentity,
        roster: RosterInForce,
        eraser: Eraser,
        retractor: Retractor,
        lease: Lease,
        settings: UplinkSettings,
        metrics: Metrics,
        clock: Clock,
        entropy: Entropy,
        waiting: Callable[[], Waiting],
        provider: ProviderCode,
        remnants: RemnantsOf,
        border: Border,
    ) -> None:
        """Take the parts.

        ``waiting`` counts events that wait in this process, ``provider`` says who keeps keys, ``border`` asks the
        policy for whatever leaves.
        """
        self._store, self._identity, self._roster = store, identity, roster
        self._eraser, self._retractor, self._lease = eraser, retractor, lease
        self._settings, self._metrics, self._clock, self._entropy = settings, metrics, clock, entropy
        self._provider, self._remnants, self._border = provider, remnants, border
        self._commands = CommandStore(store.content)
        self._teller = Teller(self._commands, roster, border, metrics, clock)
        self._beats = Beats(
            *(store, roster, Counts(store, self._commands, waiting, metrics).health, metrics, clock, entropy, border),
            beat_seconds=settings.beat_seconds,
        )
        self._task: asyncio.Task[None] | None = None
        self._policies = PolicyFollower(PolicyStore(store.content), roster, clock)
        self._ordered, self._owed, self._beat_now = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._policy_told = asyncio.Event()
        self._troubles = Troubles(metrics)
        self._told_again_at = 0
        self.on_ordered: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin; without an enrolment, look for one now and then."""
        self._task = asyncio.create_task(self._work(), name="uplink")

    def wake(self) -> None:
        """Look at once: something was carried out or ordered here."""
        self._ordered.set()
        self._owed.set()

    async def stop(self) -> None:
        """End, and give the lease back; what is under way is idempotent and taken up by the next."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            await self._lease.give_back()

    async def _work(self) -> None:
        """Wait for enrolment and lease, lead, and again."""
        while True:
            try:
                enrolled = await self._store.load()
                if enrolled is not None and await self._lease.hold(self._clock.now()):
                    await self._lead(enrolled)
            except (HomeportError, ScriptRefused) as error:
                self._troubles.failed("lead", error)
            await self._clock.sleep(LOOK_SECONDS)

    async def _lead(self, enrolled: Enrolled) -> None:
        """Run the five loops while the lease is held."""
        await self._roster.load()
        executor = Executor(
            self._store.content,
            enrolled.node,
            self._identity,
            self._roster,
            self._eraser,
            self._retractor,
            DisclosurePlaces(self._store.content),
            self._border,
            self._metrics,
            self._clock,
            erasures_per_hour_max=self._settings.erasures_per_hour_max,
            provider=self._provider,
            remnants=self._remnants,
        )
        async with ControlClient(
            enrolled.node,
            self._identity,
            self._clock,
            self._entropy,
            seconds_max=self._settings.timeout_seconds,
            ca_file=self._settings.ca_file,
        ) as client:
            loops = (
                self._forever("beat", lambda: self._beat(client), self._beat_now),
                self._forever("commands", lambda: self._poll(client), asyncio.Event()),
                self._forever("execute", lambda: self._execute(executor), self._ordered),
                self._forever("tell", lambda: self._tell(client), self._owed),
                self._forever("policy", lambda: self._follow(client), self._policy_told),
            )
            tasks = [asyncio.create_task(loop) for loop in loops]
            try:
                while await self._lease.hold(self._clock.now()):
                    await self._clock.sleep(LEASE_MILLISECONDS / 3000)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _forever(self, what: str, act: Callable[[], Awaitable[float]], woken: asyncio.Event) -> None:
        """Do ``act`` again and again: after the seconds it gives, or when woken; after a failure, ever later."""
        wait, failures = 0.0, 0
        while True:
            if wait:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), wait)
            woken.clear()
            try:
                wait = await act()
            except Exception as error:  # noqa: BLE001 - a loop that ended would stay ended, in silence
                failures += 1
                self._troubles.failed(what, error)
                wait = min(0.25 * 2**failures, RETRY_SECONDS_MAX)
            else:
                failures = 0
                self._troubles.over(what)

    async def _beat(self, client: ControlClient) -> float:
        """Beat, if the roster in force names this node; else see whether a later one does."""
        enrolled = await self._store.load()
        if enrolled is None:
            return LOOK_SECONDS
        if not self._named(enrolled):
            await self._refresh(client, enrolled)
            if not self._named(enrolled):
                return float(min(self._settings.beat_seconds, RETRY_SECONDS_MAX))
        try:
            answer = await self._beats.beat(client, enrolled)
        except PolicyDenies as error:
            # Nothing is said of this node; what officers say goes on being read.
            self._troubles.withheld("health", error)
            await self._refresh(client, enrolled)
            return float(self._settings.beat_seconds)
        except (AnswerRefused, ControlUnreachable) as error:
            if isinstance(error, AnswerRefused) or "status" in error.details:
                # Somebody answered, but not with keys that the roster in force names: a later one may name them.
                await self._refresh(client, enrolled)
            raise
        self._troubles.let_go("health")
        self._metrics.last_answer.set(self._clock.now() / 1000)
        if answer.roster_version > self._roster.version:
            await self._refresh(client, enrolled)
        if answer.head is not None:
            self._policies.told(answer.head)
            self._policy_told.set()
        if "receipts_missing" in answer.problems:
            await self._tell_again()
        waiting = sum(count for _, count in await self._store.unregistered_laws())
        self._metrics.uplink_waiting.labels("registrations").set(waiting)
        return float(self._settings.beat_seconds)

    async def _poll(self, client: ControlClient) -> float:
        """Ask for commands and keep them with the cursor after them."""
        enrolled = await self._store.load()
        if enrolled is None or not self._named(enrolled):
            return LOOK_SECONDS
        ask = wire.CommandAsk(protocol=wire.PROTOCOL, after=enrolled.cursor, wait_seconds=self._settings.poll_seconds)
        began = self._clock.elapsed()
        control = self._roster.current().control_plane
        asked = self._border.ask(wire.CommandAsk, control.region)
        if not asked.allowed:
            return float(self._settings.beat_seconds)
        page = await client.tell(
            control, "/node/v1/commands", ask, wire.CommandPage, wait_seconds=self._settings.poll_seconds
        )
        if not page.commands:
            return 0.0 if self._clock.elapsed() - began > _EMPTY_SECONDS else _EMPTY_SECONDS
        if page.next <= enrolled.cursor:
            raise WireMalformed(reason="cursor")
        for command in page.commands:
            wire.check_protocol(command.protocol)
        await self._commands.keep(page.commands, page.next, self._clock.now())
        self._ordered.set()
        return 0.0 if len(page.commands) >= COMMANDS_MAX else 0.01

    async def _execute(self, executor: Executor) -> float:
        """Carry out what was asked; what it ordered is done by the remover, which wakes this again."""
        done = await executor.round()
        if done:
            self.on_ordered()
            self._owed.set()
        return LOOK_SECONDS

    async def _tell(self, client: ControlClient) -> float:
        """Tell what is owed."""
        enrolled = await self._store.load()
        if enrolled is not None and self._named(enrolled):
            while await self._teller.round(client):
                pass
        return LOOK_SECONDS

    async def _follow(self, client: ControlClient) -> float:
        """Follow the policy that officers published."""
        await self._policies.round(client)
        return LOOK_SECONDS

    def _named(self, enrolled: Enrolled) -> bool:
        """Say whether the roster in force has this node, active and with these keys."""
        self._metrics.roster_version.set(self._roster.version)
        if not self._roster.version:
            return False
        found = self._roster.current().active(enrolled.node)
        return found is not None and found.keys == self._identity.public

    async def _refresh(self, client: ControlClient, enrolled: Enrolled) -> None:
        """Fetch later rosters and accept them in order, as far as the officers signed them.

        All are asked for where the control plane answered last: one on the way may name an address it has left.
        """
        known = self._roster.current().control_plane.address if self._roster.version else enrolled.address
        await self._roster.catch_up(lambda after: client.roster(known, after), enrolled.root)

    async def _tell_again(self) -> None:
        """Tell receipts again that the control plane says it lost; at most once an hour, it may not be true.

        While some wait here, they are what it misses: to add all that were ever told would only make it miss more.
        """
        now = self._clock.now()
        if (await self._commands.untold_counts())[0]:
            self._owed.set()
        elif now - self._told_again_at > _AGAIN_MILLISECONDS:
            self._told_again_at = now
            await self._commands.tell_again(0)
            self._owed.set()
