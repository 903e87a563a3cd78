"""The catalogue of errors, continued: files of messages, fetched from a platform and kept sealed.

::

    CallerError
    └── MediaGone               410  a file that is not here, or may not be read
    BusyError
    ├── BlobBusy                another process writes this file
    └── BlobUnwritable          the folder of files does not take it
    PlatformError
    └── MediaNotFetched         a file could not be fetched now; the reason says why
    IntegrityError
    └── BlobBroken              a file is not what was sealed: cut, exchanged, changed, or missing
"""

from shared.errors import BusyError, CallerError, IntegrityError, PlatformError


class MediaGone(CallerError):
    """That file is not here, or may not be read any more."""

    code = "media_gone"
    status = 410
    remedy = "It was taken back, erased, or never fetched; the message's own state says which."


class BlobBusy(BusyError):
    """Another process of this node writes that file."""

    code = "blob_busy"
    remedy = "Nothing to do: whoever writes it finishes it, or it is taken up again."


class BlobUnwritable(BusyError):
    """The folder of files does not take what is to be written."""

    code = "blob_unwritable"
    remedy = "Check free space and permissions of data_dir/blobs."


class MediaNotFetched(PlatformError):
    """A file of a message could not be fetched."""

    code = "media_not_fetched"
    remedy = "The reason is a code of edge_node/core/fetching.py, which says what is tried again and when."


class BlobBroken(IntegrityError):
    """A stored file is not what was sealed."""

    code = "blob_broken"
    remedy = "The file was cut, exchanged, changed or lost. Check the disk; restore data_dir/blobs from a backup."
