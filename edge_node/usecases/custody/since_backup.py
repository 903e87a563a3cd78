"""What the tombstone journal says of the time since a content backup: whether it may be put back, and with what."""

from typing import NamedTuple

from edge_node.storage.content.replaying import NOTHING
from edge_node.storage.journal import Journal, JournalEntry
from shared.errors.custody import BackupPassedOver, JournalGap

_TAKEN_BACK = frozenset({"recall", "erase"})


class Since(NamedTuple):
    """What the journal says happened since a backup."""

    lines: int
    holds: list[JournalEntry]
    keys: frozenset[int]
    """Row keys destroyed for their own sake, not with a person or message: those of account secrets are among them."""
    highest: int
    """The highest row key that the whole journal names."""
    latest: int
    """When the latest of all its lines was ordered (ms)."""
    policy: int
    """The highest version of the policy by which anything waits since; 0: nothing does by any."""


def read_since(journal: Journal, backup: str) -> Since:
    """Read the journal once; ``JournalGap`` where it is not there, or does not know the backup.

    ``BackupPassedOver`` where an older backup was put back since and people took back what this backup may have, too:
    a recall in that store named no row, or another one than here, an erasure perhaps another pseudonym.
    """
    lines, highest, latest, policy, known = 0, 0, 0, 0, False
    older: str | None = None
    since = set[str]()
    holds: list[JournalEntry] = []
    keys: set[int] = set()
    try:
        for entry in journal.read():
            highest, latest = max(highest, entry.key or 0), max(latest, entry.ordered_at)
            if known:
                if entry.act == "backup":
                    since.add(entry.log_entry)
                if entry.act == "restore" and entry.restored not in {backup, *since}:
                    older = entry.restored
                if older and entry.act in _TAKEN_BACK:
                    raise BackupPassedOver(reason=f"the older one is that whose name ends with {older[:8]}")
                lines += entry.act not in NOTHING
                policy = max(policy, entry.policy or 0)
                if entry.hold is not None:
                    holds.append(entry)
                if entry.act == "supersede" and entry.key is not None:
                    keys.add(entry.key)
            known = known or entry.log_entry == backup
    except OSError:
        raise JournalGap(path=str(journal.path)) from None
    if not known:
        raise JournalGap(path=str(journal.path))
    return Since(lines, holds, frozenset(keys), highest, latest, policy)
