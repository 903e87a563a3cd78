"""Keys and nonces: none is used twice, none opens what was moved, none is printed."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_node.storage.sweep import AGE, sweep_unused_keys
from shared.crypto import sealing
from shared.message import Notice
from tests.support.stores import CREDENTIALS, bench, edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)
NOTICE = Notice(channel="whatsapp", via="3", at=1, topic="quality", detail={"number": 1})


class Watched:
    """AES-GCM that notes under which key each nonce was used, and what was sealed."""

    used: list[tuple[bytes, bytes, bytes, bytes]]

    def __init__(self, key: bytes) -> None:
        """Take a key."""
        self._key, self._real = key, AESGCM(key)

    def encrypt(self, nonce: bytes, plain: bytes, place: bytes) -> bytes:
        """Note and seal."""
        self.used.append((self._key, nonce, plain, place))
        return self._real.encrypt(nonce, plain, place)

    def decrypt(self, nonce: bytes, sealed: bytes, place: bytes) -> bytes:
        """Open."""
        return self._real.decrypt(nonce, sealed, place)


async def test_no_nonce_is_used_twice_and_content_keys_seal_one_row_each(tmp_path, monkeypatch):
    Watched.used = []
    monkeypatch.setattr(sealing, "AESGCM", Watched)
    async with bench(tmp_path) as one, bench(tmp_path) as two:
        await one.take(*(message(number, ANN, "text") for number in range(300)), message(400, BEN, "his"), NOTICE)
        await two.take(message(0, ANN, "text"), message(301, ANN, "text"), NOTICE)
        await two.take(edit(1, ANN, "changed", at=5000), edit(1, ANN, "again", at=6000), recall(7, ANN))
        await two.remove()
        await one.take(edit(2, BEN, "not his", at=5000), message(500, person(3, phone=22), "the number passes on"))
        await one.take(recall(400, BEN), recall(8, ANN))
        await one.remove()
        await sweep_unused_keys(one.keys, one.content, one.stores.clock.now() + AGE + 60_000)
        await one.check_keys()
    pairs = [(key, nonce) for key, nonce, _, _ in Watched.used]
    assert len(pairs) == len(set(pairs)) > 600
    rows = [key for key, _, _, place in Watched.used if place.startswith(b"homeport/content/1")]
    assert len(rows) == len(set(rows))
    wrapping = {key for key, _, _, place in Watched.used if not place.startswith(b"homeport/content/1")}
    assert wrapping.isdisjoint(rows)
    content = [plain for _, _, plain, place in Watched.used if not place.startswith(b"homeport/content/1")]
    assert {len(plain) for plain in content} == {32}  # only keys are sealed under keys that wrap


async def test_keys_and_secrets_are_not_in_what_an_object_says_of_itself(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "one"))
        ((key,),) = await node.rows("SELECT key FROM message")
        row = (await node.keys.open_rows([key]))[key]
        assert repr(row.key) not in repr(row)
        assert "an-app-secret-for-tests" not in repr(CREDENTIALS)
