"""Killed or restarted at any instant: nothing arrived that is not on record, nothing that was closed stays."""

import threading
import time

from deploy.sandbox.webhooks import TARO, line_text
from tests.integration.relay.conftest import make_company, post
from tests.integration.relay.watching import Watch, last_author, open_view, retract
from tests.support.company import running
from tests.support.node import until

TEXTS = [f"Vogelbeere {number}" for number in range(5)]


def told(company):
    """Let a subject write to ap."""
    for text in TEXTS:
        assert post(company.ap, "shop", line_text(text, TARO)).status_code == 200


def test_what_arrived_is_on_record_whatever_instant_the_shower_dies_at(own_company, long_run):
    eu, ap = own_company.eu, own_company.ap
    told(own_company)
    for _ in range(10 if long_run else 2):
        before, done = ap.read("SELECT count(*) FROM disclosure")[0][0], threading.Event()

        def ask(done=done):
            with eu.desk as desk:
                open_view(desk, last_author(ap))
            done.set()

        asking = threading.Thread(target=ask)
        asking.start()
        # The row is written and synced before the answer is: this kill falls right between, or soon after.
        while not done.is_set() and ap.read("SELECT count(*) FROM disclosure")[0][0] == before:
            time.sleep(0.0005)
        ap.node.kill(supervisor=False)
        asking.join()
        ap.node.running()
        arrived = {row[0] for row in eu.read("SELECT disclosure FROM shown")}
        assert arrived <= {row[0] for row in ap.read("SELECT id FROM disclosure")}
    # Views whose answer never came are closed and told; those that did stay open.
    until(lambda: not eu.read("SELECT 1 FROM view WHERE state = 'closing'"))
    open_there = {row[0] for row in ap.read("SELECT DISTINCT view FROM disclosure WHERE closed_at IS NULL")}
    assert open_there == {row[0] for row in eu.read("SELECT id FROM view WHERE state = 'open'")}


def test_a_live_view_outlives_restart_and_kill_of_its_node(own_company):
    eu, ap = own_company.eu, own_company.ap
    told(own_company)
    with eu.desk as desk:
        view = open_view(desk, last_author(ap)).json()["view"]
        watch = Watch(desk, view)
        shown = watch.wait("shown", 5)
        eu.node.restart()
        until(lambda: watch.ended)
    assert not [event for event in watch.events if event.kind == "closed"]
    eu.node.kill(supervisor=False)
    eu.node.running()
    retract(eu, "ap", shown[0].data["disclosure"])
    with eu.desk as desk:
        again = Watch(desk, view, after=shown[-1].number)
        assert again.wait("retracted")[0].data["disclosure"] == shown[0].data["disclosure"]
        assert again.shown() == []
        assert Watch(desk, view).wait("shown", 4)
        desk.delete(f"/views/{view}")
        again.wait("closed")


def test_a_view_that_ends_while_the_shower_is_away_is_told_when_it_is_back(tmp_path, templates):
    """Time ends the view; its copies go at once, the other node hears of it later."""
    with running(make_company(tmp_path, templates, more="view_hours = 0.001")) as company:
        told(company)
        with company.eu.desk as desk:
            assert open_view(desk, last_author(company.ap)).json()["shown"] == 5
        company.ap.node.kill()
        until(lambda: not company.eu.read("SELECT 1 FROM shown"))
        assert company.eu.read("SELECT state FROM view") == [("closing",)]
        assert company.ap.read("SELECT count(*) FROM disclosure WHERE closed_at IS NULL") == [(5,)]
        company.ap.node.start()
        until(lambda: not company.ap.read("SELECT 1 FROM disclosure WHERE closed_at IS NULL"))
        until(lambda: not company.eu.read("SELECT 1 FROM view"))
