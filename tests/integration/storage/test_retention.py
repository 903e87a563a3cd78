"""What has expired goes the way of every removal, in batches; what a hold covers stays; late webhooks stay out."""

import asyncio

from edge_node.metrics import Metrics
from edge_node.storage.content.keeping import AGAIN
from edge_node.storage.keys.destruction import destroy_rows
from edge_node.usecases.letting_go import retention
from shared.clock import DAY
from shared.database.contract import Step
from shared.message import Person, Reaction, Status
from tests.integration.storage.test_attack_remains import remains, traces
from tests.support.keeping import LATER, YEAR, holder, sweep, take_now
from tests.support.stores import bench, edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)


async def message_due(node):
    """Give what a sweep of messages older than a year looks at."""
    due = await node.retaining(YEAR).content_due(node.stores.clock.now())
    return dict(due)["message"]


async def test_what_has_expired_goes_and_what_has_not_stays(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "old"), message(2, BEN, "old, too"), message(3, Person(), "nobody's, old"))
        await take_now(node, message(4, ANN, "new"), message(5, Person(), "nobody's, new"))
        assert await sweep(node) == 0
        assert len(await node.texts()) == 5
        assert await sweep(node, YEAR) == 3
        assert await node.texts() == ["new", "nobody's, new"]
        assert await node.rows("SELECT DISTINCT act, reason, state, mark FROM log_entry") == [
            ("expire", "retention", "done", None)
        ]
        lines = list(node.stores.journal.read())
        assert len(lines) == 3
        assert all(line.act == "expire" and line.key is not None and line.tombstone for line in lines)
        progress = (
            "SELECT received_at > 0, left_over FROM retention_progress WHERE class LIKE 'message%' AND swept_at > 0"
        )
        assert [(bool(came), left) for came, left in await node.rows(progress)] == [(True, 0)]
        assert await sweep(node, YEAR) == 0
        await node.check_keys()


async def test_late_webhooks_of_an_expired_message_stay_out(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "old"))
        await sweep(node, YEAR)
    async with open_bench() as node:
        assert (await take_now(node, message(1, ANN, "old"))).tombstoned == 1
        assert (await take_now(node, edit(1, ANN, "old, changed", at=5_000))).tombstoned == 1
        assert (await take_now(node, recall(1, ANN))).recalls == 1
        await node.remove()
        assert await node.texts() == []
        # A hold that comes later brings nothing back.
        ((name,),) = await node.rows("SELECT pseudonym FROM subject")
        await holder(node).place(name, reason="complaint", review_at=LATER, beats=("recall", "erase", "expire"))
        assert (await take_now(node, message(1, ANN, "old"))).stored == 0
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]


async def test_nothing_of_an_expired_message_is_in_any_file(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "a canary that expires"), edit(2, ANN, "an edit alone, old", at=3_000))
        needles = [b"a canary that expires", *await traces(node)]
        await take_now(node, message(3, ANN, "a neighbour that stays"))
        await sweep(node, YEAR)
        assert await node.texts() == ["a neighbour that stays"]
        assert remains(tmp_path, *needles) == []
        await node.check_keys()


async def test_a_batch_wraps_each_bucket_once_and_an_expired_bucket_not_at_all(open_bench, monkeypatch):
    done = []

    async def counted(store, entries):
        done.append(await destroy_rows(store, entries))
        return done[-1]

    monkeypatch.setattr("edge_node.usecases.letting_go.removal.destroy_rows", counted)
    async with open_bench() as node:
        await node.take(*(message(number, ANN, "old") for number in range(300)))
        await take_now(node, *(message(1000 + number, ANN, "new") for number in range(20)))
        assert await sweep(node, YEAR) == 300
        assert [each.keys for each in done] == [300]
        # One bucket has gone whole; in the other stay the new ones and two names, wrapped again once, and the bucket.
        assert done[0].rewrapped <= 20 + 2 + 2
        await node.check_keys()


async def test_events_expire_by_class(open_bench):
    status = Status(channel="whatsapp", via="3", at=5, recipient=ANN, message_id="wamid.1", status="read")
    reaction = Reaction(
        channel="whatsapp", via="3", at=6, author=ANN, message_id="wamid.1", target_message_id="wamid.1", emoji="x"
    )
    async with open_bench() as node:
        await node.take(message(1, ANN, "old"), status, reaction)
        assert await sweep(node) == 1  # statuses have a default
        assert await node.rows("SELECT kind FROM event") == [("reaction",)]
        assert await sweep(node, ("interaction", 365)) == 1
        assert await node.rows("SELECT count(*) FROM event") == [(0,)]
        assert await node.texts() == ["old"]
        await node.check_keys()


async def test_a_hold_passes_expiry_over_and_its_release_lets_it_go_on(open_bench):
    async with open_bench() as node:
        metrics = Metrics()
        await node.take(*(message(number, ANN, f"old {number}", at=number + 1) for number in range(9)))
        await node.take(message(20, BEN, "old"))
        name = (await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[0][0]
        holds = holder(node)
        hold = await holds.place(name, reason="complaint", review_at=0, beats=("expire",), from_at=3, until_at=6)
        assert await sweep(node, YEAR, metrics=metrics) == 6
        assert await node.texts() == [f"old {number}" for number in (2, 3, 4, 5)]
        samples = {
            (sample.name, sample.labels.get("class")): sample.value
            for family in metrics.registry.collect()
            for sample in family.samples
        }
        assert samples["homeport_edge_overdue_rows", "message"] == 0
        assert samples["homeport_edge_expired_total", "message"] == 6
        assert (samples["homeport_edge_holds", None], samples["homeport_edge_holds_due", None]) == (1, 1)
        await holds.release(hold)
        assert await sweep(node, YEAR) == 4
        assert await node.texts() == []


async def test_bookkeeping_and_marks_are_deleted_when_their_time_is_over(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"), message(2, BEN, "two"))
        await node.take(recall(1, ANN))
        await node.eraser.open_case((await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[1][0], "objection")
        await node.remove()
        now = node.stores.clock.now()
        async with node.content.write() as transaction:
            for at in (now, now - 1_200 * DAY):
                await transaction.execute(
                    "INSERT INTO lookup (at, purpose, found) VALUES (:at, 'audit', 0)", {"at": at}
                )
                await transaction.execute(
                    "INSERT INTO refusal (account, reason, second, events) VALUES ('a', 'b', :at, 1)",
                    {"at": at // 1000},
                )
                await transaction.execute(
                    "INSERT INTO disclosure (id, node, purpose, view, at, closed_at) "
                    "VALUES (:id, 'n', 'p', 'v', 1, :at)",
                    {"id": str(at), "at": at},
                )
        assert await sweep(node) == 3
        tables = ("lookup", "refusal", "disclosure", "tombstone", "suppression")
        counts = [(await node.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]
        assert counts == [1, 1, 1, 1, 2]
        for age, left in ((34, (1, 2, 2)), (36, (0, 0, 2)), (1_200, (0, 0, 0))):
            async with node.content.write() as transaction:
                for sql in (
                    "UPDATE tombstone SET at = :at",
                    "UPDATE suppression SET at = :at",
                    "UPDATE log_entry SET done_at = :at",
                ):
                    await transaction.execute(sql, {"at": now - age * DAY})
                await transaction.execute("UPDATE command SET state = 'done'")
            await sweep(node)
            found = [
                (await node.rows(f"SELECT count(*) FROM {table}"))[0][0]
                for table in ("tombstone", "suppression", "log_entry")
            ]
            assert tuple(found) == left, age


async def test_marks_live_while_their_removal_waits(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"))
        ((name,),) = await node.rows("SELECT pseudonym FROM subject")
        holds = holder(node)
        await holds.place(name, reason="complaint", review_at=LATER, beats=("recall", "erase"))
        await node.take(recall(1, ANN))
        await node.eraser.open_case(name, "objection")
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE tombstone SET at = 1")
            await transaction.execute("UPDATE suppression SET at = 1")
        assert await sweep(node, YEAR) == 0
        assert await node.rows("SELECT count(*) FROM tombstone") == [(1,)]
        assert await node.rows("SELECT count(*) FROM suppression") == [(2,)]


async def test_the_sweeper_waits_while_ingest_needs_the_stores(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "old"))
        waiting = [True]
        sweeper = node.sweeper(YEAR, busy=lambda: waiting[0])
        task = asyncio.create_task(sweeper.once())
        await asyncio.sleep(0.3)
        assert await node.rows("SELECT count(*) FROM log_entry") == [(0,)]
        waiting[0] = False
        assert await task == 1


async def test_one_process_of_a_region_sweeps(open_bench):
    async with open_bench() as one, open_bench() as two:
        await one.take(message(1, ANN, "old"))
        first, second = one.sweeper(YEAR), two.sweeper(YEAR)
        assert await first.once() == 1
        await one.take(message(2, ANN, "old"))
        assert await second.once() == 0


async def test_people_who_wrote_little_go_together_and_full_buckets_apart(open_bench, monkeypatch):
    async with open_bench() as node:
        people = [person(number) for number in range(1, 41)]
        await node.take(*(message(number, each, "old") for number, each in enumerate(people)))
        await node.take(*(message(100 + number, people[0], "old, of one who wrote much") for number in range(30)))
        tombstones = (await node.keys.indexes("tombstone"))[0]
        sweeper = node.sweeper(YEAR)
        due = await message_due(node)
        assert await sweeper.batch(due, tombstones) == (70, True)
        await node.remove()
        await node.take(*(message(200 + number, each, "old") for number, each in enumerate(people)))
        await node.content.run([Step(AGAIN)])  # they arrived with those before, and may have their places
        # The name and the new message of each are left; more than so many keys are not wrapped again at once.
        monkeypatch.setattr(retention, "REWRAPPED_MAX", 2 * 25)
        assert await sweeper.batch(due, tombstones) == (25, False)
        monkeypatch.setattr(retention, "REWRAPPED_MAX", 1)
        assert await sweeper.batch(due, tombstones) == (1, False)
        await node.remove()
        await node.check_keys()


async def test_what_is_many_goes_in_batches_and_progress_is_kept(open_bench, monkeypatch):
    monkeypatch.setattr(retention, "PAGE_ROWS", 8)
    monkeypatch.setattr(retention, "REWRAPPED_MAX", 24)
    async with open_bench() as node:
        people = [person(number) for number in range(1, 8)]
        await node.take(*(message(number, people[number % 7], f"{number}") for number in range(70)))
        name = (await node.rows("SELECT pseudonym FROM subject ORDER BY id"))[2][0]
        holds = holder(node)
        await holds.place(name, reason="complaint", review_at=LATER, beats=("expire",))
        tombstones = (await node.keys.indexes("tombstone"))[0]
        sweeper = node.sweeper(YEAR)
        due = await message_due(node)
        ordered, ended = await sweeper.batch(due, tombstones)
        assert not ended
        progress = await node.rows("SELECT received_at, last_row FROM retention_progress")
        assert progress[0][1] > 0
    async with open_bench() as node:
        await node.remove()
        assert ordered + await sweep(node, YEAR) == 60
        assert len(await node.texts()) == 10
        ((passed,),) = await node.rows(
            "SELECT swept_at >= began_at FROM retention_progress WHERE class LIKE 'message%'"
        )
        assert passed
        await node.check_keys()


async def test_a_row_whose_key_is_broken_keeps_none_of_the_others(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "broken"), message(2, ANN, "old"), message(3, BEN, "old, too"))
        async with node.keys.database.write() as transaction:
            ((key,),) = await node.rows("SELECT key FROM message ORDER BY id LIMIT 1")
            await transaction.execute("DELETE FROM row_key WHERE id = :key", {"key": key})
        async with node.content.write() as transaction:
            await transaction.execute(
                "UPDATE message SET sealed = :sealed WHERE key <> :key AND key = (SELECT max(key) FROM message)",
                {"sealed": b"not sealed at all", "key": key},
            )
        assert await sweep(node, YEAR) == 1
        assert await node.rows("SELECT count(*) FROM message") == [(2,)]


async def test_an_edit_between_reading_and_ordering_is_not_removed(open_bench, monkeypatch):
    async with open_bench() as node:
        await node.take(message(1, ANN, "first"))
        real = retention.order_expired

        async def late(*arguments):
            await node.take(edit(1, ANN, "second", at=9_000))
            return await real(*arguments)

        monkeypatch.setattr(retention, "order_expired", late)
        sweeper = node.sweeper(YEAR)
        assert await sweeper.once() == 0
        monkeypatch.undo()
        await node.remove()
        assert await node.texts() == ["second"]
        await node.check_keys()
