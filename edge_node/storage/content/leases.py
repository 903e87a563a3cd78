"""Background work belongs to whoever holds its lease in the store: one process of a region at a time."""

from shared.database.contract import Database, Step

_TAKE = """
INSERT INTO lease (name, holder, until) VALUES (:name, :holder, :until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.until < :now OR lease.holder = excluded.holder
"""
_GIVE_BACK = "DELETE FROM lease WHERE name = :name AND holder = :holder"


class Lease:
    """One named piece of background work, held for a while and renewed."""

    def __init__(self, database: Database, name: str, holder: str, milliseconds: int) -> None:
        """Take the lease's name, this process's random name, and how long a holding lasts."""
        self._database = database
        self._name = name
        self._holder = holder
        self._milliseconds = milliseconds
        self._until = 0

    async def hold(self, now: int) -> bool:
        """Take or renew the lease; False while another process holds it.

        What is ours for more than half of its time is not written again: nobody else can take it before that is over.
        """
        if now + self._milliseconds // 2 < self._until <= now + self._milliseconds:
            return True
        until = now + self._milliseconds
        held = (await self._database.run([Step(_TAKE, [(self._name, self._holder, until, now)])]))[0].changed == 1
        self._until = until if held else 0
        return held

    async def give_back(self) -> None:
        """Let another process have it at once."""
        self._until = 0
        await self._database.run([Step(_GIVE_BACK, [(self._name, self._holder)])])
