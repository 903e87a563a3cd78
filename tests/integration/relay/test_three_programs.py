"""Control plane and two nodes as their operators run them: what was shown is taken back everywhere, with receipts."""

import contextlib

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import ANNA, TARO, line_text, line_unsend
from shared.enrolment_token import write_token
from shared.roster import NodeIntroduction
from tests.integration.relay.conftest import post
from tests.integration.relay.watching import Watch, last_author, open_view
from tests.support.company import NAMES, make_member
from tests.support.control import RealControl
from tests.support.node import until

WORDS = ("Eine Flasche Birnenbrand", "und zwei Quitten", "Schlehenlikoer")
UPLINK = "[uplink]\nbeat_seconds = 1\npoll_seconds = 2\n"


@contextlib.contextmanager
def cluster(folder, templates):
    """Run a control plane with both nodes enrolled by command and taken in by officers."""
    control, members = RealControl(folder / "control"), {}
    try:
        control.put_rosters(control.officers.signed())
        (officer,) = control.appoint(("dpo", "omar", "officer"))
        control.start()
        for name in NAMES:
            member = make_member(name, folder / name, templates[name], UPLINK)
            token = write_token(control.enrolment_token(name)).encode()
            member.node.command("enrol", "--jurisdiction", "DE", "--relay-address", member.relay, typed=token)
            keys = NodeIntroduction(name, f"{name}-region", "DE", member.relay, member.identity.public)
            control.put_rosters(control.officers.take_in(keys))
            members[name] = member
        for member in members.values():
            member.node.start()
        yield control, officer, members["eu"], members["ap"]
    finally:
        control.end()
        for member in members.values():
            member.node.end()


def opened(desk, pseudonym):
    """Open a view once both nodes know each other."""

    def ask():
        answer = open_view(desk, pseudonym)
        return answer.json() if answer.status_code == 201 else None

    return until(ask)


def test_what_was_shown_is_taken_back_everywhere_with_receipts(tmp_path, templates):
    with cluster(tmp_path, templates) as (control, officer, eu, ap):
        events = [line_text(word, ANNA) for word in WORDS[:2]]
        for event in events:
            assert post(ap, "shop", event).status_code == 200
        pseudonym = last_author(ap)
        with eu.desk as desk:
            view = opened(desk, pseudonym)["view"]
            watch = Watch(desk, view)
            shown = watch.wait("shown", 2)
            sealed = [row[0] for row in eu.read("SELECT sealed FROM shown ORDER BY at")]

            # A recall: the sender takes the first one back at ap, by a webhook that comes in at eu.
            assert until(lambda: post(eu, "shop", line_unsend(events[0]["message"]["id"], ANNA)).status_code == 200)
            assert watch.wait("retracted")[0].data == {"disclosure": shown[0].data["disclosure"]}
            until(lambda: [case["state"] for case in cases(control, officer, "recall")] == ["finished"])
            assert eu.read("SELECT disclosure FROM shown") == [(shown[1].data["disclosure"],)]

            # An erasure: an officer opens a case on ap's pseudonym; eu is told to let its copy go.
            wanted = {"kind": "erasure", "pseudonym": pseudonym, "reason": "subject_request"}
            case = until(lambda: created(control.ask(officer, "POST", "/v1/cases", wanted)))["id"]
            assert watch.wait("retracted", 2)[1].data == {"disclosure": shown[1].data["disclosure"]}
            until(lambda: control.ask(officer, "GET", f"/v1/cases/{case}").json()["state"] == "finished")
            assert eu.read("SELECT 1 FROM shown") == []
            receipts = control.ask(officer, "GET", f"/v1/cases/{case}/receipts").json()
            signed = {each["receipt"]["node"]: each["receipt"] for each in receipts["items"]}
            assert signed.keys() == {"eu", "ap"}
            found = {(each["store"], each["count"]) for each in signed["eu"]["results"]}
            assert found == {("backups", 1), ("keys", 1), ("views", 1)}
            assert open_view(desk, pseudonym).json()["rule"] == "subject_unknown"

        # A copy that nobody asks back is let go when its view is closed; the control plane hears nothing of it.
        assert post(ap, "shop", line_text(WORDS[2], TARO)).status_code == 200
        with eu.desk as desk:
            view = opened(desk, last_author(ap))["view"]
            desk.delete(f"/views/{view}")
        until(lambda: not ap.read("SELECT 1 FROM disclosure WHERE closed_at IS NULL"))
        planted = [*WORDS, ANNA.line_user, TARO.line_user, *(event["message"]["id"] for event in events)]
        for folder in (control.folder, eu.node.folder, ap.node.folder):
            assert scan(folder, planted).hits == []
        for copy in sealed:
            until(lambda copy=copy: not any(copy in file.read_bytes() for file in eu.node.written()))


def created(answer):
    """Give a case that was opened, None while the pseudonym is not registered yet."""
    assert answer.status_code in {201, 404}, answer.text
    return answer.json() if answer.status_code == 201 else None


def cases(control, officer, kind):
    """Give the cases of a kind."""
    return [case for case in control.ask(officer, "GET", "/v1/cases").json()["items"] if case["kind"] == kind]
