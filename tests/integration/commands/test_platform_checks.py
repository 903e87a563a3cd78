"""What the platforms say of an account, asked of the stand-ins over real HTTP."""

import msgspec
import pytest

from deploy.sandbox.faults import Fault
from deploy.sandbox.names import LineChannel, WhatsAppNumber
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.serving import serving
from deploy.sandbox.world import Bot, Number, World
from edge_node.core.accounts import Account, Credentials, LineIds, WhatsAppIds
from edge_node.platforms import LineProbe, PlatformClient, WhatsAppProbe
from shared.errors import PlatformUnavailable

NUMBER, CHANNEL = WhatsAppNumber(), LineChannel()
SHOP = Account("shop", WhatsAppIds(NUMBER.app_id, (NUMBER.waba_id,), (NUMBER.phone_number_id,)), "555")
LINE = Account("line-shop", LineIds(CHANNEL.bot_user_id), "1656")
HERE = "https://edge.example/webhooks/whatsapp/shop"
TOKEN = "plainly-invented-token"
FAULTS = [
    *(Fault("*", kind, count=None) for kind in ("redirect", "huge", "garbage", "reset")),
    Fault("*", "status", count=None, status=503),
]
LINE_HERE = "https://edge.example/webhooks/line/line-shop"


@pytest.fixture
def number():
    return Number(callbacks={"phone_number": HERE, "application": "https://central.example/hook"}, token=TOKEN)


@pytest.fixture
def bot():
    return Bot(endpoint=LINE_HERE, token=TOKEN)


@pytest.fixture
def served(number, bot):
    sandbox = Sandbox(World(numbers=[number], bots=[bot]))
    with serving(sandbox) as here:
        yield here
    assert sandbox.violations == []


@pytest.fixture
def base(served):
    return served.platforms


def credentials(token=None):
    return Credentials((b"0123456789abcdef",), ("verify",), token or TOKEN)


async def whatsapp(base, account=SHOP, token=None):
    return await WhatsAppProbe(base)(account, credentials(token))


async def line(base, account=LINE, token=None, *, test=False):
    return await LineProbe(base, test=test)(account, credentials(token))


def states(findings):
    return {finding.topic: finding.state for finding in findings}


def told(findings, topic):
    (finding,) = [finding for finding in findings if finding.topic == topic]
    return finding


async def test_a_number_that_is_set_up_well_is_ok(base, served):
    findings = await whatsapp(base)
    assert states(findings) == {"callback": "ok", "storage": "ok", "subscription": "ok"}
    assert "DE" in told(findings, "storage").what
    assert all(request.path.startswith("/v25.0/") for request in served.sandbox.requests)


@pytest.mark.parametrize(
    ("callbacks", "state"),
    [
        ({"whatsapp_business_account": HERE, "application": "https://central.example/x"}, "ok"),
        ({"override_callback_uri": HERE}, "ok"),
        ({"application": HERE}, "ok"),
        ({"phone_number": "https://other.example/x", "application": HERE}, "warning"),
        ({"phone_number": "", "application": "https://central.example/hook"}, "warning"),
        ({"phone_number": HERE.replace("https", "http")}, "warning"),
        ({"phone_number": HERE + "/"}, "warning"),
        ({"phone_number": "https://[broken"}, "warning"),
        ({}, "warning"),
    ],
)
async def test_the_callback_in_force_is_judged_number_before_waba_before_app(base, number, callbacks, state):
    number.callbacks = callbacks
    finding = told(await whatsapp(base), "callback")
    assert finding.state == state
    assert bool(finding.remedy) == (state == "warning")


@pytest.mark.parametrize(
    ("storage", "state", "word"),
    [
        ({"status": "in_country_storage_enabled", "data_localization_region": "jp"}, "ok", "JP"),
        ({"status": "default"}, "warning", "Local Storage is off"),
        ({"status": "NO_STORAGE_ENABLED", "retention_minutes": 60}, "warning", "1 hour"),
        ({"status": "SOMETHING_NEW"}, "unknown", "does not say"),
    ],
)
async def test_metas_storage_setting_is_told_as_it_is(base, number, storage, state, word):
    number.storage = storage
    finding = told(await whatsapp(base), "storage")
    assert finding.state == state
    assert word in finding.what


@pytest.mark.parametrize(
    ("apps", "state"), [([], "warning"), (["1"], "warning"), ([NUMBER.app_id], "ok"), ([NUMBER.app_id, "1"], "warning")]
)
async def test_the_app_alone_must_be_subscribed(base, number, apps, state):
    number.subscribed = apps
    assert told(await whatsapp(base), "subscription").state == state


async def test_the_apps_own_callback_cannot_be_asked_and_that_is_said(base):
    home = msgspec.structs.replace(SHOP, app_home=True)
    assert told(await whatsapp(base, home), "app_callback").state == "unknown"


async def test_a_channel_that_is_set_up_well_is_ok_but_for_what_line_does_not_tell(base):
    assert states(await line(base)) == {
        "channel": "ok",
        "callback": "ok",
        "redelivery": "unknown",
        "storage": "unknown",
    }


async def test_line_settings_that_need_mending_are_warnings(base, bot):
    bot.active, bot.chat_mode, bot.endpoint = False, "chat", "https://elsewhere.example/webhooks/line/line-shop2"
    found = states(await line(base))
    assert (found["webhook_use"], found["chat"], found["callback"]) == ("warning",) * 3


async def test_a_line_address_that_was_never_set_is_a_warning(base, bot):
    bot.endpoint = None
    assert "no callback is set" in told(await line(base), "callback").what


async def test_a_token_of_another_line_channel_is_seen(base, bot):
    bot.ids = LineChannel("U" + "e5" * 16)
    assert told(await line(base), "channel").state == "warning"


async def test_line_sends_an_empty_webhook_on_request(base, bot):
    bot.endpoint = f"{base}/v2/bot/channel/webhook/endpoint"  # answers a POST 404
    finding = told(await line(base, test=True), "test")
    assert (finding.state, "404" in finding.what) == ("warning", True)
    bot.endpoint = "http://127.0.0.1:1/"
    assert "status 0" in told(await line(base, test=True), "test").what
    assert "test" not in states(await line(base))


@pytest.mark.parametrize("ask", [whatsapp, line])
async def test_a_refused_token_is_a_warning_that_does_not_show_it(base, ask):
    findings = await ask(base, token="stale-token-canary")
    assert {finding.state for finding in findings if finding.topic in {"callback", "channel"}} == {"warning"}
    assert "canary" not in str(findings)


@pytest.mark.parametrize("ask", [whatsapp, line])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
async def test_an_answer_that_is_none_is_an_error_without_token_and_ids(base, served, ask, fault):
    served.sandbox.faults.order(fault)
    with pytest.raises(PlatformUnavailable) as caught:
        await ask(base)
    said = f"{caught.value} {caught.value!r} {caught.value.details} {caught.value.__cause__}"
    for private in (TOKEN, NUMBER.phone_number_id, NUMBER.waba_id, CHANNEL.bot_user_id, "127.0.0.1", "sorry"):
        assert private not in said


@pytest.mark.parametrize("ask", [whatsapp, line])
async def test_a_token_follows_no_redirect(base, served, ask):
    served.sandbox.faults.order(Fault("*", "redirect", count=None))
    with pytest.raises(PlatformUnavailable):
        await ask(base)
    assert served.sandbox.world.seen_elsewhere == []


@pytest.mark.parametrize("ask", [whatsapp, line])
async def test_a_platform_that_is_away_is_an_error_without_token_and_ids(ask):
    with pytest.raises(PlatformUnavailable) as caught:
        await ask("http://127.0.0.1:1")
    assert TOKEN not in f"{caught.value} {caught.value.__cause__}"


async def test_ids_cannot_lead_out_of_their_place(base, served):
    async with PlatformClient(base + "/", TOKEN) as client:
        await client.get("v25.0", "../../elsewhere?x#y", "settings")
        await client.get("//evil.example/x")
    assert served.sandbox.world.seen_elsewhere == []
    assert all("elsewhere" not in request.path.split("/") for request in served.sandbox.requests)


async def test_proxies_of_the_environment_get_no_token(base, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert told(await line(base), "channel").state == "ok"
