"""Logs as an interface: fixed event names and an allow-list of fields, nothing else.

A log line is one JSON object: ``at``, ``level``, ``event``, and fields from :data:`FIELDS`.  A field that is not on
the list is not printed; its name is replaced by a count in ``fields_withheld``, so that a slip is seen without
being published.  Values are numbers, truth values, or short strings of safe characters; no field can hold a
person's words, a platform's id, a name or a key.

Each field is of a class of data in the policy's words: what a policy does not let be logged is withheld by
:func:`withhold`.  Event, level and time are always printed.
"""

import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

OPERATIONAL, EVIDENCE = "operational", "evidence"
FIELDS: Mapping[str, str] = {
    "account": OPERATIONAL,  # the operator's own name for a number or channel
    "attempt": OPERATIONAL,
    "buckets": OPERATIONAL,
    "bytes": OPERATIONAL,
    "case": EVIDENCE,  # drawn name of a case
    "channel": OPERATIONAL,
    "code": OPERATIONAL,  # from shared/errors
    "count": OPERATIONAL,
    "duplicates": OPERATIONAL,
    "error": OPERATIONAL,  # class name of an exception; never its text
    "events": OPERATIONAL,
    "field_name": OPERATIONAL,  # of a setting
    "generation": OPERATIONAL,
    "kind": OPERATIONAL,  # of a canonical event
    "level_reached": OPERATIONAL,
    "listener": OPERATIONAL,
    "log_entry": EVIDENCE,
    "ms": OPERATIONAL,
    "node": OPERATIONAL,  # name in the roster
    "path": OPERATIONAL,  # of a store or folder
    "pid": OPERATIONAL,
    "port": OPERATIONAL,
    "reason": OPERATIONAL,  # a code
    "region": OPERATIONAL,
    "remedy": OPERATIONAL,
    "state": OPERATIONAL,
    "status": OPERATIONAL,  # of an HTTP answer
    "store": OPERATIONAL,
    "table": OPERATIONAL,
    "version": OPERATIONAL,
    "waiting": OPERATIONAL,
    "worker": OPERATIONAL,
}
"""Fields that may be printed, each with its class of data."""
_META = frozenset({"event", "level", "at"})
_SAFE = re.compile(r"[\w .,:;/()'\[\]<>=+%*-]{0,300}", re.ASCII)

Logger = structlog.typing.FilteringBoundLogger


_withheld: set[str] = set()
"""Classes of data that are not printed."""


def withhold(classes: Iterable[str]) -> None:
    """Print no field of these classes of data from now on, in the whole process; any other again."""
    _withheld.clear()
    _withheld.update(classes)


def withhold_unlisted(_logger: object, _method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list or whose value is not of a safe form."""
    kept = {name: value for name, value in record.items() if _may_be_printed(name, value)}
    withheld = len(record) - len(kept)
    if withheld:
        kept["fields_withheld"] = withheld
    return kept


def _may_be_printed(name: str, value: object) -> bool:
    """Say whether a field may be logged, and its value is a number, a truth value or a short safe string."""
    if name not in _META and (name not in FIELDS or FIELDS[name] in _withheld):
        return False
    return isinstance(value, int | float | bool) or (isinstance(value, str) and _SAFE.fullmatch(value) is not None)


def configure(*, level: str = "info", form: str = "json", stream: TextIO | None = None) -> None:
    """Set up logging for this process: ``level`` info, warning or error; ``form`` json or console."""
    levels = {"info": 20, "warning": 30, "error": 40}
    render: Any = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=_no_traceback)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            withhold_unlisted,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(levels[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(stream or sys.stderr))),
        cache_logger_on_first_use=False,
    )


class _Unfailing:
    """A stream for the log.  What it cannot take (a full disk, a closed pipe) is lost, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if it can be."""
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Flush, if it can be."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def _no_traceback(_stream: TextIO, _details: object) -> None:
    """Print nothing of an exception: texts and local values may hold what people wrote."""


def logger() -> Logger:
    """Give a logger; call it with a fixed event name and listed fields."""
    return cast("Logger", structlog.get_logger())
