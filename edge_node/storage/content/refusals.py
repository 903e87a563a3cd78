"""What was turned away at intake: that it was, when and why; nothing of it."""

from collections.abc import Mapping

from shared.database.contract import Database, Step

HOUR_MILLISECONDS = 3_600_000
"""Refusals are counted by the hour: an instant would tell more than an operator needs."""

_RECORD = """
INSERT INTO refusal (account, reason, hour, events) VALUES (:account, :reason, :hour, :events)
ON CONFLICT (account, reason, hour) DO UPDATE SET events = refusal.events + excluded.events
"""


async def record_refusals(database: Database, refused: Mapping[tuple[str, str], int], now: int) -> None:
    """Record how many events of which account were refused for which reason."""
    rows = [(account, reason, now // HOUR_MILLISECONDS, count) for (account, reason), count in refused.items()]
    await database.run([Step(_RECORD, rows)])
