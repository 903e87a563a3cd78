"""May what another node showed rest here while a desk looks, and be seen?  Asked here besides the node that shows it.

That node answers for the subject, whose law it knows.  Here the law of its region is asked, as for its pseudonyms: for
each class of what came, whether a copy may be kept for the stated purpose and how long, and, each time something is
said, whether the desk may see it still.
"""

from edge_node.core.viewing import VIEWED
from edge_node.storage.content.views import View
from edge_node.usecases.company.members import Company, member
from edge_node.usecases.governing.border import denies
from edge_node.usecases.governing.policy_book import PolicyBook
from shared.clock import Milliseconds
from shared.policy.deciding import Decision
from shared.policy.spans import Span, after


class ShownHere:
    """Asks the policy of this node."""

    def __init__(self, policy: PolicyBook, company: Company) -> None:
        """Take the policy in force, and the company's nodes, whose regions say the law."""
        self._policy, self._company = policy, company

    def until(self, view: View, now: Milliseconds, ends_at: Milliseconds) -> Milliseconds:
        """Give when a view must end whose copies may rest here, at latest ``ends_at``; ``PolicyDenies`` if none may."""
        asked = [self._rests(view, data_class) for data_class in VIEWED]
        allowed = [each for each in asked if each.allowed]
        if not allowed:
            self.may_rest(view, VIEWED[0])
            raise denies(asked[0])
        spans = [each.must.retain_at_most for each in allowed if each.must.retain_at_most is not None]
        return min([ends_at, *(_end(now, span) for span in spans)])

    def may_rest(self, view: View, data_class: str) -> bool:
        """Say whether a copy of a class may be kept here; on record."""
        decision = self._rests(view, data_class)
        self._policy.note(decision, "store", data_class, view.purpose, self._policy.law_of(self._region(view)))
        return decision.allowed

    def may_be_seen(self, view: View, data_class: str) -> bool:
        """Say whether the desk may see a copy now, and whether it may still rest here; what is refused is on record."""
        if not self._rests(view, data_class).allowed:
            return self.may_rest(view, data_class)
        region, mine = self._region(view) or "", self._policy.region
        law = self._policy.law_of(region)
        decision = self._policy.decide("view", data_class, view.purpose, law, node=region, asker=mine, role=view.role)
        if not decision.allowed:
            self._policy.note(decision, "view", data_class, view.purpose, law, asker=mine, role=view.role)
        return decision.allowed

    def _rests(self, view: View, data_class: str) -> Decision:
        """Ask whether a copy may be kept."""
        return self._policy.decide("store", data_class, view.purpose, self._policy.law_of(self._region(view)))

    def _region(self, view: View) -> str | None:
        """Give the region of the node that shows; ``None`` where it is the company's no more."""
        here = member(self._company)
        peer = here.other(view.node) if here is not None else None
        return None if peer is None else peer.region


def _end(now: Milliseconds, span: Span) -> Milliseconds:
    """Give the end of a period; a business day is counted as a day, as no calendar is asked here."""
    try:
        return after(now, span)
    except ValueError:
        return after(now, Span(span.value, "days"))
