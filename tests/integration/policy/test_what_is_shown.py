"""Whatever is shown or used is decided by the policy alone; on record with rule and bundle."""

import asyncio

import msgspec
import pytest
from click.testing import CliRunner

from edge_node.assembly import assemble_replier
from edge_node.commands import edge
from edge_node.core.conditions import UNMET
from edge_node.core.stated import Met
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.accounts import state
from edge_node.usecases.governing.policy_taking import take_over
from edge_node.usecases.lookup import find_people
from shared.errors.policy import PolicyDenies
from shared.errors.relay import ShowingRefused
from shared.errors.replying import ReplyImpossible
from shared.message import Identifier, Media, Person
from tests.integration.policy.watched import ANN, ASKED, decided, filled, owes, said_now, texts
from tests.support.house_policy import FIRST, bundle_of, open_policy, rule, signed_bundle
from tests.support.loop import Loop
from tests.support.media import Files, media_desk, picture
from tests.support.policies import platform
from tests.support.stores import ACCOUNT, bench, message


@pytest.mark.parametrize("operation", ASKED)
async def test_a_deny_of_the_policy_refuses_and_names_its_rule(tmp_path, operation):
    deny = rule("not-to-europe", "deny", operations=(operation,), askers=("eu-region",), reason="stays")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises(ShowingRefused) as caught:
            await loop.viewer.open("ap", name, "complaint")
        assert caught.value.details == {"rule": "policy_denied", "policy_rule": "not-to-europe"}
        assert await node.rows("SELECT count(*) FROM disclosure") == [(0,)]
        noted = [row for row in await decided(node, operation) if row[0] == "message_text"]
        assert noted == [("message_text", "complaint", "ID", "eu-region", "agent", "deny", "not-to-europe", "stays", 1)]


async def test_a_role_travels_and_decides(tmp_path):
    deny = rule("no-agents", "deny", operations=("view",), roles=("agent",))
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises(ShowingRefused):
            await loop.viewer.open("ap", name, "complaint")
        page = await loop.viewer.open("ap", name, "complaint", "supervisor")
        assert page.shown == 2
        view = await loop.views.find(page.view)
        assert await loop.viewer.follow(view)
        assert not await loop.viewer.follow(view._replace(role="agent"))
        assert await node.rows("SELECT DISTINCT role FROM disclosure") == [("supervisor",)]


async def test_the_stricter_form_wins_and_the_record_says_why_and_until_when(tmp_path):
    made = bundle_of(open_policy([owes("masked-abroad", form="masked", mask=("numbers",), log_for="3 years")]))
    async with bench(tmp_path, bundle=made) as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        assert page.form == "masked"
        assert texts(await loop.said(page.view)) == ["call ••• ••• ••• •••", "thank you"]
        hash_, now = node.policy.in_force.kept.hash, node.stores.clock.now()
        rows = await node.rows("SELECT form, rule, bundle, kept_until FROM disclosure")
        assert {row[:3] for row in rows} == {("masked", "all-asked", hash_)}
        assert all(1_094 * 86_400_000 < row[3] - now < 1_097 * 86_400_000 for row in rows)


async def test_a_record_stays_as_long_as_the_rule_that_allowed_it_asks(tmp_path):
    made = bundle_of(open_policy([owes("on-record", log_for="3 years")]))
    async with bench(tmp_path, bundle=made) as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        await loop.viewer.close(page.view)
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE disclosure SET closed_at = 1")
        sweeper = node.sweeper(("disclosure", 8))
        await sweeper.once()
        assert await node.rows("SELECT count(*) FROM disclosure") == [(2,)]
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE disclosure SET kept_until = 5")
        await sweeper.once()
        assert await node.rows("SELECT count(*) FROM disclosure") == [(0,)]


async def test_what_of_a_class_may_not_be_shown_is_left_out(tmp_path):
    deny = rule("no-pictures", "deny", operations=("transfer",), classes=("media",), reason="stay")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        pictures = [picture(10 + number, ANN, "a", at=100 + number) for number in range(60)]
        name, loop = await filled(node, *pictures), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        assert (page.shown, page.more) == (2, False)
        assert texts(await loop.said(page.view)) == ["call +62 811 000 111", "thank you"]
        assert await node.rows("SELECT count(*) FROM disclosure") == [(2,)]
        assert ("media", "no-pictures", "deny", 60) in {
            (row[0], row[6], row[5], row[8]) for row in await decided(node, "transfer")
        }


@pytest.mark.parametrize("node_name", ["ap", None])
async def test_where_nothing_that_is_there_may_be_shown_the_view_is_refused(tmp_path, node_name):
    deny = rule("no-words", "deny", operations=("view",), classes=("message_text",), reason="no_words")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises((ShowingRefused, PolicyDenies)) as caught:
            await loop.viewer.open(node_name, name, "complaint")
        assert "no-words" in caught.value.details.values()
        assert await node.rows("SELECT count(*) FROM view") == [(0,)]


async def test_what_wants_a_second_person_is_refused_and_on_record_as_a_no(tmp_path):
    made = bundle_of(open_policy([owes("for-two", second_approver=("officer",))]))
    async with bench(tmp_path, bundle=made) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises(ShowingRefused) as caught:
            await loop.viewer.open("ap", name, "complaint")
        assert caught.value.details["rule"] == "second_approver_needed"
        assert {row[5:8:2] for row in await decided(node, "view")} == {("deny", "second_approver_needed")}


async def test_an_open_view_is_told_no_more_when_the_policy_changes(tmp_path):
    first = bundle_of(open_policy())
    async with bench(tmp_path, bundle=first) as node:
        name, loop = await filled(node), Loop(node)
        page = await loop.viewer.open("ap", name, "complaint")
        view = await loop.views.find(page.view)
        deny = rule("stopped", "deny", operations=("view",), reason="stopped")
        second = signed_bundle(bundle_of(open_policy([deny]), first))
        await take_over(PolicyStore(node.content), second, FIRST, node.stores.clock.now())
        assert await loop.viewer.follow(view) is True
        await node.policy.look()
        assert await loop.viewer.follow(view) is False
        assert await said_now(loop, page.view) == [None, None]


async def test_a_node_that_may_not_ask_does_not(tmp_path):
    deny = rule("no-questions", "deny", operations=("transfer",), classes=("pseudonym",), reason="stays")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name, loop = await filled(node), Loop(node)
        asked = []
        loop.ask = lambda *words: asked.append(words)
        with pytest.raises(PolicyDenies) as caught:
            await loop.viewer.open("ap", name, "complaint")
        assert caught.value.details == {"reason": "stays", "rule": "no-questions"}
        assert asked == []
        assert await node.rows("SELECT count(*) FROM view") == [(0,)]


async def test_a_desk_here_is_asked_for_its_role_too_and_sees_what_it_may(tmp_path):
    rules = [
        rule("no-operators", "deny", operations=("view",), roles=("operator",)),
        rule("no-pictures", "deny", operations=("view",), classes=("media",), roles=("agent",)),
        owes("auditors-see-little", operations=("view",), form="metadata"),
    ]
    rules[2] = msgspec.structs.replace(rules[2], roles=("auditor",))
    async with bench(tmp_path, bundle=bundle_of(open_policy(rules))) as node:
        name, loop = await filled(node, picture(9, ANN, "a", at=9)), Loop(node)
        with pytest.raises(PolicyDenies) as caught:
            await loop.viewer.open(None, name, "customer_service", "operator")
        assert caught.value.details["rule"] == "no-operators"
        page = await loop.viewer.open(None, name, "customer_service")
        assert (page.shown, page.form) == (2, "full")
        assert texts(await loop.said(page.view)) == ["call +62 811 000 111", "thank you"]
        page = await loop.viewer.open(None, name, "customer_service", "auditor")
        assert (page.shown, page.form) == (3, "metadata")
        assert texts(await loop.said(page.view)) == [None] * 3
        assert {row[3] for row in await decided(node, "view")} == {"id-test"}


@pytest.mark.parametrize("node_name", ["ap", None])
async def test_restricted_records_are_shown_to_no_desk(tmp_path, node_name):
    async with bench(tmp_path) as node:
        name, loop = await filled(node), Loop(node)
        own = await loop.viewer.open(None, name, "complaint")
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE subject SET restricted = 255")
        with pytest.raises((ShowingRefused, PolicyDenies)) as caught:
            await loop.viewer.open(node_name, name, "complaint")
        assert "restricted" in caught.value.details.values()
        assert await said_now(loop, own.view) == [None, None]
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE subject SET restricted = 0, keep = 'restricted'")
        assert await said_now(loop, own.view) == [None, None]
        assert ("restricted", "deny") in {(row[7], row[5]) for row in await decided(node, "view")}


async def test_without_a_bundle_nothing_is_shown(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises(PolicyDenies) as caught:
            await loop.viewer.open("ap", name, "complaint")
        assert caught.value.details["reason"] == "policy_missing"
        with pytest.raises(PolicyDenies):
            await loop.viewer.open(None, name, "complaint")


async def test_a_search_asks_for_the_place_and_for_each_person_found(tmp_path):
    deny = rule("not-of-singapore", "deny", operations=("process",), subjects=("SG",), classes=("identifier",))
    lin = Person((Identifier("whatsapp_user", "SG.7"), Identifier("whatsapp_phone", "6581234567")))
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name = await filled(node, message(5, lin, "hello"))
        rest = (None, "subject_request", node.policy, node.stores.clock)
        assert await find_people(node.content, node.keys, node.stores.accounts, "ID.1", *rest) == [name]
        with pytest.raises(PolicyDenies) as caught:
            await find_people(node.content, node.keys, node.stores.accounts, "+6581234567", *rest)
        assert caught.value.details["rule"] == "not-of-singapore"
        hash_ = node.policy.in_force.kept.hash
        assert await node.rows("SELECT purpose, found, pseudonym, rule, bundle FROM lookup") == [
            ("subject_request", 1, name, "all-at-home", hash_)
        ]
        assert {row[2] for row in await decided(node, "process")} == {"ID", "SG"}


async def test_a_file_that_may_not_rest_here_is_withheld_and_not_asked_for(tmp_path):
    deny = rule("no-media", "deny", operations=("store",), classes=("media",), reason="not_here")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        source = Files(a=b"\xff\xd8\xff" + bytes(64))
        desk = await media_desk(node, source)
        await node.take(picture(1, ANN, "a"))
        await desk.fetcher.once()
        assert await node.rows("SELECT state, code FROM media_fetch") == [("withheld", "policy_denied")]
        assert not source.asked
        assert isinstance(picture(1, ANN, "a").content, Media)


async def test_an_answer_that_may_not_be_given_is_not_sent(tmp_path):
    deny = rule("not-to-be-used", "deny", operations=("process",), classes=("message_text",), reason="unused")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        replier = await assemble_replier(node.stores)
        with pytest.raises(PolicyDenies) as caught:
            await replier.reply(await filled(node), "hello")
        assert caught.value.details == {"reason": "unused", "rule": "not-to-be-used"}
        await replier.policy.write()
        rows = await node.rows("SELECT purpose, subject, outcome FROM decision WHERE operation = 'process'")
        assert rows == [("customer_service", "ID", "deny")]


async def test_nobody_is_answered_over_an_account_that_lacks_what_its_platform_asks_for(tmp_path):
    asked = platform("whatsapp", "notice_given", operations=("process",))
    made = msgspec.structs.replace(open_policy(), platforms=(asked,))
    async with bench(tmp_path, bundle=bundle_of(made)) as node:
        replier = await assemble_replier(node.stores)
        name, accounts = await filled(node), node.stores.accounts
        with pytest.raises(PolicyDenies) as caught:
            await replier.reply(name, "hello")
        assert caught.value.details == {"reason": UNMET, "rule": "none"}
        await state(accounts, ACCOUNT.name, "notice_given", Met("notice_given", "Ada, DPO", 1_000))
        with pytest.raises(ReplyImpossible):  # it may be given; what was written lies too far back
            await replier.reply(name, "hello")


async def test_what_was_decided_is_listed(tmp_path):
    deny = rule("no-agents", "deny", operations=("view",), roles=("agent",), reason="no_agents")
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises(PolicyDenies):
            await loop.viewer.open(None, name, "complaint")
        page = await loop.viewer.open(None, name, "complaint", "supervisor")
        await loop.said(page.view)
        await node.policy.write()
        chosen = node.stores.settings
    config = tmp_path / "node.toml"
    config.write_text(
        f'region = "{chosen.region}"\ndata_dir = "{chosen.data_dir}"\njournal_dir = "{chosen.journal_dir}"\n'
    )

    async def told(*words):
        asked = ["policy", "decisions", "--config", str(config), *words]
        done = await asyncio.to_thread(CliRunner().invoke, edge, asked)
        assert done.exit_code == 0, done.output
        return done.output

    everything = await told()
    assert "no-agents" in everything
    assert "all-asked" in everything
    assert "no-agents" in await told("--reason", "no_agents")
    assert "all-asked" not in await told("--denied")
    assert (await told("--since", "2100-01-01")).startswith("0 answers")
