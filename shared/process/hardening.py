"""What a process of ours gives up before it reads a secret: core dumps, foreign eyes, open file modes.

DESIGN.md, rule 4: a core dump would write keys and people's words to a disk unsealed.  ``RLIMIT_CORE`` alone
does not stop a dump that the kernel pipes to a program (core(5), "Piping core dumps to a program"); a process
that is not dumpable leaves none at all and cannot be attached to by its own account (prctl(2),
``PR_SET_DUMPABLE``).  Both are lost or inherited differently at ``exec``, so each process calls this itself.
"""

import ctypes
import os
import resource
import sys

from shared.errors import SettingsInvalid

_PR_SET_DUMPABLE = 4
_PR_GET_DUMPABLE = 3
_FILES_WANTED = 65_536


def harden() -> None:
    """Turn core dumps off, make new files private, and allow as many descriptors as the account may have.

    Raises :class:`SettingsInvalid` where core dumps cannot be turned off: a node does not run then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and not _leave_no_dump():
        raise SettingsInvalid(setting="core_dumps", reason="prctl refused PR_SET_DUMPABLE")
    os.umask(0o077)
    _allow_descriptors()


def _leave_no_dump() -> bool:
    """Make this process not dumpable and read the answer back."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)


def _allow_descriptors() -> None:
    """Raise the soft limit on open files: each connection is one, and many systems start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
