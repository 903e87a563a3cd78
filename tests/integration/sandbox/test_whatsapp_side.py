"""Meta's side: what it takes, refuses, loses in silence and tells afterwards; files, settings, subscriptions."""

import base64
import hashlib

import pytest

from deploy.sandbox.names import ANNA, ROSA
from tests.integration.sandbox.business import NUMBER

DAY_S = 86_400
PNID = NUMBER.phone_number_id
BUTTON = {"type": "reply", "reply": {"id": "1", "title": "This"}}


def code_of(answer):
    return answer.json()["error"]["code"]


def statuses(arrived):
    return [status for value in arrived.values for status in value.get("statuses", ())]


def test_a_text_is_accepted_then_sent_delivered_and_read(client, business, arrived):
    client.act("anna", "whatsapp", text="hi")
    answer = business.say(ANNA.phone, biz_opaque_callback_data="our-own-id")
    assert answer.status_code == 200
    assert answer.json()["contacts"] == [{"input": ANNA.phone, "wa_id": ANNA.phone}]
    wamid = answer.json()["messages"][0]["id"]
    assert client.idle()
    told = statuses(arrived)
    assert [status["status"] for status in told] == ["sent", "delivered", "read"]
    assert {status["id"] for status in told} == {wamid}
    assert {status["biz_opaque_callback_data"] for status in told} == {"our-own-id"}
    assert {(status["recipient_user_id"], status["recipient_id"]) for status in told} == {(ANNA.bsuid, ANNA.phone)}


def test_a_scoped_id_in_recipient_is_sent_to_without_a_number(client, business, arrived):
    client.act("rosa", "whatsapp", text="hi")
    answer = business.say("", recipient=ROSA.bsuid)
    assert answer.json()["contacts"] == [{"input": ROSA.bsuid, "user_id": ROSA.bsuid}]
    assert client.idle()
    assert [status["status"] for status in statuses(arrived)] == ["sent", "delivered", "read"]
    assert all("recipient_id" not in status for status in statuses(arrived))


@pytest.mark.parametrize(("who", "code"), [(ANNA.phone, 131047), ("999000000001", 131026)], ids=["window", "stranger"])
def test_what_cannot_arrive_fails_afterwards(client, business, arrived, who, code):
    assert business.say(who).status_code == 200
    assert client.idle()
    (status,) = statuses(arrived)
    assert (status["status"], status["errors"][0]["code"]) == ("failed", code)
    assert "recipient_user_id" not in status


def test_the_window_closes_after_24_hours_and_a_template_still_goes(sandbox, client, business):
    sandbox.sandbox.world.numbers[0].window_errors = "answer"
    client.act("anna", "whatsapp", text="hi")
    client.advance(DAY_S - 60)
    assert business.say(ANNA.phone).status_code == 200
    client.advance(120)
    refused = business.say(ANNA.phone)
    assert (refused.status_code, code_of(refused)) == (400, 131047)
    template = {"name": "order_update", "language": {"code": "en_US"}}
    assert business.send_whatsapp("template", template, ANNA.phone).status_code == 200
    client.act("anna", "whatsapp", text="hi again")
    assert business.say(ANNA.phone).status_code == 200


def test_somebody_who_blocked_the_business_gets_nothing(client, business, arrived):
    client.act("anna", "whatsapp", text="hi")
    client.act("anna", "whatsapp", "block")
    business.say(ANNA.phone)
    client.idle()
    assert [status["status"] for status in statuses(arrived)] == ["sent"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", {"link": "https://files.example/a.jpg"}),
        ("interactive", {"type": "button", "body": {"text": "Which?"}, "action": {"buttons": [BUTTON]}}),
        ("reaction", {"message_id": "wamid.HBgx", "emoji": "👍"}),
        ("contacts", [{"name": {"formatted_name": "Shop", "first_name": "Shop"}}]),
        ("location", {"latitude": "52.5", "longitude": "13.4", "name": "Shop"}),
    ],
)
def test_every_form_within_the_window_is_accepted(client, business, kind, content):
    client.act("anna", "whatsapp", text="hi")
    assert business.send_whatsapp(kind, content, ANNA.phone).status_code == 200


def test_messages_are_marked_as_read_with_all_before(sandbox, client, business):
    first = client.act("anna", "whatsapp", text="one")
    client.advance(1)
    second = client.act("anna", "whatsapp", text="two")
    receipt = {"messaging_product": "whatsapp", "status": "read", "typing_indicator": {"type": "text"}}
    path = f"{PNID}/messages"
    assert business.graph("POST", path, receipt | {"message_id": second}).json() == {"success": True}
    assert all(sandbox.sandbox.world.said[one].read for one in (first, second))
    assert code_of(business.graph("POST", path, receipt | {"message_id": "wamid.x"})) == 100


def test_a_person_is_not_flooded_and_a_number_has_its_rate(sandbox, client, business):
    client.act("anna", "whatsapp", text="hi")
    answers = [business.say(ANNA.phone) for _ in range(46)]
    assert [answer.status_code for answer in answers[:45]] == [200] * 45
    assert code_of(answers[45]) == 131056
    client.advance(6)
    assert business.say(ANNA.phone).status_code == 200
    sandbox.sandbox.world.numbers[0].messages_per_second = 0
    assert code_of(business.say(ROSA.phone or "999")) == 130429


def test_an_inbound_file_has_an_address_for_five_minutes_and_an_id_for_seven_days(sandbox, client, business, arrived):
    client.act("anna", "whatsapp", "voice")
    client.idle()
    media = arrived.values[0]["messages"][0]["audio"]
    assert media["voice"] is True
    described = business.graph("GET", media["id"], params={"phone_number_id": PNID}).json()
    token = sandbox.sandbox.world.numbers[0].token
    data = business.get(described["url"], token).content
    assert len(data) == described["file_size"]
    digest = hashlib.sha256(data)
    assert (digest.hexdigest(), base64.b64encode(digest.digest()).decode()) == (described["sha256"], media["sha256"])
    assert business.get(described["url"]).status_code == 401
    assert business.graph("GET", media["id"], params={"phone_number_id": "1"}).status_code == 400
    client.advance(301)
    assert business.get(described["url"], token).status_code == 404
    again = business.graph("GET", media["id"]).json()["url"]
    assert business.get(again, token).content == data
    client.advance(7 * DAY_S)
    assert business.graph("GET", media["id"]).status_code == 400


def test_a_file_is_uploaded_sent_and_deleted(client, business):
    client.act("anna", "whatsapp", text="hi")
    files = {"file": ("a.png", b"\x89PNG not really", "image/png")}
    data = {"messaging_product": "whatsapp", "type": "image/png"}
    media_id = business.graph("POST", f"{PNID}/media", data=data, files=files).json()["id"]
    assert business.send_whatsapp("image", {"id": media_id}, ANNA.phone).status_code == 200
    assert business.graph("DELETE", media_id).json() == {"success": True}
    assert code_of(business.send_whatsapp("image", {"id": media_id}, ANNA.phone)) == 131053
    wrong = {"file": ("a.exe", b"MZ", "chemical/x-pdb")}
    assert (
        code_of(business.graph("POST", f"{PNID}/media", data={"messaging_product": "whatsapp"}, files=wrong)) == 131053
    )


def test_a_contact_is_forgotten_once(client, business):
    client.act("anna", "whatsapp", text="hi")
    query = {"messaging_product": "whatsapp", "bsuid": ANNA.bsuid}
    path = f"{PNID}/contact_book"
    assert business.graph("DELETE", path, params=query).json() == {"success": True, "deleted": True}
    assert business.graph("DELETE", path, params=query).json() == {"success": True, "deleted": False}
    assert business.graph("DELETE", path, params=query | {"bsuid": "DE.ENT.1"}).status_code == 400


def test_the_callback_in_force_is_the_numbers_then_the_wabas_and_needs_a_subscription(client, business, arrived):
    waba = f"{NUMBER.waba_id}/subscribed_apps"
    other = arrived.url.replace("/hook", "/waba")
    assert business.graph("POST", waba, {"override_callback_uri": other, "verify_token": "v"}).json() == {
        "success": True
    }
    told = business.graph("GET", PNID, params={"fields": "webhook_configuration"}).json()["webhook_configuration"]
    assert told == {"phone_number": arrived.url, "whatsapp_business_account": other}
    assert business.graph("DELETE", waba).json() == {"success": True}
    client.act("anna", "whatsapp", text="nobody hears")
    client.idle()
    assert arrived.bodies == []
    business.graph("POST", waba, {"override_callback_uri": other, "verify_token": "v"})
    client.act("anna", "whatsapp", text="hi")
    client.act("anna", "whatsapp", "stop_marketing")
    client.idle()
    assert len(arrived.bodies) == 1, "a preference goes to the app's own address, and there is none"


def test_a_callback_off_this_machine_is_refused(business):
    far = {"webhook_configuration": {"override_callback_uri": "https://edge.example/hook", "verify_token": "v"}}
    answer = business.graph("POST", PNID, far)
    assert answer.status_code == 400
    assert "127.0.0.1" in answer.json()["error"]["error_data"]["details"]


def test_storage_is_told_as_it_was_set(business):
    wanted = {"storage_configuration": {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": "JP"}}
    assert business.graph("POST", f"{PNID}/settings", wanted).json() == {"success": True}
    told = business.graph("GET", f"{PNID}/settings").json()["storage_configuration"]
    assert told["data_localization_region"] == "JP"
