"""A node and its control plane: enrolment, beats, commands, receipts, and what happens while it is away."""

from shared import wire
from tests.integration.uplink.conftest import enrolled, names_of, running, until
from tests.support.stores import message, person, recall
from tests.support.trust import drawn

LATER = 4_000_000_000_000


async def show(node, pseudonym, *, to="ap", names=("d1",), mark=None):
    """Note that something of a person was shown to another node."""
    async with node.content.write() as transaction:
        for name in names:
            await transaction.execute(
                "INSERT INTO disclosure (id, node, subject, mark, purpose, view, at) "
                "SELECT CAST(:id AS TEXT), CAST(:node AS TEXT), id, CAST(:mark AS BLOB), 'audit', 'v', 1 "
                "FROM subject WHERE pseudonym = :pseudonym",
                {"id": drawn(name), "node": to, "mark": mark, "pseudonym": pseudonym},
            )


async def test_a_beat_registers_who_is_new_among_dummies_and_then_nobody(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        await node.take(message(1, person(1), "one"), message(2, person(2), "two"))
        async with running(node, control):
            await until(lambda: control.roster.active("eu") is None)
            control.take_in("eu")
            names = await names_of(node)
            await until(lambda: control.pseudonyms)
            first = control.of(wire.Beat)[0]
            assert len(first.registrations) == 8
            assert set(names) < set(first.registrations)
            await until(lambda: len(control.of(wire.Beat)) > 2)
            assert [beat.registrations for beat in control.of(wire.Beat)[1:3]] == [(), ()]
            assert [beat.number for beat in control.of(wire.Beat)[:3]] == [1, 2, 3]


async def test_a_beat_counts_what_waits_in_memory(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
        health = control.of(wire.Beat)[0].health
        assert (health.events_waiting, health.relays_waiting) == (3, 2)


async def test_a_beat_that_was_not_answered_is_sent_again_unchanged(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "one"))
        seen = []

        def busy(path, told):
            if path != "/node/v1/beats" or len(seen) > 2:
                return None
            seen.append(told)
            return wire.Problem(protocol=1, code="busy", status=503, retry=True, retry_after_seconds=1)

        control.answer_with = busy
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
        batches = {(beat.number, beat.registrations) for beat in [*seen, control.of(wire.Beat)[0]]}
        assert len(batches) == 1


async def test_a_command_erases_and_is_signed_for_once(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "one"), message(2, person(2), "two"))
        name, _ = await names_of(node)
        await show(node, name, names=("d1", "d2"))
        command = control.command("erase", wire.SubjectTarget(name))
        again = control.command("erase", wire.SubjectTarget(name))
        control.commands.append(command)
        async with running(node, control):
            await until(lambda: len(control.receipts) == 2)
            later = control.command("erase", wire.SubjectTarget(name))
            unknown = control.command("erase", wire.SubjectTarget(drawn("nobody")))
            await until(lambda: len(control.receipts) == 4)
        counted = {(each.store, each.method): each.count for each in control.receipts[command.id].results}
        rows = "removed" if node.content.engine == "sqlite" else "pending"
        assert counted[("messages", rows)] == counted[("platform", "not_reachable")] == 1
        assert counted[("keys", "destroyed")] == counted[("backups", "pending")] == 2
        assert counted[("views", rows)] == 2
        assert control.receipts[command.id].case == command.case
        assert control.receipts[again.id].results == control.receipts[command.id].results
        assert control.receipts[later.id].results == control.receipts[unknown.id].results == ()
        pushes = [push for push in control.of(wire.ReceiptPush) if push.places]
        assert pushes[0].places == (wire.Place("ap", tuple(sorted((drawn("d1"), drawn("d2"))))),)
        assert await node.texts() == ["two"]
        assert len(control.of(wire.ReceiptPush)) == 4


async def test_a_case_opened_here_starts_at_once_and_is_told_before_its_receipt(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "one"))
        (name,) = await names_of(node)
        await show(node, name)
        async with running(node, control):
            case, _ = await node.eraser.open_case(name, "consent_withdrawn")
            node.remover.wake()
            await until(lambda: case in control.receipts)
        (notice,) = control.of(wire.CaseNotice)
        assert (notice.case, notice.pseudonym, notice.reason) == (case, name, "consent_withdrawn")
        assert [place.node for place in notice.places] == ["ap"]
        kinds = [type(told) for told in control.told if isinstance(told, wire.CaseNotice | wire.ReceiptPush)]
        assert kinds == [wire.CaseNotice, wire.ReceiptPush]
        assert await node.rows("SELECT count(*) FROM outbox WHERE kind = 'case'") == [(0,)]


async def test_a_recall_is_told_only_where_somebody_was_shown_it(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "seen"), message(2, person(1), "not seen"))
        (name,) = await names_of(node)
        ((mark,),) = await node.rows("SELECT mark FROM message ORDER BY id LIMIT 1")
        await show(node, name, mark=mark)
        async with running(node, control):
            await node.take(recall(1, person(1)), recall(2, person(1)))
            await node.take(recall(1, person(1)))
            node.remover.wake()
            (notice,) = await until(lambda: control.of(wire.RecallNotice))
            assert notice.disclosed_to == (wire.Place("ap", (drawn("d1"),)),)
            assert notice.reason == "sender_recalled"
            await until(lambda: len(control.of(wire.Beat)) > 2)
        assert len(control.of(wire.RecallNotice)) == 1


async def test_what_expires_is_told_where_somebody_still_shows_it(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(
            message(1, person(1), "seen"), message(2, person(1), "not seen"), message(3, person(1), "closed")
        )
        (name,) = await names_of(node)
        ((mark,), _, (closed,)) = await node.rows("SELECT mark FROM message ORDER BY id")
        await show(node, name, mark=mark)
        await show(node, name, names=("d2",), mark=closed)
        async with node.content.write() as transaction:
            await transaction.execute(
                "UPDATE disclosure SET closed_at = :now WHERE mark = :mark",
                {"now": node.stores.clock.now(), "mark": closed},
            )
        async with running(node, control):
            assert await node.sweeper(("message", 365)).once() == 3
            node.remover.wake()
            (notice,) = await until(lambda: control.of(wire.RecallNotice))
            assert notice.disclosed_to == (wire.Place("ap", (drawn("d1"),)),)
            assert notice.reason == "no_longer_needed"
            # A sender who takes it back later changes nothing: it is gone already.
            await node.take(recall(1, person(1)))
            await until(lambda: len(control.of(wire.Beat)) > 2)
        assert len(control.of(wire.RecallNotice)) == 1
        assert await node.texts() == []


async def test_copies_are_taken_back_and_signed_for(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control) as joined:
            joined.shown.copies["ap", drawn("d1")] = True
            commands = [
                control.command(kind, wire.DisclosureTarget("ap", drawn(name)))
                for kind, name in (("recall", "d1"), ("close_view", "d2"), ("erase", "d1"))
            ]
            wrong = control.command("recall", wire.SubjectTarget(drawn("nobody")))
            await until(lambda: len(control.receipts) == 3)
        # The first ask is told to wait; whichever of the two comes to the copy then, it goes once.
        results = sorted([each.store for each in control.receipts[command.id].results] for command in commands)
        assert results == [[], [], ["keys", "views", "backups"]]
        assert joined.shown.asked[0] == ("ap", drawn("d1"), "subject_request")
        assert await node.rows("SELECT state FROM command WHERE id = :id", id=wrong.id) == [("refused",)]


async def test_away_for_long_and_then_everything_is_told_once(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
            control.stop()
            await node.take(*(message(number, person(number), "text") for number in range(1, 6)))
            names = await names_of(node)
            ((mark,),) = await node.rows("SELECT mark FROM message ORDER BY id LIMIT 1")
            await show(node, names[0], mark=mark)
            await node.take(recall(1, person(1)))
            cases = [(await node.eraser.open_case(name, "subject_request"))[0] for name in names[1:3]]
            node.remover.wake()
            await until(lambda: finished(node, 2))
            assert sorted(await node.texts()) == ["text", "text"]
        async with running(node, control):
            control.start()
            await until(lambda: set(cases) <= set(control.receipts) and control.of(wire.RecallNotice))
            await until(lambda: set(names) - set(names[1:3]) <= control.pseudonyms)
        assert len(control.of(wire.RecallNotice)) == 1
        assert len(control.of(wire.CaseNotice)) == len(control.of(wire.ReceiptPush)) == 2


async def finished(node, count):
    """Say whether so many erasures are done."""
    return (await node.rows("SELECT count(*) FROM erasure WHERE finished_at IS NOT NULL"))[0][0] == count


async def test_the_cap_holds_what_exceeds_it_and_only_that(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(*(message(number, person(number), "text") for number in range(1, 6)))
        names = await names_of(node)
        commands = [control.command("erase", wire.SubjectTarget(name)) for name in names[:4]]
        async with running(node, control, erasures_per_hour_max=2) as joined:
            await until(lambda: len(control.receipts) == 2)
            case, _ = await node.eraser.open_case(names[4], "subject_request")
            copy = control.command("recall", wire.DisclosureTarget("ap", drawn("d")))
            await until(lambda: {case, copy.id} <= set(control.receipts))
            await until(lambda: joined.uplink._metrics.held_commands._value.get() == 2)
            assert len(await names_of(node)) == 2
        # An hour later the others follow.
        async with node.content.write() as transaction:
            await transaction.execute("UPDATE erasure SET ordered_at = ordered_at - 3600001")
        async with running(node, control, erasures_per_hour_max=2):
            await until(lambda: {command.id for command in commands} <= set(control.receipts))
        assert await names_of(node) == []


async def test_a_retired_node_falls_silent_and_goes_on_by_itself(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "one"))
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
            control.retire("eu")
            await until(lambda: rostered(node, 3) if not control.refused else True)
            (name,) = await names_of(node)
            await node.eraser.open_case(name, "subject_request")
            node.remover.wake()
            await until(lambda: finished(node, 1))
        assert control.of(wire.CaseNotice) == []


async def rostered(node, version):
    """Say whether a node has a roster of that version."""
    return (await node.rows("SELECT max(version) FROM roster"))[0][0] == version


async def test_receipts_that_were_lost_are_told_again(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        command = control.command("erase", wire.SubjectTarget(drawn("nobody")))
        async with running(node, control):
            await until(lambda: command.id in control.receipts)
            lost = control.receipts.pop(command.id)
            control.problems = ("receipts_missing",)
            await until(lambda: command.id in control.receipts)
        assert control.receipts[command.id] == lost


async def test_receipts_that_wait_here_are_no_reason_to_tell_all_others_again(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        first = control.command("erase", wire.SubjectTarget(drawn("nobody")))
        async with running(node, control):
            await until(lambda: node.rows("SELECT 1 FROM outbox WHERE accepted_at IS NOT NULL"))
            assert first.id in control.receipts
            busy = wire.Problem(protocol=1, code="not_known_yet", status=404, retry=True, retry_after_seconds=2)
            control.answer_with = lambda path, _message: busy if path.endswith("receipts") else None
            control.command("erase", wire.SubjectTarget(drawn("nobody else")))
            await until(lambda: node.rows("SELECT 1 FROM outbox WHERE accepted_at IS NULL"))
            control.problems, beats = ("receipts_missing",), len(control.of(wire.Beat))
            await until(lambda: len(control.of(wire.Beat)) > beats + 1)
            assert await node.rows("SELECT count(*) FROM outbox WHERE accepted_at IS NULL") == [(1,)]


async def test_two_processes_share_one_uplink(open_bench, control):
    async with open_bench() as one, open_bench() as two:
        await enrolled(one, control)
        control.take_in("eu")
        await one.take(*(message(number, person(number), "text") for number in range(1, 4)))
        names = await names_of(one)
        async with running(one, control), running(two, control):
            for name in names:
                control.command("erase", wire.SubjectTarget(name))
            await until(lambda: len(control.receipts) == 3)
        assert await one.rows("SELECT count(*) FROM erasure") == [(3,)]
        numbers = [beat.number for beat in control.of(wire.Beat)]
        assert numbers == sorted(set(numbers))
