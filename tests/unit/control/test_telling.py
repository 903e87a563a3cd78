"""One delivery that goes wrong, in whichever way, keeps no other back, and telling goes on."""

import asyncio
from importlib.resources import files

import pytest

from control_plane.core.events import EventData
from control_plane.metrics import Metrics
from control_plane.settings import Hooks
from control_plane.storage import hooks
from control_plane.storage.work import Store
from control_plane.usecases.signals import Signals
from control_plane.usecases.telling import Teller
from shared.clock import SystemClock
from shared.database import Step
from shared.database.migrations import migrate
from shared.database.sqlite import open_sqlite
from shared.entropy import SystemEntropy
from shared.errors import StoreUnavailable


class Silent:
    """Never answers for one address."""

    def __init__(self, wanted):
        self.wanted, self.sent, self.all_sent = wanted, [], asyncio.Event()

    async def post(self, url, headers, body):
        """Send."""
        if "bad" in url:
            await asyncio.sleep(60)
        self.sent.append(url)
        if len(self.sent) == self.wanted:
            self.all_sent.set()
        return 204, "http_204"


class Sends:
    """Fails for one address, and takes what goes to every other one."""

    def __init__(self, error):
        self.error, self.sent = error, []

    async def post(self, url, headers, body):
        """Send."""
        self.sent.append(url)
        if "bad" in url:
            raise self.error
        return 204, "http_204"


@pytest.fixture
async def store(tmp_path):
    database = await open_sqlite(tmp_path / "control.db")
    await migrate(database, files("control_plane.storage") / "migrations" / "control", 1)
    await database.run([Step("INSERT INTO control_store (id, cursor, event) VALUES (1, 0, 0)")])
    yield Store(database, SystemClock(), SystemEntropy())
    await database.close()


@pytest.mark.parametrize("error", [UnicodeError("label empty or too long"), StoreUnavailable(), RuntimeError()])
async def test_an_address_that_fails_in_a_way_nobody_thought_of_keeps_no_other_back(store, error):
    sends = Sends(error)
    teller = Teller(store, sends, bytes(32), Hooks(), Signals(store.clock), Metrics())
    async with store.work() as work:
        await hooks.add(work.t, "a", "https://bad.example.org/", "ops", 1)
        await hooks.add(work.t, "b", "https://good.example.org/", "ops", 1)
        await work.tell("roster.accepted", EventData(version=1))
    assert await teller.round() == 2
    await teller.idle()
    assert sorted(sends.sent) == ["https://bad.example.org/", "https://good.example.org/"]
    async with store.database.read() as t:
        assert await hooks.waiting(t) == 1


async def test_a_hook_that_never_answers_keeps_no_other_waiting(store):
    sends = Silent(40)
    teller = Teller(store, sends, bytes(32), Hooks(), Signals(store.clock), Metrics())
    async with store.work() as work:
        await hooks.add(work.t, "a", "https://bad.example.org/", "ops", 1)
        for version in range(40):
            await work.tell("roster.accepted", EventData(version=version))
        await hooks.add(work.t, "b", "https://good.example.org/", "ops", 1)
        for version in range(40):
            await work.tell("roster.accepted", EventData(version=version))
    teller.start()
    try:
        async with asyncio.timeout(10):
            await sends.all_sent.wait()
    finally:
        await teller.stop()
