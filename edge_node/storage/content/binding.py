"""Holds that stand, bound to the law as the bundle in force has it; and those whose time is over."""

from typing import NamedTuple

from edge_node.core.duties import Backing
from edge_node.core.keeping import REMOVALS, Removal
from edge_node.storage.content.holds import ASK_AGAIN
from edge_node.storage.content.keeping import LAWS
from edge_node.storage.content.resuming import resume_subject
from shared.database.contract import Database, Value

_TURN = "SELECT people FROM content_store"
_ENDED = """
SELECT id FROM hold WHERE released_at IS NULL AND ends_at IS NOT NULL AND ends_at <= :now ORDER BY ends_at, id
"""
# What a law blocked by itself stays as it is: it began under the bundle of its day, and an officer lifts it.
_STANDING = f"""
SELECT h.id, h.subject, {LAWS}, h.reason, h.asked, h.placed_at, h.stops_recall, h.stops_erase, h.stops_expire
FROM hold h JOIN subject s ON s.id = h.subject WHERE h.released_at IS NULL AND h.kind <> 'blocking' ORDER BY h.subject
"""  # noqa: S608 - constants of this page
_BIND = """
UPDATE hold SET kind = :kind, keeps = :keeps, duty = :duty, article = :article, kinds = :kinds, ends_at = :ends_at,
    stops_recall = :recall, stops_erase = :erase, stops_expire = :expire
WHERE id = :id AND released_at IS NULL
"""


class Standing(NamedTuple):
    """A hold that stands, with what is asked of the law."""

    id: str
    subject: int
    laws: tuple[str, ...]
    reason: str
    asked: tuple[Removal, ...]
    placed_at: int


async def ended_holds(database: Database, now: int) -> list[str]:
    """Give the holds that end by themselves and whose time is over."""
    async with database.read() as transaction:
        return [row[0] for row in await transaction.fetch(_ENDED, {"now": now})]


async def standing_holds(database: Database) -> list[Standing]:
    """Give the holds that somebody placed and that stand."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_STANDING)
    return [
        Standing(id_, subject, tuple(laws.split()), reason, _asked(asked, stops), placed_at)
        for id_, subject, laws, reason, asked, placed_at, *stops in rows
    ]


async def rebind(database: Database, hold: Standing, backing: Backing, resumed: str, now: int) -> None:
    """Let a hold stop what the law lets it stop now; what it stops no more goes on, under entries of ``resumed``."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        stops: dict[str, Value] = {removal: int(removal in backing.stops) for removal in REMOVALS}
        words: dict[str, Value] = {
            "kind": backing.kind,
            "keeps": backing.keeps,
            "duty": backing.duty,
            "article": backing.article,
        }
        more: dict[str, Value] = {"kinds": backing.kinds, "ends_at": backing.ends_at, "id": hold.id}
        await transaction.execute(_BIND, {**words, **more, **stops})
        await resume_subject(transaction, hold.subject, resumed, now)
        await transaction.execute(ASK_AGAIN, {"subject": hold.subject})


def _asked(asked: str, stops: list[int]) -> tuple[Removal, ...]:
    """Give what whoever placed a hold wanted it to stop; of older ones, what it stops."""
    wanted = asked.split()
    return tuple(
        removal for removal, stopped in zip(REMOVALS, stops, strict=True) if (removal in wanted if asked else stopped)
    )
