"""Who may do what: roles, scopes, and the one table between them.  Pure.

A principal has one role; a token has scopes, at most those of its principal's role.  What the table does not say is no.
"""

from typing import Literal, get_args

Role = Literal["agent", "auditor", "officer", "operator", "program", "supervisor"]
Scope = Literal[
    "cases:open",
    "cases:read",
    "events:read",
    "hooks:read",
    "hooks:write",
    "nodes:enrol",
    "nodes:read",
    "nodes:retire",
    "policies:publish",
    "policies:read",
    "principals:read",
    "principals:write",
    "proposals:decide",
    "proposals:read",
    "roster:read",
    "roster:write",
]

_READ: frozenset[Scope] = frozenset(
    {
        *("cases:read", "events:read", "hooks:read", "nodes:read", "policies:read", "principals:read"),
        *("proposals:read", "roster:read"),
    }
)
TABLE: dict[Role, frozenset[Scope]] = {
    # Runs the machines: takes nodes in, puts rosters in force, gives tokens.  Opens no case.
    "operator": _READ
    | {"hooks:write", "nodes:enrol", "nodes:retire", "principals:write", "proposals:decide", "roster:write"},
    # Answers for people's rights: opens cases, publishes policies that officers signed, decides with others who may.
    "officer": _READ | {"cases:open", "nodes:retire", "policies:publish", "principals:write", "proposals:decide"},
    # Looks at everything and changes nothing.
    "auditor": _READ,
    # Leads a service team: sees how cases of its customers stand.
    "supervisor": frozenset({"cases:open", "cases:read", "nodes:read"}),
    # Serves customers at a desk: the desk is at a node; here only the state of a case.
    "agent": frozenset({"cases:read"}),
    # A system of the company.
    "program": frozenset({"cases:open", "cases:read", "events:read", "nodes:read"}),
}
"""What each role may do at most."""

GRANTED_BY_TWO: frozenset[Role] = frozenset({"auditor", "officer", "operator"})
"""Roles that see or change what others answer for: two persons give them."""

ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: tuple[Scope, ...] = get_args(Scope)


def scopes_of(role: Role, wanted: tuple[Scope, ...] | None) -> tuple[Scope, ...]:
    """Give the scopes of a new token, sorted: those wanted that the role has, or all of the role's.

    Scopes that the role does not have are left out, so that the caller can compare.
    """
    allowed = TABLE[role]
    return tuple(sorted(allowed if wanted is None else allowed.intersection(wanted)))
