"""The node's end of the uplink, as it is kept: enrolment, rosters, how far commands and beats have come."""

import msgspec

from edge_node.storage.content.jurisdictions import LAW
from shared.database.contract import Database, ScriptRefused, Step
from shared.errors.uplink import EnrolledElsewhere

_LOAD = """
SELECT node, address, control_fingerprint, root_fingerprint, own_fingerprint, enrolled_at, command_cursor, beat_number,
       beat_body, beat_acknowledged_at
FROM uplink
"""
_ENROL = """
INSERT INTO uplink (id, node, address, control_fingerprint, root_fingerprint, own_fingerprint, enrolled_at,
                    command_cursor, beat_number, beat_acknowledged_at)
VALUES (1, :node, :address, :control, :root, :own, :now, 0, 0, 0) ON CONFLICT (id) DO NOTHING
"""
_ROSTER = "SELECT body FROM roster ORDER BY version DESC LIMIT 1"
_ROSTER_VERSION = "SELECT COALESCE(max(version), 0) FROM roster"
_KEEP_ROSTER = """
INSERT INTO roster (version, body, accepted_at) VALUES (:version, :body, :now) ON CONFLICT (version) DO NOTHING
"""
# A restored store may still have somebody who was erased since: nobody is told of until that is replayed.
_WAITS = """
s.registered = 0 AND s.keep = 'active' AND NOT EXISTS (SELECT 1 FROM quarantine WHERE state = 'replaying')
"""
_NEW = f"SELECT s.pseudonym FROM subject s WHERE {_WAITS} AND {LAW} = :law ORDER BY s.id LIMIT :most"  # noqa: S608 - constants
_LAWS = f"SELECT {LAW} AS law, count(*) FROM subject s WHERE {_WAITS} GROUP BY law ORDER BY law"  # noqa: S608 - constants
_REFUSED = "SELECT COALESCE(sum(events), 0) FROM refusal WHERE second * 1000 > :since"
_WRITE_BEAT = "UPDATE uplink SET beat_number = :number, beat_body = :body WHERE beat_number = :number - 1"
_REGISTERED = "UPDATE subject SET registered = 1 WHERE pseudonym = :pseudonym"
_ACKNOWLEDGE = "UPDATE uplink SET beat_body = NULL, beat_acknowledged_at = :at WHERE beat_number = :number"


class Enrolled(msgspec.Struct, frozen=True):
    """A node's enrolment and where it stands; field order is that of the query."""

    node: str
    address: str
    control: str
    """Fingerprint of the control plane's keys at enrolment; later ones come with rosters."""
    root: str
    """Fingerprint of the roster's root: officers and threshold at enrolment."""
    own: str
    enrolled_at: int
    cursor: int
    """After which commands are asked for."""
    beat_number: int
    beat_body: bytes | None
    """Registrations (MessagePack) of a beat that is not acknowledged yet; it is sent again unchanged."""
    beat_acknowledged_at: int


class UplinkStore:
    """Reads and writes it, in the content store."""

    def __init__(self, content: Database) -> None:
        """Take the open content store."""
        self.content = content

    async def load(self) -> Enrolled | None:
        """Give the enrolment; ``None`` where the node stands alone."""
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_LOAD)
        return Enrolled(*rows[0]) if rows else None

    async def enrol(self, enrolled: Enrolled) -> None:
        """Keep an enrolment, once; ``EnrolledElsewhere`` where another one is kept."""
        row = (enrolled.node, enrolled.address, enrolled.control, enrolled.root, enrolled.own, enrolled.enrolled_at)
        await self.content.run([Step(_ENROL, [row])])
        kept = await self.load()
        if kept is None or (kept.node, kept.root, kept.own) != (enrolled.node, enrolled.root, enrolled.own):
            raise EnrolledElsewhere

    async def roster(self) -> bytes | None:
        """Give the newest roster that was accepted, as it was signed."""
        async with self.content.read() as transaction:
            rows = await transaction.fetch(_ROSTER)
        return bytes(rows[0][0]) if rows else None

    async def roster_version(self) -> int:
        """Give the version of the newest roster that was accepted, 0 where there is none."""
        async with self.content.read() as transaction:
            return int((await transaction.fetch(_ROSTER_VERSION))[0][0])

    async def keep_roster(self, version: int, body: bytes, now: int) -> None:
        """Keep a roster that was accepted."""
        await self.content.run([Step(_KEEP_ROSTER, [(version, body, now)])])

    async def unregistered(self, law: str, most: int) -> list[str]:
        """Give pseudonyms that the control plane was not told of, of people of one law, oldest first."""
        async with self.content.read() as transaction:
            return [name for (name,) in await transaction.fetch(_NEW, {"law": law, "most": most})]

    async def unregistered_laws(self) -> list[tuple[str, int]]:
        """Count, by whose law protects them, the people whom the control plane was not told of.

        A law is codes separated by spaces, empty where none is known.
        """
        async with self.content.read() as transaction:
            return [(law, count) for law, count in await transaction.fetch(_LAWS)]

    async def refusals_since(self, moment: int) -> int:
        """Count events refused at intake since ``moment`` (ms)."""
        async with self.content.read() as transaction:
            return int((await transaction.fetch(_REFUSED, {"since": moment}))[0][0])

    async def write_beat(self, number: int, registrations: tuple[str, ...]) -> bool:
        """Keep what a beat will register before it leaves; ``False`` where another process wrote that beat."""
        body = msgspec.msgpack.encode(registrations)
        try:
            await self.content.run([Step(_WRITE_BEAT, [(number, body)], expect=1)])
        except ScriptRefused:
            return False
        return True

    async def acknowledge_beat(self, number: int, registrations: tuple[str, ...], at: int) -> None:
        """Note that the control plane knows a beat's pseudonyms; dummies among them are nobody's row."""
        steps = [Step(_ACKNOWLEDGE, [(at, number)])]
        if registrations:
            steps.insert(0, Step(_REGISTERED, [(name,) for name in sorted(registrations)]))
        await self.content.run(steps)
