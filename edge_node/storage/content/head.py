"""The head row of the content store: which region it is, and the counters that say whether memory still holds."""

from shared.database.contract import Database, Step
from shared.errors import SettingsInvalid, StoreMissing

_NOT_SWEPT = "SELECT 1 FROM content_store WHERE NOT EXISTS (SELECT 1 FROM swept WHERE intent = :intent)"
_CREATE = "INSERT INTO content_store (id, region, people, accounts) VALUES (1, :region, 1, 1)"


async def create_head(database: Database, region: str) -> None:
    """Fill a migrated, empty content store."""
    await database.run([Step(_CREATE, [(region,)])])


async def read_people_counter(database: Database, region: str) -> int:
    """Give the counter that closings of identities raise; refuse a store of another region."""
    async with database.read() as transaction:
        rows = await transaction.fetch("SELECT region, people FROM content_store")
    if not rows:
        raise StoreMissing(store="content")
    if rows[0][0] != region:
        raise SettingsInvalid(field_name="region", reason="the content store was made for another region")
    return int(rows[0][1])


def turn(database: Database) -> Step:
    """Begin a writing transaction: wait for the turn."""
    return Step("SELECT 1 FROM content_store" + database.dialect.row_lock, expect=1)  # noqa: S608  our words


def turn_of(database: Database, people: int, intent: int) -> list[Step]:
    """Begin the transaction that uses the keys of ``intent`` (0: none) for people as they were at ``people``.

    Refused where an identity was closed meanwhile, or where the keys were swept because this came so late: what was
    decided and sealed is then decided and sealed anew.  Two statements, as on PostgreSQL only the second one sees what
    was written while the first one waited.
    """
    sql = "SELECT people FROM content_store WHERE people = :people" + database.dialect.row_lock  # noqa: S608  our words
    return [Step(sql, [(people,)], expect=1), Step(_NOT_SWEPT, [(intent,)], expect=1)]


def turn_of_intent(database: Database, intent: int) -> list[Step]:
    """Begin a transaction that uses the keys of ``intent`` and is about nobody."""
    return [turn(database), Step(_NOT_SWEPT, [(intent,)], expect=1)]
