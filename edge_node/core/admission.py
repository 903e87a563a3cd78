"""May this event rest here?  One function over a short list in the settings, closed by default.

Rules, in this order:

1. An event that belongs to no account of this node is refused: ``account_not_here``.
2. An empty list is an error: everything is refused, ``list_empty``, and start-up warns.
3. An account that is not on the list is refused: ``account_not_listed``.
4. An account on the list either rests here or has a home node to which its events are sent.

The list is by account, so it decides every class of event, ``unclassified`` among them.  What it lets in, the policy
in force has to let in, too (:mod:`edge_node.usecases.admitting`).
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from shared.errors import SettingsInvalid
from shared.message import Event

RefusalReason = Literal[
    "account_not_here",
    "list_empty",
    "account_not_listed",
    "policy_denied",  # neither here nor where it might be sent
    "policy_missing",  # no bundle is in force
    "policy_stale",  # it might be sent, but for too long nobody has told the node that its policy stands
]


class AdmitEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One ``[[admit]]`` entry of the settings: exactly one of ``data`` and ``home`` is given."""

    account: str
    """The account's name; there is no wildcard, so that each account is a decision of its own."""
    data: Literal["rest"] | None = None
    """``rest``: what arrives for this account may be stored at this node."""
    home: str | None = None
    """The node to which what arrives for this account is sent instead."""


class RestsHere(msgspec.Struct, frozen=True):
    """The event is stored at this node."""


class SentHome(msgspec.Struct, frozen=True):
    """The event is relayed to its home node and acknowledged when that node has stored it."""

    node: str


class Refused(msgspec.Struct, frozen=True):
    """The event is dropped: a refusal without content is recorded, an alert raised, 200 answered."""

    reason: RefusalReason


Admission = RestsHere | SentHome | Refused
Admissions = Mapping[str, RestsHere | SentHome]

_RESTS_HERE = RestsHere()
_NOT_HERE = Refused("account_not_here")
_LIST_EMPTY = Refused("list_empty")
_NOT_LISTED = Refused("account_not_listed")


def admissions_of(entries: Iterable[AdmitEntry]) -> Admissions:
    """Turn the list into a table by account name.

    Raises ``SettingsInvalid`` for an entry that says both or neither, and for an account named twice: which of
    two answers holds must never depend on their order.
    """
    table: dict[str, RestsHere | SentHome] = {}
    for entry in entries:
        if (entry.data is None) == (entry.home is None):
            raise SettingsInvalid(field_name="admit", wants='either data = "rest" or home = a node, for each account')
        if entry.account in table:
            raise SettingsInvalid(field_name="admit.account", wants="each account named once")
        table[entry.account] = _RESTS_HERE if entry.home is None else SentHome(entry.home)
    return table


def admit(admissions: Admissions, account_name: str | None, event: Event) -> Admission:
    """Say what becomes of ``event`` of the account ``account_name`` (``None``: of no account of this node).

    ``event`` is part of the question because a policy may tell kinds apart; this list treats all alike.
    """
    del event
    if account_name is None:
        return _NOT_HERE
    if not admissions:
        return _LIST_EMPTY
    return admissions.get(account_name, _NOT_LISTED)
