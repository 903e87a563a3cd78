"""What was found where somebody looked: for tables of ``account check`` and ``doctor``."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at about an account or a node, without identifiers and secrets."""

    topic: str
    """What was looked at, e.g. ``callback``, ``storage``."""
    state: Literal["ok", "warning", "unknown"]
    what: str
    """What was found, in words."""
    remedy: str = ""
    """What to do next; empty where nothing is to be done."""
