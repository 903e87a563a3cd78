"""What libraries say through the standard library, turned into log lines that hold nothing of a person.

uvicorn, asyncio and the interpreter print exception texts and tracebacks, and those may quote a body or a
header.  Here each becomes one line of ours: which library, which class of error, which place in the code.
"""

import asyncio
import logging
import sys
import threading
from types import TracebackType
from typing import Any

from shared import telemetry


def quieten() -> None:
    """Send the root logger, uncaught exceptions and unraisable ones through ``shared.telemetry``."""
    logging.raiseExceptions = False
    logging.basicConfig(level=logging.WARNING, handlers=[_ContentFree()], force=True)
    sys.excepthook = lambda _kind, error, trace: _report("uncaught", error, trace)
    sys.unraisablehook = lambda args: _report("unraisable", args.exc_value, args.exc_traceback)
    threading.excepthook = lambda args: _report("thread_failed", args.exc_value, args.exc_traceback)


def on_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what an event loop could not hand to anybody: its exception's class and place."""
    error = context.get("exception")
    _report("loop_error", error, error.__traceback__ if error is not None else None)


class _ContentFree(logging.Handler):
    """A log handler that keeps a record's logger, level and exception class, never its text."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            _report("library_error", error, error.__traceback__)
        else:
            say = telemetry.logger().error if record.levelno >= logging.ERROR else telemetry.logger().warning
            say("library_note", path=f"{record.name}:{record.funcName}:{record.lineno}")


def _report(event: str, error: BaseException | None, trace: TracebackType | None) -> None:
    """Print an exception's class and the innermost place it passed."""
    telemetry.logger().error(event, error=type(error).__name__, path=_place(trace))


def _place(trace: TracebackType | None) -> str:
    """Give ``folder/file.py:line`` of the innermost frame, without the machine's own folders."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{'/'.join(trace.tb_frame.f_code.co_filename.split('/')[-3:])}:{trace.tb_lineno}"
