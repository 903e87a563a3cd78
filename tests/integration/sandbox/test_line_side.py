"""LINE's side: reply tokens, retry keys, who gets what, files, account link, marks and limits."""

import uuid

import pytest

from deploy.sandbox.names import ANNA, ROSA, TARO

MESSAGE = "/v2/bot/message"


def wrote(client, arrived, **more):
    """Let Taro write; give the event that arrived."""
    client.act("taro", "line", text="やあ", **more)
    assert client.idle()
    return arrived.events[-1]


def key():
    return {"x-line-retry-key": str(uuid.uuid4())}


def test_a_reply_token_answers_once(client, business, arrived):
    token = wrote(client, arrived)["replyToken"]
    answer = business.reply(token, "one", "two")
    assert [sent.message["text"] for sent in client.sent()] == ["one", "two"]
    assert [sent["id"] for sent in answer.json()["sentMessages"]] == [sent.id for sent in client.sent()]
    again = business.reply(token, "three")
    assert (again.status_code, again.json()["message"]) == (400, "Invalid reply token")


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 400)])
def test_a_reply_token_lives_a_minute(client, business, arrived, seconds, status):
    token = wrote(client, arrived)["replyToken"]
    client.advance(seconds)
    assert business.reply(token, "late").status_code == status


def test_a_reply_takes_no_retry_key_and_no_strangers_token(unchecked, client, business, arrived):
    token = wrote(client, arrived)["replyToken"]
    assert business.reply(token, "x", **key()).status_code == 400
    assert business.reply("0" * 32, "x").status_code == 400
    assert business.reply(token, "x").status_code == 200


def test_a_redelivered_token_has_a_minute_from_then_but_at_most_twenty(sandbox, client, business, arrived):
    sandbox.sandbox.world.bots[0].redelivery = True
    arrived.answers = [500, 500, 200]
    client.act("taro", "line", text="やあ")
    while len(arrived.bodies) < 3:
        client.advance(30)
    assert client.idle()
    first, second, _ = arrived.events
    assert [event["deliveryContext"]["isRedelivery"] for event in (first, second)] == [False, True]
    assert {event["webhookEventId"] for event in arrived.events} == {first["webhookEventId"]}
    assert business.reply(first["replyToken"], "at last").status_code == 200


def test_a_push_with_a_retry_key_is_done_once(client, business):
    named = key()
    first = business.push(TARO.line_user, "x", **named)
    again = business.push(TARO.line_user, "x", **named)
    assert (first.status_code, again.status_code) == (200, 409)
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert again.json()["sentMessages"] == first.json()["sentMessages"]
    assert len(client.sent()) == 1
    client.advance(86_401)
    assert business.push(TARO.line_user, "x", **named).status_code == 200
    assert len(client.sent()) == 2


@pytest.mark.parametrize("to", ["U123", "0" * 33, "U" + "9" * 32])
def test_a_push_to_nobody_is_refused(client, business, to):
    assert business.push(to, "x").status_code == 400
    assert client.sent() == []


def test_a_push_to_somebody_who_blocked_is_answered_well_and_arrives_nowhere(client, business):
    client.act("taro", "line", "block")
    assert business.push(TARO.line_user, "x").status_code == 200
    assert [sent.state for sent in client.sent()] == ["blocked"]
    assert business.line("GET", f"/v2/bot/profile/{TARO.line_user}").status_code == 404
    client.act("taro", "line", "unblock")
    business.push(TARO.line_user, "x")
    assert client.sent()[-1].state == "accepted"
    assert business.line("GET", f"{MESSAGE}/quota/consumption").json() == {"totalUsage": 1}


def test_a_multicast_takes_people_only_and_at_most_500(unchecked, client, business):
    people = [ANNA.line_user, ROSA.line_user, "U" + "9" * 32]
    assert business.push(people, "x", form="multicast").json() == {}
    assert [sent.to for sent in client.sent()] == people
    assert business.push(["C" + "1" * 32], "x", form="multicast").status_code == 400
    assert unchecked.sandbox.violations == []


def test_the_months_limit_is_counted_by_person_and_replies_are_free(sandbox, client, business, arrived):
    sandbox.sandbox.world.bots[0].monthly_limit = 2
    token = wrote(client, arrived)["replyToken"]
    assert business.push([ANNA.line_user, ROSA.line_user], "x", "y", form="multicast").status_code == 200
    over = business.push(TARO.line_user, "x")
    assert (over.status_code, over.json()["message"]) == (429, "You have reached your monthly limit.")
    assert business.reply(token, "free").status_code == 200
    assert business.line("GET", f"{MESSAGE}/quota").json() == {"type": "limited", "value": 2}


def test_the_rate_of_an_endpoint_is_limited(sandbox, client, business):
    sandbox.sandbox.world.bots[0].requests_per_second = 1
    assert business.push(TARO.line_user, "x").status_code == 200
    assert business.push(TARO.line_user, "x").status_code == 429
    client.advance(1)
    assert business.push(TARO.line_user, "x").status_code == 200


@pytest.mark.parametrize("text", ["", "x" * 5_001, "🙂" * 2_501])
def test_a_text_is_measured_in_utf16_units(business, client, text):
    answer = business.push(TARO.line_user, text)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["property"] == "messages[0].text"
    assert business.push(TARO.line_user, "🙂" * 2_500).status_code == 200


def test_a_voice_message_is_prepared_first(client, business, arrived):
    message = wrote(client, arrived, does="voice")["message"]
    path = f"{MESSAGE}/{message['id']}/content"
    client.advance(1)
    found = business.line("GET", path)
    assert (found.status_code, found.headers["content-type"]) == (200, "audio/x-m4a")
    assert business.line("GET", f"{path}/transcoding").json() == {"status": "succeeded"}
    assert business.line("GET", f"{path}/preview").status_code == 400
    assert business.line("GET", f"{MESSAGE}/1/content").status_code == 404


def test_a_film_answers_202_until_it_is_ready_and_410_once_taken_back(client, business, arrived):
    message = wrote(client, arrived, does="film", called="film")["message"]
    path = f"{MESSAGE}/{message['id']}/content"
    assert business.line("GET", path).status_code == 202
    assert business.line("GET", f"{path}/transcoding").json() == {"status": "processing"}
    client.advance(4)
    assert business.line("GET", path).status_code == 200
    client.act("taro", "line", "unsend", about="film")
    assert [business.line("GET", path + part).status_code for part in ("", "/preview", "/transcoding")] == [410] * 3


def test_an_account_is_linked_once_by_who_the_token_is_for(client, business, arrived):
    path = f"/v2/bot/user/{TARO.line_user}/linkToken"
    nonce = "bm9uY2Utb2YtdGhlLXNob3A="

    def link(token, **headers):
        query = {"linkToken": token, "nonce": nonce}
        return business.line(
            "GET", "/dialog/bot/accountLink?" + "&".join("=".join(p) for p in query.items()), **headers
        )

    token = business.line("POST", path).json()["linkToken"]
    assert link(token).status_code == 200
    assert link(token).status_code == 400, "a token is good once"
    other = business.line("POST", path).json()["linkToken"]
    link(other, **{"x-sandbox-person": ANNA.line_user})
    old = business.line("POST", path).json()["linkToken"]
    client.advance(601)
    assert link(old).status_code == 400
    assert client.idle()
    ok, failed = sorted(arrived.events, key=lambda event: event["link"]["result"], reverse=True)
    assert (ok["link"], ok["source"]["userId"]) == ({"result": "ok", "nonce": nonce}, TARO.line_user)
    assert failed["link"]["result"] == "failed"
    assert "source" not in failed


def test_messages_are_marked_as_read_by_the_token_of_the_last(sandbox, client, business, arrived):
    sandbox.sandbox.world.bots[0].chat_mode = "chat"
    first = wrote(client, arrived)["message"]
    client.advance(1)
    second = wrote(client, arrived)["message"]
    path = "/v2/bot/chat/markAsRead"
    assert business.line("POST", path, {"markAsReadToken": second["markAsReadToken"]}).status_code == 200
    assert all(sandbox.sandbox.world.said[one["id"]].read for one in (first, second))
    assert business.line("POST", path, {"markAsReadToken": "0"}).status_code == 400


@pytest.mark.parametrize(("seconds", "status"), [(5, 202), (20, 202), (7, 400)])
def test_a_loading_animation_has_steps_of_five_seconds(business, seconds, status):
    body = {"chatId": TARO.line_user, "loadingSeconds": seconds}
    assert business.line("POST", "/v2/bot/chat/loading/start", body).status_code == status


def test_the_webhook_address_is_set_told_and_tested(business, arrived):
    path = "/v2/bot/channel/webhook/endpoint"
    assert business.line("PUT", path, {"endpoint": "https://edge.example/hook"}).status_code == 400
    assert business.line("PUT", path, {"endpoint": arrived.url}).status_code == 200
    assert business.line("GET", path).json() == {"endpoint": arrived.url, "active": True}
    assert business.line("POST", "/v2/bot/channel/webhook/test", {}).json()["success"] is True
    assert arrived.events == []
    assert len(arrived.bodies) == 1


def test_a_wrong_token_is_refused(business):
    wrong = business.line("GET", "/v2/bot/info", authorization="Bearer somebody-elses")
    assert wrong.status_code == 401
