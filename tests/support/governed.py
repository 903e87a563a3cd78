"""A node whose policy says how long what is kept and what keeps it: the shipped laws, and a clock to be moved."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from edge_node import stores as stores_module
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.policy_taking import take_over
from shared.clock import DAY, SystemClock
from shared.database.contract import Step
from shared.message import Event
from shared.policy.bundling import Bundle
from shared.policy.model import Obligations, Policy, Rule
from shared.policy.spans import moment_ms
from tests.support.house_policy import bundle_of, open_policy, signed_bundle, vocabulary
from tests.support.policies import rule
from tests.support.rosters import FIRST
from tests.support.stores import Bench, taken


class MovedClock(SystemClock):
    """Real time that passes, at a date of the test's own."""

    def __init__(self, date: str) -> None:
        self._ahead = 0
        self.move_to(date)

    def now(self) -> int:
        """Give the time at that date."""
        return super().now() + self._ahead

    def move_to(self, date: str) -> None:
        """Go on from a date, or a moment with its offset."""
        self._ahead = moment_ms(date) - super().now()

    def move(self, days: float) -> None:
        """Let days pass."""
        self._ahead += int(days * DAY)


@asynccontextmanager
async def at_date(
    open_bench: Callable[[], AbstractAsyncContextManager[Bench]], monkeypatch, clock: MovedClock
) -> AsyncIterator[Bench]:
    """Open a node whose clock is ``clock``."""
    monkeypatch.setattr(stores_module, "SystemClock", lambda: clock)
    async with open_bench() as node:
        yield node


def kept_for(name: str, *, at_most: str | None = None, at_least: str | None = None, **more) -> Rule:
    """Make a rule that says how long something is kept."""
    owed = Obligations(retain_at_most=at_most, retain_at_least=at_least)
    return rule(name, operations=("retain",), purposes=("retention",), obligations=owed, **more)


def _sorted(*parts):
    """Put parts of a file in the order of their names."""
    return tuple(sorted(parts, key=lambda part: part.id))


def laws_of(*codes: str, rules: Sequence[Rule] = (), regions: dict[str, str] | None = None) -> Policy:
    """Make a policy that allows everything but what ``rules`` say, with the shipped laws of some jurisdictions."""
    policy = open_policy(rules, regions)
    house = {each.code: each for each in policy.jurisdictions}
    shipped = {
        each.code: msgspec.structs.replace(
            each,
            law=_sorted(*each.law, *house[each.code].law),
            article=_sorted(*each.article, *house[each.code].article),
        )
        for each in vocabulary().jurisdictions
        if each.code in codes
    }
    return msgspec.structs.replace(
        policy, jurisdictions=tuple(shipped.get(each.code, each) for each in policy.jurisdictions)
    )


async def govern(node: Bench, policy: Policy) -> Bundle:
    """Let a node decide by a policy, at once; give its bundle, which follows the one in force."""
    await node.policy.look()
    before = node.policy.in_force
    bundle = bundle_of(policy, None if before is None else before.bundle)
    await take_over(PolicyStore(node.content), signed_bundle(bundle), FIRST, node.stores.clock.now())
    await node.policy.look()
    return bundle


async def take_at(node: Bench, at: int, *events: Event) -> int:
    """Take events in as having arrived at an instant (ms); give how many were stored."""
    outcome = await node.taking_in.take_in([msgspec.structs.replace(taken(event), received_at=at) for event in events])
    return outcome.stored


async def of_law(node: Bench, place: int, code: str, others: str = "") -> str:
    """Say whose law the ``place``-th subject is under (1: the first); give their pseudonym."""
    ((row, pseudonym),) = await node.rows(
        "SELECT id, pseudonym FROM subject ORDER BY id LIMIT 1 OFFSET :skip", skip=place - 1
    )
    await node.content.run(
        [Step("UPDATE subject SET jurisdiction = :code, others = :others WHERE id = :id", [(code, others, row)])]
    )
    return pseudonym
