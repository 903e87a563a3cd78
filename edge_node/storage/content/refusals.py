"""What was turned away at intake: that it was, when and why; nothing of it."""

from collections.abc import Mapping

from shared.database.contract import Database, Step

_RECORD = "INSERT INTO refusal (at, account, reason, events) VALUES (:at, :account, :reason, :events)"


async def record_refusals(database: Database, refused: Mapping[tuple[str, str], int], now: int) -> None:
    """Record how many events of which account were refused for which reason."""
    rows = [(now, account, reason, count) for (account, reason), count in refused.items()]
    await database.run([Step(_RECORD, rows)])
