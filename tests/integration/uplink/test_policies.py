"""The policy at an enrolled node: fetched in order, believed by officers alone, kept fresh by new statements alone."""

import contextlib

import msgspec
import pytest
from structlog.testing import capture_logs

from edge_node.metrics import Metrics
from edge_node.storage.content.policies import PolicyStore
from edge_node.uplink import policies
from edge_node.uplink.client import ANSWER_BYTES_MAX
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.governing.policy_taking import take_over
from shared import wire
from shared.policy.bundling import digest
from tests.integration.uplink.conftest import enrolled, running, until
from tests.support.control_double import PUBLISHERS, STRANGER, now_ms
from tests.support.house_policy import bundle_bytes, bundle_of, open_policy, rule, signed_bundle
from tests.support.stores import bench

DAY = 86_400_000
NO_MEDIA = rule("no-media", "deny", operations=("store",), classes=("media",), reason="not_here")
ONE = bundle_of(open_policy([NO_MEDIA]))
TWO = bundle_of(open_policy([NO_MEDIA]), ONE)
THREE = bundle_of(open_policy(), TWO)
OPEN = bundle_of(open_policy(), ONE)
"""A second version that permits more than the first."""


class Member:
    """An enrolled node and its book of policies."""

    def __init__(self, node, control, joined, book):
        self.node, self.control, self.uplink, self.book = node, control, joined.uplink, book
        self.store = PolicyStore(node.content)

    async def beats(self, count=1):
        """Let it beat so often, and follow what it was answered."""
        for _ in range(count):
            before = len(self.control.of(wire.Beat))
            self.uplink._beat_now.set()
            await until(lambda b=before: len(self.control.of(wire.Beat)) > b)

    async def decides_by(self, bundle):
        """Wait until it decides by a bundle."""

        async def does():
            await self.book.look()
            return self.book.in_force is not None and self.book.in_force.kept.hash == digest(bundle)

        await until(does)

    def said(self, code):
        """Say how often something went wrong with policies for a reason."""
        return self.uplink._metrics.exchanges.labels("policy", code)._value.get()

    async def kept(self):
        """Give the versions that came into force."""
        return [row[0] for row in await self.node.rows("SELECT version FROM policy_bundle ORDER BY version")]


@contextlib.asynccontextmanager
async def member(opened, control, *installed, at=None):
    """Run a node that was taken in, with bundles that its operator installed by hand at an instant."""
    async with opened as node:
        await enrolled(node, control)
        for bundle in installed:
            signed = signed_bundle(bundle, keys=PUBLISHERS)
            await take_over(PolicyStore(node.content), signed, control.roster, at or now_ms())
        control.take_in("eu")
        book = PolicyBook(PolicyStore(node.content), "id-test", Metrics(), node.stores.clock)
        await book.look()
        async with running(node, control) as joined:
            await until(lambda: control.of(wire.Beat))
            yield Member(node, control, joined, book)


async def test_what_is_published_is_decided_by_after_the_next_beat(open_bench, control):
    async with member(open_bench(bundle=None), control) as here:
        assert control.of(wire.Beat)[0].policy == wire.PolicyStand(0, None)
        control.publish(ONE)
        await here.beats()
        await here.decides_by(ONE)
        assert not here.book.decide("store", "media", "intake", "ID").allowed
        assert not here.book.alone
        control.publish(TWO)
        control.publish(THREE)
        await here.beats()
        await here.decides_by(THREE)
        assert here.book.decide("store", "media", "intake", "ID").allowed
        await here.beats()
        assert control.of(wire.Beat)[-1].policy == wire.PolicyStand(3, digest(THREE))
        assert await here.kept() == [1, 2, 3]
        assert control.asked_policies == ["after=0", "after=1", "after=2"]
        assert (await here.store.stated())[:2] == (3, digest(THREE))


async def test_a_node_that_was_away_takes_what_it_missed_in_order(tmp_path, control):
    # The last one was signed by one officer, as it permits nothing more than the one before; than the first, it does.
    four = bundle_of(open_policy(), THREE)
    for bundle in (ONE, TWO, THREE):
        control.publish(bundle)
    control.publish(four, "ada")
    async with member(bench(tmp_path, bundle=None), control, ONE) as here:
        await here.decides_by(four)
        assert await here.kept() == [1, 2, 3, 4]
        assert control.asked_policies == ["after=1", "after=2", "after=3"]


@pytest.mark.parametrize("signers", [(), ("ada",)], ids=["all", "one"])
async def test_a_new_node_takes_the_newest_or_where_that_alone_is_not_believed_all(tmp_path, control, signers):
    control.publish(ONE)
    control.publish(TWO, *signers)
    async with member(bench(tmp_path, bundle=None), control) as here:
        await here.decides_by(TWO)
        asked = ["after=1", "after=0", "after=1"] if signers else ["after=1"]
        assert (await here.kept(), control.asked_policies) == ([1, 2] if signers else [2], asked)


async def test_a_bundle_on_the_way_that_is_refused_is_passed_over(tmp_path, control):
    control.publish(OPEN, "ada")
    control.publish(THREE)
    async with member(bench(tmp_path, bundle=None), control, ONE) as here:
        await here.decides_by(THREE)
        assert await here.kept() == [1, 3]


async def test_a_refused_bundle_is_fetched_once_until_something_changes(tmp_path, control, monkeypatch):
    control.publish(OPEN, "ada")
    async with member(bench(tmp_path, bundle=None), control, ONE) as here:
        with capture_logs() as logs:
            await until(lambda: here.said("bundle_second_officer") > 3)
        assert [each["code"] for each in logs if each["event"] == "alert_uplink"] == ["bundle_second_officer"]
        assert control.asked_policies == ["after=1"]
        assert (await here.store.newest()).hash == digest(ONE)
        monkeypatch.setattr(policies, "AGAIN_MILLISECONDS", 0)
        control.publish(OPEN)
        await here.decides_by(OPEN)


async def test_nobody_takes_a_version_back_or_changes_one(tmp_path, control):
    control.publish(ONE)
    async with member(bench(tmp_path, bundle=None), control, ONE, TWO) as here:
        await until(lambda: here.said("bundle_older"))
        control.bundles = {}
        control.publish(msgspec.structs.replace(TWO, says="Another one."))
        await here.beats()
        await until(lambda: here.said("bundle_conflict"))
        assert control.asked_policies == []
        # The head names a later version; what is handed over is an earlier one, or no bundle at all.
        for number, (file, code) in enumerate(((_file(ONE), "bundle_older"), (b"{}", "bundle_malformed"))):
            before = here.said(code)
            control.lie = lambda path, status, body, f=file: (status, f if path.endswith("policies") else body)
            control.publish(bundle_of(open_policy(), TWO, issued_at=number))
            await here.beats()
            await until(lambda c=code, b=before: here.said(c) > b)
        assert control.asked_policies == ["after=2", "after=2"]
        assert await here.kept() == [1, 2]


async def test_a_bundle_that_is_larger_than_any_message_comes_whole(tmp_path, control):
    long = [rule(f"no-media-{n}", "deny", classes=("media",), says="No. " * 499) for n in range(700)]
    large = bundle_of(open_policy(long))
    control.publish(large)
    assert len(control.bundles[1]) > ANSWER_BYTES_MAX
    async with member(bench(tmp_path, bundle=None), control) as here:
        await here.decides_by(large)


def _file(bundle):
    return bundle_bytes(bundle, keys=PUBLISHERS)


def looking(here):
    """Say why somebody elsewhere may look at messages, or not."""
    asker = {"asker": "eu-test", "role": "agent"}
    return here.book.decide("view", "message_text", "customer_service", "ID", **asker).reason


async def test_past_its_grace_a_node_denies_until_it_hears_something_new(tmp_path, control):
    control.publish(ONE)
    recorded, real = control.newest(ago_ms=8 * DAY), control.newest
    control.head = lambda: None
    async with member(bench(tmp_path, bundle=None), control, ONE, at=now_ms() - 8 * DAY) as here:
        await here.beats(2)
        await here.book.look()
        assert (here.book.alone, looking(here)) == (True, "because")  # nobody ever told: what was installed stands
        await here.store.heard(1, digest(ONE), now_ms() - 8 * DAY)
        await here.book.look()
        assert (here.book.alone, looking(here)) == (False, "policy_stale")
        for head in (recorded, real(ago_ms=-DAY), real(by=STRANGER)):
            before = here.said("bundle_head_refused")
            control.head = lambda h=head: h
            await here.beats()
            await until(lambda b=before: here.said("bundle_head_refused") > b)
            await here.book.look()
            assert looking(here) == "policy_stale"
        control.head = real
        await here.beats()
        await until(lambda: here.said("ok"))

        async def may():
            await here.book.look()
            return looking(here) == "because"

        await until(may)
        heard = (await here.store.newest()).heard_at
        control.head = lambda: real(ago_ms=60_000)
        before = here.said("bundle_head_refused")
        await here.beats()
        await until(lambda: here.said("bundle_head_refused") > before)
        assert (await here.store.newest()).heard_at >= heard
        assert (await here.store.stated()).stated_at >= heard
