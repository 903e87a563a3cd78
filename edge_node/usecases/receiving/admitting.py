"""May this event rest here, and where else?  Decided by the policy in force, and by nothing else.

Asked for each event before anything of it is written, in this order:

1. An event of no account that is set up at this node is refused: ``account_not_here``.
2. What arrives for an account whose home is another node goes there, sealed, if policy lets it go and rest there.
3. What may not rest here goes, sealed, to a node in a region where it may, if policy lets it go there.
4. What may go nowhere is dropped and refused on record.

There is no setting that turns this off.  A recall is carried out here in any case: it keeps nothing, and what it takes
back may rest here since before the answer, or the account's home, changed.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from edge_node.core.accounts import Account
from edge_node.core.classes import class_of
from edge_node.core.laws import Identifiers, Region, laws_in, nearest, persons_of
from edge_node.usecases.company.members import Company, member
from edge_node.usecases.governing.judging import PURPOSE, Judge
from shared.message import Event, Recall
from shared.policy.deciding import Decision
from shared.policy.deriving import Derived

RefusalReason = Literal[
    "account_not_here",  # no account of this node
    "policy_denied",  # neither here nor where it might be sent
    "policy_missing",  # no bundle is in force
    "policy_stale",  # it might be sent, but for too long nobody has told the node that its policy stands
]
ROLE = "program"
"""Who asks for what goes between nodes."""
_OWN_REASONS: Mapping[str, RefusalReason] = {"policy_missing": "policy_missing", "policy_stale": "policy_stale"}


class Placing(NamedTuple):
    """What becomes of an event."""

    here: bool = False
    home: str | None = None
    """The node that it is sent to."""
    refused: RefusalReason | None = None


_HERE, _NOT_HERE = Placing(here=True), Placing(refused="account_not_here")
_NOBODY: tuple[Identifiers, ...] = ((),)


class Admitter:
    """Says where events may rest."""

    def __init__(self, judge: Judge, company: Company) -> None:
        """Take who asks the policy, and the company's nodes."""
        self._judge = judge
        self._company = company

    def place(self, account: Account | None, event: Event) -> Placing:
        """Say what becomes of an event of ``account`` (``None``: of no account of this node)."""
        if account is None:
            return _NOT_HERE
        if account.home is not None:
            elsewhere = self._sent(account.home, self._derived(account, event), class_of(event))
        else:
            refusal = self._first_no(account, event)
            if refusal is None:
                return _HERE
            if refusal.reason in _OWN_REASONS:
                elsewhere = Placing(refused=_OWN_REASONS[refusal.reason])
            else:
                elsewhere = self._elsewhere(self._derived(account, event), class_of(event))
        return Placing(here=True, home=elsewhere.home) if isinstance(event, Recall) else elsewhere

    def all_rest(self, account: Account, events: Iterable[Event]) -> bool:
        """Say whether the policy lets everything that another node sent home rest here."""
        return all(isinstance(event, Recall) or self._first_no(account, event) is None for event in events)

    def _derived(self, account: Account, event: Event) -> list[Derived]:
        """Say whose law applies to each person of an event; where nobody is named, by the account's country."""
        judge, country = self._judge, account.country
        return [judge.derived(each, country) for each in persons_of(event)] or [judge.derived((), country)]

    def _first_no(self, account: Account, event: Event) -> Decision | None:
        """Give the first answer that forbids an event to rest here, of those for each person; ``None``: none does."""
        data_class = class_of(event)
        for person in persons_of(event) or _NOBODY:
            decision = self._judge.may_rest(person, account.country, data_class)
            if decision.outcome != "allow":
                return decision
        return None

    def _sent(self, node: str, derived: Iterable[Derived], data_class: str) -> Placing:
        """Say whether what arrives for an account whose home is ``node`` may go there, and rest there."""
        here = member(self._company)
        peer = here.other(node) if here is not None else None
        if peer is None and self._judge.book.in_force is not None:
            return Placing(home=node)  # whoever sends it finds that there is no such node: nothing leaves
        region = peer.region if peer is not None else ""
        denied = self._denied(region, derived, data_class)
        return Placing(home=node) if denied is None else Placing(refused=_OWN_REASONS.get(denied, "policy_denied"))

    def _elsewhere(self, derived: list[Derived], data_class: str) -> Placing:
        """Find the nearest other node at which an event may rest and to which it may go."""
        here = member(self._company)
        if here is None:
            return Placing(refused="policy_denied")
        regions = [
            Region(each.name, each.region, self._judge.jurisdiction_of(each.region))
            for each in here.roster.nodes
            if here.other(each.name) is not None and each.relay is not None
        ]
        denials = set()
        for each in nearest(regions, [law for one in derived for law in laws_in(one)]):
            denied = self._denied(each.region, derived, data_class)
            if denied is None:
                return Placing(home=each.node)
            denials.add(denied)
        return Placing(refused="policy_stale" if "policy_stale" in denials else "policy_denied")

    def _denied(self, region: str, derived: Iterable[Derived], data_class: str) -> str | None:
        """Give the reason why something may not go to a region and rest there; ``None`` where it may."""
        book = self._judge.book
        for each in derived:
            rests = book.decide("store", data_class, PURPOSE, each, node=region)
            if not rests.allowed:
                return rests.reason
            goes = book.decide_noted("transfer", data_class, PURPOSE, each, asker=region, role=ROLE)
            if not goes.allowed:
                return goes.reason
        return None
