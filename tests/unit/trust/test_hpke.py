"""Sealing to a node: the right key, label and place open it, nothing else does, and no byte is idle."""

import pytest

from shared.crypto import labels
from shared.crypto.hpke import (
    PUBLIC_BYTES,
    SEALED_OVERHEAD_BYTES,
    SealingKey,
    draw_sealing_key,
    seal_to,
    sealing_fingerprint,
)
from shared.errors import SealBroken
from shared.errors.trust import WireMalformed
from shared.message import Message, Text, Unclassified
from shared.wire.sealed import SealedWebhook, ShownMessage, open_shown, open_webhook, seal_shown, seal_webhook
from tests.support.trust import OTHER_SEALING, SEALING, Seeded

PLACE = ("eu", "ap", "line", "shop")
PLAIN = b"what only the home node may read"
SEALED = seal_to(SEALING.public, PLAIN, labels.HPKE_WEBHOOK, *PLACE)


def test_what_is_sealed_opens_at_its_place():
    """Sealing twice gives different bytes, and both open."""
    again = seal_to(SEALING.public, PLAIN, labels.HPKE_WEBHOOK, *PLACE)
    assert again != SEALED
    assert (
        SEALING.open(SEALED, labels.HPKE_WEBHOOK, *PLACE) == SEALING.open(again, labels.HPKE_WEBHOOK, *PLACE) == PLAIN
    )
    assert len(SEALED) == len(PLAIN) + SEALED_OVERHEAD_BYTES
    assert PLAIN not in SEALED


@pytest.mark.parametrize(
    ("label", "place"),
    [
        (labels.HPKE_SHOWN, PLACE),
        (labels.HPKE_WEBHOOK, ("ap", "eu", "line", "shop")),
        (labels.HPKE_WEBHOOK, ("eu", "ap", "line")),
        (labels.HPKE_WEBHOOK, ("eu", "ap", "lines", "hop")),
        (labels.HPKE_WEBHOOK, ()),
    ],
)
def test_it_opens_nowhere_else(label, place):
    """Another label or place, also one that would read alike when joined."""
    with pytest.raises(SealBroken):
        SEALING.open(SEALED, label, *place)


def test_another_key_opens_nothing():
    """Neither whole nor by half."""
    halves = SealingKey(SEALING.seed()[:64] + OTHER_SEALING.seed()[64:])
    other_half = SealingKey(OTHER_SEALING.seed()[:64] + SEALING.seed()[64:])
    for key in (OTHER_SEALING, halves, other_half):
        with pytest.raises(SealBroken):
            key.open(SEALED, labels.HPKE_WEBHOOK, *PLACE)


def test_every_flipped_byte_is_seen():
    """Encapsulated key, ciphertext and tag alike."""
    for at in range(len(SEALED)):
        with pytest.raises(SealBroken):
            SEALING.open(SEALED[:at] + bytes((SEALED[at] ^ 1,)) + SEALED[at + 1 :], labels.HPKE_WEBHOOK, *PLACE)


@pytest.mark.parametrize("size", [0, 1, 1119, 1120, 1135, len(SEALED) - 1])
def test_what_is_cut_short_is_refused(size):
    """Any length is a refusal, never a fault."""
    with pytest.raises(SealBroken):
        SEALING.open(SEALED[:size], labels.HPKE_WEBHOOK, *PLACE)


def test_keys_come_from_their_seed():
    """The same chance gives the same key; a wrong length is a fault."""
    assert draw_sealing_key(Seeded("x")).public == draw_sealing_key(Seeded("x")).public
    assert SealingKey(SEALING.seed()).public == SEALING.public
    assert len(SEALING.public) == PUBLIC_BYTES
    assert sealing_fingerprint(SEALING.public) != sealing_fingerprint(OTHER_SEALING.public)
    for seed in (b"", bytes(95), bytes(97)):
        with pytest.raises(ValueError, match="96 bytes"):
            SealingKey(seed)
    for public in (b"", SEALING.public[:-1], SEALING.public + b"\0"):
        with pytest.raises(ValueError, match="1,216"):
            seal_to(public, PLAIN, labels.HPKE_WEBHOOK)


def test_a_webhook_goes_home_sealed():
    """What comes out is what was received; under another sender or account it does not open."""
    event = Message(channel="line", via="U1", at=1, message_id="1", content=Text("at home"))
    raw = Unclassified(channel="line", via="U1", at=2, reason="unknown_kind", raw=b"\xff\x00")
    webhook = SealedWebhook(events=(event, raw), received_at=1_795_000_000_000)
    way = {"sender": "eu", "home": "ap", "channel": "line", "account": "shop"}
    sealed = seal_webhook(OTHER_SEALING.public, webhook, **way)
    assert open_webhook(OTHER_SEALING, sealed, **way) == webhook
    for part in way:
        with pytest.raises(SealBroken):
            open_webhook(OTHER_SEALING, sealed, **{**way, part: "elsewhere"})
    for nonsense in (b"", b"\xc1", b"\x81\xa6events\x91\xa1\xff", b"\x91" * 10_000):
        bare = seal_to(OTHER_SEALING.public, nonsense, labels.HPKE_WEBHOOK, *way.values())
        with pytest.raises(WireMalformed):
            open_webhook(OTHER_SEALING, bare, **way)


def test_what_is_shown_opens_for_that_asker_view_and_disclosure_alone():
    """And nonsense inside is named as such."""
    message = ShownMessage(
        form="full", channel="line", direction="in", at=5, edited=False, kind="text", content=Text("shown")
    )
    way = {"shower": "ap", "asker": "eu", "view": "0" * 32, "disclosure": "1" * 32}
    sealed = seal_shown(OTHER_SEALING.public, message, **way)
    assert open_shown(OTHER_SEALING, sealed, **way) == message
    for part in way:
        with pytest.raises(SealBroken):
            open_shown(OTHER_SEALING, sealed, **{**way, part: "elsewhere"})
    bare = seal_to(OTHER_SEALING.public, b"\xc1", labels.HPKE_SHOWN, *way.values())
    with pytest.raises(WireMalformed):
        open_shown(OTHER_SEALING, bare, **way)
