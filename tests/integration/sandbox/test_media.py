"""Files over each platform's real HTTP shape: what is fetched, taken up again, withheld, given up, and never sent."""

import asyncio
import shutil
from pathlib import Path

import pytest

from edge_node.assembly import assemble_taking_in
from edge_node.core.fetching import Wanted
from edge_node.platforms.media import PlatformMedia
from edge_node.platforms.media_client import MediaClient, Reach, place_of
from edge_node.settings_media import Platforms
from shared.addresses import HostPort
from shared.errors.media import MediaGone, MediaNotFetched
from tests.integration.sandbox.desk import desk
from tests.support.loop import LaterClock
from tests.support.media import Desk as MediaDesk

SIZE = 300_000


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Set a node's stores up once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("media") / "template"

    async def make():
        async with desk(folder, "http://127.0.0.1:1"):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture
async def here(sandbox, arrived, template, tmp_path):
    """Give a node's parts, with what fetches; ``later`` moves its clock and the sandbox's together."""
    folder = Path(shutil.copytree(template, tmp_path / "desk"))
    async with desk(folder, sandbox.platforms) as opened:
        yield await Here.of(sandbox, opened, arrived)


class Here:
    """A node that receives from the sandbox and fetches there."""

    @classmethod
    async def of(cls, sandbox, opened, arrived):
        here = cls()
        here.arrived = arrived
        here.sandbox, here.desk, here.clock = sandbox, opened, LaterClock(opened.stores.clock)
        taking_in = await assemble_taking_in(opened.stores)
        here.media = MediaDesk(
            opened.stores,
            PlatformMedia(opened.stores.settings.platforms),
            taking_in.take_in,
            here.clock,
            await opened.stores.accounts.load_rows(),
            external=True,
        )
        return here

    async def sent(self, channel, does, size=SIZE, **more):
        """Let somebody send a file and the node receive the message; give the file's bytes and the message's mark."""
        self.sandbox.client.act("anna" if channel == "whatsapp" else "taro", channel, does, size_bytes=size, **more)
        assert self.sandbox.client.idle()
        await self.desk.receive(channel, self.arrived.bodies[-1])
        (mark,) = (await self.desk.rows("SELECT mark FROM message ORDER BY id DESC LIMIT 1"))[0]
        return list(self.sandbox.sandbox.world.kept.values())[-1].data, mark

    async def fetch(self, seconds=0.0):
        """Fetch what is due after ``seconds``."""
        self.clock.later_ms += int(seconds * 1_000)
        if seconds:
            self.sandbox.client.advance(seconds)
        await self.media.fetcher.once()

    async def state(self):
        """Give how far the newest file has come."""
        return (await self.desk.rows("SELECT state, code FROM media_fetch ORDER BY derivative DESC LIMIT 1"))[0]

    def asked(self, name):
        """Give the statuses that an endpoint answered."""
        return [each["status"] for each in self.sandbox.client.requests() if each["endpoint"] == name]

    def parts(self):
        """Give the files of the node."""
        return [path for path in self.desk.stores.blobs.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("channel", ["whatsapp", "line"])
@pytest.mark.parametrize("does", ["picture", "film", "voice", "file"])
async def test_a_file_is_fetched_from_each_platform(here, channel, does):
    data, mark = await here.sent(channel, does)
    await here.fetch()
    if channel == "line" and does in {"film", "voice"}:
        assert await here.state() == ("waiting", "preparing")
        assert here.asked("line.transcoding") == [200]
        await here.fetch(10)
    assert await here.state() == ("done", "")
    assert await here.media.bytes_of(mark) == data


@pytest.mark.parametrize("channel", ["whatsapp", "line"])
async def test_a_connection_that_ends_early_costs_no_byte_twice(here, channel):
    data, mark = await here.sent(channel, "picture")
    name = "whatsapp.download" if channel == "whatsapp" else "line.content"
    here.sandbox.client.fault(name, "cut")
    await here.fetch()
    assert await here.state() == ("waiting", "cut")
    (part,) = here.parts()
    assert part.suffix == ".part"
    assert part.stat().st_size > SIZE // 4
    await here.fetch(5)
    assert here.asked(name)[-1] == 206
    assert await here.media.bytes_of(mark) == data


@pytest.mark.parametrize(
    ("name", "kind", "more", "code"),
    [
        ("whatsapp.node", "status", {"status": 429}, "busy"),
        ("whatsapp.node", "status", {"status": 500}, "server_error"),
        ("whatsapp.node", "code", {"code": 190}, "token_refused"),
        ("whatsapp.node", "garbage", {}, "unexpected_shape"),
        ("whatsapp.node", "huge", {}, "unexpected_shape"),
        ("whatsapp.node", "reset", {}, "cut"),
        ("whatsapp.download", "status", {"status": 404}, "address_expired"),
        ("whatsapp.download", "garbage", {}, "size_mismatch"),
        ("whatsapp.download", "reset", {}, "cut"),
    ],
)
async def test_what_fails_is_fetched_later(here, name, kind, more, code):
    data, mark = await here.sent("whatsapp", "picture")
    here.sandbox.client.fault(name, kind, **more)
    await here.fetch()
    state, found = await here.state()
    assert state == "waiting"
    assert found == code or {found, code} == {"size_mismatch", "digest_mismatch"}
    assert here.media.counted("failed_attempts_total", code=found) == 1.0
    await here.fetch(60)
    assert await here.media.bytes_of(mark) == data


async def test_an_address_is_asked_for_anew_when_its_minutes_are_over(here):
    data, mark = await here.sent("whatsapp", "picture")
    here.sandbox.client.fault("whatsapp.download", "cut")
    await here.fetch()
    await here.fetch(400)
    assert here.asked("whatsapp.node") == [200, 200]
    assert await here.media.bytes_of(mark) == data


async def test_an_id_that_is_too_old_is_given_up_without_asking(here):
    await here.sent("whatsapp", "picture")
    here.sandbox.client.fault("whatsapp.node", "status", status=500, count=None)
    await here.fetch()
    await here.fetch(7 * 86_400)
    assert await here.state() == ("failed", "expired")
    assert here.parts() == []


async def test_another_file_than_the_webhook_said_is_not_kept(here):
    data, mark = await here.sent("whatsapp", "picture")
    kept = list(here.sandbox.sandbox.world.kept.values())[-1]
    kept.data = bytes(len(data))
    for attempt in range(6):
        await here.fetch(4_000 * (attempt > 0))
    assert await here.state() == ("failed", "digest_mismatch")
    assert here.parts() == []
    with pytest.raises(MediaGone):
        await here.media.bytes_of(mark)


async def test_a_file_unsent_before_it_was_fetched_is_withheld_and_its_message_stays(here):
    await here.sent("line", "picture")
    list(here.sandbox.sandbox.world.kept.values())[-1].gone = True
    await here.fetch()
    assert await here.state() == ("withheld", "gone")
    assert await here.desk.rows("SELECT keep FROM message") == [("active",)]
    assert here.parts() == []
    await here.fetch(5_000)
    assert here.asked("line.content") == [410]


async def test_a_file_unsent_while_bytes_of_it_are_here_counts_as_a_recall(here):
    await here.sent("line", "picture")
    here.sandbox.client.fault("line.content", "cut")
    await here.fetch()
    list(here.sandbox.sandbox.world.kept.values())[-1].gone = True
    await here.fetch(5)
    assert await here.desk.rows("SELECT keep FROM message") == [("tombstoned",)]
    acts = await here.desk.rows("SELECT act, count(*) FROM log_entry GROUP BY act ORDER BY act")
    assert acts == [("recall", 1), ("underive", 1)]
    assert here.parts() == []


async def test_a_redirect_is_followed_without_the_token(here):
    await here.sent("whatsapp", "picture")
    here.sandbox.client.fault("whatsapp.download", "redirect")
    await here.fetch()
    # /elsewhere is the same host and port, which the operator set; a foreign one is tested below.
    assert (await here.state())[0] == "waiting"


async def test_nothing_is_sent_to_an_address_that_is_not_the_platforms(here, sandbox):
    port = place_of(sandbox.platforms).port
    reach = Reach("token", frozenset({HostPort("graph.facebook.com", 443)}), frozenset())
    client = MediaClient()
    for url in (f"{sandbox.platforms}/elsewhere", f"https://127.0.0.1:{port}/", "https://localhost/", "ftp://x/", ""):
        with pytest.raises(MediaNotFetched, match="address_refused"):
            async with client.get(url, reach):
                pass
    assert sandbox.sandbox.world.seen_elsewhere == []


async def test_a_redirect_away_takes_token_and_trust_along_for_good(sandbox):
    """A host beside the token's own: asked without the token, and what it leads back to gets neither."""
    own = place_of(sandbox.platforms)
    reach = Reach("token", frozenset({HostPort("graph.facebook.com", 443)}), frozenset({own}))
    async with MediaClient().get(f"{sandbox.platforms}/elsewhere", reach) as answer:
        assert answer.status == 200
    assert sandbox.sandbox.world.seen_elsewhere == [""]


async def test_a_name_that_points_to_a_private_number_is_not_connected_to(here):
    async def resolve(host, port):
        return ["127.0.0.1"]

    source = PlatformMedia(Platforms(), resolve)
    with pytest.raises(MediaNotFetched, match="address_refused"):
        async with source.open(_file("whatsapp"), "token", 0):
            pass
    with pytest.raises(MediaNotFetched, match="address_refused"):
        async with source.open(_file("line"), "token", 0):
            pass
    with pytest.raises(MediaNotFetched, match="no_token"):
        source.open(_file("line"), None, 0)


def _file(channel):
    return Wanted(channel, "image", "1", "2", media_id="3", bytes_max=10)
