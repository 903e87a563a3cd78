"""With a node killed, cases wait and show what is owed by whom; once it is back, they finish by themselves, soon.

What must be reached is five seconds from its return.  A busy machine decides no test: the number is measured by the
programs' own clocks, printed and recorded, and only the state is asserted.
"""

import datetime as dt
import time

from deploy.sandbox.webhooks import ANNA, ROSA, TARO, line_text, line_unsend
from tests.integration.company.cluster import cluster, find, say
from tests.integration.node.opened import at_rest
from tests.support.node import ABROAD, LINE, until

ROUNDS, ROUNDS_LONG = 1, 10
AWAY_SECONDS, AWAY_SECONDS_LONG = 0.5, 20.0
"""How long it stays away once every case waits for it."""


def milliseconds(instant):
    """Read an instant of the program API."""
    return dt.datetime.fromisoformat(instant).timestamp() * 1000


def one_round(company, away_seconds):
    """Kill ap under three cases, bring it back, see all of them finished; give the milliseconds that it took."""
    eu, ap = company.eu, company.ap
    taken_back = line_text("Hagebuttenmus, nimm es zurueck", TARO)
    for event in (taken_back, line_text("Hagebuttenmus, behalte es", ANNA)):
        assert say(eu, LINE, event).status_code == 200
    assert say(ap, ABROAD, line_text("Hagebuttenmus, ganz woanders", ROSA)).status_code == 200
    anna, rosa = find(eu, ANNA.line_user), find(ap, ROSA.line_user)
    company.view(ap, eu, find(eu, TARO.line_user))
    company.view(ap, eu, anna)
    before = {case["id"] for case in company.recalls()}
    ap.node.kill()

    held, shown = company.open_case(rosa), company.open_case(anna)
    assert say(eu, LINE, line_unsend(taken_back["message"]["id"], TARO)).status_code == 200
    until(lambda: len(company.recalls()) > len(before))
    (recall,) = [case["id"] for case in company.recalls() if case["id"] not in before]
    until(lambda: company.owed(shown) == {"ap": 1})
    time.sleep(away_seconds)
    # One case nobody has signed for, two whose own node has done its part; each names who owes.
    assert company.owed(held) == company.owed(shown) == company.owed(recall) == {"ap": 1}
    assert [company.case(case)["state"] for case in (held, shown)] == ["open", "waiting"]
    assert company.case(recall)["state"] != "finished"
    assert ap.read("SELECT count(*) FROM shown") == [(2,)]

    ap.node.start()
    ready = time.time() * 1000
    until(lambda: all(company.finished(case) for case in (held, shown, recall)))
    until(lambda: at_rest(ap.node.settings))
    assert ap.read("SELECT count(*) FROM shown") == [(0,)]
    assert ap.read("SELECT count(*) FROM message WHERE keep = 'active'") == [(0,)]
    signed = {case: {each["receipt"]["node"] for each in receipts(company, case)} for case in (held, shown, recall)}
    assert signed == {held: {"ap"}, shown: {"eu", "ap"}, recall: {"ap"}}
    return max(milliseconds(company.case(case)["finished_at"]) for case in signed) - ready


def receipts(company, case):
    """Give the receipts of a case."""
    return company.control.ask(company.officer, "GET", f"/v1/cases/{case}/receipts").json()["items"]


def test_cases_wait_for_a_node_that_was_killed_and_finish_on_its_return(tmp_path, templates, long_run, record_property):
    with cluster(tmp_path, templates) as company:
        took = [
            one_round(company, AWAY_SECONDS_LONG if long_run else AWAY_SECONDS)
            for _ in range(ROUNDS_LONG if long_run else ROUNDS)
        ]
    print("finished after its return (ms):", *(round(each) for each in took))
    record_property("finished_after_return_milliseconds", [round(each) for each in took])
