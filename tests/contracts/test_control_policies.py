"""Policy bundles in the control plane's store, on every engine: versions only rise, and who does not follow is seen."""

import msgspec
import pytest

from control_plane.core.errors import NotFound, PolicyOvertaken, RosterMissing
from control_plane.storage import nodes, policies, rosters
from control_plane.usecases.policies import check, file_after, file_of, newest_told, put, tell_behind
from shared.errors.policy import (
    BundleConflict,
    BundleMalformed,
    BundleNotNext,
    BundleOlder,
    BundleSecondOfficer,
    BundleUndersigned,
)
from shared.wire import Beat, Health, PolicyStand
from tests.support.control_store import store, stored_events
from tests.support.house_policy import ROSTER, bundle_bytes, bundle_of, open_policy, rule, signed_bundle
from tests.support.rosters import FIRST, following, signed

__all__ = ["store"]

NO_MEDIA = rule("no-media", "deny", operations=("store",), classes=("media",), reason="not_here")
ONE = bundle_of(open_policy([NO_MEDIA]))
TWO = bundle_of(open_policy([NO_MEDIA]), ONE)
THREE = bundle_of(open_policy(), TWO)


@pytest.fixture
async def plane(store):
    """Give a store with a roster of three officers, two of whom must sign."""
    async with store.work() as work:
        await rosters.add(work.t, ROSTER, 1)
    return store


async def publish(store, file, by="dpo"):
    """Check a bundle's file and put it in force."""
    checked = await check(store, file)
    async with store.work() as work:
        return await put(work, checked, by)


async def test_bundles_come_into_force_one_after_the_other_and_stay_as_they_were_signed(plane):
    files = [bundle_bytes(each) for each in (ONE, TWO, THREE)]
    for number, file in enumerate(files, 1):
        made = await publish(plane, file)
        assert (made.version, made.label, made.published_by) == (number, "demonstration", "dpo")
        assert await publish(plane, file, "another") == made
    assert [await file_after(plane, after) for after in range(3)] == files
    assert await file_of(plane, 2) == files[1]
    for missing in (file_of(plane, 4), file_after(plane, 3)):
        with pytest.raises(NotFound):
            await missing
    async with plane.database.read() as t:
        assert await policies.newest(t) == made
        assert [each.version for each in await policies.everything(t)] == [1, 2, 3]
    assert await stored_events(plane) == ["policy.published"] * 3


async def test_what_may_not_come_into_force_changes_nothing(plane):
    await publish(plane, bundle_bytes(ONE))
    await publish(plane, bundle_bytes(TWO))
    flipped = bytearray(bundle_bytes(THREE))
    flipped[flipped.index(b"all-at-home") + 1] ^= 1
    other = bundle_of(open_policy([NO_MEDIA]), THREE)
    for file, refusal in (
        (bundle_bytes(ONE), BundleOlder),
        (bundle_bytes(msgspec.structs.replace(TWO, says="Something else.")), BundleConflict),
        (bundle_bytes(msgspec.structs.replace(other, version=3)), BundleNotNext),
        (bundle_bytes(THREE, "ada"), BundleUndersigned),
        (bundle_bytes(THREE, "ada", "dora"), BundleUndersigned),
        (bytes(flipped), BundleMalformed),
        (b"", BundleMalformed),
    ):
        with pytest.raises(refusal):
            await publish(plane, file)
    async with plane.work() as work:
        await rosters.add(work.t, signed(following(threshold=1), "ada", "ben"), 2)
    with pytest.raises(BundleSecondOfficer):
        await publish(plane, bundle_bytes(THREE, "ada"))
    async with plane.database.read() as t:
        assert [each.version for each in await policies.everything(t)] == [1, 2]


async def test_without_a_roster_nothing_is_published(store):
    with pytest.raises(RosterMissing):
        await check(store, bundle_bytes(ONE))


async def test_what_was_compared_with_something_else_is_not_kept(plane):
    checked = await check(plane, bundle_bytes(ONE))
    async with plane.work() as work:
        await rosters.add(work.t, signed(following(), "ada", "ben"), 2)
    with pytest.raises(PolicyOvertaken):
        async with plane.work() as work:
            await put(work, checked, "dpo")
    await publish(plane, bundle_bytes(ONE))
    checked = await check(plane, bundle_bytes(THREE))
    await publish(plane, bundle_bytes(TWO))
    with pytest.raises(PolicyOvertaken):
        async with plane.work() as work:
            await put(work, checked, "dpo")
    assert FIRST.version == 1


def beat(name, stand):
    """Give a node's beat."""
    facts = {"protocol": 1, "oldest": 1, "number": 4, "beat_seconds": 30, "registrations": ()}
    return Beat(node=name, **facts, health=Health(0, 0, 0, 0, 0, 0), roster_version=1, policy=stand)


async def heard(store, name, stand):
    """Take a beat in, at the store's time."""
    async with store.work() as work:
        await nodes.beat(work.t, beat(name, stand), work.now)
        return await newest_told(work, beat(name, stand))


async def test_who_does_not_follow_is_told_of_once_and_once_more_when_it_does(plane):
    old, new = (PolicyStand(each.bundle.version, each.hash) for each in map(signed_bundle, (ONE, TWO)))
    assert await heard(plane, "eu", PolicyStand(0, None)) is None
    await publish(plane, bundle_bytes(ONE))
    await publish(plane, bundle_bytes(TWO))
    await heard(plane, "eu", old)
    await heard(plane, "ap", new)
    await tell_behind(plane)
    plane.clock.ms += 91_000
    assert (await heard(plane, "eu", old)).version == 2
    await heard(plane, "ap", new)
    for _ in range(2):
        await tell_behind(plane)
    for _ in range(2):
        await heard(plane, "eu", new)
        await tell_behind(plane)
    events = ["node.policy_behind", "node.policy_current"]
    assert await stored_events(plane) == ["policy.published", "policy.published", *events]
    async with plane.database.read() as t:
        assert {each.name: each.policy_version for each in await nodes.following_policy(t)} == {"eu": 2, "ap": 2}


async def test_nobody_waits_for_a_node_that_is_barred_retired_or_was_never_heard(plane):
    await publish(plane, bundle_bytes(ONE))
    plane.clock.ms += 91_000
    for name in ("eu", "ap"):
        await heard(plane, name, None)
    async with plane.work() as work:
        await nodes.bar(work.t, "eu", 1)
        await nodes.asked(work.t, "us", 0, 1)
        await work.t.execute("UPDATE member SET state = 'retired' WHERE name = 'ap'")
    await tell_behind(plane)
    assert await stored_events(plane) == ["policy.published"]
