"""After the last step: the byte scan with its own check, the metrics in short, and the summary."""

import tempfile
from collections import Counter
from pathlib import Path

from deploy.demo.look import Look
from deploy.demo.narrator import Narrator
from deploy.demo.node import DemoNode
from deploy.demo.scanner import missed, needles, scan, write_controls
from deploy.demo.walk import Walk, metrics_of

_HITS_SHOWN = 5
READ_NEXT = {
    "README.md": "what Homeport is, and how to set a node up",
    "edge_node/README.md": "where data comes in, and in which order",
    "edge_node/storage/README.md": "keys, stores, journal",
    "deploy/demo/README.md": "this demo; --serve lets you send by hand",
}
"""Pages of the project, with what they tell."""


async def show_scan(node: DemoNode, tell: Narrator, words: set[str]) -> None:
    """Scan every file that the node's processes wrote, and first see that the scanner finds what is there."""
    tell.title("A byte scan for everything that was sent")
    tell.note(
        "Words, names, numbers, ids, places, tokens and the accounts' secrets; each plain, in UTF-16, JSON-escaped, "
        "in hex, and in base64 at its three alignments."
    )
    with tempfile.TemporaryDirectory(prefix="homeport-demo-control-") as control:
        files = write_controls(Path(control), words)
        lost = missed(Path(control), words)
    tell.check(
        f"the scanner finds all {len(words)} planted values in each of {files} control files, one for each encoding"
        f"{': not ' + ', '.join(lost[:_HITS_SHOWN]) if lost else ''}",
        not lost,
    )
    await node.private("/metrics")
    done = scan(node.folder, words, node.answered)
    tell.line("looked", f"for {len(needles(words))} patterns in {done.files} files, {done.size:,} bytes")
    tell.line("", "stores, write-ahead logs, journal, keyring, log, temporary files, names of files")
    tell.line("", f"and {len(node.answered)} HTTP answers, metrics among them")
    for hit in done.hits[:_HITS_SHOWN]:
        tell.line("found", f"{hit.word!r} as {hit.encoding} in {hit.place}", "red")
    looked = done.files > 0 and done.size > 0
    tell.check(f"found in the node's files and answers: {len(done.hits)}", looked and not done.hits)


async def show_metrics(node: DemoNode, tell: Narrator, walk: Walk, look: Look) -> None:
    """Show the node's own numbers, and compare them with what was sent and what lies in the store."""
    tell.title("The node's own numbers")
    tell.note(f"From http://{node.now.private}/metrics, of both processes together; never by subject.")
    total = walk.metrics + metrics_of(await node.private("/metrics"))
    for label, family in (
        ("answers", "homeport_edge_webhook_answers_total"),
        ("events", "homeport_edge_events_total"),
        ("became", "homeport_edge_outcomes_total"),
        ("removals", "homeport_edge_removals_total"),
    ):
        tell.line(label, ", ".join(_family(total, family)) or "none")
    answers: Counter[int] = Counter()
    for name, value in total.items():
        if name.startswith("homeport_edge_webhook_answers_total{"):
            answers[int(name.split('status="')[1].split('"')[0])] += value
    sent = ", ".join(f"{count} times {status}" for status, count in sorted(walk.statuses.items()))
    tell.check(f"they agree with the answers received: {sent}", answers == walk.statuses)
    counts, stored = await look.counts(), total['homeport_edge_outcomes_total{outcome="stored"}']
    edits = total['homeport_edge_removals_total{act="supersede"}']
    removed = await look.removed()
    there = counts["message"] + counts["event"]
    claim = f"{stored} stored - {edits} that replaced words - {removed} taken back = {there} rows in the store"
    tell.check(claim, stored - edits - removed == there)
    ready = await node.private("/health/ready")
    tell.check("ready for more", '"ready"' in ready)


def _family(samples: Counter[str], family: str) -> list[str]:
    """Write the samples of one metric: ``whatsapp text 3``."""
    found = []
    for name, value in sorted(samples.items()):
        if name.startswith(family + "{") and value:
            labels = [pair.partition("=")[2].strip('"') for pair in name[len(family) + 1 : -1].split(",")]
            found.append(f"{' '.join(labels)} {value}")
    return found


def show_summary(tell: Narrator, seconds: float, folder: Path, *, kept: bool) -> None:
    """Say what was shown, how long it took, and what to read next."""
    tell.title("Summary")
    if tell.failures:
        tell.say(f"{len(tell.failures)} of {tell.held + len(tell.failures)} checks did not hold:", "bold red")
        for claim in tell.failures:
            tell.line("FAILED", claim, "red")
        if not kept:
            tell.say("Run it again with --keep DIR to look at the node's folder and node.log afterwards.")
        return
    tell.say(f"All {tell.held} checks held, in {seconds:.1f} s.", "bold green")
    tell.say(
        "After each 200 its rows lay in the store, each sealed under a key of its own; what its sender took back has "
        "no key, no row and no way in again; and nothing that was sent was found in any file of the node."
    )
    tell.say()
    tell.say(
        "What this does not show: the platforms keep copies of their own, and this node keeps its keys as files "
        "(key provider file), so destroying one is no better than deleting a file."
    )
    if kept:
        tell.say()
        tell.say(f"The node's folder stays: {folder}", "bold")
        tell.raw(f"Run it again:  cd {folder} && homeport edge run --config node.toml")
    tell.say()
    tell.say("Read next:", "bold")
    for page, says in READ_NEXT.items():
        tell.say(f"  {page:<29}{says}")
