"""A process that fetches dies anywhere: the next one ends with the same file, once, and with nothing left over."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from edge_node.core.fetching import Wanted
from edge_node.metrics import Metrics
from edge_node.platforms.media import PlatformMedia
from edge_node.settings_media import Platforms
from edge_node.storage import blobs as blobs_module
from edge_node.storage.blob_sweep import sweep_blobs
from edge_node.storage.blobs import BlobKey, BlobStore, BlobWriter
from edge_node.storage.sweep import sweep_unused_keys
from edge_node.usecases.media.upkeep import FOLDERS_A_ROUND, MediaUpkeep
from edge_node.usecases.media.writing import Writing
from shared import private_files
from shared.crypto import Cipher, content_place
from shared.entropy import SystemEntropy
from tests.support.interleave import Died
from tests.support.media import Files, media_desk, picture
from tests.support.mortal import make_mortal
from tests.support.stores import bench, person, recall

DATA = b"\xff\xd8\xff" + bytes(range(256)) * 1_200
HOUR = 3_600_000
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make a node with one picture that waits to be fetched."""
    folder = tmp_path_factory.mktemp("crashes") / "template"

    async def make():
        async with bench(folder) as node:
            await node.take(picture(1, person(1), "a"))

    asyncio.run(make())
    return folder


async def ends_well(folder):
    """Let another process go on; the file is there, once, and every key is used."""
    async with bench(folder) as node:
        desk = await media_desk(node, Files(a=DATA))
        for _ in range(4):
            desk.fetcher._clock.later_ms += 20_000  # the dead one's lease, and a pause after a failure
            await desk.fetcher.once()
        (mark,) = (await node.rows("SELECT mark FROM message"))[0]
        assert await desk.bytes_of(mark) == DATA
        assert await node.rows("SELECT count(*) FROM derivative") == [(1,)]
        await node.check_keys()
        await node.keys.flush()
        await sweep_unused_keys(node.keys, node.content, node.stores.clock.now() + 2 * HOUR)
        await sweep_unused_keys(node.keys, node.content, node.stores.clock.now() + 4 * HOUR)
        assert await node.key_rows("SELECT count(*) FROM row_key") == [(4,)]  # account, identity, message, file
        for prefix in sorted({path.parent.name for path in node.stores.blobs.folder.rglob("*") if path.is_file()}):
            assert (
                await sweep_blobs(node.content, node.stores.blobs, prefix, node.stores.clock.now() * 2)
            ).missing == 0
        assert len([path for path in node.stores.blobs.folder.rglob("*") if path.is_file()]) == 1
        await node.take(recall(1, person(1)))
        await node.remove()
        assert not [path for path in node.stores.blobs.folder.rglob("*") if path.is_file()]


async def test_a_death_at_any_call_of_a_store(template, tmp_path, monkeypatch):
    fate = make_mortal(monkeypatch)
    for at in range(1, 200):
        folder = Path(shutil.copytree(template, tmp_path / str(at)))
        with suppress(Died):
            async with bench(folder) as node:
                desk = await media_desk(node, Files(a=DATA))
                fate.arm(at, Died())
                await desk.fetcher.once()
        reached = fate.calls >= at
        fate.disarm()
        await ends_well(folder)
        shutil.rmtree(folder)
        if not reached:
            break
    assert 15 < at < 199


@pytest.mark.parametrize(
    ("target", "name", "call", "after"),
    [
        (BlobWriter, "_begin", 1, False),
        (BlobWriter, "_put", 1, False),
        (BlobWriter, "_put", 3, True),
        (BlobWriter, "_finish", 1, False),
        (BlobWriter, "_finish", 1, True),
        (private_files, "sync", 2, True),
        (private_files, "sync", 3, False),
    ],
)
async def test_a_death_between_steps_at_a_file(template, tmp_path, monkeypatch, target, name, call, after):
    folder = Path(shutil.copytree(template, tmp_path / "node"))
    real, calls = getattr(target, name), []

    def dying(*arguments, **named):
        calls.append(1)
        if len(calls) == call and not after:
            raise Died
        result = real(*arguments, **named)
        if len(calls) == call:
            raise Died
        return result

    async with bench(folder) as node:
        desk = await media_desk(node, Files(a=DATA))
        monkeypatch.setattr(target, name, dying)
        with suppress(Died):
            await desk.fetcher.once()
        monkeypatch.setattr(target, name, real)
    assert len(calls) >= call
    await ends_well(folder)


async def test_files_without_a_row_go_after_an_hour_and_rows_without_a_file_are_told_of(template, tmp_path):
    folder = Path(shutil.copytree(template, tmp_path / "node"))
    async with bench(folder) as node:
        desk, store = await media_desk(node, Files(a=DATA)), node.stores.blobs
        await desk.fetcher.once()
        (name,) = (await node.rows("SELECT file FROM derivative"))[0]
        stray = store.path(name).with_name(f"{name[:2]}{'0' * 30}")
        stray.write_bytes(b"x")
        now = node.stores.clock.now()
        assert await sweep_blobs(node.content, store, name[:2], now) == (0, 0)
        assert await sweep_blobs(node.content, store, name[:2], now + 2 * HOUR) == (1, 0)
        assert not stray.exists()
        store.path(name).unlink()
        metrics = Metrics()
        upkeep = MediaUpkeep(node.content, store, metrics, node.stores.clock, node.stores.entropy)
        for _ in range(256 // FOLDERS_A_ROUND):
            await upkeep.once()
        assert metrics.registry.get_sample_value("homeport_edge_media_missing_files_total") == 1.0


async def test_a_disk_that_is_full_costs_nothing_but_time(template, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(template, tmp_path / "node"))
    async with bench(folder) as node:
        desk = await media_desk(node, Files(a=DATA))

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(blobs_module.os, "fsync", full)
        await desk.fetcher.once()
        monkeypatch.undo()
        assert await node.rows("SELECT state, code FROM media_fetch") == [("waiting", "blob_unwritable")]
    await ends_well(folder)


def high_water_bytes(*, reset=False):
    """Give the most memory that this process held since it was reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError


async def test_a_file_of_200_megabytes_takes_less_than_32_of_memory(tmp_path):
    piece, size = bytes(64 * 1024), 200 * MEGABYTE

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def alive():
        return True

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    key = BlobKey(Cipher(b"k" * 32), content_place("eu", "p", "derivative", "blob", 1))
    writing = Writing(BlobStore(tmp_path / "blobs", SystemEntropy()), "ab01", key, alive)
    before = high_water_bytes(reset=True)
    assert await writing.open()
    file = Wanted("line", "video", "1", "2", bytes_max=size)
    await writing.fetch(PlatformMedia(Platforms(line_api=base)), file, "token")
    await writing.finish()
    grown = high_water_bytes() - before
    writing.close()
    server.close()
    assert writing.safe == writing.received == size
    assert grown < 32 * MEGABYTE, f"{grown / MEGABYTE:.1f} MB"
