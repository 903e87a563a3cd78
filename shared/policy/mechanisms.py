"""Which way a law leaves open from one jurisdiction to another, and until when."""

from collections.abc import Iterator

from shared.policy.deciding import Relied
from shared.policy.model import Instrument, Mechanism, Policy
from shared.policy.names import qualified
from shared.policy.spans import FOR_EVER, moment_ms
from shared.policy.terms import ANY, BY_LAW

Validity = tuple[int, int]


def validity(valid_from: str | None, valid_until: str | None) -> Validity:
    """Give a validity in milliseconds: its first moment, and the first it no longer covers."""
    start = 0 if valid_from is None else moment_ms(valid_from)
    return start, FOR_EVER if valid_until is None else moment_ms(valid_until)


class Ways:
    """Every mechanism of a policy, and the instruments that some need."""

    def __init__(self, policy: Policy) -> None:
        """Index mechanisms by jurisdiction and kind."""
        self._mechanisms: dict[tuple[str, str], list[tuple[Validity, Mechanism]]] = {}
        self._instruments = [
            (validity(each.valid_from, each.valid_until), each)
            for each in policy.instruments
            if each.kind not in BY_LAW
        ]
        for jurisdiction in policy.jurisdictions:
            for each in jurisdiction.mechanism:
                span = validity(each.valid_from, each.valid_until)
                self._mechanisms.setdefault((jurisdiction.code, each.kind), []).append((span, each))

    def instants(self) -> Iterator[int]:
        """Give the moments at which a mechanism or an instrument begins or ends."""
        for listed in self._mechanisms.values():
            for span, _ in listed:
                yield from span
        for span, _ in self._instruments:
            yield from span

    def open(self, source: str, to: str, kinds: tuple[str, ...], at: int) -> Relied | None:
        """Give the first of ``kinds`` that holds at ``at`` (ms); of several alike the one that ends last."""
        for kind in kinds:
            found = list(self._of_kind(source, to, kind, at))
            if found:
                return min(found, key=lambda each: (-(each.until or FOR_EVER), each.mechanism, each.instrument or ""))
        return None

    def _of_kind(self, source: str, to: str, kind: str, at: int) -> Iterator[Relied]:
        """Give what holds, each with the end of whatever ends first."""
        for (start, end), mechanism in self._mechanisms.get((source, kind), ()):
            if not start <= at < end or (mechanism.to != ANY and to not in mechanism.to):
                continue
            if kind in BY_LAW:
                yield _relied(source, to, mechanism, None, end)
                continue
            for (begin, finish), each in self._instruments:
                if each.kind == kind and begin <= at < finish and source in each.from_ and to in each.to:
                    yield _relied(source, to, mechanism, each, min(end, finish))


def _relied(source: str, to: str, mechanism: Mechanism, instrument: Instrument | None, end: int) -> Relied:
    """Write down what is relied upon."""
    return Relied(
        mechanism=qualified(source, mechanism.id),
        kind=mechanism.kind,
        source=source,
        to=to,
        article=mechanism.article,
        instrument=None if instrument is None else instrument.id,
        until=None if end == FOR_EVER else end,
        filing=None if mechanism.filing is None else qualified(source, mechanism.filing),
        counter=None if mechanism.counter is None else qualified(source, mechanism.counter),
    )
