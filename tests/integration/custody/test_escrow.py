"""The escrow: enough shares bring a region back after its key provider is lost; fewer, wrong or foreign ones do not."""

import itertools
import shutil

import msgspec
import pytest

from edge_node.assembly import epoch_beat
from edge_node.metrics import Metrics
from edge_node.storage.keys.epochs import living_keys
from edge_node.storage.keys.recovery import Escrow, Recovery
from edge_node.stores import key_places, open_provider
from shared.crypto.escrow import draw_escrow, open_escrow
from shared.entropy import SystemEntropy
from shared.errors import KeyProviderFailed
from shared.errors.custody import EscrowInvalid
from tests.support.stores import bench, message, person, settings

ANN = person(1, phone=11)


async def make(node, folder: Recovery, needed: int = 2, shares: int = 3) -> list[str]:
    """Make an escrow of a node's epochs; give its shares."""
    key, words = draw_escrow(needed, shares, SystemEntropy())
    made = Escrow(region=node.keys.region, public=key.public, needed=needed, shares=shares, created_at=1)
    folder.replace(made, await living_keys(node.keys))
    return words


async def carry_on(beat) -> list[str]:
    """Carry a beat that was begun to its end; give the states it went through."""
    states = []
    while step := await beat.step(None):
        states.append(step.state)
    return states


@pytest.fixture
def chosen(tmp_path):
    """Give settings with a folder for the escrow."""
    found = settings(tmp_path)
    return msgspec.structs.replace(found, keys=msgspec.structs.replace(found.keys, recovery_dir=str(tmp_path / "rec")))


async def test_any_enough_shares_bring_a_region_back_whose_provider_is_lost(tmp_path, chosen):
    folder = Recovery(tmp_path / "rec", chosen.region)
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        words = await make(node, folder)
        beat, days = epoch_beat(node.stores, Metrics()), 0
        while await beat.step(days):
            days = None
        await node.take(message(2, ANN, "two"))
    assert folder.versions() == [2]  # the destroyed epoch is gone from here, too
    identities = [(place / "node-identity.json").read_bytes() for place in key_places(chosen)]
    for pair in itertools.permutations(words, 2):
        for place, identity in zip(key_places(chosen), identities, strict=True):
            shutil.rmtree(place)
            place.mkdir(mode=0o700)
            (place / "node-identity.json").write_bytes(identity)
        with pytest.raises(KeyProviderFailed):
            async with bench(tmp_path, chosen=chosen) as node:
                await node.texts()
        provider = open_provider(chosen, SystemEntropy())
        provider.create(chosen.region)
        for version in folder.versions():
            provider.put_epoch(chosen.region, version, folder.open(list(pair), version))
        async with bench(tmp_path, chosen=chosen) as node:
            assert await node.texts() == ["one", "two"]


async def test_too_few_wrong_or_foreign_shares_open_nothing_and_say_so(tmp_path, chosen):
    folder = Recovery(tmp_path / "rec", chosen.region)
    async with bench(tmp_path, chosen=chosen) as node:
        words = await make(node, folder)
        foreign = draw_escrow(2, 3, SystemEntropy())[1]
        spoilt = words[0].split()
        spoilt[7] = "academic" if spoilt[7] != "academic" else "acid"
        for shares in (
            [],
            words[:1],
            [words[0], words[0]],
            foreign[:2],
            [words[0], foreign[1]],
            [" ".join(spoilt), words[1]],
        ):
            with pytest.raises(EscrowInvalid) as caught:
                folder.open(list(shares), 1)
            assert not set(str(caught.value).split()) & set(" ".join(words).split())
        assert folder.open([words[2].upper(), "  " + words[0]], 1)
        with pytest.raises(EscrowInvalid):
            folder.open(words[:2], 2)
        (tmp_path / "rec" / "epoch-1.sealed").write_bytes(b"short")
        with pytest.raises(EscrowInvalid):
            folder.open(words[:2], 1)


def test_what_is_wrong_with_shares_is_said_and_more_than_needed_are_all_tried():
    key, words = draw_escrow(3, 5, SystemEntropy())
    other = draw_escrow(3, 5, SystemEntropy())[1]
    spoilt = words[1].split()
    spoilt[9], spoilt[10] = (spoilt[10], spoilt[9]) if spoilt[9] != spoilt[10] else ("acid", spoilt[10])
    assert open_escrow(words).public == key.public
    assert open_escrow(words[1:]).public == key.public
    assert open_escrow([*words[:3], words[0]]).public == key.public
    for shares, said in (
        (words[:2], "2 different ones of the 3 needed"),
        ([words[0], words[0], words[1]], "2 different ones of the 3 needed"),
        ([words[0], " ".join(spoilt), words[2]], "share=2"),
        ([words[0], words[1], "no share at all"], "share=3"),
        ([*words[:2], other[2]], "different escrows"),
        ([*words[:3], other[3]], "different escrows"),
    ):
        with pytest.raises(EscrowInvalid) as caught:
            open_escrow(shares)
        assert said in str(caught.value)


@pytest.mark.parametrize(("needed", "shares"), [(0, 1), (1, 2), (3, 2), (2, 17)])
def test_numbers_that_make_no_sense_are_refused(needed, shares):
    with pytest.raises(EscrowInvalid):
        draw_escrow(needed, shares, SystemEntropy())


def test_one_of_one_is_allowed_and_a_share_is_words_on_paper():
    key, (share,) = draw_escrow(1, 1, SystemEntropy())
    assert len(share.split()) == 33
    assert open_escrow([share]).public == key.public


async def test_an_epoch_is_not_destroyed_while_the_escrows_folder_is_away(tmp_path, chosen):
    folder = Recovery(tmp_path / "rec", chosen.region)
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        await make(node, folder)
        beat = epoch_beat(node.stores, Metrics())
        assert (await beat.step(0)).state == "begun"
        (tmp_path / "rec").rename(tmp_path / "unplugged")
        with pytest.raises(EscrowInvalid):
            await carry_on(beat)
        assert node.keys.provider.find_epoch(chosen.region, 1) is not None
        assert await node.rows("SELECT state FROM log_entry WHERE act = 'epoch'") == [("journaled",)]
        (tmp_path / "unplugged").rename(tmp_path / "rec")
        assert (await carry_on(beat))[-1] == "destroyed"
        assert folder.versions() == [2]
        assert await node.texts() == ["one"]
