"""Asks the policy whether somebody may see a subject's messages: one answer for each class, on record with how often.

A desk here asks to ``view``; a node elsewhere asks to view, and to have it sent.  What must be done where something is
shown (told to somebody, recorded for a time) comes with the answer.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from edge_node.core.classes import class_of, names_of
from edge_node.core.viewing import VIEWED, Seen, Unseen, restricted, seen
from edge_node.storage.content.disclosures import Found, Timeline
from edge_node.storage.content.jurisdictions import derived_of
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.governing.policy_book import PolicyBook
from shared.clock import Clock
from shared.crypto import Cipher, content_place
from shared.database.contract import Database
from shared.errors import SealBroken
from shared.errors.policy import PolicyDenies
from shared.message import Edit, Event, Message
from shared.policy.deciding import Decision
from shared.policy.deriving import Derived
from shared.telemetry import logger
from shared.wire.types import FormCode

_event = msgspec.json.Decoder(Event)


class Looking(NamedTuple):
    """Who looks, from where, and what for."""

    region: str
    """Where the desk stands, by the roster; this node's own for a desk here."""
    role: str
    purpose: str
    sent: bool
    """Whether what is shown leaves this node."""


class ViewGate:
    """The answers for one subject and one who looks."""

    def __init__(
        self, policy: PolicyBook, law: Derived | None, restricted_classes: Iterable[str], looking: Looking, clock: Clock
    ) -> None:
        """Take the policy in force, whose law protects the subject, what of it is restricted, and who looks."""
        self._policy, self._law, self._looking, self._clock = policy, law, looking, clock
        self._restricted = frozenset(restricted_classes)
        self._asked: dict[str, list[tuple[str, Decision]]] = {}
        self._answers: dict[str, Seen | Unseen] = {}

    def of(self, data_class: str) -> Seen | Unseen:
        """Give the answer for a class."""
        found = self._answers.get(data_class)
        if found is None:
            looking = self._looking
            asked = self._asked[data_class] = [
                (
                    operation,
                    self._policy.decide(
                        operation, data_class, looking.purpose, self._law, asker=looking.region, role=looking.role
                    ),
                )
                for operation in (("view", "transfer") if looking.sent else ("view",))
            ]
            decisions = [decision for _, decision in asked]
            found = seen(decisions, self._clock.now())
            if isinstance(found, Seen) and (
                data_class in self._restricted or not self._policy.rests(data_class, self._law)
            ):
                found = restricted(found.bundle)
            if looking.sent and isinstance(found, Seen):
                found = self._recorded(found)
            self._answers[data_class] = found
        return found

    def _recorded(self, found: Seen) -> Seen | Unseen:
        """Give an answer for another node: nothing is shown there of which no record may be kept here."""
        decision = self._policy.decide_noted("log", "disclosure_record", "audit", self._law)
        if decision.allowed:
            return found
        return Unseen("policy_denied", decision.rule, decision.reason, decision.bundle)

    def of_message(self, event: Message | Edit) -> Seen | Unseen:
        """Give the answer for a message."""
        return self.of(class_of(event))

    def why_not(self, event: Message | Edit) -> Unseen | None:
        """Give why a message may not be seen; ``None`` where it may."""
        answer = self.of_message(event)
        return answer if isinstance(answer, Unseen) else None

    def refusal(self) -> Unseen | None:
        """Give why nothing at all may be seen; on record.  ``None`` where some class may be."""
        answers = [self.of(data_class) for data_class in VIEWED]
        first = answers[0]
        if isinstance(first, Seen) or any(isinstance(each, Seen) for each in answers):
            return None
        self._note(VIEWED[0], 1)
        return first

    def form(self) -> FormCode:
        """Give the form of a page: that of words, or where these may not be seen, of what may be."""
        found = next((each for each in map(self.of, VIEWED) if isinstance(each, Seen)), None)
        return found.form if found is not None else "metadata"

    def note(self, events: Iterable[Message | Edit]) -> None:
        """Put on record what was shown and what was left out, and tell those who must be told."""
        counts: dict[str, int] = {}
        for event in events:
            counts[class_of(event)] = counts.get(class_of(event), 0) + 1
        told: set[tuple[str, str]] = set()
        for data_class, times in sorted(counts.items()):
            self._note(data_class, times)
            answer = self.of(data_class)
            if isinstance(answer, Seen):
                told |= {(who, answer.rule) for who in answer.notify}
        for who, rule in sorted(told):
            logger().warning("policy_wants_notice", kind=who, reason=rule, region=self._looking.region)

    def refuse(self) -> None:
        """Raise ``PolicyDenies`` where nothing at all may be seen."""
        refused = self.refusal()
        if refused is not None:
            raise denied(refused)

    def _note(self, data_class: str, times: int) -> None:
        """Put the answers for a class on record; what is refused although the rules allow it is a no."""
        looking, answer = self._looking, self.of(data_class)
        own = isinstance(answer, Unseen) and answer.code in {"restricted", "second_approver_needed"}
        for operation, decision in self._asked[data_class]:
            noted = decision
            if isinstance(answer, Unseen) and own and decision.allowed:
                noted = msgspec.structs.replace(decision, outcome="deny", reason=answer.code)
            self._policy.note(
                noted,
                operation,
                data_class,
                looking.purpose,
                self._law,
                asker=looking.region,
                role=looking.role,
                times=times,
            )


def denied(unseen: Unseen) -> PolicyDenies:
    """Give the error that names why something may not be seen."""
    return PolicyDenies(reason=unseen.reason, rule=unseen.rule or "none")


class ViewGates:
    """Makes gates."""

    def __init__(self, content: Database, policy: PolicyBook, clock: Clock) -> None:
        """Take the content store, which knows whose law protects whom, and the policy in force."""
        self._content, self._policy, self._clock = content, policy, clock

    async def here(self, timeline: Timeline, purpose: str, role: str) -> ViewGate:
        """Give what a desk of this node is answered."""
        return await self.of(timeline, Looking(self._policy.region, role, purpose, sent=False))

    async def of(self, timeline: Timeline, looking: Looking) -> ViewGate:
        """Give what somebody is answered who looks at a subject."""
        law = (await derived_of(self._content, [timeline.subject])).get(timeline.subject)
        return ViewGate(self._policy, law, names_of(timeline.restricted), looking, self._clock)


async def open_page(keys: KeyStore, page: Sequence[Found]) -> list[tuple[Found, Message | Edit]]:
    """Open messages that rest here; one whose key is being destroyed is left out.  ``SealBroken`` where one is none."""
    rows = await keys.open_rows([found.key for found in page])
    opened: list[tuple[Found, Message | Edit]] = []
    for found in page:
        row_key = rows.get(found.key)
        if row_key is None:
            continue
        place = content_place(keys.region, row_key.owner, "message", "sealed", found.key)
        event = _event.decode(Cipher(row_key.key).open(found.sealed, place))
        if not isinstance(event, Message | Edit):
            raise SealBroken(table="message")
        opened.append((found, event))
    return opened


__all__ = ["Looking", "ViewGate", "ViewGates", "denied", "open_page"]
