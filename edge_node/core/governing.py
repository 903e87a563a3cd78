"""What a node may do without a policy, or with one that it has not heard of for too long.  Pure.

The policy decides (:mod:`shared.policy.evaluator`).  Here stand the three cases in which a node must answer without
asking it: there is none; its grace is over; nobody's law is known.  Each is a no with a reason of its own.
"""

from collections.abc import Iterable
from typing import Literal

from shared.clock import Milliseconds
from shared.policy.deciding import NOTHING, Decision

OwnReason = Literal["policy_missing", "policy_stale", "jurisdiction_not_derived"]

OwnPermission = Literal["own_state_unasked"]
"""What is allowed without asking: see :func:`edge_node.core.crossing.own_state`."""

STALE_DENIES = frozenset({"view", "transfer", "link"})
"""What a node past its grace denies; it goes on receiving, storing, recalling and erasing (DESIGN.md, Policy)."""
NEVER_STALE = frozenset({"operational", "evidence"})
"""Classes that leave all the same: a node must be able to hear of a newer policy, and to tell what it let go."""


def own_refusal(reason: OwnReason, bundle: str = "") -> Decision:
    """Deny for a reason that is no rule's."""
    return Decision(outcome="deny", rule=None, reason=reason, must=NOTHING, bundle=bundle)


def own_permission(reason: OwnPermission, bundle: str = "") -> Decision:
    """Allow for a reason that is no rule's."""
    return Decision(outcome="allow", rule=None, reason=reason, must=NOTHING, bundle=bundle)


def is_stale(operation: str, data_class: str, fresh_until: Milliseconds, now: Milliseconds) -> bool:
    """Say whether a question is denied because the node has not heard for too long that its policy stands."""
    return now >= fresh_until and operation in STALE_DENIES and data_class not in NEVER_STALE


def strictest(decisions: Iterable[Decision]) -> Decision | None:
    """Give the decision that counts where several laws may be the right one: the first no, else the last yes."""
    last = None
    for last in decisions:
        if not last.allowed:
            break
    return last
