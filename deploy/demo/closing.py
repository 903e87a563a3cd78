"""Chapter 8: what each place knows, the byte scan with its own check, the numbers; and the summary."""

import tempfile
from collections import Counter
from pathlib import Path

from deploy.demo.company import NODES
from deploy.demo.copies import scan
from deploy.demo.narrator import Narrator, plural
from deploy.demo.program import until
from deploy.demo.scanner import missed, needles, write_controls
from deploy.demo.stage import Stage, metrics_of

_ABOUT = """\
Three places, three kinds of knowledge. The nodes hold what people wrote, sealed, and who they are, sealed too. The \
control plane holds random names, and who owes what. Then everything that any of these processes wrote or answered is \
searched for everything that anybody said."""
_HITS_SHOWN = 5
READ_NEXT = {
    "README.md": "what Homeport is, and how to set a node up",
    "edge_node/README.md": "where data comes in, and in which order",
    "shared/wire/README.md": "all that can ever leave a region",
    "shared/roster/README.md": "who is a node, an officer; who says so",
    "deploy/demo/README.md": "this demo; --serve lets you go on by hand",
}
"""Pages of the project, with what they tell."""


async def close(stage: Stage) -> None:
    """Play the chapter."""
    stage.tell.chapter(8, "What each place knows", _ABOUT)
    await _places(stage)
    await _logs(stage)
    await _scan(stage)
    await _numbers(stage)


async def _places(stage: Stage) -> None:
    """Show what lies in the three stores."""
    tell, plane = stage.tell, stage.company.plane
    tell.step("Three stores")
    drawn = {name: await look.pseudonyms() for name, look in stage.looks.items()}
    known = {(name, node) for node, names in drawn.items() for name in names}
    told = await until(lambda: known <= _registered(stage))  # the newest of them waits for the next beat
    registered = _registered(stage)
    counts = {name: await look.counts() for name, look in stage.looks.items()}
    cases, receipts = plane.rows("SELECT (SELECT count(*) FROM case_file), (SELECT count(*) FROM receipt)")[0]
    rows = [
        (f"{what}s, sealed", str(counts["eu"][what]), str(counts["ap"][what]), "none") for what in ("message", "event")
    ]
    rows.append(("identities, sealed", str(counts["eu"]["identity"]), str(counts["ap"]["identity"]), "none"))
    rows.append(("keys of rows", str(counts["eu"]["row_key"]), str(counts["ap"]["row_key"]), "none"))
    rows.append(("tombstones", str(counts["eu"]["tombstone"]), str(counts["ap"]["tombstone"]), "none"))
    rows.append(("pseudonyms", str(counts["eu"]["subject"]), str(counts["ap"]["subject"]), str(len(registered))))
    rows.append(("cases, receipts", "", "", f"{cases}, {receipts}"))
    tell.table(("", "eu", "ap", "control plane"), rows)
    shown = sorted(registered & known, key=lambda each: each[1])[:2]
    for name, node in shown:
        tell.line("for one", f"the control plane knows {name}: at {node}, and no more")
    dummies = len(registered - known)
    tell.line("", f"{plural(dummies, 'name')} among them are dummies, so that a beat does not tell how many came")
    tell.check("every pseudonym of both nodes is registered", told)


def _registered(stage: Stage) -> set[tuple[str, str]]:
    """Give every name that the control plane knows, with its node."""
    rows = stage.company.plane.rows("SELECT pseudonym, node FROM registration")
    return {(str(name), str(node)) for name, node in rows}


async def _logs(stage: Stage) -> None:
    """See that no log names anybody, not even by pseudonym."""
    tell = stage.tell
    tell.step("The logs")
    names = {name for look in stage.looks.values() for name in await look.pseudonyms()}
    logs = {name: program.log_text() for name, program in stage.company.programs.items() if name != "sandbox"}
    lines = ", ".join(f"{name} {text.count(chr(10))}" for name, text in logs.items())
    tell.line("lines", lines)
    told = [name for name, text in logs.items() if any(each in text for each in names)]
    tell.check("no log names anybody, not even by pseudonym", not told and len(names) > 0)
    wrong = [line for text in logs.values() for line in text.splitlines() if '"level": "error"' in line]
    for line in wrong[:_HITS_SHOWN]:
        tell.line("", line, "red")
    tell.check("and none of them holds an error", not wrong)


async def _scan(stage: Stage) -> None:
    """Scan every file that the processes wrote, and first see that the scanner finds what is there."""
    tell, company, words = stage.tell, stage.company, stage.words | stage.company.secrets.all()
    tell.step("A byte scan for everything that was said")
    tell.note(
        "Words, names, numbers, ids, places, tokens and every secret; each plain, in UTF-16, JSON-escaped, in hex, "
        "and in base64 at its three alignments. What a desk was shown is for eyes, and not among the answers."
    )
    with tempfile.TemporaryDirectory(prefix="homeport-demo-control-") as control:
        files = write_controls(Path(control), words)
        lost = missed(Path(control), words)
    claim = f"the scanner itself finds all {len(words)} planted values in each of {files} control files"
    tell.check(claim + (f": not {', '.join(lost[:_HITS_SHOWN])}" if lost else ""), not lost)
    spoken = [said for program in company.programs.values() for said in program.answered]
    done = scan(company.folder, words, spoken)
    tell.line("looked", f"for {len(needles(words))} patterns in {done.files} files, {done.size:,} bytes")
    tell.line("", "of both nodes, the control plane and the officers: stores, write-ahead logs, journals, keys, logs,")
    tell.line("", f"temporary files, names of files; and in {len(spoken)} HTTP answers")
    for hit in done.hits[:_HITS_SHOWN]:
        tell.line("found", f"{hit.word!r} as {hit.encoding} in {hit.place}", "red")
    tell.check(f"found: {len(done.hits)}", done.files > 0 and done.size > 0 and not done.hits)


async def _numbers(stage: Stage) -> None:
    """Compare the nodes' own numbers with what was sent and what lies in the stores."""
    tell = stage.tell
    tell.step("The nodes' own numbers")
    for name in NODES:
        total = stage.metrics[name] + metrics_of(await stage.company.nodes[name].private("/metrics"))
        answers: Counter[int] = Counter()
        for sample, value in total.items():
            if sample.startswith("homeport_edge_webhook_answers_total{"):
                answers[int(sample.split('status="')[1].split('"')[0])] += value
        sent = ", ".join(f"{count} times {status}" for status, count in sorted(stage.statuses[name].items()))
        tell.check(
            f"{name} counted the webhooks it answered as their senders did: {sent}", answers == stage.statuses[name]
        )
        await _rows_agree(stage, name, total)
    plane = metrics_of(await stage.company.plane.private("/metrics"))
    receipts = sum(value for sample, value in plane.items() if sample.startswith("homeport_control_receipts_total{"))
    kept = stage.company.plane.rows("SELECT count(*) FROM receipt")[0][0]
    tell.check(f"the control plane accepted and keeps {plural(kept, 'receipt')}", receipts == kept > 0)
    refused = sum(value for sample, value in plane.items() if sample.startswith("homeport_control_refused"))
    tell.check("and had to refuse no request of a node", refused == 0)


async def _rows_agree(stage: Stage, name: str, total: Counter[str]) -> None:
    """Check that what was stored, less what was removed, is what lies there."""
    look = stage.looks[name]
    stored = total['homeport_edge_outcomes_total{outcome="stored"}']
    edits = total['homeport_edge_removals_total{act="supersede"}']
    recalled, replies = await look.removed(), stage.replied[name]
    erased = stage.erased if name == "ap" else 0
    counts = await look.counts()
    there = counts["message"] + counts["event"]
    claim = f"{name}: {stored} stored + {plural(replies, 'reply')} - {edits} replaced"
    claim += f" - {recalled} taken back - {erased} erased = {plural(there, 'row')}"
    stage.tell.check(claim, stored + replies - edits - recalled - erased == there)


def show_summary(tell: Narrator, seconds: float, folder: Path, *, kept: bool) -> None:
    """Say what was shown, how long it took, and what to read next."""
    tell.title("Summary")
    if tell.failures:
        tell.say(f"{len(tell.failures)} of {tell.held + len(tell.failures)} checks did not hold:", "bold red")
        for claim in tell.failures:
            tell.line("FAILED", claim, "red")
        if not kept:
            tell.say("Run it again with --keep DIR to look at the folders and logs afterwards.")
        return
    tell.say(f"All {tell.held} checks held, in {seconds:.1f} s.", "bold green")
    tell.say(
        "Messages rested in their home region only, sealed, each under a key of its own. What was taken back or "
        "forgotten is gone wherever it had been shown, and every place signed for it. The control plane, which saw to "
        "that, knew nobody but by a random name."
    )
    tell.say()
    tell.say(
        "What this does not show: the platforms keep copies of their own; what a person has read is read; and these "
        "nodes keep their keys as files (key provider file), so destroying one is no better than deleting a file."
    )
    if kept:
        tell.say()
        tell.say(f"The folders stay: {folder}", "bold")
    tell.say()
    tell.say("Read next:", "bold")
    for page, says in READ_NEXT.items():
        tell.say(f"  {page:<25}{says}")
