"""How long what is kept, as policy and settings say together: what a sweep looks at, class by class, law by law.

Asked anew for every sweep, so that a bundle that comes into force changes every period at once.  Without a bundle, and
where the bundle does not know what it is asked, settings alone say how long: nothing goes because a question failed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from edge_node.core.retention import (
    BOOKKEEPING,
    CONTENT,
    IMPERSONAL,
    KINDS,
    Class,
    Periods,
    Ruled,
    due_before,
    ruled_by,
)
from edge_node.core.stored import Table, classes_in
from edge_node.storage.content.bookkeeping import MARKS, Mark
from edge_node.storage.content.duties import Written, duties_written
from edge_node.storage.content.sweeps import Due, laws_here
from edge_node.usecases.governing.policy_book import PolicyBook
from shared.clock import Milliseconds
from shared.database.contract import Database
from shared.telemetry import logger

OPERATION, PURPOSE = "retain", "retention"
_HASH_SHOWN = 12
"""Letters of a bundle's hash that tell it from others here."""

_Shared = dict[Ruled | None, list[tuple[str, str]]]
"""By what is ruled alike: laws and classes."""


class Retaining:
    """Says what is due."""

    def __init__(self, content: Database, periods: Periods, policy: PolicyBook) -> None:
        """Take the open content store, what the settings say, and the policy in force."""
        self._content = content
        self._periods = periods
        self._policy = policy

    @property
    def bundle(self) -> str:
        """Give the hash of the bundle that says it; '' where there is none."""
        found = self._policy.in_force
        return "" if found is None else found.kept.hash

    async def ready(self) -> bool:
        """Say whether the store knows the duties of the bundle that says it: before that, nothing may go by it.

        Nor in a restored store that has yet to learn the policy by which something waits.
        """
        written = await duties_written(self._content) or Written()
        return written.bundle == self.bundle and written.known

    async def content_due(self, now: Milliseconds) -> list[tuple[Class, Due]]:
        """Give what to look at of content, class by class."""
        laws = await laws_here(self._content) if self.bundle else [""]
        undecided: set[str] = set()
        found = [each for of in CONTENT for each in self._of_class(of, laws, now, undecided)]
        if undecided:
            logger().error("alert_retention_undecided", count=len(undecided), reason="kept as settings say")
        return found

    async def bookkeeping_due(self, now: Milliseconds) -> list[tuple[Class | Mark, Milliseconds]]:
        """Give what to look at of bookkeeping; marks first, as the log keeps the entries that they name.

        It goes by the strictest of the laws of everybody here.
        """
        due: list[tuple[Class | Mark, Milliseconds]] = [(mark, now - self._periods.marks) for mark in MARKS]
        laws = await laws_here(self._content) if self.bundle else [""]
        codes = sorted({code for each in laws for code in self._codes(each)})
        for of, period in self._periods.of.items():
            if of in BOOKKEEPING:
                before = due_before(now, period, self._ruled(BOOKKEEPING[of], codes))
                before = now - period if before is None else before
                # Marks name the entries: these are kept longer, whatever is said of them.
                due.append((of, min(before, now - self._periods.marks - 1) if of == "log_entry" else before))
        return due

    def note(self, gone: Mapping[tuple[str, str], int]) -> None:
        """Put on record by which answers so many rows of a law and a class were let go."""
        for (law, data_class), times in sorted(gone.items()):
            for code in self._codes(law) or (None,):
                decision = self._policy.decide(OPERATION, data_class, PURPOSE, code)
                self._policy.note(decision, OPERATION, data_class, PURPOSE, code, times=times)

    def _of_class(
        self, of: Class, laws: Iterable[str], now: Milliseconds, undecided: set[str]
    ) -> Iterator[tuple[Class, Due]]:
        """Give what to look at of one class of content."""
        kinds = KINDS.get(of, ())
        tables: list[tuple[Table, str]] = [("message", "")] if of == "message" else [("event", kind) for kind in kinds]
        for table, kind in tables:
            shared = self._shared(classes_in(table, (kind,) if kind else ()), laws, undecided)
            for ruled, pairs in shared.items():
                before = due_before(now, self._periods.of.get(of), ruled)
                if before is not None:
                    only = "" if len(shared) == 1 else f"|{'|'.join(f'{law}/{name}' for law, name in pairs)}|"
                    period = f"{self.bundle[:_HASH_SHOWN]}:{ruled or ''}" if self.bundle else ""
                    yield of, Due(table, kind, before, only, period)

    def _shared(self, classes: Iterable[str], laws: Iterable[str], undecided: set[str]) -> _Shared:
        """Put together what is ruled alike."""
        shared: _Shared = defaultdict(list)
        for name in classes:
            for law in laws:
                ruled = self._ruled(name, self._codes(law))
                if ruled is None and self.bundle:
                    undecided.add(f"{law}/{name}")
                shared[ruled].append((law, name))
        return shared

    def _codes(self, law: str) -> tuple[str, ...]:
        """Give the jurisdictions to ask for people whose law is known as ``law``: where none is, the node's own."""
        return tuple(law.split()) or ((own,) if (own := self._policy.own_law()) is not None else ())

    def _ruled(self, data_class: str, codes: Iterable[str]) -> Ruled | None:
        """Ask how long a class of data is kept under each of some laws."""
        if data_class in IMPERSONAL:
            return None
        return ruled_by([self._policy.decide(OPERATION, data_class, PURPOSE, code) for code in codes])
