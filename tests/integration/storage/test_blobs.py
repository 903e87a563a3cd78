"""Files sealed in chunks: nothing opens that was cut, moved, exchanged or changed; a crash costs one chunk at most."""

import hashlib
import os
import random

import pytest

from edge_node.storage.blobs import CHUNK_BYTES, HEADER, BlobKey, BlobStore, chunks_of
from shared.crypto import OVERHEAD_BYTES, Cipher, content_place
from shared.entropy import SystemEntropy
from shared.errors.media import BlobBroken, BlobBusy, BlobUnwritable

SEALED = CHUNK_BYTES + OVERHEAD_BYTES
CHANCE = random.Random("blobs")
DATA = CHANCE.randbytes(3 * CHUNK_BYTES + 100)


def key(row=1, owner="p", secret=b"k" * 32, region="eu"):
    return BlobKey(Cipher(secret), content_place(region, owner, "derivative", "blob", row))


KEY = key()


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path / "blobs", SystemEntropy())


def write(blobs, data, name="ab01", by=KEY):
    writer = blobs.write(name, by)
    writer.write(data)
    writer.finish()
    writer.close()
    return blobs.path(name)


def read(blobs, size, name="ab01", by=KEY, **which):
    return b"".join(blobs.read(name, by, size, **which))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, len(DATA)])
def test_what_was_written_is_read(blobs, size):
    path = write(blobs, DATA[:size])
    assert read(blobs, size) == DATA[:size]
    assert path.stat().st_size == len(HEADER) + size + chunks_of(size) * OVERHEAD_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not blobs.part("ab01").exists()
    assert DATA[:16] not in path.read_bytes()


def test_chunks_are_read_by_number(blobs):
    write(blobs, DATA)
    assert read(blobs, len(DATA), first=1, count=2) == DATA[CHUNK_BYTES : 3 * CHUNK_BYTES]
    assert read(blobs, len(DATA), first=3) == DATA[3 * CHUNK_BYTES :]
    assert read(blobs, len(DATA), first=9) == b""


@pytest.mark.parametrize("cut", [1, SEALED, len(HEADER) + SEALED + 5])
def test_a_cut_file_does_not_open(blobs, cut):
    path = write(blobs, DATA)
    os.truncate(path, path.stat().st_size - cut)
    with pytest.raises(BlobBroken):
        read(blobs, len(DATA))


def test_a_file_cut_between_chunks_does_not_pass_for_a_shorter_one(blobs):
    path = write(blobs, DATA)
    os.truncate(path, len(HEADER) + 2 * SEALED)
    with pytest.raises(BlobBroken):
        read(blobs, 2 * CHUNK_BYTES)


def test_reordered_exchanged_and_moved_chunks_do_not_open(blobs):
    path = write(blobs, DATA)
    whole = path.read_bytes()
    first, second = whole[8 : 8 + SEALED], whole[8 + SEALED : 8 + 2 * SEALED]
    path.write_bytes(HEADER + second + first + whole[8 + 2 * SEALED :])
    with pytest.raises(BlobBroken):
        read(blobs, len(DATA))
    other = write(blobs, DATA, "ab02", key(2)).read_bytes()
    path.write_bytes(HEADER + other[8 : 8 + SEALED] + whole[8 + SEALED :])
    with pytest.raises(BlobBroken):
        read(blobs, len(DATA))
    path.write_bytes(other)
    with pytest.raises(BlobBroken):
        read(blobs, len(DATA))


@pytest.mark.parametrize(
    "by", [key(2), key(owner="q"), key(secret=b"x" * 32), key(region="us")], ids=["row", "owner", "key", "region"]
)
def test_a_file_opens_at_its_own_place_alone(blobs, by):
    write(blobs, DATA)
    with pytest.raises(BlobBroken):
        read(blobs, len(DATA), by=by)


def test_no_flipped_byte_opens(blobs):
    size = CHUNK_BYTES + 40
    path = write(blobs, DATA[:size])
    whole = path.read_bytes()
    places = [*range(24), *CHANCE.sample(range(len(whole)), 200), *range(len(whole) - 80, len(whole))]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << CHANCE.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(BlobBroken):
            read(blobs, size)


@pytest.mark.parametrize("left", [0, 3, 8, 100, SEALED + 8, SEALED + 50, 3 * SEALED + 8])
def test_a_part_is_taken_up_behind_its_last_whole_chunk(blobs, left):
    writer = blobs.write("ab01", key())
    writer.write(DATA)
    writer.close()
    part = blobs.part("ab01")
    os.truncate(part, left)
    writer = blobs.write("ab01", key())
    assert writer.size == max(0, left - len(HEADER)) // SEALED * CHUNK_BYTES
    assert not writer.whole
    writer.write(DATA[writer.size :])
    writer.finish()
    assert writer.digest.digest() == hashlib.sha256(DATA).digest()
    assert writer.head == DATA[:64]
    writer.close()
    assert read(blobs, len(DATA)) == DATA


def test_rubbish_behind_whole_chunks_is_cut_off(blobs):
    writer = blobs.write("ab01", key())
    writer.write(DATA)
    writer.close()
    with blobs.part("ab01").open("ab") as file:
        file.write(os.urandom(2 * SEALED))
    writer = blobs.write("ab01", key())
    assert writer.size == 3 * CHUNK_BYTES
    writer.close()
    assert blobs.part("ab01").stat().st_size == len(HEADER) + 3 * SEALED


@pytest.mark.parametrize("size", [10, CHUNK_BYTES, len(DATA)])
@pytest.mark.parametrize("renamed", [True, False])
def test_a_file_whose_last_chunk_is_there_is_whole(blobs, size, renamed):
    path = write(blobs, DATA[:size])
    if not renamed:
        path.rename(blobs.part("ab01"))
    writer = blobs.write("ab01", key())
    assert writer.whole
    assert (writer.size, writer.digest.digest()) == (size, hashlib.sha256(DATA[:size]).digest())
    writer.finish()
    writer.close()
    assert read(blobs, size) == DATA[:size]


def test_what_is_sent_again_from_its_beginning_replaces_what_came(blobs):
    writer = blobs.write("ab01", key())
    writer.write(b"x" * 200_000)
    writer.restart()
    writer.write(DATA)
    writer.finish()
    writer.close()
    assert read(blobs, len(DATA)) == DATA


def test_one_process_writes_a_file(blobs):
    writer = blobs.write("ab01", key())
    with pytest.raises(BlobBusy):
        blobs.write("ab01", key())
    writer.close()
    blobs.write("ab01", key()).close()


def test_a_file_removed_while_it_is_written_leaves_nothing(blobs):
    writer = blobs.write("ab01", key())
    writer.write(DATA)
    blobs.remove(["ab01"])
    with pytest.raises(BlobBroken, match="removed"):
        writer.finish()
    writer.close()
    assert blobs.listed("ab") == {}
    blobs.remove(["ab01", "never"])


def test_a_link_in_the_place_of_a_part_is_not_followed(blobs, tmp_path):
    blobs.path("ab01").parent.mkdir(parents=True)
    blobs.part("ab01").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BlobUnwritable):
        blobs.write("ab01", key())
    assert not (tmp_path / "elsewhere").exists()


def test_nonces_never_repeat_when_a_chunk_is_sealed_again(blobs):
    seen = set()
    for _ in range(3):
        writer = blobs.write("ab01", key())
        writer.restart()
        writer.write(DATA)
        writer.close()
        sealed = blobs.part("ab01").read_bytes()[len(HEADER) :]
        seen |= {sealed[at : at + 12] for at in range(0, len(sealed), SEALED)}
    assert len(seen) == 9
