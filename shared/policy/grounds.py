"""Why no way is open, and what would open one: for an officer who is told no."""

from collections.abc import Callable, Iterator

from shared.policy.mechanisms import validity
from shared.policy.model import Instrument, Mechanism, Need, Policy
from shared.policy.names import qualified
from shared.policy.spans import FOR_EVER, written
from shared.policy.terms import ANY, BY_LAW

Cite = Callable[[str], str]
"""Cites an article as a lawyer does."""


def missing_ways(policy: Policy, need: Need, source: str, to: str, at: int, cite: Cite) -> Iterator[str]:
    """Say of each way that a law offers to a destination, for a need not met, what it lacks at a moment (ms)."""
    file = next(each for each in policy.jurisdictions if each.code == source)
    offered = [each for each in file.mechanism if each.kind in need.kinds and (each.to == ANY or to in each.to)]
    for each in offered:
        name = f"{qualified(source, each.id)} ({each.kind.replace('_', ' ')}, {cite(each.article)})"
        start, end = validity(each.valid_from, each.valid_until)
        if at < start:
            yield f"{name} begins on {written(start)}."
        elif at >= end:
            yield f"{name} ended on {written(end)}."
        elif each.kind not in BY_LAW:
            yield f"{name} would do: {_instrument(policy, each, source, to, at)}."
    if not offered:
        kinds = ", ".join(kind.replace("_", " ") for kind in need.kinds)
        yield f"The law's file names no way there of any of these kinds: {kinds}."


def _instrument(policy: Policy, mechanism: Mechanism, source: str, to: str, at: int) -> str:
    """Say what became of what the company concluded."""
    concluded = [
        each for each in policy.instruments if each.kind == mechanism.kind and source in each.from_ and to in each.to
    ]
    if not concluded:
        return "the company has concluded none with that place (instruments.toml)"
    last = max(concluded, key=_end)
    start, end = validity(last.valid_from, last.valid_until)
    return f"the company's {last.id} {f'begins on {written(start)}' if at < start else f'ended on {written(end)}'}"


def _end(instrument: Instrument) -> int:
    """Give the end of an instrument; of one that has none, after all others."""
    _, end = validity(instrument.valid_from, instrument.valid_until)
    return min(end, FOR_EVER)
