"""What a desk is shown rests where the policy lets it, in copies too, and is seen no longer than it says."""

import msgspec
import pytest

from edge_node.assembly import assemble_replier
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.policy_taking import take_over
from shared.database.contract import Step
from shared.errors.policy import PolicyDenies
from shared.errors.relay import ShowingRefused
from shared.policy.model import Obligations
from tests.integration.policy.watched import ANN, decided, filled, said_now, texts
from tests.support.house_policy import FIRST, bundle_of, open_policy, rule, signed_bundle
from tests.support.loop import Loop
from tests.support.media import picture
from tests.support.stores import bench


@pytest.mark.parametrize("classes", [("media",), "any"])
async def test_no_copy_is_kept_of_what_the_policy_here_does_not_let_rest(tmp_path, classes):
    words = {"operations": ("store",), "purposes": ("complaint",), "classes": classes}
    deny = rule("no-copies", "deny", reason="no_copies", **words)
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name, loop = await filled(node, picture(3, ANN, "a", at=3)), Loop(node)
        if classes != "any":
            page = await loop.viewer.open("ap", name, "complaint")
            assert (page.shown, len(texts(await loop.said(page.view)))) == (2, 2)
            await node.take(picture(4, ANN, "b", at=4))
            received = Step("UPDATE message SET received_at = :now WHERE at = 4", [(node.stores.clock.now(),)])
            await node.content.run([received])
            assert await loop.viewer.follow(await loop.views.find(page.view))
            assert await loop.viewer.follow(await loop.views.find(page.view))
            assert await node.rows("SELECT count(*) FROM shown WHERE sealed IS NOT NULL") == [(2,)]
            assert await node.rows("SELECT count(*) FROM disclosure") == [(4,)]
            assert ("no-copies", "deny", 2) in {(row[6], row[5], row[8]) for row in await decided(node, "store")}
        else:
            with pytest.raises(PolicyDenies) as caught:
                await loop.viewer.open("ap", name, "complaint")
            assert caught.value.details == {"reason": "no_copies", "rule": "no-copies"}
            assert await node.rows("SELECT count(*) FROM disclosure") == [(0,)]
        assert await node.rows("SELECT count(*) FROM view") == [(int(classes != "any"),)]


async def test_copies_rest_here_no_longer_than_the_policy_says_whatever_the_settings_say(tmp_path):
    most = rule("a-day", operations=("store",), obligations=Obligations(retain_at_most="1 day"))
    async with bench(tmp_path, bundle=bundle_of(open_policy([most]))) as node:
        name, loop = await filled(node), Loop(node, view_hours=72)
        now = node.stores.clock.now()
        await loop.viewer.open("ap", name, "complaint")
        ((ends,),) = await node.rows("SELECT ends_at FROM view")
        assert 0 <= ends - now - 86_400_000 < 60_000


async def test_a_node_past_its_grace_says_no_more_of_what_it_was_shown(tmp_path):
    async with bench(tmp_path) as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        assert all(await said_now(loop, page.view))
        found = node.policy._in_force
        over = msgspec.structs.replace(found, fresh=found.fresh._replace(until=1))
        node.policy.alone, node.policy._in_force = False, over
        assert await said_now(loop, page.view) == [None, None]


@pytest.mark.parametrize("operation", ["store", "retain"])
@pytest.mark.parametrize("at", ["ap", None])
async def test_what_may_not_rest_here_any_more_is_not_shown_before_it_is_judged_again(tmp_path, operation, at):
    first = bundle_of(open_policy())
    async with bench(tmp_path, bundle=first) as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open(None, name, "complaint")
        deny = rule("gone", "deny", operations=(operation,), subjects=("ID",), purposes=("intake", "retention"))
        second = signed_bundle(bundle_of(open_policy([deny]), first))
        await take_over(PolicyStore(node.content), second, FIRST, node.stores.clock.now())
        await node.policy.look()
        assert await node.rows("SELECT restricted FROM subject") == [(0,)]
        assert await said_now(loop, page.view) == [None, None]
        with pytest.raises((ShowingRefused, PolicyDenies)) as caught:
            await loop.viewer.open(at, name, "complaint")
        assert "restricted" in caught.value.details.values()


async def test_an_answer_that_may_not_rest_here_is_not_sent(tmp_path):
    deny = rule("not-kept", "deny", operations=("retain",), classes=("message_text",))
    first = bundle_of(open_policy())
    async with bench(tmp_path, bundle=first) as node:
        replier, name = await assemble_replier(node.stores), await filled(node)
        second = signed_bundle(bundle_of(open_policy([deny]), first))
        await take_over(PolicyStore(node.content), second, FIRST, node.stores.clock.now())
        await replier.policy.look()
        assert await node.rows("SELECT restricted FROM subject") == [(0,)]
        with pytest.raises(PolicyDenies) as caught:
            await replier.reply(name, "hello")
        assert caught.value.details["reason"] == "restricted"
