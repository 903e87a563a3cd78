"""The control plane's store does the same on SQLite and PostgreSQL: casework, numbers, outbox, nonces, answers."""

import asyncio

import pytest

from control_plane.core.errors import (
    Conflict,
    KeyReused,
    NotRegisteredYet,
    OwnProposal,
    PseudonymClaimed,
    RosterMissing,
)
from control_plane.core.events import EventData
from control_plane.core.four_eyes import Proposal
from control_plane.core.paging import START, Position
from control_plane.storage import answers, cases, events, hooks, nodes, principals, registrations
from control_plane.storage.rosters import StoredNonces
from control_plane.usecases import casework, once, people
from control_plane.usecases.roster_keeper import RosterKeeper
from shared import wire
from shared.crypto.signing import fingerprint
from shared.roster import ControlPlane, root_fingerprint
from shared.wire import Beat, Health, Place, RecallNotice
from tests.support.control import Officers
from tests.support.control_store import commands, notice, store, stored_events
from tests.support.node_double import NodeDouble
from tests.support.trust import NODE, PLACES, drawn

__all__ = ["store"]


async def test_a_case_opens_asks_and_finishes(store):
    with pytest.raises(NotRegisteredYet):
        async with store.work() as work:
            await casework.open_erasure(work, drawn("subject"), "objection", "dpo")
    async with store.work() as work:
        assert await registrations.register(work.t, "eu", [drawn("subject"), drawn("other")], 1) == []
        assert await registrations.register(work.t, "eu", [drawn("subject")], 2) == []
        assert await registrations.register(work.t, "ap", [drawn("subject"), drawn("new")], 3) == [drawn("subject")]
        case = await casework.open_erasure(work, drawn("subject"), "objection", "dpo")
    (command,) = await commands(store, "eu")
    receipt = wire.Receipt(
        command=command.id,
        case=case.id,
        node="eu",
        kind="erase",
        started_at=1,
        finished_at=2,
        results=(),
        roster_version=1,
        bundle=None,
        provider="file",
    )
    push = wire.ReceiptPush(protocol=1, envelope=wire.sign_receipt(NODE, receipt), places=PLACES)
    for fresh in (True, False):
        async with store.work() as work:
            assert await casework.take_receipt(work, "eu", push, receipt) is fresh
    closing = await commands(store, "ap")
    assert [each.cursor for each in closing] == [2, 3]
    for each in closing:
        done = wire.Receipt(**fields(receipt) | {"command": each.id, "node": "ap", "kind": "close_view"})
        async with store.work() as work:
            signed = wire.ReceiptPush(protocol=1, envelope=wire.sign_receipt(NODE, done))
            await casework.take_receipt(work, "ap", signed, done)
    async with store.database.read() as t:
        finished = await cases.find(t, case.id)
        assert finished is not None
        assert finished.state == "finished"
        assert [place.owed for place in await cases.places(t, case.id)] == [0, 0]
        first = await cases.receipts(t, case.id, START, 2)
        rest = await cases.receipts(t, case.id, Position(first[-1].accepted_at, first[-1].command), 2)
        assert len({each.command for each in (*first, *rest)}) == 3
        assert await cases.unfinished(t) == 0
    assert await stored_events(store) == ["case.opened", *["case.receipt"] * 3, "case.finished"]


async def test_notices_are_taken_once(store):
    recall = RecallNotice(protocol=1, recall=drawn("recall"), at=5, disclosed_to=PLACES)
    for _ in range(2):
        async with store.work() as work:
            await casework.take_case(work, "eu", notice(places=(Place("ap", (drawn("1"),)),)))
            await casework.take_recall(work, "eu", recall)
    assert len(await commands(store, "ap")) == 1 + sum(len(place.disclosures) for place in PLACES)
    assert await commands(store, "eu") == []
    async with store.database.read() as t:
        assert (await nodes.owed(t))["eu"] == 1
        assert {row.kind for row in await cases.page(t, START, "open", "any", 10)} == {"erasure", "recall"}
        assert len(await cases.page(t, START, "any", "recall", 10)) == 1
    with pytest.raises(Conflict):
        async with store.work() as work:
            await casework.take_case(work, "ap", notice(pseudonym=drawn("third")))


async def test_a_failed_piece_of_work_leaves_nothing(store):
    with pytest.raises(PseudonymClaimed):
        await _opened_then_refused(store)
    assert await stored_events(store) == []
    async with store.database.read() as t:
        assert await cases.find(t, drawn("case")) is None


async def _opened_then_refused(store):
    async with store.work() as work:
        await casework.take_case(work, "eu", notice())
        await casework.take_case(work, "ap", notice(case=drawn("another")))


async def test_numbers_follow_each_other_however_many_write(store):
    async def one(number: int) -> None:
        async with store.work() as work:
            await casework.take_recall(
                work,
                "eu",
                RecallNotice(protocol=1, recall=drawn(f"r{number}"), at=1, disclosed_to=PLACES),
            )

    await asyncio.gather(*(one(number) for number in range(10)))
    cursors = [each.cursor for each in await commands(store, "ap")]
    assert cursors == list(range(1, len(cursors) + 1))


async def test_a_nonce_is_new_once(store):
    nonces = StoredNonces(store.database)
    assert sum(await asyncio.gather(*(nonces.add("eu", "a" * 32, 10, 5) for _ in range(5)))) == 1
    assert await nonces.add("ap", "a" * 32, 10, 5)
    await nonces.forget(11)
    assert await nonces.add("eu", "a" * 32, 30, 20)


async def test_an_answer_is_given_again_and_forgotten_after_a_day(store):
    ran: list[int] = []

    async def act(_work) -> once.Made:
        ran.append(1)
        return once.Made(201, EventData(case="c"), "minted")

    asked = once.Request("crm", "key", "POST", "/v1/cases", b"{}")
    first = await once.once(store, asked, act)
    assert await once.once(store, asked, act) == first
    assert (first.status, first.body, first.minted) == (201, b'{"case":"c"}', "minted")
    with pytest.raises(KeyReused):
        await once.once(store, asked._replace(body=b"[]"), act)
    await once.once(store, asked._replace(principal="erp"), act)
    await once.once(store, asked._replace(key=None), act)
    assert len(ran) == 3
    async with store.database.write() as t:
        await answers.forget(t, store.clock.now() + answers.KEPT_MS + 1)
    await once.once(store, asked, act)
    assert len(ran) == 4


async def test_events_are_owed_to_hooks_until_they_are_settled(store):
    async with store.work() as work:
        await hooks.add(work.t, "h1", "https://a.example/", "ops", 1)
        await work.tell("roster.accepted", EventData(version=1))
        await hooks.add(work.t, "h2", "https://b.example/", "ops", 1)
        await work.tell("roster.accepted", EventData(version=2))
    now = store.clock.now()
    async with store.work() as work:
        assert await hooks.due(work.t, now) == ["h1", "h2"]
        due = [each for hook in ("h1", "h2") for each in await hooks.claim(work.t, hook, now, now + 10, 10)]
        assert sorted((each.hook, each.event.data.version) for each in due) == [("h1", 1), ("h1", 2), ("h2", 2)]
        assert await hooks.claim(work.t, "h1", now, now + 10, 10) == []
        assert await hooks.due(work.t, now) == []
        await hooks.settle(work.t, due[0], "delivered", "http_200", now)
        assert await hooks.close(work.t, "h2", "gone")
        assert await hooks.waiting(work.t) == 1
        assert await events.forget(work.t, now + 1) == 1
        await hooks.close(work.t, "h1", "removed")
        assert [each.id for each in await hooks.everyone(work.t)] == ["h2"]
        assert await events.forget(work.t, now + 1) == 1


async def test_two_persons_appoint(store):
    async with store.work() as work:
        await people.appoint(work, "ops", "olga", "operator", None)
        await people.appoint(work, "dpo", "omar", "officer", None)
        asked = await people.appoint(work, "new", "nina", "auditor", None)
        assert isinstance(asked, Proposal)
        secret = bytes(32)
        await people.give_token(work, "ops", None, 1, None, "t1", secret)
        actor = await principals.actor(work.t, people.digest(secret), work.now)
        assert actor is not None
        with pytest.raises(OwnProposal):
            await people.decide(work, asked.id, actor._replace(person="nina"), approves=True)
        decided = await people.decide(work, asked.id, actor, approves=True)
        assert await principals.proposals(work.t, START, "approved", 10) == [decided]
        assert await principals.actor(work.t, people.digest(secret), work.now + 60_001) is None
        assert await people.dismiss(work, "ops", actor) is None  # of one's own person
        assert await principals.actor(work.t, people.digest(secret), work.now) is None
        assert {each.name for each in await principals.everybody(work.t) if not each.removed_at} == {"dpo", "new"}
        await people.appoint(work, "ops-two", "oscar", "operator", None)
        leaving = await people.dismiss(work, "dpo", None)
        assert isinstance(leaving, Proposal)
        assert await people.dismiss(work, "dpo", None) == leaving
        assert {each.name for each in await principals.everybody(work.t) if not each.removed_at} == {
            *("dpo", "new", "ops-two")
        }
        await people.decide(work, leaving.id, actor._replace(principal="ops-two", person="oscar"), approves=True)
        assert await people.dismiss(work, "ops-two", None) is None  # nobody is left who could approve


async def test_a_node_falls_silent_once(store):
    beat = Beat(
        protocol=1,
        oldest=1,
        node="eu",
        number=1,
        beat_seconds=2,
        registrations=(),
        health=Health(1, 2, 3, 4, 5, 6),
        roster_version=1,
    )
    async with store.work() as work:
        assert not await nodes.beat(work.t, beat, 1_000)
        assert await nodes.overdue(work.t, 6_999) == 0
        assert await nodes.fall_silent(work.t, 7_001) == ["eu"]
        assert await nodes.fall_silent(work.t, 7_001) == []
        assert await nodes.beat(work.t, beat, 8_000)
        assert (await nodes.seen(work.t))["eu"].refusals == 6
        await nodes.asked(work.t, "eu", 0, 1)
    async with store.work() as work:
        await casework.take_recall(
            work, "ap", RecallNotice(protocol=1, recall=drawn("r"), at=1, disclosed_to=(Place("eu", (drawn("d"),)),))
        )
        assert await nodes.lag(work.t) == {"eu": 1}


def fields(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


async def test_the_same_key_at_once_acts_once(store):
    ran: list[int] = []

    async def act(_work) -> once.Made:
        ran.append(1)
        await asyncio.sleep(0.01)
        return once.Made(201, EventData(case=str(len(ran))))

    asked = once.Request("crm", "key", "POST", "/v1/cases", b"{}")
    answered = await asyncio.gather(*(once.once(store, asked, act) for _ in range(5)))
    assert len(ran) == len(set(answered)) == 1


async def test_of_two_approvers_at_once_one_decides(store):
    async with store.work() as work:
        await people.appoint(work, "ops", "olga", "operator", None)
        await people.appoint(work, "dpo", "omar", "officer", None)
        asked = await people.appoint(work, "new", "nina", "auditor", None)
        assert isinstance(asked, Proposal)

    async def approve(principal, person):
        async with store.work() as work:
            actor = principals.Actor(principal, person, "officer", "t", frozenset({"proposals:decide"}))
            return await people.decide(work, asked.id, actor, approves=True)

    done = await asyncio.gather(approve("ops", "olga"), approve("dpo", "omar"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict", "Proposal"]
    assert await stored_events(store) == ["proposal.opened", "proposal.decided"]


async def test_whoever_is_told_of_a_roster_is_known_by_it_from_then_on(store):
    """Another process put it in force: a node that hears of it asks here at once."""
    hub, node = (NodeDouble(name, "http://127.0.0.1:1", None) for name in ("hub", "eu"))
    officers = Officers(ControlPlane("http://127.0.0.1:1", hub.keys.public, fingerprint(hub.keys.public)))
    signed = officers.take_in(node.introduction)
    here, there = (RosterKeeper(store, "http://127.0.0.1:1", hub.keys.public) for _ in range(2))
    await here.refresh()
    with pytest.raises(RosterMissing):
        await here.following(0)
    await there.put(signed, root=root_fingerprint(signed.roster))
    assert here.key_of("eu") is None
    assert (await here.following(0)).roster.version == signed.roster.version
    assert here.key_of("eu") == node.keys.public.ed25519
