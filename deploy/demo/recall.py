"""An unsend, told to the end: what lay there before, what the node did, and that nothing opens what is left."""

from collections.abc import Awaitable, Callable

from deploy.demo.look import Chain, Look, StoredRow
from deploy.demo.narrator import Narrator, hexed
from deploy.demo.node import DemoNode
from deploy.demo.scanner import files_with
from shared.message import Event


async def show_destruction(
    node: DemoNode,
    look: Look,
    tell: Narrator,
    account: str,
    event: Event,
    send: Callable[[], Awaitable[None]],
) -> None:
    """Look at a message and its keys, have its recall sent, look again; show and check the difference."""
    row = await look.row(account, event)
    before = await look.chain(row.key) if row is not None else None
    if row is None or before is None or before.wrapped is None:
        tell.check("the message lies there, to be taken back", False)
        return
    siblings = await look.siblings(row)
    said = [await look.open(each) for each in siblings]
    lay = files_with(node.folder, row.sealed)
    tell.line("before", f"message {row.id}, sealed {hexed(row.sealed)}")
    tell.line("", f"row key {row.key}, wrapped {hexed(before.wrapped)}")
    tell.line("", f"its sealed bytes lie in: {', '.join(lay) or 'no file'}")
    tell.check("it can be opened now", await look.open(row) is not None and bool(lay))
    await send()
    tell.check("the node has carried it out", await look.until_removed())
    tell.line("after", "read back from both stores, the log and the journal:")
    await _show_rows(look, tell, account, event, row)
    await _show_keys(look, tell, row, before)
    again = [await look.open(each) for each in await _now(look, siblings)]
    kept = len(again) == len(siblings) > 0 and again == said
    tell.check(f"{len(siblings)} other messages under the same bucket key open as before", kept)
    left = files_with(node.folder, row.sealed)
    tell.check(f"its sealed bytes lie in no file {', '.join(left)}".rstrip(), not left)


async def _show_rows(look: Look, tell: Narrator, account: str, event: Event, row: StoredRow) -> None:
    """Show that the row is gone, and what stands in its place: log entry, journal line, tombstone."""
    entries = await look.buried(account, event)
    tell.check(f"message {row.id} is gone from the content store", await look.row(account, event) is None)
    if not tell.check("a tombstone stands in its place", len(entries) == 1):
        return
    tell.line("", f"tombstone {hexed(look.tombstone(account, event), 16)}, by {entries[0]}")
    entry, line = await look.log_entry(entries[0]), look.journal(entries[0])
    tell.line("", f"log entry: act={entry.get('act')} reason={entry.get('reason')} state={entry.get('state')}")
    finished = entry.get("state") == "done" and entry.get("mark") is None
    tell.check("the node's log says done, and no longer which message it was", finished)
    if line is not None:
        tell.line("", f"journal: act={line.act} key={line.key} tombstone={(line.tombstone or '')[:16]}...")
    named = line is not None and line.key == row.key and line.tombstone == look.tombstone(account, event).hex()
    tell.check("the journal at the second place names key and tombstone", named)


async def _show_keys(look: Look, tell: Narrator, row: StoredRow, before: Chain) -> None:
    """Show that the row key is gone, and that a copy of it opens nothing any more."""
    now = await look.chain(row.key)
    absent = not await look.key_exists(row.key) and await look.open(row) is None
    tell.check(f"row key {row.key} is not in the key store", absent)
    if now is None or before.wrapped is None:
        tell.check("its bucket, which held other rows, is still there", False)
        return
    tell.line(
        "",
        f"bucket key v{before.bucket_version} -> v{now.bucket_version}, {now.bucket_rows} rows wrapped again; "
        f"subject key v{before.owner_version} -> v{now.owner_version}; "
        f"generation {before.generation} -> {now.generation}",
    )
    tell.check("generation raised", now.generation == before.generation + 1)
    renewed = now.bucket_version > before.bucket_version and now.owner_version > before.owner_version
    tell.check("bucket and subject have fresh keys", renewed)
    opened_then = look.opens(before.wrapped, before, before.bucket_version)
    versions = {before.bucket_version, now.bucket_version}
    opens_now = any(look.opens(before.wrapped, now, version) for version in versions)
    tell.check(
        "a copy of the wrapped key, taken before, opened under the old bucket key and opens under no key there is now",
        opened_then and not opens_now,
    )


async def _now(look: Look, rows: list[StoredRow]) -> list[StoredRow]:
    """Read rows anew."""
    return [row for row in [await look.row_by_mark(each.mark) for each in rows] if row is not None]
