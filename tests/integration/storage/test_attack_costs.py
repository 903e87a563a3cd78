"""What a message, a removal and a sweep cost when the stores are large: every statement finds its rows by an index."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from edge_node.core.keeping import REMOVALS
from edge_node.core.retention import CONTENT
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.sweep import AGE, sweep_unused_keys
from edge_node.usecases.letting_go.kept_listing import list_kept
from shared.database import statements
from shared.message import Identifier, Notice
from tests.support.governed import govern, laws_of
from tests.support.keeping import holder
from tests.support.stores import bench, edit, message, person, recall

ANN, BEN, CAT = person(1, phone=11), person(2, phone=22), person(3, phone=22)
GROUP = Identifier("whatsapp_group", "a-group")
NOTICE = Notice(channel="whatsapp", via="3", at=1, topic="quality", detail={"number": 1})

SMALL = {
    "key_store",
    "content_store",
    "epoch",
    "index_key",
    "account",
    "lease",
    "migration",
    "intent",
    "swept",
    "uplink",
    "due",
    *("law_duty", "law_duties", "ld", "policy_bundle", "policy_head", "retention_progress", "looks"),
}
"""Tables that hold a handful of rows however much a node has taken in; ``due`` is a count with a cap,
``ld`` the duties of the law, ``looks`` three counts."""
FIRST = "SELECT 1 FROM suppression LIMIT 1"
"""Ends at the first row: is there any?"""
OPEN = tuple(
    f"USING INDEX {name}"
    for name in (
        *("log_entry_open", "log_entry_at_work", "log_entry_held", "log_entry_judged", "log_entry_key"),
        *(
            "message_held",
            "event_held",
            "erasure_parting",
            "erasure_again",
            "command_open",
            "hold_standing",
            "hold_ends",
            "kept_again",
        ),
    )
)
"""They hold what is not done or stands, and nothing else: these are what there is to do."""


async def place(node, name, until_at):
    """Place a hold."""
    return await holder(node).place(name, reason="complaint", review_at=1, beats=REMOVALS, until_at=until_at)


def scans(file, sql: str) -> list[str]:
    """Give the parts of SQLite's plan for a statement that walk a whole table or sort one into an index for once."""
    connection = sqlite3.connect(file)
    try:
        parsed = statements.parse(sql)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {parsed.sqlite}", [None] * len(parsed.names)).fetchall()
    finally:
        connection.close()
    details = [row[3] for row in plan]
    return [
        each
        for each in details
        if (
            each.startswith("SCAN")
            and each.split()[1] not in SMALL
            and not any(index in each for index in OPEN)
            and each != "SCAN CONSTANT ROW"
        )
        or "AUTOMATIC" in each
    ]


def walking(seen: Iterable[str], files: Iterable[Path]) -> dict[str, list[str]]:
    """Give the statements that walk a table which grows, and how."""
    found = {}
    for sql in sorted(seen):
        act = sql.lstrip()[:6].upper()
        if sql == FIRST or act not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            continue
        for file in files:
            try:
                if bad := scans(file, sql):
                    found[" ".join(sql.split())] = bad
            except sqlite3.OperationalError:
                continue  # the other store's
    return found


async def test_no_statement_walks_a_table_that_grows(tmp_path, monkeypatch):
    seen: set[str] = set()
    real = statements.parse

    def parse(sql: str) -> statements.Statement:
        seen.add(sql)
        return real(sql)

    async with bench(tmp_path) as node:
        monkeypatch.setattr("shared.database.sqlite_link.parse", parse)
        with monkeypatch.context() as forgetful:
            forgetful.setattr(node.keys, "settle", lambda _draft: None)  # as if it died then: its intents are swept
            await node.take(message(1, ANN, "one"), message(2, BEN, "two", group=GROUP), NOTICE)
        node.taking_in._clerk._recent.clear()
        await node.take(message(1, ANN, "one"), message(4, CAT, "her number now"), edit(1, ANN, "changed", at=5000))
        await node.take(edit(2, ANN, "not hers", at=5000), recall(1, ANN), recall(2, BEN))
        await node.remove()
        ((name,),) = await node.rows("SELECT pseudonym FROM subject WHERE id = 1")
        first, second = [await place(node, name, until_at) for until_at in (2_000, None)]
        await node.take(message(5, ANN, "three"), edit(5, ANN, "changed", at=5000), recall(5, ANN))
        await node.eraser.open_case(name, "objection")
        await govern(node, laws_of("IN", "ID"))
        for hold in (first, second):
            await node.settle()
            await holder(node).release(hold)
        await node.settle()
        periods = node.retaining(*((of, 365) for of in CONTENT))
        await list_kept(node.content, node.policy, periods, name, node.stores.clock.now())
        await node.sweeper(*((of, 365) for of in CONTENT)).once()
        await node.remove()
        await sweep_unused_keys(node.keys, node.content, node.stores.clock.now() + AGE + 60_000)
        await discard_unused(node.keys, [1], ["nobody"], [1])
        await node.stores.accounts.load()
        monkeypatch.undo()
        files = (node.stores.settings.data_dir / "keys.db", node.stores.settings.data_dir / "content.db")
        found = walking(seen, files)
        assert len(seen) > 30
        assert found == {}, "; ".join(f"{sql}: {plans}" for sql, plans in found.items())
