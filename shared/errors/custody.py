"""The catalogue's page on custody: what keeps keys, and what brings them back.

::

    OperatorError
    ├── EscrowInvalid           shares or the folder of the escrow are not what is needed
    └── KeyBackupFailed         the key backup could not be written
    BusyError
    └── BeatElsewhere           another process exchanges keys
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
