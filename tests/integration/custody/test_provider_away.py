"""The key provider is away: webhooks are answered 503 and nothing acknowledged is lost; it goes on by itself."""

from pathlib import Path

import pytest

from edge_node.metrics import Metrics
from edge_node.usecases.receiving.committer import Committer
from shared.errors import KeyProviderFailed
from tests.support.stores import bench, message, person, recall, taken

ANN = person(1, phone=11)


@pytest.fixture
def unplug(chosen, tmp_path):
    """Give what takes every key place away, and what brings it back."""
    if chosen.key_provider == "pkcs11":
        pin = tmp_path / "pin"
        pin.write_bytes(b"wrong")
        pin.chmod(0o600)

    def away(node) -> None:
        node.keys._epochs.clear()  # as after a start, or where the epoch was never needed yet
        if chosen.key_provider == "file":
            chosen.key_dir.rename(tmp_path / "one")
            chosen.second_key_dir.rename(tmp_path / "two")
        else:
            node.keys.provider._settings = node.keys.provider._settings._replace(pin_file=pin)

    def back(node) -> None:
        if chosen.key_provider == "file":
            (tmp_path / "one").rename(chosen.key_dir)
            (tmp_path / "two").rename(chosen.second_key_dir)
        else:
            kept = Path(node.stores.settings.pkcs11.pin_file)
            node.keys.provider._settings = node.keys.provider._settings._replace(pin_file=kept)

    return away, back


async def test_webhooks_are_answered_503_and_taken_in_once_the_provider_is_back(tmp_path, chosen, unplug):
    away, back = unplug
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "before"))
        committer = Committer(node.taking_in, Metrics(), node.stores.clock, events_max=100, bytes_max=10_000)
        committer.start()
        away(node)
        node.keys.remembered.clear()
        for event in (message(2, ANN, "known"), message(3, person(2), "new")):
            with pytest.raises(KeyProviderFailed) as caught:
                await committer.submit([taken(event)], 10)
            assert caught.value.status == 503
        assert await node.rows("SELECT count(*) FROM message") == [(1,)]
        back(node)
        await committer.submit([taken(message(2, ANN, "known")), taken(message(3, person(2), "new"))], 10)
        await committer.stop()
        assert await node.texts() == ["before", "known", "new"]
        await node.check_keys()


async def test_a_recall_waits_for_the_provider_and_is_carried_out_by_itself(tmp_path, chosen, unplug):
    away, back = unplug
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "secret"), message(2, ANN, "stays"))
        await node.take(recall(1, ANN))
        away(node)
        with pytest.raises(KeyProviderFailed):
            await node.remove()
        assert await node.rows("SELECT state FROM log_entry") == [("journaled",)]
        back(node)
        await node.remove()
        assert await node.rows("SELECT state FROM log_entry") == [("done",)]
        assert await node.texts() == ["stays"]
