"""Whose law applies to a subject, as it is kept on the subject's row: codes only, nothing that names anybody."""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from edge_node.core.keeping import GONE
from edge_node.storage.content.head import turn
from edge_node.storage.content.views import retract_subject
from shared.database.contract import Database, Row, Step, Transaction, Value
from shared.policy.deriving import Clues, Derived, NumberHint

KNOWN = "declared, stated, numbers, account_country"
"""Columns of what is known of a subject."""
FOLLOWS = "jurisdiction, country, basis, certainty, others, conflicts, restricted"
"""Columns of what follows from it under the bundle in force."""

LAW = "CASE WHEN s.jurisdiction <> '' THEN s.jurisdiction ELSE s.others END"
"""The jurisdictions that count for a subject ``s``, separated by spaces; ``core/crossing.law_of_text`` reads it."""

_DERIVED = """
SELECT id, jurisdiction, country, basis, certainty, others, conflicts FROM subject WHERE id = :id
"""

RAISE = """
UPDATE subject SET stated = :stated, numbers = :numbers, account_country = :account_country,
    jurisdiction = :jurisdiction, country = :country, basis = :basis, certainty = :certainty, others = :others,
    conflicts = :conflicts, restricted = :restricted
WHERE pseudonym = :pseudonym AND declared = :declared AND stated = :old_stated AND numbers = :old_numbers
  AND account_country = :old_account_country
"""
"""Keeps what became known of a subject, if what was known is still what it was thought to be (:func:`raised`)."""
Raised = tuple[str | int, ...]
"""What became known of a subject: the parameters of :data:`RAISE` in their order."""
_LAW = f"SELECT {KNOWN}, {FOLLOWS} FROM subject WHERE id = :id"  # noqa: S608 - constants of this page

_LAW_BY_NAME = f"""
SELECT id, {KNOWN}, {FOLLOWS} FROM subject WHERE pseudonym = :pseudonym AND keep NOT IN ('{GONE}', 'tombstoned')
"""  # noqa: S608 - constants of this page
_DECLARE = f"""
UPDATE subject SET {", ".join(f"{name} = :new_{name}" for name in f"{KNOWN}, {FOLLOWS}".split(", "))}
WHERE id = :id AND {" AND ".join(f"{name} = :{name}" for name in KNOWN.split(", "))}
"""  # noqa: S608 - constants of this page
_TURN = "SELECT people FROM content_store"
_RESIDENCE = "INSERT INTO residence_entry (subject, country, actor, at) VALUES (:subject, :country, :actor, :at)"
ACTOR = "operator"
"""Who notes a declared residence: a code; the account of the operating system is nobody's business."""
FORGET = (
    """
UPDATE subject SET declared = '', stated = '', numbers = '', account_country = '', jurisdiction = '', country = '',
    basis = '', certainty = 'none', others = '', conflicts = '', restricted = 0 WHERE id = :subject
""",
    "DELETE FROM residence_entry WHERE subject = :subject",
)
"""Statements that drop whose law applied to a subject, once it is gone."""


class Law(NamedTuple):
    """A subject's law as its row has it; the order is that of :data:`KNOWN` and :data:`FOLLOWS`."""

    declared: str
    stated: str
    numbers: str
    account_country: str
    jurisdiction: str
    country: str
    basis: str
    certainty: str
    others: str
    conflicts: str
    restricted: int

    def columns(self, prefix: str = "") -> dict[str, Value]:
        """Give the columns as parameters of a statement."""
        return {f"{prefix}{name}": value for name, value in self._asdict().items()}

    @property
    def clues(self) -> Clues:
        """Give what is known."""
        return clues_in(*self[:4])

    @property
    def derived(self) -> Derived:
        """Give what follows from it."""
        return _derived(self[4:10])


def law_of(clues: Clues, derived: Derived, restricted: int) -> Law:
    """Write a subject's law as its row has it."""
    return Law(
        clues.declared or "",
        clues.platform or "",
        " ".join(clues.number.countries) if clues.number is not None else "",
        clues.account or "",
        derived.jurisdiction or "",
        derived.country or "",
        derived.basis,
        derived.certainty,
        " ".join(derived.others),
        " ".join(derived.conflicts),
        restricted,
    )


def clues_in(declared: str, stated: str, numbers: str, account_country: str) -> Clues:
    """Read what is known from its columns."""
    return Clues(
        declared=declared or None,
        platform=stated or None,
        number=NumberHint(tuple(numbers.split())) if numbers else None,
        account=account_country or None,
    )


def raised(pseudonym: str, old: Law, new: Law) -> Raised:
    """Give the change from one law of a subject to another."""
    return (*new[1:], pseudonym, *old[:4])


async def read_law(database: Database, subject: int) -> Law | None:
    """Give a subject's law; ``None`` where there is no such row."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_LAW, {"id": subject})
    return Law(*rows[0]) if rows else None


async def derived_of(store: Transaction | Database, subjects: Iterable[int]) -> dict[int, Derived]:
    """Give by subject's row id what was derived for it; ``nothing_known`` where nothing was.  Unknown ids are left out.

    Reads in the transaction given, else in one of its own.
    """
    wanted = sorted(set(subjects))
    if hasattr(store, "fetch"):
        return await _read(cast("Transaction", store), wanted)
    async with store.read() as transaction:
        return await _read(transaction, wanted)


async def _read(transaction: Transaction, subjects: Iterable[int]) -> dict[int, Derived]:
    """Read one row after the other: by the primary key, and the questions are few."""
    rows = [row for subject in subjects for row in await transaction.fetch(_DERIVED, {"id": subject})]
    return {row[0]: _derived(row[1:]) for row in rows}


def _derived(row: Row) -> Derived:
    """Give what the columns say."""
    jurisdiction, country, basis, certainty, others, conflicts = row
    words: Any = {"basis": basis or "nothing_known", "certainty": certainty, "conflicts": tuple(conflicts.split())}
    return Derived(jurisdiction=jurisdiction or None, country=country or None, others=tuple(others.split()), **words)


async def raise_law(database: Database, change: Raised) -> bool:
    """Keep what became known of a subject; ``False`` where something else became known meanwhile."""
    return (await database.run([turn(database), Step(RAISE, [change])]))[1].changed == 1


async def law_by_pseudonym(database: Database, pseudonym: str) -> tuple[int, Law] | None:
    """Give the row and the law of a subject who is not gone."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_LAW_BY_NAME, {"pseudonym": pseudonym})
    return (rows[0][0], Law(*rows[0][1:])) if rows else None


async def declare(database: Database, subject: int, old: Law, new: Law, now: int) -> bool:
    """Keep a declared residence, on record; ``False`` where something else became known of the subject meanwhile."""
    values = {"id": subject, **old.columns(), **new.columns("new_")}
    values = {name: value for name, value in values.items() if f":{name}" in _DECLARE}
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        if await transaction.execute(_DECLARE, values) != 1:
            return False
        entry: dict[str, Value] = {"subject": subject, "country": new.declared, "actor": ACTOR, "at": now}
        await transaction.execute(_RESIDENCE, entry)
        if new.restricted:
            await retract_subject(transaction, subject)
    return True
