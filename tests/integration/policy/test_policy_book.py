"""The policy in force at a node: taken over whole, by signatures alone; asked in one place; answers on record."""

import msgspec
import pytest

from edge_node.metrics import Metrics
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.governing.policy_taking import pin, pinned_roster, take_over
from shared.clock import DAY
from shared.errors.policy import (
    BundleMalformed,
    BundleOlder,
    BundleSecondOfficer,
    BundleUndersigned,
    RosterNotPinned,
)
from shared.policy.bundling import read_bundle, write
from shared.policy.deriving import Derived
from tests.support.house_policy import ROSTER, bundle_bytes, bundle_of, open_policy, rule, signed_bundle
from tests.support.rosters import FIRST, following, signed
from tests.support.stores import bench

NO_MEDIA = rule("no-media", "deny", operations=("store",), classes=("media",), reason="not_here")


async def book_of(node, clock=None):
    """Give an open book of a node's region."""
    book = PolicyBook(PolicyStore(node.content), "id-test", Metrics(), clock or node.stores.clock)
    await book.look()
    return book


async def test_without_a_bundle_everything_is_denied(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        book = await book_of(node)
        assert book.decide("store", "message_text", "intake", "ID").reason == "policy_missing"


async def test_a_bundle_is_taken_over_and_seen_by_every_process(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        store, before = PolicyStore(node.content), await book_of(node)
        first = bundle_of(open_policy())
        await take_over(store, signed_bundle(first), FIRST, node.stores.clock.now())
        await before.look()
        found = before.decide("store", "media", "intake", "ID")
        assert (found.allowed, found.rule, found.bundle) == (True, "all-at-home", before.in_force.kept.hash)
        second = bundle_of(open_policy([NO_MEDIA]), first)
        await take_over(store, signed_bundle(second, "ada", "ben"), FIRST, node.stores.clock.now())
        await before.look()
        assert before.decide("store", "media", "intake", "ID").rule == "no-media"
        assert before.decide("store", "message_text", "intake", "ID").allowed


async def test_what_is_refused_leaves_the_bundle_in_force(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        store, now = PolicyStore(node.content), node.stores.clock.now()
        first = bundle_of(open_policy([NO_MEDIA]))
        await take_over(store, signed_bundle(first), FIRST, now)
        second = bundle_of(open_policy(), first)
        with pytest.raises(BundleUndersigned):
            await take_over(store, signed_bundle(second, "ada"), FIRST, now)
        alone = msgspec.structs.replace(FIRST, threshold=1)
        with pytest.raises(BundleSecondOfficer):
            await take_over(store, signed_bundle(second, "ada"), alone, now)
        flipped = bytearray(bundle_bytes(second))
        flipped[flipped.index(b"all-at-home") + 1] ^= 1
        with pytest.raises(BundleMalformed):
            read_bundle(bytes(flipped))
        await take_over(store, signed_bundle(second), FIRST, now)
        with pytest.raises(BundleOlder):
            await take_over(store, signed_bundle(first), FIRST, now)
        book = await book_of(node)
        assert book.in_force.kept.version == 2
        assert book.decide("store", "media", "intake", "ID").allowed


async def test_past_its_grace_an_enrolled_node_denies_what_leaves_and_goes_on_storing(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        store, now = PolicyStore(node.content), node.stores.clock.now()
        made = bundle_of(open_policy())
        await take_over(store, signed_bundle(made), FIRST, now - 8 * DAY)
        book = await book_of(node)
        asked = {"asker": "eu-test", "role": "agent"}
        assert book.decide("view", "message_text", "customer_service", "ID", **asked).allowed
        await store.heard(1, book.in_force.kept.hash, now - 8 * DAY)
        await book.look()
        assert not book.alone
        assert book.decide("view", "message_text", "customer_service", "ID", **asked).reason == "policy_stale"
        assert book.decide("link", "pseudonym", "linking", "ID").reason == "policy_stale"
        program = {"asker": "eu-test", "role": "program"}
        assert book.decide("transfer", "pseudonym", "coordination", "ID", **program).reason == "policy_stale"
        assert book.decide("transfer", "evidence", "coordination", "ID", **program).allowed
        assert book.decide("store", "message_text", "intake", "ID").allowed
        await store.heard(1, book.in_force.kept.hash, now)
        await book.look()
        assert book.decide("view", "message_text", "customer_service", "ID", **asked).allowed


async def test_what_was_stated_later_stays(tmp_path):
    async with bench(tmp_path) as node:
        store, now = PolicyStore(node.content), node.stores.clock.now()
        await take_over(store, signed_bundle(bundle_of(open_policy())), FIRST, 1_000)
        kept = await store.newest()
        await store.heard(1, kept.hash, now)
        await store.heard(1, kept.hash, now - 1)
        await store.heard(2, "0" * 64, now - 2)
        assert await store.stated() == (1, kept.hash, now)
        assert (await store.newest()).heard_at == now
        await store.heard(2, "0" * 64, now + 1)
        assert await store.stated() == (2, "0" * 64, now + 1)
        assert (await store.newest()).heard_at == now


async def test_where_several_laws_may_be_the_right_one_the_strictest_counts(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        deny = rule("not-in-california", "deny", operations=("store",), subjects=("US-CA",), reason="not_here")
        made = bundle_of(open_policy([deny]))
        await take_over(PolicyStore(node.content), signed_bundle(made), FIRST, node.stores.clock.now())
        book = await book_of(node)
        maybe = Derived(jurisdiction=None, country="US", basis="number_plan", certainty="indicated", others=("US-CA",))
        assert book.decide("store", "media", "intake", maybe).rule == "not-in-california"
        nothing = Derived(jurisdiction=None, country=None, basis="nothing_known", certainty="none")
        assert book.decide("store", "media", "intake", nothing).reason == "jurisdiction_not_derived"
        assert book.decide("store", "media", "intake", None).reason == "jurisdiction_not_derived"


async def test_decisions_on_record_name_the_rule_and_the_bundle(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        made = bundle_of(open_policy([NO_MEDIA]))
        await take_over(PolicyStore(node.content), signed_bundle(made), FIRST, node.stores.clock.now())
        book = await book_of(node)
        for _ in range(3):
            book.decide_noted("store", "media", "intake", "ID")
        await book.write()
        rows = await node.rows(
            "SELECT operation, data_class, subject, outcome, rule, reason, bundle, times FROM decision"
        )
        assert rows == [("store", "media", "ID", "deny", "no-media", "not_here", book.in_force.kept.hash, 3)]


async def test_a_lone_node_pins_the_root_of_the_roster_that_its_operator_named(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        store = PolicyStore(node.content)
        assert await pinned_roster(store) is None
        assert (await pin(store, ROSTER)).version == FIRST.version
        later = signed(following(company="acme"), "ada", "ben")
        assert (await pin(store, later)).version == FIRST.version + 1
        stranger = signed(msgspec.structs.replace(FIRST, officers=FIRST.officers[:2]), "ada", "ben")
        with pytest.raises(Exception, match="roster"):
            await pin(store, stranger)
        assert (await pinned_roster(store)).version == FIRST.version + 1
        assert RosterNotPinned.code == "roster_not_pinned"


def test_a_bundle_is_written_as_it_was_signed():
    made = signed_bundle(bundle_of(open_policy()))
    assert read_bundle(write(made.bundle, made.signatures)) == made
