"""Judges what is stored again: when another bundle is in force, when a value of it changes, and now and then.

One process of a region walks all subjects in pages, asks the policy once for each law that it meets, and restricts at
once where the answer is no; where it is yes again, the restriction is lifted.  It stands back while webhooks wait.

A process may take a first contact in by the bundle before for as long as it has not looked; so a walk under a new one
is followed by a second, soon after everybody has.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from edge_node.core.laws import joined
from edge_node.metrics import Metrics
from edge_node.storage.content.jurisdictions import Law, law_of, raise_law, raised, read_law
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.rejudging import (
    Progress,
    Unknown,
    change_laws,
    count_restricted,
    end_of_page,
    laws_of_page,
    read_progress,
    unknown_of_page,
)
from edge_node.storage.keys.store import KeyStore
from edge_node.storage.opening import open_sealed
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.leased import LeasedWork
from shared.clock import Clock, Milliseconds
from shared.database.contract import Database
from shared.errors import HomeportError
from shared.message import Identifier
from shared.telemetry import logger

PAGE_SUBJECTS = 2_000
LEASE_MILLISECONDS = 60_000
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.05
SECOND_LOOK: Milliseconds = 5_000
"""After this time every process decides by the bundle that a walk went by."""
EVERY: Milliseconds = 600_000


class Countries(Protocol):
    """Knows the country of an account by its row."""

    def __call__(self, row: int) -> str | None:
        """Give the country; ``None`` where none is set, or the account is gone."""
        ...


class Rejudger(LeasedWork):
    """Runs under a lease, so that one process of a region does it."""

    name = "rejudger"

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        judge: Judge,
        countries: Countries,
        lease: Lease,
        metrics: Metrics,
        clock: Clock,
        *,
        busy: Callable[[], bool],
    ) -> None:
        """Take the open stores, who judges, and what says that ingest needs the stores now."""
        super().__init__(lease)
        self._content = content
        self._keys = keys
        self._judge = judge
        self._countries = countries
        self._metrics = metrics
        self._clock = clock
        self._busy = busy
        self._restricted = 0
        self._next: Milliseconds = 0
        """When to walk although nothing changed: at the start, as nobody knows what was left undone."""

    async def page(self) -> bool:
        """Judge one page, if there is anything to judge; say whether there is more to do at once."""
        moment = self._judge.moment
        if moment is None:
            return False
        now, found = self._clock.now(), await read_progress(self._content)
        changed = found is None or (found.bundle, found.since) != moment
        if found is None or changed or (found.finished_at and now >= self._next):
            found = Progress(*moment, 0, 0)
            self._next = now + (SECOND_LOOK if changed else EVERY)
        if found.finished_at:
            return False
        after = found.last_subject
        upto = await end_of_page(self._content, after, PAGE_SUBJECTS)
        done = not upto
        if not done:
            await self._learn(after, upto)
        changes = [] if done else self._changes(await laws_of_page(self._content, after, upto))
        progress = found._replace(last_subject=upto or after, finished_at=now if done else 0)
        subjects = await change_laws(self._content, after, upto or after, changes, progress)
        if subjects or done:
            await self._tell()
        return not done

    async def _tell(self) -> None:
        """Count who is restricted, and raise an alert where they are more than before."""
        restricted = await count_restricted(self._content)
        self._metrics.policy.restricted.set(restricted)
        if restricted > self._restricted:
            logger().warning("alert_records_restricted", count=restricted)
        self._restricted = restricted

    async def all(self) -> None:
        """Judge everything there is to judge now."""
        while await self.page():
            pass

    def _changes(self, laws: list[Law]) -> list[tuple[Law, Law]]:
        """Say what each law comes to now."""
        judged = ((old, self._judged(old)) for old in laws if old.basis)
        return [(old, new) for old, new in judged if old != new]

    def _judged(self, old: Law) -> Law:
        """Derive and judge again by what is known."""
        found = self._judge.derive(old.clues)
        return law_of(old.clues, found, self._judge.restricted(found))

    async def _learn(self, after: int, upto: int) -> None:
        """Read the identities of those of whom nothing is known, and derive their law."""
        for unknown in await unknown_of_page(self._content, after, upto):
            old = await read_law(self._content, unknown.id)
            if old is None:
                continue
            country = self._countries(unknown.account) if unknown.account is not None else None
            said = self._judge.clues(await self._identifiers(unknown), country)
            clues = joined(old.clues, said, self._judge.laws)
            found = self._judge.derive(clues)
            new = law_of(clues, found, self._judge.restricted(found))
            if new != old:
                await raise_law(self._content, raised(unknown.pseudonym, old, new))

    async def _identifiers(self, unknown: Unknown) -> tuple[Identifier, ...]:
        """Open a subject's identifiers; one whose key is gone is left out."""
        opened = await open_sealed(self._keys, "identity", unknown.identities, owner=unknown.pseudonym)
        return tuple(msgspec.json.decode(plain, type=Identifier) for plain in opened.values())

    async def _work(self) -> None:
        """Page by page while there is something to do, else look again after a while."""
        while True:
            more = False
            try:
                if not self._busy() and await self._lease.hold(self._clock.now()):
                    more = await self.page()
            except HomeportError as error:
                logger().error("alert_judging_stuck", error=type(error).__name__, code=error.code)
            except Exception as error:  # noqa: BLE001 - whatever it was, what is left must still be judged
                logger().error("alert_judging_stuck", error=type(error).__name__)
            await self._clock.sleep(PAUSE_SECONDS if more else LOOK_SECONDS)
