"""What a law denies does not leave for the control plane: not registered, not told; said so; told once it may be."""

import pytest

from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.border import Border, read_withheld
from edge_node.usecases.governing.policy_taking import take_over
from shared import wire
from shared.message import Identifier, Person
from tests.integration.uplink.conftest import enrolled, running, until
from tests.support.control_double import control_double
from tests.support.house_policy import FIRST, bundle_of, open_policy, rule, signed_bundle
from tests.support.stores import bench, message, person
from tests.support.trust import drawn

HERE = person(1)
LIN = Person((Identifier("whatsapp_user", "SG.7"),))
NOT_OF_SINGAPORE = rule(
    "stay-in-singapore",
    "deny",
    operations=("transfer",),
    subjects=("SG",),
    classes=("pseudonym",),
    purposes=("coordination",),
    reason="stays",
)


@pytest.fixture
def control():
    """Give a running control plane."""
    with control_double() as made:
        yield made


async def joined(node, control):
    """Take in two people of two laws at an enrolled node; give their pseudonyms."""
    await enrolled(node, control)
    control.take_in("eu")
    await node.take(message(1, HERE, "one"), message(2, LIN, "two"))
    laws = await node.rows("SELECT jurisdiction, pseudonym FROM subject ORDER BY jurisdiction")
    assert [law for law, _ in laws] == ["ID", "SG"]
    return [name for _, name in laws]


async def test_who_may_not_be_registered_is_not_and_is_when_the_policy_lets_it(tmp_path, control):
    first = bundle_of(open_policy([NOT_OF_SINGAPORE]))
    async with bench(tmp_path, bundle=first) as node:
        one, two = await joined(node, control)
        async with running(node, control):
            await until(lambda: len(control.of(wire.Beat)) > 2)
            assert one in control.pseudonyms
            assert two not in control.pseudonyms
            (withheld,) = await read_withheld(node.content, node.policy)
            assert (withheld.what, withheld.reason, withheld.count) == ("registrations", "stays", 1)
            second = signed_bundle(bundle_of(open_policy(), first))
            await take_over(PolicyStore(node.content), second, FIRST, node.stores.clock.now())
            await node.policy.look()
            await until(lambda: two in control.pseudonyms)
        await node.policy.write()
        rows = await node.rows("SELECT subject, outcome, rule FROM decision WHERE data_class = 'pseudonym'")
        assert {("SG", "deny", "stay-in-singapore"), ("SG", "allow", "all-asked")} <= set(rows)


async def test_a_case_that_may_not_be_told_stays_and_who_was_shown_is_told_instead(tmp_path, control):
    async with bench(tmp_path, bundle=bundle_of(open_policy([NOT_OF_SINGAPORE]))) as node:
        _, two = await joined(node, control)
        async with node.content.write() as transaction:
            await transaction.execute(
                "INSERT INTO disclosure (id, node, subject, purpose, view, at) "
                "SELECT CAST(:id AS TEXT), 'ap', id, 'audit', 'v', 1 FROM subject WHERE pseudonym = :name",
                {"id": drawn("d1"), "name": two},
            )
        case, _ = await node.eraser.open_case(two, "subject_request")
        async with running(node, control) as here:
            await until(lambda: control.of(wire.RecallNotice))
            await until(lambda: node.rows("SELECT 1 FROM outbox WHERE kind = 'receipt'"))
            await until(lambda: node.rows("SELECT 1 FROM outbox WHERE kind = 'receipt' AND withheld = 'case_kept'"))
            assert here.uplink._metrics.registry.get_sample_value(
                "homeport_edge_policy_withheld", {"what": "case", "reason": "stays"}
            )
        (notice,) = control.of(wire.RecallNotice)
        assert (notice.recall, notice.disclosed_to) == (case, (wire.Place("ap", (drawn("d1"),)),))
        assert control.of(wire.CaseNotice) == control.of(wire.ReceiptPush) == []
        assert all(two.encode() not in body for body in control.bodies)
        assert await CommandStore(node.content).withheld() == [("case", "stays", 1), ("receipt", "case_kept", 1)]


async def test_a_receipt_is_asked_for_by_the_law_of_whom_it_is_about(tmp_path, control):
    of = {"operations": ("transfer",), "subjects": ("SG",), "classes": ("evidence",)}
    deny = rule("no-receipts", "deny", reason="stays", **of)
    async with bench(tmp_path, bundle=bundle_of(open_policy([deny]))) as node:
        one, two = await joined(node, control)
        allowed = control.command("erase", wire.SubjectTarget(one))
        denied = control.command("erase", wire.SubjectTarget(two))
        async with running(node, control):
            await until(lambda: control.receipts)
            await until(lambda: node.rows("SELECT 1 FROM outbox WHERE withheld = 'stays'"))
        assert set(control.receipts) == {allowed.id}
        assert control.receipts[allowed.id].bundle == node.policy.in_force.kept.hash
        assert await node.rows("SELECT id FROM outbox WHERE withheld <> ''") == [(f"receipt-{denied.id}",)]
        assert await DisclosurePlaces(node.content).of_subject(2) == ()


async def test_a_node_whose_state_may_not_leave_says_nothing_and_goes_on_reading_rosters(tmp_path, control):
    deny = rule("silent", "deny", operations=("transfer",), classes=("operational",), reason="silent")
    first = bundle_of(open_policy())
    async with bench(tmp_path, bundle=first) as node:
        await joined(node, control)
        second = signed_bundle(bundle_of(open_policy([deny]), first))
        await take_over(PolicyStore(node.content), second, FIRST, node.stores.clock.now())
        await node.policy.look()
        async with running(node, control):
            await until(lambda: len(control.asked_rosters) > 3)
        assert control.of(wire.Beat) == control.of(wire.CommandAsk) == []
        assert ("health", "silent") in {
            (each.what, each.reason) for each in await read_withheld(node.content, node.policy)
        }


async def test_without_a_bundle_only_a_nodes_own_state_leaves(tmp_path, control):
    async with bench(tmp_path, bundle=None) as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, HERE, "one"))
        async with running(node, control):
            await until(lambda: len(control.of(wire.Beat)) > 1)
        assert control.pseudonyms == set()
        border = Border(node.policy)
        assert border.ask(wire.CommandAsk, "eu-test").decision.reason == "own_state_unasked"
        assert border.ask(wire.ReceiptPush, "eu-test", "EU").decision.reason == "policy_missing"


async def test_where_nobody_said_where_the_control_plane_stands_nothing_of_a_person_leaves(tmp_path):
    async with bench(tmp_path) as node:
        border = Border(node.policy)
        assert border.ask(wire.Beat, None).allowed
        for message_type in (wire.CaseNotice, wire.ReceiptPush, wire.RecallNotice):
            assert border.ask(message_type, None, "EU").decision.reason == "region_unknown"
        assert not border.ask(wire.Accepted, "eu-test", "EU").allowed
