"""The policy in force as the whole node uses it: asked in memory, changed for every process within a second.

Everything that a policy decides is asked here, by :meth:`PolicyBook.decide`.  A bundle is taken over whole: the book
holds one evaluator, and a question that has begun is answered by the one it began with.  What was decided is counted
by question and second, for whoever must say why.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from edge_node.core.crossing import own_state
from edge_node.core.governing import (
    RESTING_ASKS,
    Freshness,
    OwnReason,
    freshness,
    is_stale,
    own_refusal,
    strictest,
)
from edge_node.metrics import Metrics
from edge_node.storage.content.policies import Answered, Counted, Kept, PolicyStore
from shared.clock import Clock
from shared.errors import HomeportError
from shared.policy.bundling import Bundle, fresh_until, read_bundle
from shared.policy.compiling import Tables
from shared.policy.deciding import Decision, Question
from shared.policy.deriving import Derived
from shared.policy.evaluator import Evaluator
from shared.policy.spans import FOR_EVER
from shared.policy.terms import NO_ASKER
from shared.telemetry import EVIDENCE, OPERATIONAL, logger, withhold

LOOK_SECONDS = 1.0
"""How soon a process decides by a bundle that another one has taken over."""
LOGGED_FOR = {OPERATIONAL: "security", EVIDENCE: "coordination"}
"""What the operator's log holds of each class of data (:mod:`shared.telemetry`) is for."""
COUNTED_MAX = 10_000
"""Different answers kept until they are written; beyond, what is counted is lost and said so."""


class InForce(msgspec.Struct, frozen=True):
    """A bundle, ready to decide."""

    kept: Kept
    bundle: Bundle
    evaluator: Evaluator
    fresh: Freshness
    """How long the node goes by it where it has to be heard of."""


class PolicyBook:
    """The one who is asked."""

    def __init__(
        self, store: PolicyStore, region: str, metrics: Metrics, clock: Clock, write_seconds: float = LOOK_SECONDS
    ) -> None:
        """Take the store of bundles, the name of the node's region, and how often decisions are written down."""
        self._write_seconds = write_seconds
        self._store = store
        self._region = region
        self._metrics = metrics
        self._clock = clock
        self._in_force: InForce | None = None
        self._counts: Counter[Answered] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.alerted = False
        """Whether an alert was raised since the last look because a question could not be decided."""
        self.before_writing: Callable[[], None] = lambda: None
        """Has answers noted that were counted elsewhere."""
        self.alone = True
        """Whether nobody ever told the node which bundle is the newest: then no grace runs, and what its operator
        installed stands.  From the first statement of a control plane on, grace runs for good."""

    @property
    def in_force(self) -> InForce | None:
        """Give what is decided by; ``None``: everything is denied."""
        return self._in_force

    @property
    def tables(self) -> Tables | None:
        """Give the policy in force as :mod:`shared.policy.conflicts` takes it; ``None`` where there is none."""
        return None if self._in_force is None else self._in_force.evaluator.tables

    def laws_with(self, subjects: Iterable[str]) -> tuple[str, ...]:
        """Give the laws by which conflicts are resolved: those that may be a subject's, and that where the node is."""
        own = self.own_law()
        return tuple(sorted({*subjects, *(() if own is None else (own,))}))

    async def open(self) -> None:
        """Read the bundle in force, and keep looking for a newer one."""
        await self.look()
        self._task = asyncio.create_task(self._watch(), name="policy-book")

    async def close(self) -> None:
        """Stop looking, and write down what was decided."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        with contextlib.suppress(HomeportError):
            await self.write()

    def law_of(self, region: str | None) -> str | None:
        """Give the jurisdiction in which a region lies; ``None`` where the bundle in force does not know it."""
        found = self._in_force
        return None if found is None or region is None else found.evaluator.tables.names.jurisdiction.get(region)

    def own_law(self) -> str | None:
        """Give the jurisdiction in which this node stands."""
        return self.law_of(self._region)

    @property
    def region(self) -> str:
        """Give the name of the region in which this node stands."""
        return self._region

    def decide(
        self,
        operation: str,
        data_class: str,
        purpose: str,
        subject: str | Derived | None,
        *,
        node: str = "",
        asker: str = NO_ASKER,
        role: str = NO_ASKER,
    ) -> Decision:
        """Answer a question: ``subject`` is a jurisdiction, or what was derived; ``node`` this region unless named.

        Where no law is certain but several may be, the strictest answer counts.  Never raises.
        """
        now = self._clock.now()
        found = self._in_force
        if found is None:
            return own_refusal("policy_missing")
        over = not self.alone and found.fresh.over(now, self._clock.elapsed())
        if is_stale(operation, data_class, over=over):
            return own_refusal("policy_stale", found.kept.hash)
        laws = _laws(subject)
        answers = (
            found.evaluator.decide(
                Question(operation, data_class, purpose, law, node or self._region, now, asker, role)
            )
            for law in laws
        )
        decision = strictest(answers) or own_refusal("jurisdiction_not_derived", found.kept.hash)
        if decision.reason == "evaluator_failed" and not self.alerted:
            self.alerted = True
            logger().error("alert_policy_failed", kind=operation, version=found.kept.version)
        return decision

    def rests(self, data_class: str, subject: str | Derived | None) -> bool:
        """Say whether what is stored of a class may still rest here by the bundle in force; not on record.

        Records are restricted by it (:mod:`edge_node.usecases.governing.rejudging`), which takes its time after a new
        bundle; whoever shows or uses something asks besides.
        """
        return all(self.decide(ask, data_class, purpose, subject).allowed for ask, purpose in RESTING_ASKS)

    def decide_noted(
        self,
        operation: str,
        data_class: str,
        purpose: str,
        subject: str | Derived | None,
        *,
        node: str = "",
        asker: str = NO_ASKER,
        role: str = NO_ASKER,
    ) -> Decision:
        """Answer like :meth:`decide`, and put the answer on record."""
        decision = self.decide(operation, data_class, purpose, subject, node=node, asker=asker, role=role)
        self.note(decision, operation, data_class, purpose, subject, asker=asker, role=role)
        return decision

    def note(
        self,
        decision: Decision,
        operation: str,
        data_class: str,
        purpose: str,
        subject: str | Derived | None,
        *,
        asker: str = NO_ASKER,
        role: str = NO_ASKER,
        times: int = 1,
    ) -> None:
        """Put an answer on record."""
        law = "+".join(_laws(subject)) or "unknown"
        said = decision.outcome, decision.rule or "", decision.reason, decision.bundle
        key = Answered(operation, data_class, purpose, law, asker, role, *said)
        if key in self._counts or len(self._counts) < COUNTED_MAX:
            self._counts[key] += times
        else:
            self._metrics.policy.uncounted.inc(times)
        self._metrics.policy.decisions.labels(operation, decision.outcome, decision.reason).inc(times)

    async def look(self) -> None:
        """Take a newer bundle over, and hear of what was heard; what may not be logged now is withheld from the log."""
        await self._look()
        self.alerted = False
        own = self.own_law()
        asked = {name: own_state(self.decide("log", name, purpose, own)) for name, purpose in LOGGED_FOR.items()}
        withhold(name for name, decision in asked.items() if not decision.allowed)

    async def _look(self) -> None:
        """Take a newer bundle over, and hear of what was heard."""
        kept, told = await self._store.newest(), self.alone and await self._store.stated() is not None
        self.alone = self.alone and not told
        before = self._in_force
        if kept is None or (before is not None and before.kept == kept and not told):
            return
        if before is not None and before.kept.hash == kept.hash:
            self._take(InForce(kept, before.bundle, before.evaluator, self._fresh(before.bundle, kept)))
            return
        bundle = read_bundle(await self._store.body(kept.version)).bundle
        evaluator = Evaluator(bundle.policy, kept.hash)
        self._take(InForce(kept, bundle, evaluator, self._fresh(bundle, kept)))
        logger().info("policy_in_force", version=kept.version)

    def _fresh(self, bundle: Bundle, kept: Kept) -> Freshness:
        """Say how long a bundle is gone by, as it was last heard of."""
        until = fresh_until(bundle, kept.heard_at)
        return freshness(kept.heard_at, until, self._clock.now(), self._clock.elapsed())

    def _take(self, found: InForce) -> None:
        """Decide by it from now on."""
        self._in_force = found
        self._metrics.policy.version.set(found.kept.version)
        self._metrics.policy.fresh_until.set(FOR_EVER / 1000 if self.alone else found.fresh.until / 1000)

    async def write(self) -> None:
        """Write down what was decided since the last time."""
        self.before_writing()
        counts, self._counts = self._counts, Counter()
        second = self._clock.now() // 1000
        try:
            await self._store.count([Counted(second, key, times) for key, times in sorted(counts.items())])
        except BaseException:  # whatever it was, they are still to be written
            self._counts.update(counts)
            raise

    async def _watch(self) -> None:
        """Look every second; what cannot be read leaves the bundle in force as it is."""
        written = self._clock.elapsed()
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self.look()
                if self._clock.elapsed() - written >= self._write_seconds:
                    written = self._clock.elapsed()
                    await self.write()
            except HomeportError as error:
                logger().error("alert_policy_unreadable", error=type(error).__name__, code=error.code)
            except Exception as error:  # noqa: BLE001 - whatever it was, a newer bundle must still be heard of
                logger().error("alert_policy_unreadable", error=type(error).__name__, code="unforeseen")


def _laws(subject: str | Derived | None) -> tuple[str, ...]:
    """Give the jurisdictions that a subject may be of."""
    if subject is None:
        return ()
    if isinstance(subject, str):
        return (subject,)
    return (subject.jurisdiction,) if subject.jurisdiction is not None else subject.others


__all__ = ["InForce", "OwnReason", "PolicyBook"]
