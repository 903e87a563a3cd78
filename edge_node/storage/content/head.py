"""The head row of the content store: which region it is, and the counters that say whether memory still holds."""

from shared.database.contract import Database, Step
from shared.errors import SettingsInvalid, StoreMissing

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


def turn(database: Database, people: int) -> Step:
    """Begin a writing transaction: wait for the turn, and go on only while ``people`` is still the counter."""
    sql = "SELECT people FROM content_store WHERE people = :people" + database.dialect.row_lock  # noqa: S608  our words
    return Step(sql, [(people,)], expect=1)
