"""A plain text reply over each channel's real HTTP shape: what goes out, what is stored, what each failure means."""

import asyncio
import shutil
from pathlib import Path

import pytest

from deploy.sandbox import line, whatsapp
from deploy.sandbox.names import ANNA, ROSA, TARO
from edge_node.usecases.accounts import set_home
from shared.database.contract import Step
from shared.errors import AccountInvalid, PlatformUnavailable
from shared.errors.replying import ReplyImpossible, SendRefused, SendUnclear, SentNotStored, SubjectUnknown
from tests.integration.sandbox.desk import DESK, SHOP, desk
from tests.support.node import until

WORDS = "Your parcel is on its way. Grüße 🙂"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Set a node's stores up once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("desk") / "template"

    async def make():
        async with desk(folder, "http://127.0.0.1:1"):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture
def folder(template, tmp_path):
    return Path(shutil.copytree(template, tmp_path / "desk"))


@pytest.fixture
async def here(sandbox, folder):
    async with desk(folder, sandbox.platforms) as opened:
        yield opened


async def from_line(sandbox, here, **more):
    """Let Taro write on LINE, through the sandbox's books, and the node receive it; give his pseudonym."""
    sandbox.client.act("taro", "line", text="荷物はどこですか", **more)
    return await received(sandbox, here, "line")


async def from_whatsapp(sandbox, here, who="anna"):
    """Let Anna (or Rosa, who hides her number) write on WhatsApp, and the node receive it."""
    sandbox.client.act(who, "whatsapp", text="Where is my parcel?")
    return await received(sandbox, here, "whatsapp")


async def received(sandbox, here, channel):
    """Hand the newest body that the sandbox carried to the node."""
    assert sandbox.client.idle()
    return await here.receive(channel, sandbox.client.attempts()[-1].body)


@pytest.fixture
def sandbox(sandbox):
    """Give every account a callback, so that bodies are built; nobody listens there: they are taken from the books."""
    number, bot = sandbox.sandbox.world.numbers[0], sandbox.sandbox.world.bots[0]
    number.callbacks, bot.endpoint = {"phone_number": "http://127.0.0.1:1/wa"}, "http://127.0.0.1:1/line"
    sandbox.sandbox.courier.manners.haste = 1e9
    return sandbox


async def test_a_line_reply_takes_the_token_then_a_push(sandbox, here):
    taro = await from_line(sandbox, here)
    assert (await here.reply(taro, WORDS)).form == "line_reply"
    assert (await here.reply(taro, "And again.")).form == "line_push"
    first, second = sandbox.client.sent()
    assert (first.form, first.to, first.message) == ("reply", TARO.line_user, {"type": "text", "text": WORDS})
    assert (second.form, second.to) == ("push", TARO.line_user)
    stored = await here.outbound()
    assert [event.message_id for event in stored] == [first.id, second.id]
    assert [event.content.text for event in stored] == [WORDS, "And again."]
    assert stored[0].to.identifiers[0].value == TARO.line_user


@pytest.mark.parametrize(
    ("who", "field", "value"), [("anna", "to", ANNA.phone), ("rosa", "recipient", ROSA.bsuid)], ids=["phone", "bsuid"]
)
async def test_a_whatsapp_reply_goes_to_the_number_or_the_scoped_id(sandbox, here, who, field, value):
    subject = await from_whatsapp(sandbox, here, who)
    replied = await here.reply(subject, WORDS)
    assert replied.form == "whatsapp_text"
    assert sandbox.client.idle()
    (sent,) = sandbox.client.sent()
    assert sent.message[field] == value
    assert sent.message["text"]["body"] == WORDS
    assert sent.callback_data == replied.own_id
    assert sent.state == "read"
    (stored,) = await here.outbound()
    assert (stored.message_id, stored.event_id, stored.content.text) == (sent.id, replied.own_id, WORDS)


async def test_statuses_of_a_reply_come_home_to_its_subject(sandbox, here):
    anna = await from_whatsapp(sandbox, here)
    replied = await here.reply(anna, WORDS)
    sandbox.client.idle()
    bodies = {attempt.body for attempt in sandbox.client.attempts() if b"statuses" in attempt.body}
    assert len(bodies) == 3
    for body in bodies:
        assert replied.own_id.encode() in body
        assert await here.receive("whatsapp", body) == anna
    found = await here.rows(
        "SELECT s.pseudonym FROM event e JOIN subject s ON s.id = e.subject WHERE e.kind = 'status'"
    )
    assert found == [(anna,)] * 3


async def test_an_echo_of_what_was_sent_is_the_same_message(sandbox, here):
    anna = await from_whatsapp(sandbox, here)
    await here.reply(anna, WORDS)
    (stored,) = await here.outbound()
    echo = whatsapp.whatsapp_echo("text", {"body": WORDS}, ANNA, message_id=stored.message_id)
    await here.receive("whatsapp", whatsapp.whatsapp_body(echo))
    assert await here.outbound() == [stored]


async def test_a_token_that_line_refuses_definitely_becomes_a_push(sandbox, here):
    taro = await from_line(sandbox, here)
    sandbox.client.advance(61)
    assert (await here.reply(taro, WORDS)).form == "line_push"
    assert [sent.form for sent in sandbox.client.sent()] == ["push"]
    assert [request["endpoint"] for request in sandbox.client.requests()] == ["line.reply", "line.push"]


@pytest.mark.parametrize("done", [True, False], ids=["arrived", "did not arrive"])
@pytest.mark.parametrize("kind", ["reset", "status", "garbage"])
async def test_a_lost_answer_to_a_reply_is_never_made_a_push(sandbox, here, kind, done):
    taro = await from_line(sandbox, here)
    sandbox.client.fault("line.reply", kind, done=done)
    with pytest.raises(SendUnclear):
        await here.reply(taro, WORDS)
    assert [request["endpoint"] for request in sandbox.client.requests()] == ["line.reply"]
    assert len(sandbox.client.sent()) == done
    assert await here.outbound() == []


@pytest.mark.parametrize("done", [True, False], ids=["arrived", "did not arrive"])
@pytest.mark.parametrize("kind", ["reset", "status"])
async def test_a_push_is_repeated_under_its_key_and_arrives_once(sandbox, here, kind, done):
    taro = await from_line(sandbox, here)
    await here.reply(taro, "first")
    sandbox.client.fault("line.push", kind, done=done)
    assert (await here.reply(taro, WORDS)).form == "line_push"
    assert [sent.form for sent in sandbox.client.sent()] == ["reply", "push"]
    answers = [request["status"] for request in sandbox.client.requests() if request["endpoint"] == "line.push"]
    assert answers[-1] == (409 if done else 200)
    assert [event.message_id for event in await here.outbound()] == [sent.id for sent in sandbox.client.sent()]


async def test_a_push_that_stays_unclear_says_so(sandbox, here):
    taro = await from_line(sandbox, here)
    await here.reply(taro, "first")
    sandbox.client.fault("line.push", "reset", done=True)
    sandbox.client.fault("line.push", "status", status=429)
    with pytest.raises(SendUnclear):
        await here.reply(taro, WORDS)


@pytest.mark.parametrize("done", [True, False], ids=["arrived", "did not arrive"])
@pytest.mark.parametrize("kind", ["reset", "status", "garbage"])
async def test_whatsapp_is_not_repeated_where_the_answer_is_lost(sandbox, here, kind, done):
    anna = await from_whatsapp(sandbox, here)
    sandbox.client.fault("whatsapp.messages", kind, done=done)
    with pytest.raises(SendUnclear, match=r"may have been sent.*Nothing of it is stored.*Do not send it again"):
        await here.reply(anna, WORDS)
    assert (len(sandbox.client.requests()), len(sandbox.client.sent())) == (1, done)


@pytest.mark.parametrize("endpoint", ["line.reply", "whatsapp.messages"])
@pytest.mark.parametrize("status", [201, 202, 204, 408, 302])
async def test_what_a_gateway_may_have_passed_on_is_unclear(sandbox, here, endpoint, status):
    subject = await (from_line if endpoint == "line.reply" else from_whatsapp)(sandbox, here)
    sandbox.client.fault(endpoint, "redirect" if status == 302 else "status", status=status)
    with pytest.raises(SendRefused if status == 302 else SendUnclear) as caught:
        await here.reply(subject, WORDS)
    assert (caught.value.details["status"], len(sandbox.client.requests())) == (status, 1)


@pytest.mark.parametrize("code", [131026, 131047, 130429, 131056, 131042])
async def test_what_meta_refuses_is_told_by_its_code(sandbox, here, code):
    anna = await from_whatsapp(sandbox, here)
    sandbox.client.fault("whatsapp.messages", "code", code=code)
    with pytest.raises(SendRefused) as caught:
        await here.reply(anna, WORDS)
    assert caught.value.details["platform_code"] == code
    assert sandbox.client.sent() == []


@pytest.mark.parametrize("channel", ["line", "whatsapp"])
async def test_a_revoked_token_is_refused_and_not_shown(sandbox, here, channel):
    subject = await (from_line if channel == "line" else from_whatsapp)(sandbox, here)
    account = sandbox.sandbox.world.bots[0] if channel == "line" else sandbox.sandbox.world.numbers[0]
    sandbox.client.revoke(account.token)
    with pytest.raises(SendRefused) as caught:
        await here.reply(subject, WORDS)
    assert account.token not in f"{caught.value!r} {caught.value} {caught.value.details}"
    assert await here.outbound() == []


async def test_a_monthly_limit_is_a_refusal(sandbox, here):
    sandbox.sandbox.world.bots[0].monthly_limit = 0
    taro = await from_line(sandbox, here)
    await here.reply(taro, "free of charge")
    with pytest.raises(SendRefused) as caught:
        await here.reply(taro, WORDS)
    assert caught.value.details["reason"] == "limit"


async def test_a_platform_that_is_away_got_nothing(sandbox, folder):
    async with desk(folder, "http://127.0.0.1:1") as here:
        for come in (from_line, from_whatsapp):
            subject = await come(sandbox, here)
            with pytest.raises(PlatformUnavailable):
                await here.reply(subject, WORDS)
        assert await here.outbound() == []


async def test_a_stranger_is_unknown_and_a_recalled_message_no_longer_answered(sandbox, here):
    with pytest.raises(SubjectUnknown):
        await here.reply("0" * 32, WORDS)
    event = line.line_text("oops", TARO)
    taro = await here.receive("line", line.line_body(event))
    await here.receive("line", line.line_body(line.line_unsend(event["message"]["id"], TARO)))
    with pytest.raises(ReplyImpossible) as caught:
        await here.reply(taro, WORDS)
    assert caught.value.details == {"reason": "nothing_received"}


async def test_somebody_who_wrote_in_a_group_only_is_not_answered(sandbox, here):
    taro = await here.receive("line", line.line_body(line.line_text("hi all", TARO, group="C" + "a1" * 16)))
    with pytest.raises(ReplyImpossible) as caught:
        await here.reply(taro, WORDS)
    assert caught.value.details == {"reason": "group"}


async def test_an_account_whose_home_is_elsewhere_sends_nothing(sandbox, here):
    taro = await from_line(sandbox, here)
    accounts = here.stores.accounts
    moved, removed = set_home(accounts, DESK.name, "ap"), accounts.remove(DESK.name)
    for change, reason in ((moved, "account_not_here"), (removed, "account_gone")):
        await change
        with pytest.raises(ReplyImpossible) as caught:
            await here.reply(taro, WORDS)
        assert caught.value.details == {"reason": reason}


async def test_an_account_without_a_token_says_which_option_gives_one(sandbox, here):
    anna = await from_whatsapp(sandbox, here)
    ((_, credentials),) = [pair for pair in await here.stores.accounts.load() if pair[0] == SHOP]
    without = type(credentials)(credentials.secrets, credentials.verify_tokens)
    await here.stores.accounts.save(SHOP, without, replace=True)
    with pytest.raises(AccountInvalid) as caught:
        await here.reply(anna, WORDS)
    assert caught.value.details["field_name"] == "access_token"


async def reply_while(sandbox, here, subject, meanwhile):
    """Reply over a platform that takes its time, and do something before it has answered."""
    sandbox.client.fault("*", "slow", seconds=0.6)
    replying = asyncio.create_task(here.reply(subject, WORDS))
    await asyncio.to_thread(until, sandbox.client.sent)
    await meanwhile()
    with pytest.raises(SentNotStored) as caught:
        await replying
    return caught.value.details["reason"]


async def test_what_went_out_and_found_no_store_is_said_to_have_gone_out(sandbox, here):
    taro = await from_line(sandbox, here)
    assert await reply_while(sandbox, here, taro, here.stores.content.close) == "store_unavailable"


async def test_what_went_out_to_somebody_removed_meanwhile_makes_no_new_subject(sandbox, here):
    anna = await from_whatsapp(sandbox, here)

    async def remove():
        await here.stores.content.run([Step("UPDATE subject SET keep = 'expunged'")])

    assert await reply_while(sandbox, here, anna, remove) == "subject_gone"
    assert await here.rows("SELECT count(*) FROM subject") == [(1,)]
    assert await here.rows("SELECT count(*) FROM message WHERE direction = 'out'") == [(0,)]


async def test_whatever_keeps_it_from_being_stored_the_answer_says_that_it_went_out(sandbox, here):
    anna = await from_whatsapp(sandbox, here)

    async def lose_the_key():
        lost = Step("UPDATE owner_key SET name = 'lost' WHERE name = :name", [(anna,)])
        await here.stores.keys.database.run([lost, Step("UPDATE key_store SET generation = generation + 1")])

    assert await reply_while(sandbox, here, anna, lose_the_key) == "key_missing"
