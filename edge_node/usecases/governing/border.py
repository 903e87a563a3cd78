"""Whatever leaves for another program is asked for here, message by message, and every answer goes on record.

:mod:`edge_node.core.crossing` says what is asked.  A node's own state leaves every few seconds; of it, an answer goes
on record when it is another than the last.
"""

from edge_node.core.crossing import (
    OWN_STATE,
    PROGRAM,
    QUESTIONS,
    REGISTRATIONS,
    STATED,
    Asks,
    Crossing,
    Withheld,
    law_of_text,
    law_text,
    own_state,
)
from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.uplink import UplinkStore
from edge_node.usecases.governing.policy_book import PolicyBook
from shared import wire
from shared.database.contract import Database
from shared.errors.policy import PolicyDenies
from shared.policy.deciding import Decision
from shared.policy.deriving import Derived
from shared.roster import read_signed

Law = str | Derived | None
"""A jurisdiction, or what was derived for a subject."""


class Border:
    """Asks for what leaves."""

    def __init__(self, policy: PolicyBook) -> None:
        """Take the policy in force."""
        self._policy = policy
        self._last: dict[tuple[type[wire.Message], str], tuple[str, str | None, str, str]] = {}

    def ask(
        self,
        message: type[wire.Message],
        region: str | None,
        law: Law = None,
        *,
        purpose: str = "",
        data_class: str = "",
        times: int = 1,
    ) -> Crossing:
        """Ask whether a message may go to ``region``; ``law`` protects the person it concerns.

        ``purpose`` is the one stated for a view, ``data_class`` that of the content, where the message leaves them
        open.  A message that has no row is denied.
        """
        found: Crossing | None = None
        for row in QUESTIONS.get(message, ()):
            asks = Asks(row.data_class or data_class, purpose if row.purpose == STATED else row.purpose)
            found = Crossing(asks, self._one(message, asks, region, law, times))
            if not found.allowed:
                return found
        return found or Crossing(Asks("", ""), Decision("deny", None, "no_rule"))

    def registrations(self, region: str | None, law: Derived | None, people: int) -> Decision:
        """Ask whether pseudonyms of ``people`` whom ``law`` protects may be registered with the control plane.

        A no goes on record when it is another than the last, not with each beat.
        """
        decision = self._decide(REGISTRATIONS, region, law)
        key = wire.Beat, f"{region}/{law_text(law) if law is not None else ''}"
        said = (decision.outcome, decision.rule, decision.reason, decision.bundle)
        if decision.allowed or self._last.get(key) != said:
            self._note(decision, REGISTRATIONS, region, law, people)
        self._last[key] = said
        return decision

    @property
    def bundle(self) -> str | None:
        """Give the hash of the bundle in force; ``None`` where there is none."""
        found = self._policy.in_force
        return None if found is None else found.kept.hash

    def own_law(self) -> Law:
        """Give the law of the place: it is asked where a message concerns nobody whose law is known here."""
        return self._policy.own_law()

    def law_there(self, region: str | None) -> Law:
        """Give the law of another region: of pseudonyms and copies that are its own."""
        return self._policy.law_of(region)

    def law_of(self, text: str) -> Law:
        """Read the law that the store keeps with what is owed; this node's where it keeps none."""
        return law_of_text(text) or self.own_law()

    def refuse(self, crossing: Crossing) -> None:
        """Raise ``PolicyDenies`` where a message may not leave."""
        if not crossing.allowed:
            raise denies(crossing.decision)

    def _one(self, message: type[wire.Message], asks: Asks, region: str | None, law: Law, times: int) -> Decision:
        """Put one question of a message."""
        if asks != OWN_STATE:
            return self._put(asks, region, law, times)
        mine = self._policy.own_law()
        decision = own_state(self._decide(asks, region, mine))
        said = (decision.outcome, decision.rule, decision.reason, decision.bundle)
        if self._last.get((message, region or "")) != said:
            self._last[message, region or ""] = said
            self._note(decision, asks, region, mine, 1)
        return decision

    def _put(self, asks: Asks, region: str | None, law: Law, times: int) -> Decision:
        """Put a question, and its answer on record."""
        decision = self._decide(asks, region, law)
        self._note(decision, asks, region, law, times)
        return decision

    def _decide(self, asks: Asks, region: str | None, law: Law) -> Decision:
        """Decide."""
        return self._policy.decide("transfer", asks.data_class, asks.purpose, law, asker=region or "", role=PROGRAM)

    def _note(self, decision: Decision, asks: Asks, region: str | None, law: Law, times: int) -> None:
        """Put an answer on record."""
        self._policy.note(
            decision,
            "transfer",
            asks.data_class,
            asks.purpose,
            law,
            asker=region or "",
            role=PROGRAM,
            times=times,
        )


def denies(decision: Decision) -> PolicyDenies:
    """Give the error that names what said no."""
    return PolicyDenies(reason=decision.reason, rule=decision.rule or "none")


async def read_withheld(content: Database, policy: PolicyBook) -> list[Withheld]:
    """Say what the policy keeps from the control plane now; nothing at a node that was never enrolled."""
    store, border = UplinkStore(content), Border(policy)
    body = await store.roster()
    if await store.load() is None or body is None:
        return []
    region = read_signed(body).roster.control_plane.region
    found: list[Withheld] = []
    health = border.ask(wire.Beat, region)
    if not health.allowed:
        found.append(Withheld("health", health.decision.reason, 1))
    denied: dict[str, int] = {}
    for law, people in await store.unregistered_laws():
        decision = border.registrations(region, law_of_text(law), people)
        if not decision.allowed:
            denied[decision.reason] = denied.get(decision.reason, 0) + people
    found += [Withheld("registrations", reason, count) for reason, count in sorted(denied.items())]
    return found + [Withheld(*row) for row in await CommandStore(content).withheld()]
