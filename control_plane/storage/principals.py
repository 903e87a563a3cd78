"""Principals, their tokens, and proposals."""

from typing import NamedTuple

from control_plane.core.access import Role, Scope
from control_plane.core.four_eyes import Proposal
from control_plane.core.paging import Position
from shared.database.contract import Transaction, Value

_ADD = "INSERT INTO principal (name, person, role, made_at) VALUES (:name, :person, :role, :at)"
_BY_NAME = "SELECT name, person, role, made_at, removed_at FROM principal WHERE name = :name"
_ALL = "SELECT name, person, role, made_at, removed_at FROM principal ORDER BY name"
_REMOVE = "UPDATE principal SET removed_at = :at WHERE name = :name AND removed_at IS NULL"
_REMOVE_TOKENS = "UPDATE access_token SET removed_at = :at WHERE principal = :name AND removed_at IS NULL"
_ADD_ACCESS = """
INSERT INTO access_token (id, principal, secret_sha256, scopes, made_at, until)
VALUES (:id, :principal, :secret, :scopes, :at, :until)
"""
_REMOVE_ONE = "UPDATE access_token SET removed_at = :at WHERE id = :id AND principal = :name AND removed_at IS NULL"
_TOKENS = """
SELECT id, principal, scopes, made_at, until, removed_at FROM access_token WHERE principal = :name ORDER BY made_at, id
"""
_ACTOR = """
SELECT principal.name, principal.person, principal.role, access_token.id, access_token.scopes
FROM access_token JOIN principal ON principal.name = access_token.principal
WHERE access_token.secret_sha256 = :secret AND access_token.removed_at IS NULL AND principal.removed_at IS NULL
AND (access_token.until IS NULL OR access_token.until > :now)
"""
_COLUMNS = "id, act, subject, person, role, proposed_by, proposer, at, state, decided_by, decided_at"
_PROPOSE = f"""
INSERT INTO proposal ({_COLUMNS})
VALUES (:id, :act, :subject, :person, :role, :proposed_by, :proposer, :at, 'open', NULL, NULL)
"""  # noqa: S608  our own column names
_PROPOSAL = f"SELECT {_COLUMNS} FROM proposal WHERE id = :id"  # noqa: S608
_OPEN_PROPOSAL = f"SELECT {_COLUMNS} FROM proposal WHERE act = :act AND subject = :subject AND state = 'open'"  # noqa: S608
_PROPOSALS = f"""
SELECT {_COLUMNS} FROM proposal
WHERE (at > :at OR (at = :at AND id > :id)) AND (:state = 'any' OR state = :state) ORDER BY at, id LIMIT :limit
"""  # noqa: S608
_DECIDE = "UPDATE proposal SET state = :state, decided_by = :by, decided_at = :at WHERE id = :id"


class Principal(NamedTuple):
    """Who may ask: a name that belongs to a person, with one role."""

    name: str
    person: str
    role: Role
    made_at: int
    removed_at: int | None


class Token(NamedTuple):
    """A token, without anything that opens a door."""

    id: str
    principal: str
    scopes: tuple[Scope, ...]
    made_at: int
    until: int | None
    removed_at: int | None


class Actor(NamedTuple):
    """Who asks now, proved by a token."""

    principal: str
    person: str
    role: Role
    token: str
    scopes: frozenset[Scope]


async def add(t: Transaction, name: str, person: str, role: Role, at: int) -> None:
    """Keep a new principal."""
    await t.execute(_ADD, {"name": name, "person": person, "role": role, "at": at})


async def find(t: Transaction, name: str) -> Principal | None:
    """Give a principal, also one that was removed."""
    rows = await t.fetch(_BY_NAME, {"name": name})
    return Principal(*rows[0]) if rows else None


async def everybody(t: Transaction) -> list[Principal]:
    """Give every principal, by name."""
    return [Principal(*row) for row in await t.fetch(_ALL)]


async def remove(t: Transaction, name: str, at: int) -> bool:
    """Remove a principal with all of its tokens; ``False`` where there is none in force."""
    await remove_tokens(t, name, at)
    return await t.execute(_REMOVE, {"name": name, "at": at}) == 1


async def remove_tokens(t: Transaction, name: str, at: int) -> int:
    """Remove all tokens of a principal that are in force; give how many."""
    return await t.execute(_REMOVE_TOKENS, {"name": name, "at": at})


async def add_token(t: Transaction, token: Token, secret_sha256: str) -> None:
    """Keep a token, by the digest of its secret."""
    values: dict[str, Value] = {
        "id": token.id,
        "principal": token.principal,
        "scopes": " ".join(token.scopes),
        "at": token.made_at,
    }
    await t.execute(_ADD_ACCESS, values | {"secret": secret_sha256, "until": token.until})


async def remove_token(t: Transaction, name: str, id_: str, at: int) -> bool:
    """Remove one token of a principal; ``False`` where there is none in force."""
    return await t.execute(_REMOVE_ONE, {"name": name, "id": id_, "at": at}) == 1


async def tokens(t: Transaction, name: str) -> list[Token]:
    """Give the tokens of a principal, in the order in which they were made."""
    rows = await t.fetch(_TOKENS, {"name": name})
    return [Token(id_, who, tuple(scopes.split()), *times) for id_, who, scopes, *times in rows]


async def actor(t: Transaction, secret_sha256: str, now: int) -> Actor | None:
    """Give who has a token of that digest in force."""
    rows = await t.fetch(_ACTOR, {"secret": secret_sha256, "now": now})
    if not rows:
        return None
    principal, person, role, token, scopes = rows[0]
    return Actor(principal, person, role, token, frozenset(scopes.split()))


async def propose(t: Transaction, proposal: Proposal) -> None:
    """Keep a new proposal."""
    values = {name: getattr(proposal, name) for name in ("id", "act", "subject", "person", "role", "proposed_by")}
    await t.execute(_PROPOSE, values | {"proposer": proposal.proposer, "at": proposal.at})


async def find_proposal(t: Transaction, id_: str) -> Proposal | None:
    """Give a proposal."""
    rows = await t.fetch(_PROPOSAL, {"id": id_})
    return Proposal(*rows[0]) if rows else None


async def open_proposal(t: Transaction, act: str, subject: str) -> Proposal | None:
    """Give the open proposal of an act about a subject."""
    rows = await t.fetch(_OPEN_PROPOSAL, {"act": act, "subject": subject})
    return Proposal(*rows[0]) if rows else None


async def proposals(t: Transaction, after: Position, state: str, limit: int) -> list[Proposal]:
    """Give proposals in the order in which they were made; of any state where asked so."""
    rows = await t.fetch(_PROPOSALS, {"at": after.at, "id": after.id, "state": state, "limit": limit})
    return [Proposal(*row) for row in rows]


async def decide(t: Transaction, id_: str, state: str, by: str, at: int) -> None:
    """Write a decision down."""
    await t.execute(_DECIDE, {"id": id_, "state": state, "by": by, "at": at})
