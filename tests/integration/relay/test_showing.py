"""Another node is shown what the policy allows: by default nothing, the reason named; every message on record first."""

import pytest

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import ANNA, ROSA, TARO, line_edited, line_text, line_unsend
from tests.integration.relay.conftest import post
from tests.integration.relay.watching import Watch, last_author, open_view, retract
from tests.support.node import until

WORDS = ["Kornelkirschmus", "Sanddorn unter +49 171 000 4711", "Mispelkompott"]


@pytest.fixture(scope="module")
def told(company):
    """Three messages of a subject at ap."""
    for word in WORDS:
        assert post(company.ap, "shop", line_text(word, ANNA)).status_code == 200
    return company, last_author(company.ap)


def test_by_default_nothing_is_shown_and_the_rule_is_named(told):
    company, pseudonym = told
    assert post(company.eu, "desk", line_text("at home here", ROSA)).status_code == 200
    # No rule lets ap be shown anything.
    with company.ap.desk as desk:
        answer = open_view(desk, last_author(company.eu), node="eu")
    assert (answer.status_code, answer.json()["rule"]) == (403, "no_rule")
    with company.eu.desk as desk:
        answer = open_view(desk, pseudonym, purpose="fraud_prevention")
        assert (answer.status_code, answer.json()["rule"]) == (403, "no_rule")
        stranger = desk.post("/views", json={"pseudonym": "0" * 32, "purpose": "complaint", "node": "ap"})
    assert (stranger.status_code, stranger.json()["rule"]) == (403, "subject_unknown")
    assert company.eu.read("SELECT count(*) FROM disclosure") == [(0,)]


def test_the_desk_opens_to_its_token_alone(told):
    company, _ = told
    with company.eu.desk as desk:
        for headers in ({"authorization": ""}, {"authorization": "Bearer x"}, {"authorization": "Bearer é".encode()}):
            assert desk.post("/views", json={}, headers=headers).status_code == 401
        assert desk.post("/views", json={"pseudonym": "Anna", "purpose": "complaint"}).status_code == 400
        assert desk.get("/views/nobody/stream").status_code == 404
        assert desk.delete("/views/nobody").status_code == 404
        gone = desk.post("/views", json={"pseudonym": "0" * 32, "purpose": "complaint", "node": "nowhere"})
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:homeport:error:node_unknown")


@pytest.mark.parametrize(
    ("purpose", "form", "texts"),
    [
        ("complaint", "full", WORDS),
        ("customer_service", "masked", [WORDS[0], "Sanddorn unter ••• ••• ••• ••••", WORDS[2]]),
        ("audit", "metadata", None),
    ],
)
def test_the_form_is_the_rules(told, purpose, form, texts):
    company, pseudonym = told
    with company.eu.desk as desk:
        answer = open_view(desk, pseudonym, purpose=purpose)
        assert answer.status_code == 201
        assert (answer.json()["form"], answer.json()["shown"], answer.json()["more"]) == (form, 3, False)
        view = answer.json()["view"]
        watch = Watch(desk, view)
        events = watch.wait("shown", 3)
        assert [event.data["direction"] for event in events] == ["in"] * 3
        if texts is None:
            assert [event.data["content"] for event in events] == [None] * 3
        else:
            assert watch.shown() == texts
        on_record = company.ap.read("SELECT id, node, purpose, closed_at FROM disclosure WHERE view = ?", (view,))
        assert {row[0] for row in on_record} == {event.data["disclosure"] for event in events}
        assert {row[1:] for row in on_record} == {("eu", purpose, None)}
        assert desk.delete(f"/views/{view}").status_code == 204
        watch.wait("closed")
    for member in (company.eu, company.ap):
        assert scan(member.node.folder, [*WORDS, ANNA.line_user]).hits == []


def test_closing_destroys_copies_and_their_keys_and_tells_the_shower(told):
    company, pseudonym = told
    with company.eu.desk as desk:
        view = open_view(desk, pseudonym).json()["view"]
        copies = company.eu.read("SELECT key, sealed FROM shown WHERE view = ?", (view,))
        assert len(copies) == 3
        assert desk.delete(f"/views/{view}").status_code == 204
        assert desk.delete(f"/views/{view}").status_code == 404
    until(lambda: not company.ap.read("SELECT 1 FROM disclosure WHERE view = ? AND closed_at IS NULL", (view,)))
    assert company.eu.read("SELECT 1 FROM shown WHERE view = ?", (view,)) == []
    until(lambda: not company.eu.read("SELECT 1 FROM view WHERE id = ?", (view,)))
    acts = company.eu.read("SELECT act, reason, state FROM log_entry WHERE key = ?", (copies[0][0],))
    assert acts == [("unshow", "view_ended", "done")]
    # A reader may keep the write-ahead log for a moment; then nothing of it is left in any file.
    for _, sealed in copies:
        until(lambda sealed=sealed: not any(sealed in file.read_bytes() for file in company.eu.node.written()))


def test_what_is_retracted_leaves_the_live_view_and_the_disk(told):
    company, pseudonym = told
    with company.eu.desk as desk:
        view = open_view(desk, pseudonym).json()["view"]
        watch = Watch(desk, view)
        second = watch.wait("shown", 3)[1].data["disclosure"]
        sealed = company.eu.read("SELECT sealed FROM shown WHERE disclosure = ?", (second,))[0][0]
        assert retract(company.eu, "ap", second).rows == 1
        assert [event.data for event in watch.wait("retracted")] == [{"disclosure": second}]
        assert company.eu.read("SELECT 1 FROM shown WHERE disclosure = ?", (second,)) == []
        assert not any(sealed in file.read_bytes() for file in company.eu.node.written())
        # Asked again, the same is said; another node's name for something leads nowhere.
        assert retract(company.eu, "ap", second).rows == 1
        assert retract(company.eu, "eu", watch.events[0].data["disclosure"]).rows == 0
        # Who comes back after the first event misses nothing, and is shown nothing that was taken back.
        again = Watch(desk, view, after=watch.events[0].number)
        again.wait("retracted")
        assert again.shown() == [WORDS[2]]
        desk.delete(f"/views/{view}")


@pytest.mark.parametrize("node", ["ap", None], ids=["another node", "the same"])
def test_an_open_view_follows_what_comes_and_what_is_edited(told, node):
    company, _ = told
    watching = company.eu if node else company.ap
    group = "C" + ("d1" if node else "d2") * 16
    first = line_text("Schlehen gesammelt", TARO, group=group)
    assert post(company.ap, "shop", first).status_code == 200
    with watching.desk as desk:
        answer = open_view(desk, last_author(company.ap), node=node)
        watch = Watch(desk, answer.json()["view"])
        old = watch.wait("shown", answer.json()["shown"])[-1].data["disclosure"]
        edited = line_edited(first["message"]["id"], "Schlehen verkauft", group, TARO)
        assert post(company.ap, "shop", line_text("Hagebutten dazu", TARO), edited).status_code == 200
        watch.wait("shown", answer.json()["shown"] + 2)
        assert set(watch.shown()[-2:]) == {"Hagebutten dazu", "Schlehen verkauft"}
        assert [each.data["disclosure"] for each in watch.wait("retracted")] == [old]
        until(lambda: not watching.read("SELECT 1 FROM shown WHERE disclosure = ?", (old,)))
        desk.delete(f"/views/{answer.json()['view']}")
    for member in company.members.values():
        assert scan(member.node.folder, ["Schlehen", "Hagebutten"]).hits == []


def test_a_recall_at_the_shower_reaches_its_own_views(told):
    company, _ = told
    event = line_text("only a moment", TARO)
    assert post(company.ap, "shop", event).status_code == 200
    with company.ap.desk as desk:
        answer = open_view(desk, last_author(company.ap), node="ap")
        watch = Watch(desk, answer.json()["view"])
        shown = watch.wait("shown", answer.json()["shown"])
        assert watch.shown()[-1] == "only a moment"
        assert post(company.ap, "shop", line_unsend(event["message"]["id"], TARO)).status_code == 200
        assert watch.wait("retracted")[0].data["disclosure"] == shown[-1].data["disclosure"]
        # Nobody outside was shown it, so nothing is on record as a disclosure.
        assert company.ap.read("SELECT 1 FROM disclosure WHERE id = ?", (shown[-1].data["disclosure"],)) == []
        desk.delete(f"/views/{answer.json()['view']}")
