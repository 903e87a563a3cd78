"""How long a node goes by its policy without news, and what a fault does: a grace is not stretched, a fault is a no."""

import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from edge_node.assembly import open_policy as policy_of
from edge_node.metrics import Metrics
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.governing.policy_taking import take_over
from shared.clock import DAY
from shared.errors.policy import BundleSecondOfficer
from shared.policy.bundling import digest
from tests.integration.policy.test_policy_book import NO_MEDIA, book_of
from tests.support.control_store import Clock
from tests.support.house_policy import bundle_bytes, bundle_of, open_policy, signed_bundle
from tests.support.rosters import FIRST
from tests.support.stores import bench

ASKED = {"asker": "eu-test", "role": "agent"}


async def enrolled(node, clock, made):
    """Give the book of a node that was told that a bundle is the newest."""
    store = PolicyStore(node.content)
    await take_over(store, signed_bundle(made), FIRST, clock.now())
    await store.heard(made.version, digest(made), clock.now())
    return await book_of(node, clock)


def sees(book):
    """Say why a desk elsewhere may not see words, or that it may."""
    decision = book.decide("view", "message_text", "customer_service", "ID", **ASKED)
    return decision.outcome if decision.allowed else decision.reason


async def test_an_old_bundle_brought_late_gives_no_new_grace(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        clock = Clock()
        first = bundle_of(open_policy(), issued_at=clock.ms)
        book = await enrolled(node, clock, first)
        second = bundle_of(open_policy(), first, issued_at=clock.ms + 1)
        clock.ms += 8 * DAY
        assert sees(book) == "policy_stale"
        await take_over(PolicyStore(node.content), signed_bundle(second), FIRST, clock.now())
        await book.look()
        assert (book.in_force.kept.version, sees(book)) == (2, "policy_stale")
        third = bundle_of(open_policy(), second, issued_at=clock.ms)
        await take_over(PolicyStore(node.content), signed_bundle(third), FIRST, clock.now())
        await book.look()
        assert sees(book) == "allow"


async def test_a_bundle_that_was_stated_before_it_came_is_as_fresh_as_the_statement(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        clock, store = Clock(), PolicyStore(node.content)
        made = bundle_of(open_policy(), issued_at=clock.ms)
        await store.heard(1, digest(made), clock.ms + DAY)
        clock.ms += 2 * DAY
        await take_over(store, signed_bundle(made), FIRST, clock.now())
        assert (await store.newest()).heard_at == clock.ms - DAY


async def test_a_clock_that_is_set_back_gives_no_new_grace(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        clock = Clock()
        book = await enrolled(node, clock, bundle_of(open_policy(), issued_at=clock.ms))
        clock.ms -= DAY
        assert sees(book) == "policy_stale"
        assert book.decide("store", "message_text", "intake", "ID").allowed


class Steps(Clock):
    """A clock whose wall time alone is set back."""

    def __init__(self):
        super().__init__()
        self.back = 0

    def now(self):
        return self.ms - self.back


async def test_a_wall_clock_that_stands_does_not_stop_the_grace(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        clock = Steps()
        book = await enrolled(node, clock, bundle_of(open_policy(), issued_at=clock.ms))
        clock.ms, clock.back = clock.ms + 6 * DAY, 6 * DAY
        assert sees(book) == "allow"
        clock.ms, clock.back = clock.ms + 2 * DAY, 8 * DAY
        assert sees(book) == "policy_stale"
        await PolicyStore(node.content).heard(1, book.in_force.kept.hash, clock.now() + 1)
        await book.look()
        assert sees(book) == "allow"


async def test_what_was_compared_with_a_bundle_that_is_over_is_compared_again(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        store, clock = PolicyStore(node.content), Clock()
        first = bundle_of(open_policy())
        await take_over(store, signed_bundle(first), FIRST, clock.now())
        stricter = bundle_of(open_policy([NO_MEDIA]), first)
        alone = msgspec.structs.replace(FIRST, threshold=1)
        # Signed by one, it permits no more than the first, but more than the one that comes in between.
        late = signed_bundle(msgspec.structs.replace(bundle_of(open_policy(), stricter), version=3), "ada")
        read = store.newest

        async def overtaken():
            kept = await read()
            if kept.version == 1:
                await PolicyStore(node.content).keep(2, digest(stricter), bundle_bytes(stricter), clock.now(), after=1)
            return kept

        store.newest = overtaken
        with pytest.raises(BundleSecondOfficer):
            await take_over(store, late, alone, clock.now())
        assert (await read()).version == 2


async def test_whatever_goes_wrong_while_looking_it_goes_on_looking_and_raises_an_alert(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        store, clock = PolicyStore(node.content), Turning()
        book, looked = PolicyBook(store, "id-test", Metrics(), clock), []
        store.read_again = asyncio.Event()
        read = store.newest

        async def broken():
            looked.append(1)
            if len(looked) == 2:
                raise RuntimeError("a fault of our own")
            if len(looked) == 4:
                store.read_again.set()
            return await read()

        store.newest = broken
        with capture_logs() as logs:
            await book.open()
            try:
                await take_over(PolicyStore(node.content), signed_bundle(bundle_of(open_policy())), FIRST, clock.now())
                async with asyncio.timeout(20):
                    await store.read_again.wait()
            finally:
                await book.close()
        assert [each for each in logs if each["event"] == "alert_policy_unreadable"]


class Turning(Clock):
    """A clock that passes at once, and lets others run."""

    async def sleep(self, seconds):
        await super().sleep(seconds)
        await asyncio.sleep(0)


async def test_a_fault_while_deciding_denies_and_raises_an_alert(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        await take_over(PolicyStore(node.content), signed_bundle(bundle_of(open_policy())), FIRST, 2_000)
        book = await book_of(node)
        book.in_force.evaluator._slice = None
        with capture_logs() as logs:
            for _ in range(3):
                assert book.decide("store", "media", "intake", "ID").reason == "evaluator_failed"
        assert [each["event"] for each in logs] == ["alert_policy_failed"]
        book.alerted = False
        with capture_logs() as logs:
            await book.look()
            book.decide("store", "media", "intake", "ID")
        assert [each["event"] for each in logs] == ["alert_policy_failed"]


async def test_a_command_knows_that_grace_runs_from_the_first_statement_on(tmp_path):
    async with bench(tmp_path) as node:
        assert (await policy_of(node.stores)).alone
        store = PolicyStore(node.content)
        kept = await store.newest()
        await store.heard(kept.version, kept.hash, node.stores.clock.now())
        assert not (await policy_of(node.stores)).alone
