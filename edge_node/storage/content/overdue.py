"""What of a person is past its time and kept all the same: a sweep passes it over without a mark."""

from collections.abc import Iterable
from typing import NamedTuple

from edge_node.core.duties import Covering
from edge_node.core.stored import Table, class_of
from edge_node.storage.content.duties import covering_of
from edge_node.storage.content.keeping import LAWS, kept, of_person
from edge_node.storage.content.sweeps import Due
from shared.database.contract import Database

_WHO = f"SELECT s.id, {LAWS} FROM subject s WHERE s.pseudonym = :pseudonym"  # noqa: S608 - constants of this page
_DIRECT, _GROUPED, _EVENTS = of_person(
    "m.kind, count(*), min(m.received_at), max(m.received_at)",
    lambda table: f"m.keep = 'active' AND m.received_at < :before AND {kept(table, 'expire', 'm')}",
    "GROUP BY m.kind",
)
_OF_TABLE: dict[Table, tuple[str, ...]] = {"message": (_DIRECT, _GROUPED), "event": (_EVENTS,)}


class Overdue(NamedTuple):
    """Rows of one kind that are kept: how many, when the oldest and the newest were stored (ms), under which holds."""

    data_class: str
    amount: int
    oldest_at: int
    newest_at: int
    covering: tuple[Covering, ...]
    laws: tuple[str, ...]
    """That may be the person's."""


async def kept_past_time(database: Database, pseudonym: str, due: Iterable[Due]) -> list[Overdue]:
    """Give what is kept of what sweeps would let go; nothing where nobody of that pseudonym is here."""
    async with database.read() as transaction:
        who = await transaction.fetch(_WHO, {"pseudonym": pseudonym})
        return [
            Overdue(name, amount, oldest, newest, covering, tuple(law.split()))
            for subject, law in who
            for each in due
            for sql in _OF_TABLE[each.table]
            for kind, amount, oldest, newest in await transaction.fetch(
                sql, {"subject": subject, "before": each.before}
            )
            for name in [class_of(each.table, kind)]
            if each.kind in {"", kind} and (not each.only or f"|{law}/{name}|" in each.only)
            for covering in [await covering_of(transaction, subject, each.table, kind)]
        ]
