"""Principals, their tokens, and what takes two persons.

An actor is a principal with a token, or the command line of the control plane's own machine (``None``), which is no
person: it may appoint alone only while fewer than two persons can decide.
"""

from control_plane.core.access import Role, Scope, scopes_of
from control_plane.core.errors import Conflict, NotFound, ScopeMissing
from control_plane.core.events import EventData
from control_plane.core.four_eyes import (
    MACHINE,
    Act,
    Proposal,
    ProposalState,
    check_decision,
    may_appoint_alone,
    may_remove_alone,
    needs_second,
)
from control_plane.core.minting import digest
from control_plane.storage import nodes, principals
from control_plane.storage.principals import Actor, Principal, Token
from control_plane.storage.work import Work

_MINUTE_MS = 60_000


async def appoint(work: Work, name: str, person: str, role: Role, by: Actor | None) -> Principal | Proposal:
    """Make a principal, or propose it where that takes two persons; ``Conflict`` where the name was ever used."""
    if person == MACHINE or await principals.find(work.t, name) is not None:
        raise Conflict(reason="name")
    if await principals.open_proposal(work.t, "grant_role", name) is not None:
        raise Conflict(reason="proposed")
    if needs_second(role) and (by is not None or not may_appoint_alone(await _in_force(work))):
        return await _propose(work, "grant_role", name, person, role, by)
    await principals.add(work.t, name, person, role, work.now)
    return Principal(name, person, role, work.now, None)


async def dismiss(work: Work, name: str, by: Actor | None) -> Proposal | None:
    """Take all tokens of a principal away, at once and by one person, and remove it, or propose that.

    Taking rights away must not wait; giving up a second pair of eyes takes two persons.  Asked again, the proposal that
    is open is given again.
    """
    principal = await principals.find(work.t, name)
    if principal is None or principal.removed_at is not None:
        raise NotFound
    if may_remove_alone(principal.role, principal.person, by.person if by else MACHINE, await _in_force(work)):
        await principals.remove(work.t, name, work.now)
        return None
    await principals.remove_tokens(work.t, name, work.now)
    proposed = await principals.open_proposal(work.t, "remove_principal", name)
    return proposed or await _propose(work, "remove_principal", name, principal.person, principal.role, by)


async def give_token(
    work: Work,
    name: str,
    wanted: tuple[Scope, ...] | None,
    minutes: int | None,
    by: Actor | None,
    id_: str,
    secret: bytes,
) -> Token:
    """Make a token of a principal; its secret is kept as a digest only.

    ``ScopeMissing`` where its role, or whoever asks, does not have what is wanted: nobody hands out what they may not
    do themselves, else a token of an officer's principal would be one person's two pairs of eyes, and a token that was
    made narrow, or an operator's, would make a wide one for a person who is nobody.
    """
    principal = await principals.find(work.t, name)
    if principal is None or principal.removed_at is not None:
        raise NotFound
    scopes = scopes_of(principal.role, wanted)
    if wanted is not None and set(scopes) != set(wanted):
        raise ScopeMissing(reason="not of the role")
    if by is not None and by.person != principal.person and needs_second(principal.role):
        raise ScopeMissing(reason="of another person")
    if by is not None and not by.scopes.issuperset(scopes):
        raise ScopeMissing(reason="not of the token")
    until = None if minutes is None else work.now + minutes * _MINUTE_MS
    token = Token(id_, name, scopes, work.now, until, None)
    await principals.add_token(work.t, token, digest(secret))
    return token


async def propose_retirement(work: Work, node: str, by: Actor | None) -> Proposal:
    """Propose that a node is refused from now on, before a roster retires it for good."""
    if await principals.open_proposal(work.t, "retire_node", node) is not None:
        raise Conflict(reason="proposed")
    if node in await nodes.barred(work.t):
        raise Conflict(reason="retired")
    return await _propose(work, "retire_node", node, "", None, by)


async def decide(work: Work, id_: str, by: Actor, *, approves: bool) -> Proposal:
    """Approve or reject a proposal, and carry out what is approved: ``NotFound``, ``Conflict``, ``OwnProposal``."""
    proposal = await principals.find_proposal(work.t, id_)
    if proposal is None:
        raise NotFound
    check_decision(proposal, by.person, approves=approves)
    state: ProposalState = "approved" if approves else "rejected"
    if approves:
        await _carry_out(work, proposal)
    await principals.decide(work.t, id_, state, by.principal, work.now)
    await work.tell("proposal.decided", EventData(proposal=id_, state=state))
    return proposal._replace(state=state, decided_by=by.principal, decided_at=work.now)


async def _carry_out(work: Work, proposal: Proposal) -> None:
    """Do what two persons want."""
    if proposal.act == "grant_role" and proposal.role is not None:
        await principals.add(work.t, proposal.subject, proposal.person, proposal.role, work.now)
    elif proposal.act == "remove_principal":
        await principals.remove(work.t, proposal.subject, work.now)
    elif proposal.act == "retire_node" and await nodes.bar(work.t, proposal.subject, work.now):
        await work.tell("node.barred", EventData(node=proposal.subject))


async def _in_force(work: Work) -> list[tuple[str, Role]]:
    """Give person and role of every principal in force."""
    return [(each.person, each.role) for each in await principals.everybody(work.t) if not each.removed_at]


async def _propose(work: Work, act: Act, subject: str, person: str, role: Role | None, by: Actor | None) -> Proposal:
    """Keep a proposal for another person to decide."""
    proposal = Proposal(
        id=work.draw_id(),
        act=act,
        subject=subject,
        person=person,
        role=role,
        proposed_by=by.principal if by is not None else MACHINE,
        proposer=by.person if by is not None else MACHINE,
        at=work.now,
        state="open",
        decided_by=None,
        decided_at=None,
    )
    await principals.propose(work.t, proposal)
    await work.tell("proposal.opened", EventData(proposal=proposal.id, kind=proposal.act))
    return proposal
