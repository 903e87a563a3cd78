"""The control plane's store, open and empty, with the nodes ``eu`` and ``ap`` in force; and what tests read of it."""

from importlib.resources import files

import pytest

from control_plane.storage import cases, events
from control_plane.storage.work import Store
from shared.database import Step
from shared.database.migrations import migrate
from shared.entropy import SystemEntropy
from shared.wire import CaseNotice
from tests.support.trust import drawn

MIGRATIONS = files("control_plane.storage") / "migrations" / "control"


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_795_000_000_000

    def now(self) -> int:
        """Give the instant."""
        return self.ms

    def elapsed(self) -> float:
        """Give seconds."""
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.ms += int(seconds * 1000)


@pytest.fixture
async def store(database):
    """Open an empty store of a control plane, once for each driver."""
    await migrate(database, MIGRATIONS, 1)
    await database.run([Step("INSERT INTO control_store (id, cursor, event) VALUES (1, 0, 0)")])
    await database.run([Step("INSERT INTO member (name, state) VALUES ('eu', 'active'), ('ap', 'active')")])
    return Store(database, Clock(), SystemEntropy())


def notice(**change):
    """Give the notice of an erasure."""
    facts = {"case": drawn("case"), "pseudonym": drawn("subject"), "reason": "objection", "at": 5, "places": ()}
    return CaseNotice(protocol=1, kind="erasure", **facts | change)


async def commands(store, node):
    """Give a node's commands."""
    async with store.database.read() as t:
        return await cases.commands_after(t, node, 0, 100)


async def stored_events(store):
    """Give the kinds of the events that were told."""
    async with store.database.read() as t:
        return [each.kind for each in await events.after(t, 0, 100)]
