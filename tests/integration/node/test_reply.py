"""The whole way out and back: a node and a sandbox as processes, ``homeport edge reply``, and the statuses after it."""

import subprocess
from io import BytesIO

import pytest

from deploy.sandbox.courier import Manners
from deploy.sandbox.world import Bot, Number
from edge_node.commands.reply import _read_text
from shared.errors.replying import ReplyImpossible
from tests.integration.node.opened import Opened, faults, read_rows
from tests.support.node import (
    ACCESS_TOKEN,
    CHANNELS,
    HOMEPORT,
    LINE,
    LINE_CHANNEL,
    LINE_SECRET,
    NUMBER,
    WHATSAPP_SECRET,
    RealNode,
    until,
)
from tests.support.sandbox import sandbox_process

ASKED, ANSWERED = "canary-question-6153", "canary-answer-7264 Grüße 🙂"
TYPED = ANSWERED.encode()


@pytest.fixture(scope="module")
def sandbox():
    with sandbox_process() as running:
        yield running


@pytest.fixture(scope="module")
def node(node_template, sandbox, tmp_path_factory):
    """Give a running node whose accounts are at the sandbox, and tell the sandbox where its webhooks go."""
    folder, base = tmp_path_factory.mktemp("replying"), sandbox.platforms
    node = RealNode(folder / "node", node_template, f'[platforms]\nwhatsapp_api = "{base}"\nline_api = "{base}"\n')
    (folder / "token").write_text(ACCESS_TOKEN)
    words = ["--channel", "line", "--scope", "1656", "--bot-user-id", LINE_CHANNEL.bot_user_id, "--secret-file", "-"]
    token = ["--access-token-file", str(folder / "token"), "--replace"]
    node.command("account", "add", LINE, *words, *token, typed=LINE_SECRET)
    try:
        node.start()
        address = {name: f"http://{node.public}{channel.path}" for name, channel in CHANNELS.items()}
        number = Number(NUMBER, ACCESS_TOKEN, WHATSAPP_SECRET, callbacks={"phone_number": address["whatsapp"]})
        bot = Bot(LINE_CHANNEL, ACCESS_TOKEN, LINE_SECRET, address["line"])
        sandbox.client.accounts(numbers=[number], bots=[bot])
        yield node
    finally:
        node.end()


@pytest.fixture
def client(sandbox):
    """Give the sandbox's private address, its faults and manners as at the beginning."""
    yield sandbox.client
    sandbox.client.clear_faults()
    sandbox.client.manners(Manners())


def subject_of_newest(node):
    ((pseudonym,),) = read_rows(
        node.settings.data_dir / "content.db",
        "SELECT s.pseudonym FROM message m JOIN subject s ON s.id = m.subject ORDER BY m.id DESC LIMIT 1",
    )
    return pseudonym


def statuses(node):
    return read_rows(node.settings.data_dir / "content.db", "SELECT count(*) FROM event WHERE kind = 'status'")[0][0]


def test_a_reply_leaves_over_each_channel_and_its_statuses_come_home(node, client):
    before = len(client.sent())
    for who, channel in (("anna", "whatsapp"), ("rosa", "whatsapp"), ("taro", "line")):
        client.act(who, channel, text=ASKED)
        assert client.idle()
        said = node.command("reply", "--subject", subject_of_newest(node), typed=f"{ANSWERED}\n".encode())
        assert said.startswith("Sent over ")
    assert client.idle()
    until(lambda: statuses(node) == 6)
    sent = client.sent()[before:]
    assert [(one.platform, one.form, one.state) for one in sent] == [
        ("whatsapp", "messages", "read"),
        ("whatsapp", "messages", "read"),
        ("line", "reply", "accepted"),
    ]
    assert [one.message["text"] for one in sent] == [{"body": ANSWERED, "preview_url": False}] * 2 + [ANSWERED]
    opened = Opened(node.settings)
    out = {held.event.message_id: held.event for held in opened.messages if held.event.direction == "out"}
    assert out.keys() == {one.id for one in sent}
    told = [event for event in opened.events if event.message_id in out]
    assert sorted(event.status for event in told) == sorted(["sent", "delivered", "read"] * 2)
    assert all(event.callback_data == out[event.message_id].event_id for event in told)
    assert faults(opened) == []
    private = (ASKED, ANSWERED, ACCESS_TOKEN, *(one.id for one in sent))
    for file in node.written():
        data = file.read_bytes()
        assert not any(word.encode() in data for word in private), file


def test_a_reply_that_cannot_be_sent_is_one_line_without_a_word_of_it(node, client):
    client.act("anna", "whatsapp", text=ASKED)
    assert client.idle()
    before = len(client.sent())
    client.fault("whatsapp.messages", "code", code=131047)
    client.fault("whatsapp.messages", "reset", done=True)

    def reply(subject, typed=TYPED):
        words = [HOMEPORT, "edge", "reply", "--subject", subject, "--config", str(node.config)]
        done = subprocess.run(words, input=typed, capture_output=True, check=False)
        assert ANSWERED not in (done.stdout + done.stderr).decode()
        return done.returncode, done.stderr.decode()

    anna = subject_of_newest(node)
    status, said = reply(anna)
    assert (status, "send_refused" in said, "platform_code=131047" in said) == (1, True, True)
    status, said = reply(anna)
    assert (status, "send_unclear" in said) == (1, True)
    status, said = reply("0" * 32)
    assert (status, "subject_unknown" in said) == (2, True)
    assert len(client.sent()) == before + 1


@pytest.mark.parametrize(
    ("typed", "reason"), [(b"\xff", "text_not_utf8"), (b"x" * 70_000, "text_too_long"), (b"hi\r\n", None)]
)
def test_a_text_is_read_from_standard_input_within_its_bounds(typed, reason):
    if reason is None:
        assert _read_text(BytesIO(typed)) == "hi"
        return
    with pytest.raises(ReplyImpossible) as caught:
        _read_text(BytesIO(typed))
    assert caught.value.details == {"reason": reason}


def test_a_webhook_storm_with_every_mishap_is_stored_once(node, client):
    client.manners(Manners(duplicate_share=0.5, reorder_share=0.5, batch_max=50, gather_seconds=0.05, haste=1e4))
    script = ["seed = 3"]
    for number in range(60):
        channel, who = ("whatsapp", "anna") if number % 2 else ("line", "taro")
        script += ["[[act]]", f'who = "{who}"', f'on = "{channel}"', f"at = {number / 100}", f'text = "{number}"']
    assert len(client.script("\n".join(script))) == 60
    assert client.idle()
    opened = Opened(node.settings)
    assert sorted(int(held.text) for held in opened.messages if held.text.isdecimal()) == list(range(60))
    assert faults(opened) == []
