"""Four eyes, by person: what two persons must want, and who the second may be.  Pure.

A principal belongs to a person.  One person with two principals is one person: who proposed something, and whom it
concerns, do not decide it, by whichever principal they come.

The first two persons who can decide have nobody to ask: until there are two, the command line on the control plane's
own machine appoints without a second.  From then on it, too, only proposes.

What somebody may do is taken away at once, by one person: all of their tokens.  That they are no longer among those who
can decide takes two persons, else one could first remove the others and then appoint alone.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from control_plane.core.access import GRANTED_BY_TWO, TABLE, Role
from control_plane.core.errors import Conflict, OwnProposal

Act = Literal["grant_role", "remove_principal", "retire_node"]
ProposalState = Literal["approved", "open", "rejected"]

MACHINE = "machine"
"""Who proposes from the command line: whoever has the account of the control plane's machine; no person's name."""


class Proposal(NamedTuple):
    """What one person proposed."""

    id: str
    act: Act
    subject: str
    """The principal that is to be, or to be no more, or the node."""
    person: str
    """Whom it concerns; empty where it concerns a node."""
    role: Role | None
    """That is granted, where one is."""
    proposed_by: str
    """The principal who proposed it."""
    proposer: str
    """That principal's person."""
    at: int
    state: ProposalState
    decided_by: str | None
    decided_at: int | None


def needs_second(role: Role) -> bool:
    """Say whether granting a role takes two persons."""
    return role in GRANTED_BY_TWO


def deciders(principals: Iterable[tuple[str, Role]]) -> int:
    """Count the persons who can decide, from (person, role) of every principal in force."""
    return len({person for person, role in principals if "proposals:decide" in TABLE[role]})


def may_appoint_alone(principals: Iterable[tuple[str, Role]]) -> bool:
    """Say whether the command line may still appoint without a second person."""
    return deciders(principals) < 2


def may_remove_alone(role: Role, person: str, by: str, principals: Iterable[tuple[str, Role]]) -> bool:
    """Say whether ``by`` (a person, or ``MACHINE``) removes a principal of ``person`` without a second person."""
    if not needs_second(role) or by == person:
        return True
    return by == MACHINE and may_appoint_alone(principals)


def check_decision(proposal: Proposal, person: str, *, approves: bool) -> None:
    """Refuse a decision: ``Conflict`` where there is one already, ``OwnProposal`` to whom it is not.

    Whoever proposed it may take it back.
    """
    if proposal.state != "open":
        raise Conflict(reason="decided")
    takes_back = not approves and person == proposal.proposer
    if not takes_back and person in {proposal.proposer, proposal.person}:
        raise OwnProposal
