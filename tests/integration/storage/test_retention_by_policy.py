"""How long what is kept is policy's to say: by class of data and law; settings shorten, a bundle changes it at once."""

import asyncio

from edge_node.core.classes import RESTING, mask_of
from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.sweeps import laws_here
from edge_node.usecases.governing.rejudging import Rejudger
from edge_node.usecases.letting_go import retention
from shared.clock import DAY
from shared.message import Status
from shared.policy.bundling import digest
from tests.support.governed import govern, kept_for, laws_of, of_law, take_at
from tests.support.house_policy import open_policy, rule
from tests.support.keeping import sweep
from tests.support.stores import message, person

ANN, BEN, CAT = person(1, phone=11), person(2, phone=22), person(3, phone=33)


def status(number: int, recipient) -> Status:
    """Give a status of a message sent."""
    return Status(channel="whatsapp", via="3", at=5, recipient=recipient, message_id=f"wamid.{number}", status="read")


async def statuses(node) -> list[int]:
    """Give the subjects of the statuses that are left, by their order."""
    return [row[0] for row in await node.rows("SELECT subject FROM event WHERE keep = 'active' ORDER BY subject")]


async def test_each_law_has_its_period_and_settings_only_shorten(open_bench):
    rules = (
        kept_for("all", at_most="400 days"),
        kept_for("eu", at_most="30 days", subjects=("EU",), classes=("message_text",)),
        kept_for("vn", at_least="24 months", at_most="26 months", subjects=("VN",), classes=("delivery_metadata",)),
    )
    async with open_bench() as node:
        now = node.stores.clock.now()
        people = (ANN, BEN, CAT)
        for number, (age, each) in enumerate((age, each) for age in (20, 100, 500, 900) for each in people):
            await take_at(node, now - age * DAY, message(number, each, f"{age}"), status(number, each))
        for place, code in enumerate(("EU", "VN", ""), 1):
            await of_law(node, place, code)
        await govern(node, open_policy(rules))
        metrics = Metrics()
        assert await sweep(node, metrics=metrics) == 7 + 5
        # Of a year and more nothing; of 100 days the European's goes; whose law is not known has the node's own.
        assert await node.texts() == ["100", "100", "20", "20", "20"]
        assert await statuses(node) == [1, 1, 2, 2, 2, 3, 3]
        assert await sweep(node, ("message", 50), ("status", 50)) == 2 + 2
        assert await node.texts() == ["20", "20", "20"]
        # What a law asks for at least is kept, whatever the settings say.
        assert await statuses(node) == [1, 2, 2, 2, 3]
        overdue = metrics.keeping.overdue.labels("status")
        assert overdue._value.get() == 0
        await node.check_keys()


async def test_a_bundle_changes_every_period_at_once(open_bench, monkeypatch):
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.01)
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 40 * DAY, message(1, ANN, "old"), message(2, BEN, "old, too"))
        await take_at(node, now - DAY, message(3, ANN, "new"))
        await of_law(node, 1, "EU")
        await of_law(node, 2, "VN")
        await govern(node, open_policy([kept_for("all", at_most="60 days")]))
        await node.duties.ensure()
        sweeper = node.sweeper()
        sweeper.start()
        try:
            await asyncio.sleep(0.2)
            assert await node.rows("SELECT count(*) FROM log_entry") == [(0,)]
            await govern(
                node,
                open_policy([kept_for("all", at_most="30 days"), kept_for("vn", at_least="35 days", subjects=("VN",))]),
            )
            await node.duties.ensure()
            for _ in range(100):
                await node.remove()
                if await node.texts() == ["new"]:
                    break
                await asyncio.sleep(0.05)
        finally:
            await sweeper.stop()
        assert await node.texts() == ["new"]
        names = await node.rows("SELECT class FROM retention_progress WHERE class LIKE 'message%'")
        assert len(names) == 2


async def test_a_policy_that_does_not_know_the_node_lets_nothing_go(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "old"))
        await govern(node, open_policy([kept_for("all", at_most="30 days")], {"eu": "EU"}))
        assert await sweep(node) == 0
        await of_law(node, 1, "XX")
        assert await sweep(node) == 0
        assert await node.texts() == ["old"]
        # What the settings say still holds.
        assert await sweep(node, ("message", 365)) == 1


async def test_what_may_not_be_kept_here_is_restricted_and_not_destroyed(open_bench):
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 30 * DAY, message(1, ANN, "one"), status(1, ANN), message(2, BEN, "two"))
        await take_at(node, now - 800 * DAY, message(3, ANN, "long ago"))
        await govern(node, open_policy([rule("not-kept", "deny", operations=("retain",), subjects=("ID",))]))
        assert await sweep(node) == 0
        rejudger = Rejudger(
            *(node.content, node.keys, node.judge, lambda _: None, Lease(node.content, "judging", "me", 60_000)),
            *(Metrics(), node.stores.clock),
            busy=lambda: False,
        )
        await rejudger.all()
        assert await node.rows("SELECT restricted FROM subject ORDER BY id") == [(mask_of(RESTING),)] * 2
        # It is listed, and goes by the settings: moving it to where it may rest comes with propagation.
        assert await sweep(node, ("message", 365)) == 1
        assert await node.texts() == ["one", "two"]
        await govern(node, open_policy())
        await rejudger.all()
        assert await node.rows("SELECT restricted FROM subject ORDER BY id") == [(0,)] * 2


async def test_a_law_keeps_what_another_one_wants_gone(open_bench):
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 30 * DAY, message(1, ANN, "one"), status(1, ANN))
        await take_at(node, now - 800 * DAY, status(2, ANN))
        await of_law(node, 1, "VN")
        await govern(node, laws_of("VN", rules=[kept_for("all", at_most="10 days")]))
        await node.duties.ensure()
        assert await sweep(node) == 2
        assert await node.texts() == []
        assert await node.rows("SELECT received_at FROM event") == [(now - 30 * DAY,)]


async def test_nothing_goes_by_a_bundle_whose_duties_the_store_does_not_know_yet(open_bench, monkeypatch):
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.01)
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 30 * DAY, message(1, ANN, "one"), status(1, ANN))
        await of_law(node, 1, "VN")
        sweeper = node.sweeper()
        # One look sees a shorter period and a law that keeps; the process that writes duties comes a moment later.
        await govern(node, laws_of("VN", rules=[kept_for("all", at_most="10 days")]))
        assert await sweeper.once() == 0
        sweeper.start()
        try:
            await asyncio.sleep(0.2)
            await node.remove()
            assert await node.texts() == ["one"]
            await node.duties.ensure()
            for _ in range(100):
                await node.remove()
                if not await node.texts():
                    break
                await asyncio.sleep(0.05)
        finally:
            await sweeper.stop()
        await node.remove()
        assert await node.texts() == []
        assert await node.rows("SELECT kind, keep FROM event") == [("status", "active")]


async def test_of_several_laws_the_strictest_counts(open_bench):
    rules = (
        kept_for("eu", at_most="30 days", subjects=("EU",), classes=("message_text",)),
        kept_for("us", at_most="90 days", subjects=("US-CA",), classes=("message_text",)),
    )
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 40 * DAY, message(1, ANN, "one"), message(2, BEN, "two"))
        await of_law(node, 1, "", "EU US-CA")
        await of_law(node, 2, "US-CA")
        await govern(node, open_policy(rules))
        assert await sweep(node) == 1
        assert await node.texts() == ["two"]


async def test_rows_of_a_longer_period_are_read_once_a_day(open_bench, monkeypatch):
    monkeypatch.setattr("edge_node.storage.content.retention.WINDOW_ROWS", 8)
    rules = (
        kept_for("all", at_most="400 days"),
        kept_for("eu", at_most="30 days", subjects=("EU",), classes=("message_text",)),
    )
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 100 * DAY, *(message(number, ANN, "long") for number in range(60)))
        await take_at(node, now - 99 * DAY, message(100, BEN, "short"))
        await of_law(node, 1, "VN")
        await of_law(node, 2, "EU")
        await govern(node, open_policy(rules))
        assert await sweep(node) == 1
        assert await node.texts() == ["long"] * 60
        cursor = await node.rows("SELECT received_at FROM retention_progress WHERE class LIKE 'message@%30 days'")
        assert cursor == [(now - 99 * DAY,)]
        # A law that changes is seen with the next pass.
        await of_law(node, 1, "EU")
        assert await sweep(node) == 0
        day_before = "UPDATE retention_progress SET began_at = began_at - :day, swept_at = swept_at - :day"
        async with node.content.write() as transaction:
            await transaction.execute(day_before, {"day": DAY})
        assert await sweep(node) == 60


async def test_the_laws_of_everybody_here_are_found_by_the_index(open_bench):
    async with open_bench() as node:
        assert await laws_here(node.content) == [""]
        await node.take(*(message(number, person(number + 1), "x") for number in range(6)))
        for place, (code, others) in enumerate(
            [("EU", ""), ("EU", "GB"), ("", "GB JE"), ("", "GB JE"), ("", ""), ("VN", "")], 1
        ):
            await of_law(node, place, code, others)
        assert await laws_here(node.content) == ["", "EU", "GB JE", "VN"]


async def test_by_which_answer_something_was_let_go_is_on_record(open_bench):
    rules = (
        kept_for("all", at_most="400 days"),
        kept_for("eu", at_most="30 days", subjects=("EU",), classes=("message_text",)),
    )
    async with open_bench() as node:
        now = node.stores.clock.now()
        await take_at(node, now - 40 * DAY, message(1, ANN, "one"), message(2, ANN, "two"), message(3, BEN, "three"))
        await take_at(node, now - 500 * DAY, status(1, BEN))
        await of_law(node, 1, "EU")
        await of_law(node, 2, "", "VN KR")
        bundle = await govern(node, open_policy(rules))
        assert await sweep(node) == 3
        await node.policy.write()
        said = "SELECT data_class, subject, outcome, rule, bundle, times FROM decision WHERE operation = 'retain'"
        assert sorted(await node.rows(said)) == [
            ("delivery_metadata", "KR", "allow", "all", digest(bundle), 1),
            ("delivery_metadata", "VN", "allow", "all", digest(bundle), 1),
            ("message_text", "EU", "allow", "all", digest(bundle), 2),
        ]
        # A sweep that lets nothing go says nothing.
        assert await sweep(node) == 0
        await node.policy.write()
        assert len(await node.rows(said)) == 3
