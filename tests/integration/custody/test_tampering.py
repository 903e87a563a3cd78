"""What is moved elsewhere does not open, nor does anything of which one byte was changed."""

import itertools

import pytest

from edge_node.storage.keys.store import KeyStore
from shared.crypto import Cipher, content_place
from shared.database import Step
from shared.errors import SealBroken
from tests.support.stores import bench, message, person


async def sealed_rows(node) -> list[tuple[str, int, str, bytes, bytes]]:
    """Give every sealed row: table, key, owner, the key itself, what is sealed."""
    found = []
    for table in ("message", "event", "identity"):
        for key, sealed in await node.rows(f"SELECT key, sealed FROM {table}"):
            row = (await node.keys.open_rows([key]))[key]
            found.append((table, key, row.owner, row.key, sealed))
    return found


async def holder(node, level: str, key: int) -> int:
    """Give the row of a level of the hierarchy that a row key hangs on."""
    if level == "row_key":
        return key
    if level == "bucket_key":
        return key // 256
    ((owner,),) = await node.key_rows("SELECT owner FROM bucket_key WHERE id = :id", id=key // 256)
    return owner


async def test_a_ciphertext_in_another_row_column_table_subject_or_region_does_not_open(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(*(message(number, person(number % 3 + 1, phone=number % 3), "words") for number in range(6)))
        rows = await sealed_rows(node)
        assert len({owner for _, _, owner, _, _ in rows}) == 3
        for one, two in itertools.permutations(rows, 2):
            place = content_place(node.keys.region, two[2], two[0], "sealed", two[1])
            for key in (one[3], two[3]):
                with pytest.raises(SealBroken):
                    Cipher(key).open(one[4], place)
        for table, key, owner, secret, sealed in rows:
            right = [node.keys.region, owner, table, "sealed", key]
            assert Cipher(secret).open(sealed, content_place(*right))
            for position, wrong in enumerate(("elsewhere", "0" * 32, "shown", "name", key + 1)):
                moved = [*right[:position], wrong, *right[position + 1 :]]
                with pytest.raises(SealBroken):
                    Cipher(secret).open(sealed, content_place(*moved))


async def test_one_changed_byte_anywhere_opens_nothing(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, person(1), "words"))
        ((table, key, owner, secret, sealed),) = [row for row in await sealed_rows(node) if row[0] == "message"]
        place = content_place(node.keys.region, owner, table, "sealed", key)
        for position, bit in itertools.product(range(len(sealed)), (1, 128)):
            changed = bytearray(sealed)
            changed[position] ^= bit
            with pytest.raises(SealBroken):
                Cipher(secret).open(bytes(changed), place)
        for cut in range(len(sealed)):
            with pytest.raises(SealBroken):
                Cipher(secret).open(sealed[:cut], place)


@pytest.mark.parametrize("level", ["row_key", "bucket_key", "owner_key"])
async def test_one_changed_byte_of_a_wrapped_key_opens_nothing(tmp_path, level):
    async with bench(tmp_path) as node:
        await node.take(message(1, person(1), "words"))
        ((key,),) = await node.rows("SELECT key FROM message")
        row = await holder(node, level, key)
        ((wrapped,),) = await node.key_rows(f"SELECT wrapped FROM {level} WHERE id = :id", id=row)
        sql = f"UPDATE {level} SET wrapped = :wrapped WHERE id = :id"
        for position in range(len(wrapped)):
            changed = bytearray(wrapped)
            changed[position] ^= 64
            await node.keys.database.run([Step(sql, [(bytes(changed), row)])])
            with pytest.raises(SealBroken):
                await node.keys.open_rows([key])
        await node.keys.database.run([Step(sql, [(wrapped, row)])])
        assert await node.keys.open_rows([key])


@pytest.mark.parametrize("level", ["row_key", "bucket_key", "owner_key"])
async def test_a_wrapped_key_in_anothers_place_opens_nothing(tmp_path, level):
    async with bench(tmp_path) as node:
        await node.take(message(1, person(1), "words"), message(2, person(2), "others"), message(3, person(1), "more"))
        rows = dict(await node.key_rows(f"SELECT id, wrapped FROM {level}"))
        keys = [key for (key,) in await node.rows("SELECT key FROM message")]
        held = {key: await holder(node, level, key) for key in keys}
        sql = f"UPDATE {level} SET wrapped = :wrapped WHERE id = :id"
        for one, two in itertools.permutations(rows, 2):
            await node.keys.database.run([Step(sql, [(rows[one], two)])])
            for key in keys:
                if held[key] == two:
                    with pytest.raises(SealBroken):
                        await node.keys.open_rows([key])
                else:
                    assert await node.keys.open_rows([key])
            await node.keys.database.run([Step(sql, [(rows[two], two)])])


async def test_a_key_store_of_another_region_is_refused(tmp_path):
    async with bench(tmp_path) as node:
        other = KeyStore(node.keys.database, node.keys.provider, "elsewhere", node.keys.entropy)
        with pytest.raises(Exception, match="another region"):
            await other.read_head()
