"""Who this node is among its company's nodes, and whom it believes: what everything between nodes is handed.

Keeping keys and rosters is others' work; here is only what is asked of them.
"""

from typing import Protocol

import msgspec

from shared.crypto.hpke import SealingKey
from shared.crypto.signing import SigningKeys
from shared.errors.relay import NodeUnknown
from shared.roster import Node, Roster
from shared.wire import Message


class Self(msgspec.Struct, frozen=True):
    """This node: its name in the roster, what it signs with, and what opens what is sealed to it."""

    name: str
    signing: SigningKeys
    sealing: SealingKey

    def __repr__(self) -> str:
        """Show nothing of the keys."""
        return f"Self(name={self.name!r})"


class Company(Protocol):
    """The company as this node knows it at the moment; it may change while the node runs."""

    def self(self) -> Self | None:
        """Give this node's name and keys; ``None`` while it is not enrolled."""
        ...

    def roster(self) -> Roster | None:
        """Give the roster in force; ``None`` while there is none."""
        ...


class Member(msgspec.Struct, frozen=True):
    """This node as the roster in force names it."""

    self: Self
    roster: Roster

    @property
    def authority(self) -> str | None:
        """Give the address by which other nodes reach this one, which their requests are signed for."""
        own = self.roster.active(self.self.name)
        return own.relay if own is not None else None

    def other(self, name: str) -> Node | None:
        """Give another active node; never this one, which asks itself nothing over a wire."""
        return self.roster.active(name) if name != self.self.name else None


class Peers(Protocol):
    """Asks other nodes; the one implementation is :class:`edge_node.relay.client.RelayClient`."""

    async def ask(self, node: str, message: Message, seconds_max: float) -> Message:
        """Send a signed message to a node and give its verified answer.

        Raises ``NodeUnknown``, or ``NodeUnreachable`` where there is no answer that can be believed in time.
        """
        ...


def member(company: Company) -> Member | None:
    """Say who this node is in the roster in force; ``None`` where it is none of its nodes."""
    this, roster = company.self(), company.roster()
    if this is None or roster is None or roster.active(this.name) is None:
        return None
    return Member(this, roster)


def member_or_refuse(company: Company) -> Member:
    """Give what :func:`member` gives; ``NodeUnknown`` where this node is none of the company's."""
    found = member(company)
    if found is None:
        raise NodeUnknown(reason="this node is in no roster")
    return found
