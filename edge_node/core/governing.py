"""What a node may do without a policy, or with one that it has not heard of for too long; what it may hear.  Pure.

The policy decides (:mod:`shared.policy.evaluator`).  Here stand the three cases in which a node must answer without
asking it: there is none; its grace is over; nobody's law is known.  Each is a no with a reason of its own.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from shared.clock import Milliseconds
from shared.errors.policy import BundleConflict, BundleHeadRefused, BundleOlder
from shared.policy.accepting import SKEW_MS
from shared.policy.deciding import NOTHING, Decision
from shared.wire import Head

OwnReason = Literal["policy_missing", "policy_stale", "jurisdiction_not_derived"]

OwnPermission = Literal["own_state_unasked"]
"""What is allowed without asking: see :func:`edge_node.core.crossing.own_state`."""

STALE_DENIES = frozenset({"view", "transfer", "link"})
"""What a node past its grace denies; it goes on receiving, storing, recalling and erasing (DESIGN.md, Policy)."""
NEVER_STALE = frozenset({"operational", "evidence"})
"""Classes that leave all the same: a node must be able to hear of a newer policy, and to tell what it let go."""

RESTING_ASKS = (("store", "intake"), ("retain", "retention"))
"""Operation and purpose of what is asked for a class of data to rest at a node: both must be allowed."""


def own_refusal(reason: OwnReason, bundle: str = "") -> Decision:
    """Deny for a reason that is no rule's."""
    return Decision(outcome="deny", rule=None, reason=reason, must=NOTHING, bundle=bundle)


def own_permission(reason: OwnPermission, bundle: str = "") -> Decision:
    """Allow for a reason that is no rule's."""
    return Decision(outcome="allow", rule=None, reason=reason, must=NOTHING, bundle=bundle)


class Freshness(NamedTuple):
    """How long a node goes by its bundle without news."""

    heard_at: Milliseconds
    """When it last heard that the bundle is the newest."""
    until: Milliseconds
    elapsed_until: float
    """The same on the clock that never runs backwards (seconds)."""

    def over(self, now: Milliseconds, elapsed: float) -> bool:
        """Say whether the grace is over; it is, too, where the wall clock was set back before what was heard last."""
        return now >= self.until or elapsed >= self.elapsed_until or now < self.heard_at - SKEW_MS


def freshness(heard_at: Milliseconds, until: Milliseconds, now: Milliseconds, elapsed: float) -> Freshness:
    """Begin to count at ``now``: a grace is never longer than the bundle says, whatever becomes of the wall clock."""
    return Freshness(heard_at, until, elapsed + (until - max(now, heard_at)) / 1000)


def is_stale(operation: str, data_class: str, *, over: bool) -> bool:
    """Say whether a question is denied because the node has not heard for too long that its policy stands."""
    return over and operation in STALE_DENIES and data_class not in NEVER_STALE


def check_head(head: Head, last_at: Milliseconds | None, in_force: tuple[int, str] | None, now: Milliseconds) -> None:
    """Refuse a statement of which bundle is the newest: ``BundleHeadRefused``, ``BundleOlder``, ``BundleConflict``.

    ``last_at``: when the last one was stated; ``in_force``: version and hash of the bundle here.  A head is good for as
    long as clocks may be apart, and none comes after a later one: who records a head and plays it again keeps no node
    fresh.  It is measured by the bundle here alone, which officers signed: a version that was only ever stated by
    somebody who had the control plane's keys for a while must not bar the true ones afterwards.
    """
    if abs(head.stated_at - now) > SKEW_MS:
        raise BundleHeadRefused(reason="stated long ago, or in the future")
    if last_at is not None and head.stated_at < last_at:
        raise BundleHeadRefused(reason="stated before another one that was heard")
    if in_force is None:
        return
    version, digest = in_force
    if head.version < version:
        raise BundleOlder(version=head.version, in_force=version)
    if head.version == version and head.hash != digest:
        raise BundleConflict(version=head.version)


def strictest(decisions: Iterable[Decision]) -> Decision | None:
    """Give the decision that counts where several laws may be the right one: the first no, else the last yes."""
    last = None
    for last in decisions:
        if not last.allowed:
            break
    return last
