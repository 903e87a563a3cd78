"""Two processes over one store, each step of the one falling where it hurts the other most."""

import asyncio

import pytest

from edge_node.storage import sweep
from edge_node.storage.sweep import AGE, sweep_unused_keys
from edge_node.usecases.receiving import taking_in
from shared.database import Step
from shared.message import Notice
from tests.support.interleave import Between, Died, die
from tests.support.stores import edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)


@pytest.fixture
def between(monkeypatch):
    """Give what lets another process act in the middle of a step."""
    return Between(monkeypatch)


def notice(number: int) -> Notice:
    """Give an event of nobody known: the account's key of the day seals it."""
    return Notice(channel="whatsapp", via="3", at=1, topic="quality", detail={"number": number})


async def opened(node) -> int:
    """Open every row of the content store; give how many messages and events there are."""
    await node.check_keys()
    ((count,),) = await node.rows("SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)")
    return count


async def test_a_day_key_that_another_process_seals_under_is_not_discarded(open_bench, between):
    async with open_bench() as one, open_bench() as two:
        await one.take(message(1, ANN, "hers"))

        async def meanwhile():
            await two.take(notice(2))  # under the day key that the first process has just committed
            await two.take(
                message(2, person(9, phone=11), "the number is another's")
            )  # so the first's rows are refused

        between.before(taking_in, "write_batch", meanwhile)
        await one.take(notice(1))
        assert await opened(one) == 4


async def test_a_day_key_that_came_into_use_after_the_sweep_looked_is_not_swept(open_bench, between):
    async with open_bench() as one, open_bench() as two:
        with pytest.MonkeyPatch.context() as broken:
            Between(broken).before(taking_in, "write_batch", die)
            with pytest.raises(Died):
                await one.take(notice(1))

        async def meanwhile():
            await two.take(notice(2))

        between.before(sweep, "discard_unused", meanwhile, when=lambda _keys, _rows, owners, _intents: bool(owners))
        await sweep_unused_keys(one.keys, one.content, one.stores.clock.now() + AGE + 60_000)
        await two.take(notice(3))
        assert await opened(two) == 2


async def test_a_key_that_the_log_names_is_not_discarded_by_the_process_that_drew_it(open_bench, between):
    """An edit's keys come first, then the message, then the edit's row, and only then is the message judged."""
    async with open_bench() as one, open_bench() as two:
        await two.take(message(0, ANN, "earlier"))
        judging, edited, tasks = asyncio.Event(), asyncio.Event(), []

        async def message_comes():
            tasks.append(asyncio.create_task(one.take(message(1, ANN, "first"), message(0, ANN, "earlier"))))
            await judging.wait()

        async def edit_comes():
            judging.set()
            await edited.wait()

        between.before(taking_in, "write_batch", message_comes)
        between.before(taking_in, "judge", edit_comes)
        await two.take(edit(1, ANN, "changed", at=5000))
        edited.set()
        await tasks[0]
        await two.take(message(2, ANN, "under the next free key"))
        await one.remove()
        assert await opened(one) == 3


@pytest.mark.parametrize("target", ["messages", "people"])
async def test_the_keys_of_a_commit_that_took_over_an_hour_are_not_swept_under_it(open_bench, between, target):
    """A machine that slept, or a server that kept a commit waiting for its standby, makes any commit slow."""
    async with open_bench() as one, open_bench() as two:

        async def an_hour_passes():
            await sweep_unused_keys(two.keys, two.content, two.stores.clock.now() + AGE + 60_000)

        if target == "messages":
            between.before(taking_in, "write_batch", an_hour_passes)
        else:
            between.before(one.taking_in._resolver._people, "apply", an_hour_passes)
        await one.take(message(1, ANN, "hers"), notice(1))
        await one.take(message(2, ANN, "and one more"))
        assert await opened(one) == 3


async def test_two_people_do_not_become_one_over_a_number_that_both_give_at_once(open_bench, between):
    async with open_bench() as one, open_bench() as two:
        await one.take(message(1, person(0, phone=11), "by phone alone"))

        async def meanwhile():
            await two.take(message(2, person(8, phone=11), "hers"))

        between.before(one.taking_in._resolver._people, "apply", meanwhile)
        await one.take(message(3, person(9, phone=11), "his"))
        rows = await one.rows("SELECT subject FROM message ORDER BY mark")
        assert len({subject for (subject,) in rows}) == 2
        shared = await one.rows(
            "SELECT subject FROM identity WHERE kind = 'whatsapp_user' GROUP BY subject HAVING count(*) > 1"
        )
        assert shared == []


@pytest.mark.parametrize("step", ["commit", "write_batch"])
async def test_keys_destroyed_while_another_process_seals_leave_every_row_readable(open_bench, between, step):
    async with open_bench() as one, open_bench() as two:
        await one.take(*(message(number, ANN, "text") for number in range(5)))

        async def meanwhile():
            await two.take(recall(2, ANN), edit(3, ANN, "changed", at=5000))
            await two.remove()

        between.before(one.keys if step == "commit" else taking_in, step, meanwhile)
        await one.take(message(10, ANN, "more"), edit(4, ANN, "changed", at=6000))
        await one.remove()
        assert await opened(one) == 5


@pytest.mark.parametrize("remove", [True, False])
async def test_a_recall_that_falls_between_keys_and_rows_wins(open_bench, between, remove):
    async with open_bench() as one, open_bench() as two:
        await one.take(message(0, ANN, "earlier"))

        async def meanwhile():
            await two.take(recall(1, ANN))
            if remove:
                await two.remove()

        between.before(taking_in, "write_batch", meanwhile)
        assert (await one.take(message(1, ANN, "hers"), message(2, ANN, "stays"))).tombstoned == 1
        await one.remove()
        assert await opened(one) == 2
        rows = await one.key_rows("SELECT count(*) FROM row_key")
        assert rows == await one.rows("SELECT 3 + count(*) FROM message")  # and two identities, and the account


async def test_a_second_remover_that_comes_late_does_not_open_what_is_done(open_bench, between):
    """The first holder's lease ran out in the middle of its round; the next one did it all, then the first goes on."""
    async with open_bench() as late, open_bench() as other:
        await late.take(message(1, ANN, "one"), message(2, ANN, "two"))
        await late.take(recall(1, ANN))

        async def meanwhile():
            await other.content.run([Step("DELETE FROM lease")])
            await other.remove()

        between.before(late.remover, "_write_journal", meanwhile)
        between.before(late.remover, "_destroy", die)
        with pytest.raises(Died):
            await late.remove()
        assert await other.rows("SELECT state FROM log_entry") == [("done",)]


async def test_two_processes_that_write_to_one_subject_at_once_are_both_served(open_bench):
    async with open_bench() as one, open_bench() as two:

        async def write(node, first):
            for number in range(first, first + 60):
                await node.take(message(number, ANN, "text"))

        await asyncio.gather(write(one, 0), write(two, 1000))
        assert await opened(one) == 120


async def test_a_process_that_never_met_a_person_keeps_them_out_once_another_erased_them(open_bench):
    """It began before anybody was erased, and looks the person up only with an event from before the erasure."""
    async with open_bench() as fresh, open_bench() as other:
        await other.take(message(1, ANN, "one"))
        name = (await other.rows("SELECT pseudonym FROM subject"))[0][0]
        await other.eraser.open_case(name, "subject_request")
        await other.remove()
        assert (await fresh.take(message(2, ANN, "late"))).suppressed == 1
        assert await fresh.rows("SELECT keep FROM subject") == [("gone",)]
