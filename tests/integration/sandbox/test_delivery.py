"""How webhooks are carried: signed, repeated, doubled, out of order, gathered, dropped, and to this machine only."""

import pytest

from deploy.sandbox.client import OrderRefused
from deploy.sandbox.courier import WHATSAPP_DROP_S, WHATSAPP_PAUSES_S, Manners, NotLoopback, require_loopback
from deploy.sandbox.names import ANNA, TARO
from deploy.sandbox.world import Bot, Number
from edge_node.channels.registry import CHANNELS
from tests.support.node import until


def texts(arrived):
    return [message["text"]["body"] for value in arrived.values for message in value["messages"]]


def test_both_platforms_sign_what_they_send(client, arrived):
    client.act("anna", "whatsapp", text="Grüße @ home / 🤨")
    client.act("taro", "line", text="こんにちは 🤨")
    assert client.idle()
    for channel, secret, header, body in (
        ("whatsapp", Number().app_secret, "x-hub-signature-256", next(b for b in arrived.bodies if b"entry" in b)),
        ("line", Bot().secret, "x-line-signature", next(b for b in arrived.bodies if b"events" in b)),
    ):
        signature = next(headers[header] for headers in arrived.headers if header in headers)
        assert CHANNELS[channel].verify([secret], body, signature.encode())


def test_whatsapp_sends_again_ever_less_often_the_same_body_until_it_is_taken(client, arrived):
    arrived.answers = [500, 503, 404, 500, 200]
    client.act("anna", "whatsapp", text="patience")

    def taken():
        client.advance(120)
        return len(arrived.bodies) == 5

    until(taken)
    assert client.idle()
    assert len(set(arrived.bodies)) == 1
    attempts = client.attempts()
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4, 5]
    assert [attempt.result for attempt in attempts] == [500, 503, 404, 500, 200]
    for earlier, later, pause in zip(attempts, attempts[1:], WHATSAPP_PAUSES_S, strict=False):
        assert later.at - earlier.at >= 1_000 * pause
    assert list(WHATSAPP_PAUSES_S) == sorted(WHATSAPP_PAUSES_S)


def test_whatsapp_gives_up_after_seven_days(sandbox, client, arrived):
    arrived.answers = [500]
    client.act("anna", "whatsapp", text="nobody at home")

    def dropped():
        client.advance(43_200)
        return client.state()["dropped"]

    until(dropped)
    attempts = client.attempts()
    assert attempts[-1].at - attempts[0].at >= (WHATSAPP_DROP_S - 86_400) * 1_000
    assert client.state()["busy"] is False


def test_haste_makes_repetitions_come_sooner(client, arrived):
    client.manners(Manners(haste=1e6))
    arrived.answers = [500] * 6 + [200]
    client.act("anna", "whatsapp", text="hurry")
    assert client.idle()
    assert len(arrived.bodies) == 7


@pytest.mark.parametrize(("redelivery", "count"), [(False, 1), (True, 3)])
def test_line_sends_again_only_where_redelivery_is_on(sandbox, client, arrived, redelivery, count):
    sandbox.sandbox.world.bots[0].redelivery = redelivery
    client.manners(Manners(haste=1e6))
    arrived.answers = [500, 500, 200]
    client.act("taro", "line", text="x")
    assert client.idle()
    assert [event["deliveryContext"]["isRedelivery"] for event in arrived.events] == [False, True, True][:count]
    assert client.state()["dropped"] == (0 if redelivery else 1)


def test_a_share_of_bodies_comes_twice(client, arrived):
    client.manners(Manners(duplicate_share=1.0))
    client.act("anna", "whatsapp", text="twice")
    assert client.idle()
    assert texts(arrived) == ["twice", "twice"]
    assert len(set(arrived.bodies)) == 1


def test_a_share_of_bodies_is_passed_by_later_ones(client, arrived):
    client.manners(Manners(reorder_share=1.0, held_seconds=600))
    client.act("anna", "whatsapp", text="first")
    until(lambda: client.state()["busy"])
    client.manners(Manners())
    client.act("anna", "whatsapp", text="second")
    until(lambda: arrived.bodies)
    client.advance(601)
    assert client.idle()
    assert texts(arrived) == ["second", "first"]


def test_updates_are_gathered_into_one_body_up_to_the_greatest_size(client, arrived):
    client.manners(Manners(batch_max=3, gather_seconds=600))
    for number in range(7):
        client.act("anna", "whatsapp", text=str(number))
    client.advance(601)
    assert client.idle()
    assert sorted(texts(arrived)) == list("0123456")
    assert sorted(len(attempt.ids) for attempt in client.attempts()) == [1, 3, 3]


def test_a_slow_callback_is_a_timeout_for_line(client, arrived):
    client.manners(Manners(line_seconds_max=0.000001))
    client.act("taro", "line", text="x")
    assert client.idle()
    assert [attempt.result for attempt in client.attempts()] == ["request_timeout"]


@pytest.mark.parametrize(
    "address",
    [
        "https://edge.example/hook", "http://10.0.0.1/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "", "http://",
        "http://[::2]/", "http://0.0.0.0/", "http://localhost.example/", "http://127.0.0.1@edge.example/",
    ],
)  # fmt: skip
def test_nothing_is_sent_off_this_machine(sandbox, client, address):
    with pytest.raises(NotLoopback):
        require_loopback(address)
    with pytest.raises(OrderRefused, match="sandbox sends to"):
        client.accounts(numbers=[Number(callbacks={"application": address})])
    sandbox.sandbox.world.bots[0].endpoint = address
    client.act("taro", "line", text="x")
    assert client.idle()
    assert [attempt.result for attempt in client.attempts()] == ["not_loopback"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/x", "http://[::1]:9/", "http://localhost/x", "https://127.9.9.9/"]
)
def test_this_machine_is_sent_to(address):
    assert require_loopback(address) == address


def test_accounts_are_set_by_order(client, arrived):
    number = Number(callbacks={"application": arrived.url}, app_secret=b"another-app-secret", token="another")
    client.accounts(numbers=[number], bots=[Bot(endpoint=arrived.url, token="another-line")])
    client.act("anna", "whatsapp", text="x")
    assert client.idle()
    signature = arrived.headers[0]["x-hub-signature-256"].encode()
    assert CHANNELS["whatsapp"].verify([b"another-app-secret"], arrived.bodies[0], signature)


@pytest.mark.parametrize(
    ("channel", "act"),
    [
        ("whatsapp", {"does": does}) for does in ("say", "sticker", "voice", "picture", "film", "file", "place")
    ]
    + [
        ("line", {"does": does})
        for does in ("say", "sticker", "voice", "picture", "film", "file", "place", "follow", "tap", "block")
    ],
)  # fmt: skip
def test_every_act_is_understood_by_the_channel(client, arrived, channel, act):
    who = "anna" if channel == "whatsapp" else "taro"
    client.act(who, channel, text="words", **act)
    assert client.idle()
    (event,) = CHANNELS[channel].parse(arrived.bodies[0])
    assert type(event).__name__ not in {"Unclassified", "Notice"}
    person = event.author.identifiers[0].value
    assert person == (ANNA.bsuid if channel == "whatsapp" else TARO.line_user)
