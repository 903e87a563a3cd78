"""May a message be seen, in which form, and what does seeing it oblige to?  The policy's answers made one.  Pure.

Where several things are asked, all must be allowed, and the strictest form wins.  What the policy wants withheld and no
form withholds takes the message down to ``metadata``; what wants a second person's consent is refused, since nobody can
give it yet.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import msgspec

from edge_node.core.classes import CONTENT_CLASSES
from shared.clock import Milliseconds
from shared.policy.deciding import FORMS, Decision
from shared.policy.spans import Span, after
from shared.wire.types import FormCode, RuleName, ShowingRule

VIEWED = tuple(dict.fromkeys(CONTENT_CLASSES.values()))
"""Every class that a message of a timeline can have, words first."""

_MASKED_HIDES = frozenset({"numbers", "addresses", "contact_points", "identifiers", "media", "location"})
"""What the form ``masked`` withholds; ``text`` and ``names`` it does not."""
_OWN_CODES = frozenset({"jurisdiction_not_derived", "no_mechanism", "no_rule", "policy_missing", "policy_stale"})


class Seen(NamedTuple):
    """It may be seen."""

    form: FormCode
    rule: str
    """The rules that allow it, joined by ``+``."""
    bundle: str
    kept_until: Milliseconds
    """Until when the record of it stays; 0 where the policy asks for none."""
    notify: tuple[str, ...]


class Unseen(NamedTuple):
    """It may not be seen, and why."""

    code: ShowingRule
    rule: str | None
    reason: str
    bundle: str


def seen(decisions: Sequence[Decision], now: Milliseconds) -> Seen | Unseen:
    """Make one answer of all that was asked for a message: allowed only where everything allows it."""
    for decision in decisions:
        if not decision.allowed:
            return Unseen(_code(decision), decision.rule, decision.reason, decision.bundle)
    for decision in decisions:
        if decision.must.second_approver:
            return Unseen("second_approver_needed", decision.rule, "second_approver_needed", decision.bundle)
    form = min((decision.must.form for decision in decisions), key=FORMS.index)
    mask = {field for decision in decisions for field in decision.must.mask}
    if mask and form == "full":
        form = "masked"
    if mask - _MASKED_HIDES:
        form = "metadata"
    spans = [decision.must.log_for for decision in decisions if decision.must.log_for is not None]
    return Seen(
        form,
        "+".join(dict.fromkeys(decision.rule for decision in decisions if decision.rule)),
        decisions[0].bundle,
        max((_end(span, now) for span in spans), default=0),
        tuple(sorted({who for decision in decisions for who in decision.must.notify})),
    )


def restricted(bundle: str) -> Unseen:
    """Give the answer for a class of which the subject's records are restricted where they rest."""
    return Unseen("restricted", None, "restricted", bundle)


def named_rule(rule: str | None) -> str | None:
    """Give a rule's name if the wire has room for it: in letters alone."""
    try:
        return msgspec.convert(rule, type=RuleName | None)
    except msgspec.ValidationError:
        return None


def _code(decision: Decision) -> ShowingRule:
    """Name a refusal in the wire's words."""
    if decision.reason in _OWN_CODES and (decision.rule is None or decision.reason == "no_mechanism"):
        return cast("ShowingRule", decision.reason)
    return "policy_denied"


def _end(span: Span, now: Milliseconds) -> Milliseconds:
    """Give the end of a period; business days are counted at their longest, as no calendar is asked here."""
    try:
        return after(now, span)
    except ValueError:
        return now + 2 * span.hours * 3_600_000
