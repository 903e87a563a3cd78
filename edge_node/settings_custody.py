"""Settings of how long things are kept: the table ``[custody]`` and the list ``[[retention]]`` of ``node.toml``."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.settings_file import AbsolutePath


class Custody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what is left of a removal lives, and how often the retention sweeper looks."""

    backup_days_max: Annotated[
        int,
        Meta(ge=0, le=3_650, description="age in days of the oldest backup that may be restored; marks live so long"),
    ] = 35
    decisions_seconds: Annotated[
        float,
        Meta(ge=1, le=3_600, description="seconds between writing down what policy decided: a kill loses as much"),
    ] = 1.0
    backup_dir: Annotated[
        AbsolutePath | None,
        Meta(description="absolute path of the folder of content backups: another disk of the region"),
    ] = None
    rewrite_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3_650,
            description="PostgreSQL: days within which the operator rewrites tables and empties the log after a "
            "removal (edge_node/KEEPING.md), as receipts then promise; 0: they give no date",
        ),
    ] = 0
    sweep_seconds: Annotated[
        float, Meta(ge=0.1, le=86_400, description="seconds between looks for what has expired. 0.1 to 86400")
    ] = 600.0


RETENTION_EXAMPLE = (
    "",
    "# How long what is kept, in days.  Messages, interactions, relations and preferences: until removed otherwise,",
    "# unless a period stands here.  Defaults: status, notice, refusal 400; lookup, disclosure, log_entry 1095,",
    "# decision 2190.",
    "# [[retention]]",
    '# class = "message"          # message, interaction, status, relation, preference, notice, lookup, disclosure,',
    "# days = 365                 # decision, refusal, log_entry",
)
"""How ``[[retention]]`` is explained in a new settings file."""
