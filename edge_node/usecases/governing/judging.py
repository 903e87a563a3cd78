"""Whose law, and may it rest here: the two questions of intake, with a bounded memory for each.

Both answers depend on the bundle in force, the second on the time as well: a new bundle, and each instant at which one
of its values changes, empties the memory.  Reading a number takes longer than everything else, so that is kept apart.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from edge_node.core.classes import RESTING, mask_of
from edge_node.core.laws import Identifiers, clues_of, laws_in
from edge_node.usecases.governing.policy_book import InForce, PolicyBook
from shared.clock import Clock, Milliseconds
from shared.policy.deciding import Decision
from shared.policy.deriving import Clues, Derived, NumberHint, derive, hint_of_number, laws_of

REMEMBERED_MAX = 20_000
"""Answers of each kind that a process keeps in memory."""
PURPOSE = "intake"
NEVER: Milliseconds = 2**62

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memory(Generic[_Key, _Value]):
    """Answers by what they depend on, in two generations: of what was asked lately none is lost."""

    def __init__(self, answer: Callable[[_Key], _Value]) -> None:
        """Take what answers a question that is not remembered."""
        self._answer = answer
        self.recent: dict[_Key, _Value] = {}
        """What was asked lately."""
        self._before: dict[_Key, _Value] = {}

    def __call__(self, key: _Key) -> _Value:
        """Give the answer."""
        recent = self.recent
        if key in recent:
            return recent[key]
        value = recent[key] = self._before[key] if key in self._before else self._answer(key)
        if len(recent) > REMEMBERED_MAX // 2:
            self._before, self.recent = recent, {}
        return value

    def clear(self) -> None:
        """Forget everything."""
        self.recent, self._before = {}, {}


class _Answer(msgspec.Struct):
    """What was answered, and how often since that was last put on record."""

    key: tuple[tuple[str, ...], str]
    """The laws and the class of data."""
    decision: Decision
    times: int = 0


class Judge:
    """Says whose law applies to a person, and what may rest here of theirs."""

    def __init__(self, book: PolicyBook, clock: Clock) -> None:
        """Take the policy in force and the clock."""
        self.book = book
        self._clock = clock
        self._under: InForce | None = None
        self._since: Milliseconds = -NEVER
        self._until: Milliseconds = NEVER
        self._laws: Mapping[str, str] = {}
        self._hints: Memory[str, NumberHint | None] = Memory(hint_of_number)
        self._clues: Memory[tuple[Identifiers, str | None], Clues] = Memory(self._read_clues)
        self._derived: Memory[tuple[Identifiers, str | None], Derived] = Memory(
            lambda key: derive(self._clues(key), self._laws)
        )
        self._restricted: Memory[tuple[str, ...], int] = Memory(self._judge)
        self._answers: Memory[tuple[tuple[str, ...], str], _Answer] = Memory(self._decide)
        self._asked: Memory[tuple[Identifiers, str | None, str], _Answer] = Memory(self._ask)
        self._unwritten: list[_Answer] = []
        book.before_writing = self.write

    @property
    def laws(self) -> Mapping[str, str]:
        """Give the jurisdiction of each country under the bundle in force."""
        self._look()
        return self._laws

    @property
    def moment(self) -> tuple[str, Milliseconds] | None:
        """Give the bundle in force, by its hash, and since when no value of it has changed; ``None`` without one."""
        self._look()
        if self._under is None:
            return None
        instants = self._under.evaluator.tables.instants
        place = bisect_right(instants, self._clock.now())
        return self._under.kept.hash, instants[place - 1] if place else 0

    def clues(self, identifiers: Identifiers, country: str | None) -> Clues:
        """Give what a person's identifiers and the account's country say."""
        return self._clues((identifiers, country))

    def derived(self, identifiers: Identifiers, country: str | None) -> Derived:
        """Say whose law applies to a person as an event names them; of nobody the account's country says it."""
        self._look()
        return self._derived((identifiers, country))

    def derive(self, clues: Clues) -> Derived:
        """Say whose law applies by all that is known of a subject."""
        return derive(clues, self.laws)

    def jurisdiction_of(self, region: str) -> str | None:
        """Give whose law applies in a region; ``None`` where the policy does not know it."""
        in_force = self.book.in_force
        return in_force.evaluator.tables.names.jurisdiction.get(region) if in_force is not None else None

    def may_rest(self, identifiers: Identifiers, country: str | None, data_class: str) -> Decision:
        """Say whether something of a person may rest at this node; the answer is put on record."""
        self._look()
        # This runs for every event: one look-up answers for somebody who wrote before.
        key = (identifiers, country, data_class)
        answer = self._asked.recent.get(key) or self._asked(key)
        if not answer.times:
            self._unwritten.append(answer)
        answer.times += 1
        return answer.decision

    def write(self) -> None:
        """Hand what was answered over to be put on record."""
        for answer in self._unwritten:
            laws, data_class = answer.key
            self.book.note(answer.decision, "store", data_class, PURPOSE, _any_of(laws), times=answer.times)
            answer.times = 0
        self._unwritten.clear()

    def restricted(self, derived: Derived) -> int:
        """Give the classes that may not rest here of a person, as bits (core/classes.py); 0 without a bundle.

        Without one nothing is taken in; what is stored already is judged as soon as there is one.
        """
        self._look()
        return 0 if self._under is None else self._restricted(laws_in(derived))

    def _look(self) -> None:
        """Forget what was answered under another bundle, or before a value of it changed."""
        in_force = self.book.in_force
        now = self._clock.now()
        if in_force is self._under and self._since <= now < self._until:
            return
        if in_force is not self._under:
            self._laws = {}
            if in_force is not None:
                self._laws = laws_of((law.code, law.countries) for law in in_force.bundle.policy.jurisdictions)
            self._derived.clear()
        self._under, self._since, self._until = in_force, -NEVER, NEVER
        if in_force is not None:
            instants = in_force.evaluator.tables.instants
            place = bisect_right(instants, now)
            self._since = instants[place - 1] if place else -NEVER
            self._until = instants[place] if place < len(instants) else NEVER
        self._restricted.clear()
        self._answers.clear()
        self._asked.clear()

    def _read_clues(self, key: tuple[Identifiers, str | None]) -> Clues:
        """Read identifiers that are not remembered."""
        return clues_of(*key, self._hints)

    def _ask(self, key: tuple[Identifiers, str | None, str]) -> _Answer:
        """Derive whose law applies, and ask."""
        identifiers, country, data_class = key
        return self._answers((laws_in(self._derived((identifiers, country))), data_class))

    def _decide(self, key: tuple[tuple[str, ...], str]) -> _Answer:
        """Ask the policy; of several laws all have to allow it."""
        laws, data_class = key
        return _Answer(key, self.book.decide("store", data_class, PURPOSE, _any_of(laws)))

    def _judge(self, laws: tuple[str, ...]) -> int:
        """Ask the policy for each class: it rests here where it may be stored and may be kept."""
        subject = _any_of(laws)
        return mask_of(name for name in RESTING if not self.book.rests(name, subject))


def _any_of(laws: tuple[str, ...]) -> Derived:
    """Give a subject of whom it is known only that one of these laws applies."""
    return Derived(jurisdiction=None, country=None, basis="nothing_known", certainty="none", others=laws)
