"""What each message between programs asks of the policy before it leaves: ``policies/README.md``.  Pure.

Each message of the uplink and the relay is a ``transfer`` question: its class of data and its purpose stand here, the
asker is the region to which it goes, the role ``program``.  A message without a row is not sent at all, and a test
walks the wire's messages.  What shows content is besides a ``view`` question, with the desk's region and role.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from edge_node.core.governing import own_permission
from shared import wire
from shared.policy.deciding import Decision
from shared.policy.deriving import Derived

PROGRAM = "program"
"""The role of a message's receiver."""
STATED = ""
"""In place of a purpose: the one that was stated for the view."""
OF_CONTENT = ""
"""In place of a class: that of each event or message it holds."""


class Asks(NamedTuple):
    """One ``transfer`` question that a message is."""

    data_class: str
    purpose: str


OWN_STATE = Asks("operational", "security")
"""Of messages that hold nothing of a person: a node's own state, answers, refusals."""
EVIDENCE = Asks("evidence", "coordination")
PSEUDONYM = Asks("pseudonym", "coordination")
TOLD = Asks("evidence", "subject_request")
LOOKING = Asks("pseudonym", STATED)
SHOWN = Asks(OF_CONTENT, STATED)

QUESTIONS: Mapping[type[wire.Message], tuple[Asks, ...]] = {
    wire.Enrolment: (OWN_STATE,),
    wire.CommandAsk: (OWN_STATE,),
    wire.Beat: (OWN_STATE,),
    wire.CaseNotice: (PSEUDONYM, EVIDENCE),
    wire.ReceiptPush: (EVIDENCE,),
    wire.RecallNotice: (TOLD,),
    wire.RelayedWebhook: (Asks(OF_CONTENT, "intake"),),
    wire.ViewAsk: (LOOKING,),
    wire.ViewFollow: (LOOKING,),
    wire.ViewClosed: (LOOKING,),
    wire.ViewNoted: (LOOKING,),
    wire.ShownContent: (SHOWN,),
    wire.ViewNews: (SHOWN,),
    wire.RelayAnswer: (OWN_STATE,),
    wire.ViewRefused: (OWN_STATE,),
    wire.RelayProblem: (OWN_STATE,),
}
"""By message: what must be allowed for it to leave; all of it."""

REGISTRATIONS = PSEUDONYM
"""What the registrations in a beat ask besides, for each subject by the law that protects it."""

_CANNOT_BE_ASKED = frozenset({"policy_missing", "region_unknown", "asker_missing", "jurisdiction_not_derived"})

WAITS = frozenset({"policy_missing", "policy_stale", "region_unknown", "asker_missing", "evaluator_failed"})
"""Reasons that are none of the policy's: what they keep back leaves as soon as they are over."""


class Crossing(NamedTuple):
    """What came of asking for a message."""

    asks: Asks
    """The question that decided: the one that was denied, else the last."""
    decision: Decision

    @property
    def allowed(self) -> bool:
        """Say whether the message may leave."""
        return self.decision.allowed


def own_state(decision: Decision) -> Decision:
    """Let a node's own state out where the question cannot be put: without a policy, or to a region that none knows.

    Else a node that has no policy, or a wrong one, could never hear of a right one.  Where the policy does answer, its
    no stands.
    """
    if decision.allowed or decision.rule is not None or decision.reason not in _CANNOT_BE_ASKED:
        return decision
    return own_permission("own_state_unasked", decision.bundle)


def law_text(law: Derived) -> str:
    """Write the jurisdictions that count, as the store keeps them: codes separated by spaces, if any is known."""
    return law.jurisdiction if law.jurisdiction is not None else " ".join(law.others)


def law_of_text(text: str) -> Derived | None:
    """Read what :func:`law_text` wrote; ``None`` where none is known."""
    codes = tuple(text.split())
    if not codes:
        return None
    one = codes[0] if len(codes) == 1 else None
    return Derived(
        jurisdiction=one,
        country=None,
        basis="nothing_known",
        certainty="none",
        others=() if one is not None else codes,
    )


class Withheld(msgspec.Struct, frozen=True):
    """What is kept back at this node, for the operator."""

    what: str
    """``health``, ``registrations``, ``case``, ``receipt`` or ``recall``."""
    reason: str
    count: int
