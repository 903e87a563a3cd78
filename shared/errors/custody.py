"""The catalogue's page on custody: what keeps keys, and what brings them back.

::

    OperatorError
    ├── EscrowInvalid           shares or the folder of the escrow are not what is needed
    ├── KeyBackupFailed         the key backup could not be written
    ├── KeyBackupForeign        the key backup that is there is another key store's
    ├── BackupFailed            the content backup could not be written
    ├── BackupInvalid           what is to be restored is no whole backup of this region
    ├── BackupTooOld            older than backups may be that are restored
    ├── BackupPassedOver        an older one was put back since, and messages were let go that it does not know
    ├── KeyBackupTooOld         the keys at hand are from before the content backup
    ├── KeyStoreDamaged         the keys at hand cannot be read
    ├── ContentStoreDamaged     the content store's file cannot be read
    ├── RestoreFailed           the copy could not be put in place
    ├── JournalGap              the tombstone journal does not know the backup
    ├── StorePresent            there is a content store already
    └── StoreTooOld             of an older release, and what was asked for only reads
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


class KeyBackupForeign(OperatorError):
    """What lies in the place of the key backup is that of another key store, or of a later state of this one."""

    code = "key_backup_foreign"
    remedy = (
        "If this node was set up where one was lost, restore that one (edge_node/BACKUP.md); else move the file away."
    )


class StoreTooOld(OperatorError):
    """The store was not brought up to this release yet, and what only reads does not do that."""

    code = "store_too_old"
    remedy = "Start the node of this release, which brings its stores up to date; then try again."


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


class BackupPassedOver(OperatorError):
    """An older backup was put back after this one was taken, and what was let go then has other names in this one."""

    code = "backup_passed_over"
    remedy = "Restore that older one again, or one that was taken since."


class KeyBackupTooOld(OperatorError):
    """The keys at hand, in data_dir or in the key backup, are from before the content backup."""

    code = "key_backup_too_old"
    remedy = "Put the newest keys-backup.db into keys.backup_dir, or restore a content backup that is older than it."


class KeyStoreDamaged(OperatorError):
    """The key store in data_dir, or the key backup, cannot be read or is damaged."""

    code = "key_store_damaged"
    remedy = (
        "Move keys.db and content.db, each with its -wal and -shm, away, then homeport edge restore. "
        "If it is the key backup, bring back another copy of it."
    )


class ContentStoreDamaged(OperatorError):
    """The content store's file is no database, or is damaged."""

    code = "content_store_damaged"
    remedy = "Move content.db and its -wal and -shm away, then homeport edge restore (edge_node/BACKUP.md)."


class RestoreFailed(OperatorError):
    """The copy could not be put in place, so there is no content store yet."""

    code = "restore_failed"
    retry = True
    remedy = "Check that data_dir and the backup are mounted, and data_dir is writable and not full; then repeat."


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
    remedy = "Wait; homeport edge doctor says how far it is. Messages are taken in meanwhile."
