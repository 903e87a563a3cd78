"""A real node fetches a file from a real sandbox, is killed meanwhile, goes on, and writes no byte of it in plain."""

import shutil

import pytest

from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.serving import serving
from deploy.sandbox.world import Number
from tests.support.node import ACCESS_TOKEN, CHANNELS, NUMBER, VERIFY_TOKEN, WHATSAPP_SECRET, RealNode, until

SIZE = 90_000_000
PROBE = 24


@pytest.fixture
def platforms():
    with serving(Sandbox()) as here:
        yield here


def metric(node, name):
    """Give a metric's sum over its labels."""
    lines = [line for line in node.ask("/metrics").text.splitlines() if line.startswith(f"homeport_edge_media_{name}")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def blobs(node):
    """Give the files of the folder of files."""
    return [path for path in (node.folder / "data/blobs").rglob("*") if path.is_file()]


def holds(path, probes):
    """Say whether a file holds one of the probes."""
    data = path.read_bytes()
    return any(probe in data for probe in probes)


def test_killed_while_a_file_comes_in_it_goes_on_and_nothing_lies_in_plain(node_template, tmp_path, platforms):
    node = RealNode(tmp_path / "node", node_template)
    text = node.config.read_text().replace("[media]\nfetch = false\n", "")
    node.config.write_text(f'{text}\n[platforms]\nwhatsapp_api = "{platforms.platforms}"\n')
    try:
        node.start()
        callback = {"phone_number": f"http://{node.public}{CHANNELS['whatsapp'].path}"}
        number = Number(NUMBER, ACCESS_TOKEN, WHATSAPP_SECRET, VERIFY_TOKEN, callback)
        platforms.client.accounts(numbers=[number])
        platforms.client.act("anna", "whatsapp", "file", size_bytes=SIZE)
        data = next(iter(platforms.sandbox.world.kept.values())).data
        probes = [data[at : at + PROBE] for at in range(0, SIZE, 9_000_001)]
        until(lambda: any(path.stat().st_size > 1_000_000 for path in blobs(node)))
        node.kill()
        (part,) = blobs(node)
        assert not holds(part, probes)
        was_part = part.suffix == ".part"
        node.start()
        if was_part:
            until(lambda: metric(node, "fetched_total") == 1)
            asked = [each for each in platforms.client.requests() if each["endpoint"] == "whatsapp.download"]
            assert asked[-1]["status"] == 206
        (whole,) = until(lambda: [path for path in blobs(node) if path.suffix != ".part"])
        assert whole.stat().st_size > SIZE
        assert not [path for path in node.written() if holds(path, probes)]
        assert NUMBER.phone_number_id not in node.log()
        assert platforms.client.violations() == []
    finally:
        node.end()
        shutil.rmtree(node.folder, ignore_errors=True)
