"""Policy bundles in the content store: the one in force, the newest that was stated, whom a lone node believes."""

from collections.abc import Sequence
from typing import NamedTuple

from edge_node.storage.content.head import turn
from shared.database.contract import Database, Step, Value

_NEWEST = "SELECT version, hash, accepted_at, heard_at FROM policy_bundle ORDER BY version DESC LIMIT 1"
_BODY = "SELECT body FROM policy_bundle WHERE version = :version"
_KEEP = """
INSERT INTO policy_bundle (version, hash, body, accepted_at, heard_at) VALUES (:version, :hash, :body, :now, :heard)
"""
_HEARD = "UPDATE policy_bundle SET heard_at = :at WHERE version = :version AND hash = :hash AND heard_at < :at"
_HEAD = "SELECT version, hash, stated_at FROM policy_head"
_STATED = """
INSERT INTO policy_head (id, version, hash, stated_at) VALUES (1, :version, :hash, :at)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, hash = excluded.hash, stated_at = excluded.stated_at
WHERE policy_head.stated_at < excluded.stated_at
"""
_TRUST = "SELECT root, roster FROM policy_trust"
_BELIEVE = """
INSERT INTO policy_trust (id, root, roster) VALUES (1, :root, :roster)
ON CONFLICT (id) DO UPDATE SET roster = excluded.roster WHERE policy_trust.root = excluded.root
"""
_COUNT = """
INSERT INTO decision
(second, operation, data_class, purpose, subject, asker, role, outcome, rule, reason, bundle, times)
VALUES (:second, :operation, :data_class, :purpose, :subject, :asker, :role, :outcome, :rule, :reason, :bundle, :times)
ON CONFLICT (second, operation, data_class, purpose, subject, asker, role, outcome, rule, reason, bundle)
DO UPDATE SET times = decision.times + excluded.times
"""

_DECIDED = """
SELECT second, operation, data_class, purpose, subject, asker, role, outcome, rule, reason, bundle, times FROM decision
WHERE second >= :since AND (CAST(:reason AS TEXT) = '' OR reason = :reason) AND (:denied = 0 OR outcome = 'deny')
ORDER BY second DESC, operation, data_class, purpose, subject, asker, role LIMIT :most
"""


class Kept(NamedTuple):
    """A bundle that came into force; field order is that of the query."""

    version: int
    hash: str
    accepted_at: int
    heard_at: int


class Stated(NamedTuple):
    """What the control plane last stated to be the newest bundle; field order is that of the query."""

    version: int
    hash: str
    stated_at: int


class Answered(NamedTuple):
    """A question and its answer, in names of the policy; field order is that of the statement's parameters."""

    operation: str
    data_class: str
    purpose: str
    subject: str
    asker: str
    role: str
    outcome: str
    rule: str
    reason: str
    bundle: str


class Counted(NamedTuple):
    """How often a question was answered so in a second."""

    second: int
    answer: Answered
    times: int


class PolicyStore:
    """Bundles of a node."""

    def __init__(self, content: Database) -> None:
        """Take the open content store."""
        self.content = content

    async def newest(self) -> Kept | None:
        """Give what is known of the bundle in force."""
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_NEWEST)
        return Kept(*rows[0]) if rows else None

    async def body(self, version: int) -> bytes:
        """Give a bundle as it was signed."""
        async with self.content.read() as transaction:
            return bytes((await transaction.fetch(_BODY, {"version": version}))[0][0])

    async def keep(
        self, version: int, digest: str, body: bytes, now: int, *, after: int = 0, issued_at: int = 0
    ) -> bool:
        """Keep a bundle that was accepted: from now on it is in force; ``False`` where ``after`` is in force no more.

        ``after`` is the version with which it was compared.  It counts as heard of when it was issued (ms), when the
        one before it was heard of, or when it was stated to be the newest, whichever is latest: that somebody brings
        it now says nothing of whether it still is the newest.
        """
        async with self.content.write() as transaction:
            await transaction.fetch(turn(self.content).sql)
            rows, stated = await transaction.fetch(_NEWEST), await transaction.fetch(_HEAD)
            before = Kept(*rows[0]) if rows else None
            if (0 if before is None else before.version) != after:
                return False
            heard = [issued_at, *(head[2] for head in stated if tuple(head[:2]) == (version, digest))]
            heard += [] if before is None else [before.heard_at]
            values = {"version": version, "hash": digest, "body": body, "now": now, "heard": min(max(heard), now)}
            await transaction.execute(_KEEP, values)
        return True

    async def heard(self, version: int, digest: str, at: int) -> None:
        """Note that the control plane stated at an instant (ms) that a bundle is the newest, whether it is here or not.

        What it stated later stays.
        """
        await self.content.run([Step(_STATED, [(version, digest, at)]), Step(_HEARD, [(at, version, digest)])])

    async def stated(self) -> Stated | None:
        """Give what the control plane last stated; ``None`` where it never did."""
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_HEAD)
        return Stated(*rows[0]) if rows else None

    async def trust(self) -> tuple[str, bytes] | None:
        """Give the root and the roster that a node believes which was never enrolled."""
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_TRUST)
        return (rows[0][0], rows[0][1]) if rows else None

    async def believe(self, root: str, roster: bytes) -> bool:
        """Pin a roster's root, or take a later roster of it; ``False`` where another root is pinned."""
        return (await self.content.run([Step(_BELIEVE, [(root, roster)])]))[0].changed == 1

    async def count(self, decisions: Sequence[Counted]) -> None:
        """Add to what was decided."""
        if decisions:
            await self.content.run(
                [turn(self.content), Step(_COUNT, [(each.second, *each.answer, each.times) for each in decisions])]
            )

    async def decided(self, since: int, reason: str | None, most: int, *, denied: bool) -> list[Counted]:
        """Give what was decided since a second, the newest first; with a reason, or denied, where that is asked for."""
        about: dict[str, Value] = {"since": since, "reason": reason or "", "denied": int(denied), "most": most}
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_DECIDED, about)
        return [Counted(row[0], Answered(*row[1:-1]), row[-1]) for row in rows]
