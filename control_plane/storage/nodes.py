"""What is seen of nodes: beats, cursors, silence, bars, policies; one-time tokens and enrolments."""

from typing import NamedTuple

from shared.database.contract import Transaction, Value
from shared.wire import Beat, Enrolment, NodeKeys

_NODE = """
INSERT INTO node (name, silent, cursor) VALUES (:name, 0, 0) ON CONFLICT (name) DO NOTHING
"""
_BEAT = """
UPDATE node SET beat_number = :number, beat_seconds = :beat_seconds, beat_at = :at, protocol = :protocol,
roster_version = :roster_version, events_waiting = :events_waiting, removals_open = :removals_open,
commands_open = :commands_open, receipts_unsent = :receipts_unsent, relays_waiting = :relays_waiting,
refusals = :refusals, policy_version = :policy_version, policy_hash = :policy_hash WHERE name = :name
"""
_VOICE = "UPDATE node SET silent = 0 WHERE name = :name AND silent = 1"
_LATE = """
silent = 0 AND barred_at IS NULL AND name NOT IN (SELECT name FROM member WHERE state = 'retired')
AND beat_at < :now - 1000 * (CASE WHEN 3 * beat_seconds < 5 THEN 5 ELSE 3 * beat_seconds END)
"""
_OVERDUE = f"SELECT count(*) FROM node WHERE {_LATE}"  # noqa: S608  our own words
_SILENT = f"UPDATE node SET silent = 1 WHERE {_LATE} RETURNING name"  # noqa: S608
_SILENT_NOW = """
SELECT count(*) FROM node
WHERE silent = 1 AND barred_at IS NULL AND name NOT IN (SELECT name FROM member WHERE state = 'retired')
"""
_ASKED = "UPDATE node SET cursor = :cursor, asked_at = :at WHERE name = :name"
_BAR = "UPDATE node SET barred_at = :at WHERE name = :name AND barred_at IS NULL"
_BARRED = "SELECT name FROM node WHERE barred_at IS NOT NULL"
_SEEN = """
SELECT name, barred_at, silent, cursor, asked_at, beat_number, beat_seconds, beat_at, protocol, roster_version,
events_waiting, removals_open, commands_open, receipts_unsent, relays_waiting, refusals, policy_version, policy_hash,
policy_behind FROM node
"""
_RETIRED = "SELECT name FROM member WHERE state = 'retired'"
_MARK_BEHIND = "UPDATE node SET policy_behind = :behind WHERE name = :name AND policy_behind <> :behind"
_OWED = "SELECT node, count(*) FROM command WHERE done_at IS NULL AND lapsed IS NULL GROUP BY node"
_LAG = """
SELECT command.node, count(*) FROM command JOIN node ON node.name = command.node
WHERE command.cursor > node.cursor AND command.lapsed IS NULL GROUP BY command.node
"""
_TICKET = """
INSERT INTO enrolment_token (id, node, secret_sha256, made_by, made_at, until)
VALUES (:id, :node, :secret, :made_by, :at, :until)
"""
_FIND_TICKET = "SELECT id, node, until, used_at, fingerprint FROM enrolment_token WHERE secret_sha256 = :secret"
_USE_TICKET = "UPDATE enrolment_token SET used_at = :at, fingerprint = :fingerprint WHERE id = :id"
_ENROL = """
INSERT INTO enrolment (node, region, jurisdiction, relay, ed25519, mldsa65, hpke, at)
VALUES (:node, :region, :jurisdiction, :relay, :ed25519, :mldsa65, :hpke, :at)
ON CONFLICT (node) DO UPDATE SET region = excluded.region, jurisdiction = excluded.jurisdiction,
relay = excluded.relay, ed25519 = excluded.ed25519, mldsa65 = excluded.mldsa65, hpke = excluded.hpke, at = excluded.at
"""
_ENROLMENTS = "SELECT node, region, jurisdiction, relay, ed25519, mldsa65, hpke, at FROM enrolment ORDER BY node"


class Seen(NamedTuple):
    """What is seen of one node; ``None`` until it has been heard."""

    name: str
    barred_at: int | None
    silent: int
    cursor: int
    asked_at: int | None
    beat_number: int | None
    beat_seconds: int | None
    beat_at: int | None
    protocol: int | None
    roster_version: int | None
    events_waiting: int | None
    removals_open: int | None
    commands_open: int | None
    receipts_unsent: int | None
    relays_waiting: int | None
    refusals: int | None
    policy_version: int | None
    """That it decides by; 0 where it has none, ``None`` where its release says nothing of it."""
    policy_hash: str | None
    policy_behind: int


class StoredToken(NamedTuple):
    """A one-time token as it is kept."""

    id: str
    node: str
    until: int
    used_at: int | None
    fingerprint: str | None


class Enrolled(NamedTuple):
    """What a node said of itself."""

    node: str
    region: str
    jurisdiction: str
    relay: str | None
    keys: NodeKeys
    at: int


async def beat(t: Transaction, beat_: Beat, at: int) -> bool:
    """Keep a node's sign of life; say whether it was silent before."""
    await t.execute(_NODE, {"name": beat_.node})
    facts: dict[str, Value] = {
        "name": beat_.node,
        "number": beat_.number,
        "beat_seconds": beat_.beat_seconds,
        "at": at,
        "protocol": beat_.protocol,
        "roster_version": beat_.roster_version,
        "policy_version": beat_.policy.version if beat_.policy is not None else None,
        "policy_hash": beat_.policy.hash if beat_.policy is not None else None,
    }
    await t.execute(_BEAT, facts | {name: getattr(beat_.health, name) for name in beat_.health.__struct_fields__})
    return await t.execute(_VOICE, {"name": beat_.node}) == 1


async def overdue(t: Transaction, now: int) -> int:
    """Count the nodes that missed three beats (at least 5 s) and are not marked yet."""
    return int((await t.fetch(_OVERDUE, {"now": now}))[0][0])


async def fall_silent(t: Transaction, now: int) -> list[str]:
    """Mark the nodes that missed three beats (at least 5 s), each once, and name them."""
    return [row[0] for row in await t.fetch(_SILENT, {"now": now})]


async def silent(t: Transaction) -> int:
    """Count the nodes that are silent and should not be: neither barred nor retired."""
    return int((await t.fetch(_SILENT_NOW))[0][0])


async def asked(t: Transaction, name: str, cursor: int, at: int) -> None:
    """Note what a node asked after."""
    await t.execute(_NODE, {"name": name})
    await t.execute(_ASKED, {"name": name, "cursor": cursor, "at": at})


async def bar(t: Transaction, name: str, at: int) -> bool:
    """Refuse a node from now on; ``False`` where it is refused already."""
    await t.execute(_NODE, {"name": name})
    return await t.execute(_BAR, {"name": name, "at": at}) == 1


async def barred(t: Transaction) -> frozenset[str]:
    """Name the nodes that are refused."""
    return frozenset(row[0] for row in await t.fetch(_BARRED))


async def seen(t: Transaction) -> dict[str, Seen]:
    """Give what is seen of every node that was heard."""
    return {row[0]: Seen(*row) for row in await t.fetch(_SEEN)}


async def following_policy(t: Transaction) -> list[Seen]:
    """Give what is seen of every node that was heard and should follow the newest policy: not barred, not retired."""
    retired = {row[0] for row in await t.fetch(_RETIRED)}
    found = [each for each in (await seen(t)).values() if each.beat_at is not None and each.barred_at is None]
    return [each for each in found if each.name not in retired]


async def mark_behind(t: Transaction, name: str, *, behind: bool) -> bool:
    """Note whether a node was told of as not following the policy; say whether that is a change."""
    return await t.execute(_MARK_BEHIND, {"behind": int(behind), "name": name}) == 1


async def owed(t: Transaction) -> dict[str, int]:
    """Count, by node, the commands that it has still to sign for."""
    return dict(await t.fetch(_OWED))


async def lag(t: Transaction) -> dict[str, int]:
    """Count, by node, the commands that it has not fetched."""
    return dict(await t.fetch(_LAG))


async def add_token(t: Transaction, id_: str, node: str, secret_sha256: str, made_by: str, at: int, until: int) -> None:
    """Keep a one-time token, by the digest of its secret."""
    values: dict[str, Value] = {"id": id_, "node": node, "secret": secret_sha256, "made_by": made_by}
    await t.execute(_TICKET, values | {"at": at, "until": until})


async def find_token(t: Transaction, secret_sha256: str) -> StoredToken | None:
    """Give the one-time token of a secret."""
    rows = await t.fetch(_FIND_TICKET, {"secret": secret_sha256})
    return StoredToken(*rows[0]) if rows else None


async def enrol(t: Transaction, token: str, said: Enrolment, fingerprint: str, at: int) -> None:
    """Use a token up, and keep what the node says of itself."""
    await t.execute(_USE_TICKET, {"id": token, "fingerprint": fingerprint, "at": at})
    keys: dict[str, Value] = {"ed25519": said.keys.ed25519, "mldsa65": said.keys.mldsa65, "hpke": said.keys.hpke}
    about: dict[str, Value] = {
        "node": said.node,
        "region": said.region,
        "jurisdiction": said.jurisdiction,
        "relay": said.relay,
    }
    await t.execute(_ENROL, keys | about | {"at": at})


async def enrolments(t: Transaction) -> list[Enrolled]:
    """Give every enrolment, by node."""
    return [
        Enrolled(node, region, jurisdiction, relay, NodeKeys(ed25519, mldsa65, hpke), at)
        for node, region, jurisdiction, relay, ed25519, mldsa65, hpke, at in await t.fetch(_ENROLMENTS)
    ]
