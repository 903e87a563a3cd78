"""The catalogue's page on custody: what keeps keys, and what brings them back.

::

    OperatorError
    ├── EscrowInvalid           shares or the folder of the escrow are not what is needed
    ├── KeyBackupFailed         the key backup could not be written
    ├── BackupFailed            the content backup could not be written
    ├── BackupInvalid           what is to be restored is no whole backup of this region
    ├── BackupTooOld            older than backups may be that are restored
    ├── KeyBackupTooOld         the keys at hand are from before the content backup
    ├── JournalGap              the tombstone journal does not know the backup
    └── StorePresent            there is a content store already
    BusyError
    ├── BeatElsewhere           another process exchanges keys
    └── InQuarantine       503  a restored store opens nothing yet
"""

from shared.errors import BusyError, OperatorError


class EscrowInvalid(OperatorError):
    """The escrow, or the shares given for it, are not what is needed."""

    code = "escrow_invalid"
    remedy = "See edge_node/KEYS.md, Escrow."


class KeyBackupFailed(OperatorError):
    """The key backup could not be written."""

    code = "key_backup_failed"
    retry = True
    remedy = "Check that keys.backup_dir is mounted, writable by the node only, and not full."


class BeatElsewhere(BusyError):
    """Another process of this region exchanges keys now."""

    code = "beat_elsewhere"
    remedy = "Wait a minute and ask again; homeport edge keys status shows how far it is."


class BackupFailed(OperatorError):
    """The content backup could not be written."""

    code = "backup_failed"
    retry = True
    remedy = "Check that the backup folder is mounted, writable by the node only, and not full; nothing half is kept."


class BackupInvalid(OperatorError):
    """What is to be restored is no whole backup of this region."""

    code = "backup_invalid"
    remedy = "Name the folder of one backup, as homeport edge backup printed it; try an older one if it is damaged."


class BackupTooOld(OperatorError):
    """A backup is older than any that may be restored: marks of what was let go since may be gone."""

    code = "backup_too_old"
    remedy = "Restore a younger one. What custody.backup_days_max was meanwhile is what removals relied on."


class KeyBackupTooOld(OperatorError):
    """The keys at hand, in data_dir or in the key backup, are from before the content backup."""

    code = "key_backup_too_old"
    remedy = "Put the newest keys-backup.db into keys.backup_dir, or restore a content backup that is older than it."


class JournalGap(OperatorError):
    """The tombstone journal does not know the backup, so what was let go since cannot be told."""

    code = "journal_gap"
    remedy = "Bring back journal_dir with the whole tombstones.jsonl; without it no backup is restored."


class StorePresent(OperatorError):
    """There is a content store already, and it is not overwritten."""

    code = "store_present"
    remedy = "Move content.db of data_dir away (PostgreSQL: name an empty database) and repeat."


class InQuarantine(BusyError):
    """A restored store opens, shows and sends nothing until all that was let go since is gone."""

    code = "in_quarantine"
    status = 503
    remedy = "Wait; homeport edge status says how far it is. Messages are taken in meanwhile."
