"""PostgreSQL: receipts promise no more than is true, and what the operator then does (KEEPING.md) does it.

The server's whole data directory is read, byte by byte, before and after.
"""

import re
from pathlib import Path

import msgspec
import pytest

from deploy.demo.scanner import scan
from edge_node.metrics import Metrics
from edge_node.settings_custody import Custody
from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.identity import ensure_identity
from edge_node.stores import key_places
from edge_node.uplink.executor import Executor
from edge_node.uplink.roster import RosterInForce
from edge_node.uplink.work import NothingShown
from edge_node.usecases.governing.border import Border
from edge_node.usecases.letting_go.remnants import RemnantsHere
from shared import wire
from shared.clock import DAY
from shared.wire.receipt import epoch_horizon, open_receipt
from tests.integration.storage.test_attack_remains import remains
from tests.support.postgres import postgres_cluster, postgres_url
from tests.support.stores import bench, edit, message, person, settings

__all__ = ["postgres_cluster", "postgres_url"]

KEEPING = Path(__file__).parents[3] / "edge_node" / "KEEPING.md"
ANN, BEN = person(1, phone=11), person(2, phone=22)
WORDS = "Quittengelee im Keller "


def statements() -> tuple[str, str]:
    """Give what KEEPING.md tells an operator to run: once, and as often as is promised."""
    once, often = re.findall(r"```sql\n(.*?)```", KEEPING.read_text("utf-8"), re.DOTALL)
    return once, often


async def receipts(node) -> list[wire.Receipt]:
    """Have every receipt signed that is owed, and open them."""
    stores = node.stores
    identity = ensure_identity(key_places(stores.settings), stores.entropy)
    executor = Executor(
        node.content,
        "eu",
        identity,
        RosterInForce(UplinkStore(node.content), stores.clock),
        node.eraser,
        NothingShown(),
        DisclosurePlaces(node.content),
        Border(node.policy),
        Metrics(),
        stores.clock,
        erasures_per_hour_max=50,
        provider="file",
        remnants=RemnantsHere(node.content, node.keys, stores.settings, stores.clock),
    )
    await executor.round()
    untold = await CommandStore(node.content).untold(10)
    pushes = [wire.decode(wire.ReceiptPush, each.body) for each in untold if each.kind == "receipt"]
    return [open_receipt(push.envelope, identity.signing.public) for push in pushes]


async def traces(node, pseudonym) -> list[bytes]:
    """Give pieces of every sealed byte string of a person, and every mark that leads to them.

    What is long is stored in pieces of 1,996 bytes: both that are looked for lie within one.
    """
    found = []
    for table, columns in (("message", "sealed, mark"), ("event", "sealed, mark"), ("identity", "sealed, blind")):
        of = f"SELECT {columns} FROM {table} t JOIN subject s ON s.id = t.subject WHERE s.pseudonym = :name"
        found += [each for row in await node.rows(of, name=pseudonym) for each in row]
    pieces = [piece for each in found for piece in (each[:64], each[4_000:4_064]) if piece]
    assert any(len(each) > 4_064 for each in found) or len(pieces) == len(found)
    return pieces


async def test_the_receipt_says_pending_and_the_operators_statements_make_it_true(
    tmp_path, postgres_cluster, postgres_url
):
    chosen = msgspec.structs.replace(settings(tmp_path, postgres_url), custody=Custody(rewrite_days=7))
    once, often = statements()
    postgres_cluster.psql(postgres_url, once)
    async with bench(tmp_path, chosen=chosen) as node:
        # Short ones, and ones so long that they are stored out of line.
        await node.take(*(message(number, ANN, WORDS * (1 + 300 * (number % 2))) for number in range(12)))
        await node.take(*(message(100 + number, BEN, f"control {number}") for number in range(12)))
        await node.take(edit(3, ANN, WORDS + "changed", at=5_000))
        await node.remove()
        (ann,), (ben,) = await node.rows("SELECT pseudonym FROM subject ORDER BY id")
        gone, kept = await traces(node, ann), await traces(node, ben)
        postgres_cluster.psql(postgres_url, "CHECKPOINT; ANALYZE; CHECKPOINT")  # samples go into the statistics
        await node.eraser.open_case(ann, "subject_request")
        await node.remove()
        (receipt,) = await receipts(node)
        check_receipt(receipt, len(gone))
        # Nothing opens it any more, and its bytes are still there, as the receipt says.
        postgres_cluster.psql(postgres_url, "CHECKPOINT; VACUUM; CHECKPOINT")
        assert remains(postgres_cluster.data, *gone)
        postgres_cluster.psql(postgres_url, often)
        assert remains(postgres_cluster.data, *gone) == []
        assert len(remains(postgres_cluster.data, *kept)) >= len(kept)
        assert scan(postgres_cluster.data, {WORDS.strip(), "control 7"}).hits == []
        assert len(await node.texts()) == 12
        await node.check_keys()


def check_receipt(receipt, sealed) -> None:
    """Hold a receipt to claiming what is true on PostgreSQL, and no more."""
    lines = {(each.store, each.method): each for each in receipt.results}
    assert {store for store, method in lines if method == "removed"} == set()
    assert lines["keys", "destroyed"].count == 14
    for store, count in (("messages", 12), ("identities", 2)):
        assert lines[store, "pending"].count == count
        assert lines[store, "pending"].until == receipt.finished_at + 7 * DAY
    assert lines["backups", "pending"].count == 14
    assert 30 * DAY <= epoch_horizon(receipt) - receipt.finished_at <= 31 * DAY
    assert sealed > 25


async def test_without_the_operators_word_no_date_is_given(tmp_path, postgres_url):
    async with bench(tmp_path, postgres_url) as node:
        await node.take(message(1, ANN, "one"))
        ((ann,),) = await node.rows("SELECT pseudonym FROM subject")
        await node.eraser.open_case(ann, "subject_request")
        await node.remove()
        (receipt,) = await receipts(node)
        assert {each.until for each in receipt.results if each.store == "messages"} == {None}


@pytest.mark.parametrize("days", [30, 0])
async def test_on_sqlite_rows_are_removed_and_the_horizon_stands(tmp_path, days):
    chosen = settings(tmp_path)
    chosen = msgspec.structs.replace(chosen, keys=msgspec.structs.replace(chosen.keys, epoch_days=days))
    async with bench(tmp_path, chosen=chosen) as node:
        await node.take(message(1, ANN, "one"))
        ((ann,),) = await node.rows("SELECT pseudonym FROM subject")
        await node.eraser.open_case(ann, "subject_request")
        await node.remove()
        (receipt,) = await receipts(node)
        lines = {(each.store, each.method): each for each in receipt.results}
        assert (lines["messages", "removed"].count, lines["messages", "removed"].until) == (1, None)
        assert lines["backups", "pending"].count == lines["keys", "destroyed"].count
        horizon = epoch_horizon(receipt)
        assert horizon is None if days == 0 else 30 * DAY <= horizon - receipt.finished_at <= 31 * DAY
