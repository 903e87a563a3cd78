"""A disk is full: 503 or the removal waits; nothing acknowledged is lost or doubled; it goes on by itself with room."""

from deploy.sandbox.webhooks import TARO, line_body, line_text, line_unsend
from edge_node.storage.journal import Journal
from tests.integration.node.load import GROUP
from tests.integration.node.opened import Opened, at_rest, faults, read_rows
from tests.support.media import Files, media_desk, picture
from tests.support.node import until
from tests.support.small_disk import small_disk
from tests.support.stores import bench, message, person

__all__ = ["small_disk"]


class Platform:
    """Sends messages, and again what was not acknowledged."""

    def __init__(self, node) -> None:
        self.node, self.acknowledged, self.owed, self._number = node, set(), {}, 0

    def post(self, size=1) -> int:
        """Send one message more; give the status."""
        self._number += 1
        words = f"number {self._number} " + "x" * size
        return self._send(words, line_body(line_text(words, TARO, group=GROUP)))

    def post_again(self) -> list[int]:
        """Send everything again that is owed."""
        return [self._send(words, body) for words, body in list(self.owed.items())]

    def _send(self, words, body) -> int:
        answer = self.node.post("line", body)
        if answer.status_code == 200:
            self.acknowledged.add(words)
            self.owed.pop(words, None)
        else:
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            self.owed[words] = body
        return answer.status_code


def test_the_disk_of_the_stores(make_node, small_disk):
    node = make_node()
    disk = small_disk(node.folder / "data", 6_000)
    platform = Platform(node.start())
    assert [platform.post() for _ in range(5)] == [200] * 5
    disk.fill()
    # What the write-ahead logs have room for already may still be taken.
    until(lambda: platform.post(size=3_000) == 503)
    statuses = [platform.post(size=3_000) for _ in range(10)]
    assert 503 in statuses
    worker = node.running().worker
    disk.free()
    until(lambda: platform.post() == 200)
    assert set(platform.post_again()) == {200}
    assert not platform.owed
    assert node.running().worker == worker  # by itself, without a restart
    node.stop()
    stored = Opened(node.settings)
    assert sorted(held.text for held in stored.messages) == sorted(platform.acknowledged)
    assert faults(stored) == []
    assert len(platform.acknowledged) > 15


def test_the_disk_of_the_journal(make_node, small_disk):
    node = make_node()
    disk = small_disk(node.folder / "journal", 600)
    node.start()
    events = [line_text(f"number {number}", TARO, group=GROUP) for number in range(60)]
    assert node.post("line", line_body(*events)).status_code == 200
    disk.fill()
    # A line has some 200 bytes, and the last page of the journal may have room for a few.
    taken_back = [line_unsend(each["message"]["id"], TARO, group=GROUP) for each in events[:50]]
    assert node.post("line", line_body(*taken_back)).status_code == 200
    until(lambda: "alert_removal_failed" in node.log())
    content = node.settings.data_dir / "content.db"
    assert read_rows(content, "SELECT count(*) FROM log_entry WHERE state <> 'done'") > [(0,)]
    assert read_rows(content, "SELECT count(*) FROM message WHERE keep = 'active'") == [(10,)]
    assert node.post("line", line_body(line_text("goes on", TARO, group=GROUP))).status_code == 200
    disk.free()
    until(lambda: at_rest(node.settings))
    node.stop()
    stored = Opened(node.settings)
    assert sorted(held.text for held in stored.messages) == sorted(["goes on", *(f"number {n}" for n in range(50, 60))])
    assert faults(stored) == []
    journaled = {entry.log_entry for entry in Journal(node.settings.journal_dir).read()}
    assert journaled == {entry for (entry,) in read_rows(content, "SELECT id FROM log_entry")}


async def test_the_disk_of_the_files(tmp_path, small_disk):
    """The same folder of files that a running node uses, with a clock that need not be waited for."""
    data = b"\xff\xd8\xff" + bytes(range(256)) * 2_000
    async with bench(tmp_path) as node:
        disk = small_disk(node.stores.blobs.folder, 700)
        desk = await media_desk(node, Files(a=data))
        await node.take(picture(1, person(1), "a"))
        disk.fill()
        await desk.fetcher.once()
        assert desk.counted("failed_attempts_total", code="blob_unwritable") == 1
        assert (await node.take(message(2, person(1), "goes on"))).stored == 1
        disk.free()
        desk.fetcher._clock.later_ms += 20_000  # the pause after a failure
        await desk.fetcher.once()
        ((mark,),) = await node.rows("SELECT mark FROM message ORDER BY id LIMIT 1")
        assert await desk.bytes_of(mark) == data
        assert await node.rows("SELECT count(*) FROM derivative") == [(1,)]
        await node.check_keys()
