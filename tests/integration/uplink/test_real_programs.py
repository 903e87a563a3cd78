"""Both programs as their operators run them: enrolled by command, a person found and erased, killed in the middle."""

import asyncio
import random
import subprocess
import time

import pytest

from deploy.demo.scanner import needles, scan
from deploy.sandbox.line import line_batch, line_body, line_text, line_unsend
from deploy.sandbox.names import draw_subjects
from edge_node.storage.identity import load_identity
from shared import wire
from shared.enrolment_token import write_token
from shared.roster import NodeIntroduction
from tests.integration.node.opened import Opened, at_rest, faults, read_rows
from tests.support.control import RealControl
from tests.support.control_double import control_double
from tests.support.node import HOMEPORT, RealNode, make_template, until

WORDS = ("a-planted-sentence-of-nobody", "another-planted-one")
UPLINK = "[uplink]\nbeat_seconds = 1\npoll_seconds = 2\n"


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Give the folder of a node that was set up by command and never started."""
    return make_template(tmp_path_factory.mktemp("uplink-set-up") / "node")


@pytest.fixture
def node(template, tmp_path):
    """Give a node, set up and not started."""
    made = RealNode(tmp_path / "node", template, UPLINK)
    yield made
    made.end()


def introduction(node, name):
    """Give what officers are told of a node."""
    settings = node.settings
    keys = load_identity((settings.key_dir, settings.second_key_dir)).public
    return NodeIntroduction(name, settings.region, "DE", None, keys)


def content(node, sql, *values):
    """Ask the content store."""
    return read_rows(node.settings.data_dir / "content.db", sql, values)


def find(node, typed, status=0):
    """Run ``homeport edge find`` and give what it printed."""
    words = [HOMEPORT, "edge", "find", "--purpose", "complaint", "--config", str(node.config)]
    done = subprocess.run(words, input=typed.encode(), capture_output=True, env=node._environ, check=False)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode().split()


def test_two_programs_erase_a_person_and_only_that_one(node, tmp_path):
    one, two = draw_subjects(2, random.Random(5))
    control = RealControl(tmp_path / "control")
    try:
        control.put_rosters(control.officers.signed())
        (officer,) = control.appoint(("dpo", "omar", "officer"))
        control.start()
        token = write_token(control.enrolment_token("eu")).encode()
        said = node.command("enrol", "--jurisdiction", "DE", typed=token)
        assert "not taken in yet" in said
        node.start()
        control.put_rosters(control.officers.take_in(introduction(node, "eu")))
        for words, person in zip(WORDS, (one, two), strict=True):
            assert node.post("line", line_body(line_text(words, person))).status_code == 200
        (first,), (second,) = find(node, one.line_user), find(node, two.line_user + "\n")
        wanted = {"kind": "erasure", "pseudonym": first, "reason": "subject_request"}
        answer = until(lambda: _opened(control.ask(officer, "POST", "/v1/cases", wanted)))
        _finished(control, officer, answer["id"])
        assert find(node, one.line_user, status=1) == []

        said = node.command("erase", second, "--reason", "objection", "--yes")
        assert "Erased here." in said
        case = next(word for word in said.split() if len(word) == 32)
        _finished(control, officer, case)
        until(lambda: at_rest(node.settings))
        assert content(node, "SELECT count(*) FROM message") == [(0,)]
        assert content(node, "SELECT found, pseudonym FROM lookup ORDER BY id") == [(1, first), (1, second), (0, None)]
        assert node.stop() == 0
        assert faults(Opened(node.settings)) == []
    finally:
        control.end()
    planted = [*WORDS, one.line_user, two.line_user, one.name, two.name]
    for folder in (control.folder, node.folder):
        assert scan(folder, planted).hits == []
    for pseudonym in (first, second):
        assert pseudonym not in node.log().replace(f"erase {pseudonym}", "")


def _opened(answer):
    """Give a case that was opened, None while the pseudonym is not registered yet."""
    assert answer.status_code in {201, 404}, answer.text
    return answer.json() if answer.status_code == 201 else None


def _finished(control, officer, case):
    """Wait until nothing is owed for a case."""
    until(lambda: control.ask(officer, "GET", f"/v1/cases/{case}").json().get("state") == "finished")


def test_killed_again_and_again_everything_asked_is_done_once(node):
    chance = random.Random(11)
    people = list(draw_subjects(12, chance))
    with control_double() as control:
        node.command("enrol", "--jurisdiction", "DE", typed=control.token("eu").encode())
        control.take_in("eu")
        node.start()
        for _ in range(4):
            assert node.post("line", line_batch(240, subjects=people, chance=chance)).status_code == 200
        names = [name for (name,) in content(node, "SELECT pseudonym FROM subject ORDER BY id")]
        commands = [control.command("erase", wire.SubjectTarget(name)) for name in names[:9]]
        for supervisor in (False, True, False, True):
            time.sleep(chance.uniform(0.1, 0.9))
            node.kill(supervisor=supervisor)
            if supervisor:
                node.process.wait()
                node.start()
        until(lambda: {command.id for command in commands} <= set(control.receipts))
        until(lambda: at_rest(node.settings))
        assert node.stop() == 0
        bodies = control.bodies
    opened = Opened(node.settings)
    assert faults(opened) == []
    assert len(opened.messages) == 3 * 80
    assert opened.content("SELECT keep, count(*) FROM subject GROUP BY keep") == [("active", 3), ("gone", 9)]
    counted = {each.store: each.count for command in commands for each in control.receipts[command.id].results}
    assert counted["messages"] == 80
    assert counted["keys"] == 81
    planted = needles(
        [person.line_user for person in people] + [person.name for person in people] + ["荷物はどこですか"]
    )
    assert not [pattern for pattern in planted for body in bodies if pattern in body]


def test_a_recall_reaches_the_control_plane_without_its_message(node):
    (one,) = draw_subjects(1, random.Random(6))
    with control_double() as control:
        node.command("enrol", "--jurisdiction", "DE", typed=control.token("eu").encode())
        control.take_in("eu")
        node.start()
        event = line_text(WORDS[0], one)
        assert node.post("line", line_body(event)).status_code == 200
        asyncio.run(_show(node))
        assert node.post("line", line_body(line_unsend(event["message"]["id"], one))).status_code == 200
        (notice,) = until(lambda: control.of(wire.RecallNotice))
        assert notice.disclosed_to == (wire.Place("ap", ("d" * 32,)),)
        assert node.stop() == 0
        planted = needles([WORDS[0], one.line_user, event["message"]["id"], event["webhookEventId"]])
        assert not [pattern for pattern in planted for body in control.bodies if pattern in body]


async def _show(node):
    """Note that the one message there is was shown to another node."""
    from shared.database.sqlite import open_sqlite

    database = await open_sqlite(node.settings.data_dir / "content.db")
    async with database.write() as transaction:
        await transaction.execute(
            "INSERT INTO disclosure (id, node, subject, mark, purpose, view, at) "
            "SELECT CAST(:id AS TEXT), 'ap', subject, mark, 'audit', 'v', 1 FROM message",
            {"id": "d" * 32},
        )
    await database.close()
