"""What a restored node tells its control plane: what the lost store may not have told, and nothing again and again."""

from functools import partial

import pytest

from shared import wire
from tests.integration.uplink.conftest import enrolled, names_of, running, until
from tests.integration.uplink.test_uplink import show
from tests.support.backups import backed_up, lose, put_back, quarantined
from tests.support.control_double import drawn
from tests.support.stores import bench, message, person, recall, settings

ANN, BEN, CAM = person(1), person(2), person(3)


@pytest.fixture
def open_bench(tmp_path):
    """Give what opens a node's parts; the engine makes no difference here."""
    return partial(bench, tmp_path)


async def restored(tmp_path, folder):
    """Lose a node's stores and put them back."""
    lose(settings(tmp_path), keys=True)
    await put_back(settings(tmp_path), folder)


async def test_recalls_and_cases_that_were_not_told_before_the_loss_are_told(tmp_path, open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, ANN, "seen"), message(2, ANN, "not seen"), message(3, BEN, "ben"))
        ann, ben = await names_of(node)
        ((mark,),) = await node.rows("SELECT mark FROM message ORDER BY id LIMIT 1")
        await show(node, ann, mark=mark)
        await show(node, ben, names=("d2",))
        done = await backed_up(node, tmp_path / "backups")
        await node.take(message(4, CAM, "cam"), recall(1, ANN), recall(2, ANN))
        cases = [(await node.eraser.open_case(name, "subject_request"))[0] for name in (await names_of(node))[1:]]
        await node.remove()
    await restored(tmp_path, done.backup.folder)
    async with open_bench() as node:
        await (await quarantined(node)).lift()
        async with running(node, control):
            await until(lambda: set(cases) <= set(control.receipts))
            (notice,) = await until(lambda: control.of(wire.RecallNotice))
        assert [place.disclosures for place in notice.disclosed_to] == [(drawn("d1"),)]
        told = {each.case: each for each in control.of(wire.CaseNotice)}
        assert set(told) == set(cases)
        assert told[cases[0]].pseudonym == ben
        assert [place.disclosures for place in told[cases[0]].places] == [(drawn("d2"),)]
        assert await node.rows("SELECT count(*) FROM command WHERE state <> 'done'") == [(0,)]


async def test_a_receipt_that_stands_already_is_not_told_for_ever(tmp_path, open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, ANN, "one"))
        (ann,) = await names_of(node)
        done = await backed_up(node, tmp_path / "backups")
        control.command("erase", wire.SubjectTarget(ann))
        async with running(node, control):
            await until(lambda: control.receipts)
    await restored(tmp_path, done.backup.folder)
    said = {"code": "receipt_contradicts", "status": 409, "retry": False, "retry_after_seconds": None}

    def stands(path, _told):
        return wire.Problem(protocol=1, **said) if path == "/node/v1/receipts" else None

    control.answer_with = stands
    async with open_bench() as node:
        await (await quarantined(node)).lift()
        async with running(node, control):
            settled = "SELECT 1 FROM outbox WHERE kind = 'receipt' AND accepted_at IS NOT NULL"
            await until(lambda: node.rows(settled))
