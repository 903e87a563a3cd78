"""Changes of a roster, one function each: from a roster to the next, pure.  None of them signs.

Every change gives a roster that is sound, or a named refusal.
"""

import msgspec

from shared.errors.trust import RosterKeyReturns, RosterNameUnknown
from shared.roster.model import (
    ControlPlane,
    Former,
    Node,
    NodeIntroduction,
    Officer,
    Roster,
    SignedRoster,
    Witness,
)
from shared.roster.rules import check_sound

_change = msgspec.structs.replace


def found(company: str, threshold: int, officers: tuple[Officer, ...], control: ControlPlane, now_ms: int) -> Roster:
    """Make the first roster of a company: version 1, no nodes yet."""
    return _sound(
        Roster(
            company=company,
            version=1,
            created_at=now_ms,
            threshold=threshold,
            officers=officers,
            control_plane=control,
            nodes=(),
            witnesses=(),
        )
    )


def draft_of(signed: SignedRoster, now_ms: int) -> Roster:
    """Give what the next change is made on: a new version where anybody has signed, else the same draft."""
    version = signed.roster.version + (1 if signed.signatures else 0)
    return _change(signed.roster, version=version, created_at=now_ms)


def add_officer(roster: Roster, officer: Officer, threshold: int | None = None) -> Roster:
    """Add an officer, or give one of that name other keys; ``threshold`` changes with it if it is given."""
    others = tuple(each for each in roster.officers if each.person != officer.person)
    return _sound(_change(roster, officers=(*others, officer), threshold=threshold or roster.threshold))


def retire_officer(roster: Roster, person: str, threshold: int | None = None) -> Roster:
    """Take an officer out; ``threshold`` changes with it if it is given."""
    others = tuple(each for each in roster.officers if each.person != person)
    if len(others) == len(roster.officers):
        raise RosterNameUnknown
    return _sound(_change(roster, officers=others, threshold=threshold or roster.threshold))


def add_node(roster: Roster, node: NodeIntroduction, now_ms: int) -> Roster:
    """Take a node in, active from now on; a name that is or was in the roster is refused."""
    fresh = Node(
        name=node.name,
        region=node.region,
        jurisdiction=node.jurisdiction,
        relay=node.relay,
        keys=node.keys,
        former=(),
        state="active",
        since=now_ms,
    )
    return _sound(_change(roster, nodes=(*roster.nodes, fresh)))


def retire_node(roster: Roster, name: str, now_ms: int) -> Roster:
    """Retire a node for good: it stays listed, so that its receipts verify and its keys never come back."""
    return _with_node(roster, _change(_active(roster, name), state="retired", since=now_ms))


def set_node_keys(roster: Roster, node: NodeIntroduction, now_ms: int) -> Roster:
    """Give an active node new keys, all three, and the address it names; the old ones are kept as former."""
    old = _active(roster, node.name)
    if (node.region, node.jurisdiction) != (old.region, old.jurisdiction):
        raise RosterKeyReturns(reason="a node never changes its region or jurisdiction; take in a new one")
    former = (*old.former, Former(old.keys, now_ms))
    return _with_node(roster, _change(old, keys=node.keys, relay=node.relay, former=former))


def set_control_plane(roster: Roster, control: ControlPlane) -> Roster:
    """Say where the control plane answers from now on, and with which keys."""
    return _sound(_change(roster, control_plane=control))


def add_witness(roster: Roster, witness: Witness) -> Roster:
    """Add a witness of the evidence log, or give one of that name other keys."""
    others = tuple(each for each in roster.witnesses if each.name != witness.name)
    return _sound(_change(roster, witnesses=(*others, witness)))


def retire_witness(roster: Roster, name: str) -> Roster:
    """Take a witness out."""
    others = tuple(each for each in roster.witnesses if each.name != name)
    if len(others) == len(roster.witnesses):
        raise RosterNameUnknown
    return _sound(_change(roster, witnesses=others))


def _active(roster: Roster, name: str) -> Node:
    """Give an active node."""
    node = roster.node(name)
    if node is None:
        raise RosterNameUnknown
    if node.state == "retired":
        raise RosterKeyReturns(reason="the node is retired")
    return node


def _with_node(roster: Roster, node: Node) -> Roster:
    """Put a node in the place of the one of its name."""
    return _sound(_change(roster, nodes=tuple(node if each.name == node.name else each for each in roster.nodes)))


def _sound(roster: Roster) -> Roster:
    """Give the roster if it is sound."""
    check_sound(roster)
    return roster
