"""What was turned away at intake: that it was, when and why; nothing of it."""

from collections.abc import Mapping

from shared.database.contract import Database, Step

_SECOND = 1_000
_RECORD = """
INSERT INTO refusal (account, reason, second, events) VALUES (:account, :reason, :second, :events)
ON CONFLICT (account, reason, second) DO UPDATE SET events = refusal.events + excluded.events
"""


async def record_refusals(database: Database, refused: Mapping[tuple[str, str], int], now: int) -> None:
    """Record how many events of which account were refused for which reason."""
    rows = [(account, reason, now // _SECOND, count) for (account, reason), count in refused.items()]
    await database.run([Step(_RECORD, rows)])
