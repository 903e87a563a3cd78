"""Legal clocks: from what the law says and what happened, when something is due.  Pure but for ``library``.

:func:`deadline` is the one entry: a definition, a case's events, a calendar and an instant in, a :class:`Due` out.
Nothing is remembered between calls, so a deadline can be recomputed from the events alone, by anybody.
"""

from shared.policy.clocks.calendar import Calendar
from shared.policy.clocks.conventions import COUNTING, Counting
from shared.policy.clocks.deadline import deadline
from shared.policy.clocks.model import Definition, Due, Escalation, Event, Fault, Length, Stage, StageDue, Step
from shared.policy.clocks.reading import bands_of, definitions_of, names_of_clocks
from shared.policy.clocks.volumes import Band, Counted, Volume, volume

__all__ = [
    "COUNTING",
    "Band",
    "Calendar",
    "Counted",
    "Counting",
    "Definition",
    "Due",
    "Escalation",
    "Event",
    "Fault",
    "Length",
    "Stage",
    "StageDue",
    "Step",
    "Volume",
    "bands_of",
    "deadline",
    "definitions_of",
    "names_of_clocks",
    "volume",
]
