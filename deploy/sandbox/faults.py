"""Faults on demand: the next calls of an endpoint fail in a way that was ordered."""

from typing import Literal

import msgspec

FaultKind = Literal["status", "code", "timeout", "slow", "garbage", "reset", "redirect", "huge", "cut"]


class Fault(msgspec.Struct):
    """An order: how the next ``count`` calls of ``endpoint`` fail."""

    endpoint: str
    """Name of a route (``line.push``, ``whatsapp.messages``...), or ``*`` for every one."""
    kind: FaultKind
    count: int | None = 1
    """How many calls; ``None``: until the faults are cleared."""
    status: int = 500
    """For ``status``: the HTTP status that is answered."""
    code: int = 131000
    """For ``code``: the Graph error that is answered."""
    seconds: float = 60.0
    """For ``timeout`` and ``slow``: how long, in real seconds."""
    done: bool = False
    """Whether what was asked is done all the same, and only its answer is lost or wrong."""


class Faults:
    """The faults that are ordered."""

    def __init__(self) -> None:
        """Begin with none."""
        self.ordered: list[Fault] = []

    def order(self, fault: Fault) -> None:
        """Add an order; the earliest that fits a call applies first."""
        self.ordered.append(fault)

    def clear(self) -> None:
        """Take every order back."""
        self.ordered.clear()

    def take(self, endpoint: str) -> Fault | None:
        """Give the fault that a call of ``endpoint`` meets, and count it."""
        for fault in self.ordered:
            if fault.endpoint in {"*", endpoint}:
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self.ordered.remove(fault)
                return fault
        return None
