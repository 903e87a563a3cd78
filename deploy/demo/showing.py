"""Chapters 5 and 6: a desk in one region looks at a person of the other; the person takes a message back."""

from pathlib import Path

from deploy.demo import story
from deploy.demo.company import ACCOUNTS, NEVER_READS, PURPOSE, ROLE
from deploy.demo.copies import files_with
from deploy.demo.look import Chain, Look, StoredRow
from deploy.demo.narrator import hexed, plural
from deploy.demo.program import until
from deploy.demo.receipts import owed, show_receipts
from deploy.demo.stage import Stage
from shared.message import Event

_SHOW = """\
Taro has called the European team, who must see what he wrote. Their node asks ap directly, and says what for. ap \
looks the asker up in the roster, decides by the policy, notes each message that it shows, \
and seals them for eu. The control plane is not asked and sees nothing. What eu is shown it keeps sealed, while \
somebody looks."""
_TAKE_BACK = """\
Taro regrets a message and unsends it. ap destroys the key first, then the row; and because it noted to whom it \
showed that message, the control plane, told by random names only, has every such place take its copy back and sign \
for it."""


async def show(stage: Stage) -> None:
    """Play chapter 5."""
    tell, platforms, watch = stage.tell, stage.company.platforms, stage.watch
    tell.chapter(5, "A desk in Europe looks at somebody in Asia", _SHOW)
    tell.step("Refused: by a rule of the policy")
    before = await stage.before("line")
    attempts = await platforms.act("taro", "line", text=story.DOOR_CODE, called="door")
    scene = stage.kept["door"] = stage.scenes("ap", "line", attempts, before)[0]
    stage.show_arrival(scene, f"Taro writes: {story.DOOR_CODE}")
    pseudonym = stage.known["Taro"]
    tell.line(
        "eu asks", f"POST /views at its own desk: that pseudonym, node ap, purpose {PURPOSE}, as an {NEVER_READS}"
    )
    status, content = await watch.open("ap", pseudonym, PURPOSE, NEVER_READS)
    named = content.get("rule"), content.get("policy_rule")
    tell.line("answered", f"{status}, rule: {named[0]}, {named[1]}")
    tell.check("refused, and the rule is named", (status, *named) == (403, "policy_denied", "no-reading-by-operators"))
    tell.step("Refused: what no rule of the policy allows")
    tell.line("eu asks", "the same, as an agent")
    status, content = await watch.open("ap", pseudonym, PURPOSE, "agent")
    tell.line("answered", f"{status}, rule: {content.get('rule')}")
    tell.check("an agent may settle no complaint across borders", (status, content.get("rule")) == (403, "no_rule"))
    tell.check("nothing was shown: no disclosure on record at ap", not await stage.looks["ap"].disclosed())

    tell.step(f"Shown: the purpose {PURPOSE}, to a {ROLE}")
    tell.line("eu asks", f"the same, as a {ROLE}")
    status, content = await watch.open("ap", pseudonym, PURPOSE, ROLE)
    tell.line("answered", f"{status}, form: {content.get('form')}, {plural(content.get('shown', 0), 'message')}")
    came = await until(lambda: len(watch.of("shown")) == content.get("shown"))
    for each in watch.of("shown"):
        way = "<" if each["direction"] == "out" else ">"
        tell.line("desk", f"{way} [{each['kind']}] {_words(each)}")
    tell.check("the desk's live view shows them all", came and status == 201 and bool(watch.of("shown")))
    await _on_record(stage)


async def _on_record(stage: Stage) -> None:
    """Check what is on record at ap and what lies at eu."""
    tell, names = stage.tell, {each["disclosure"] for each in stage.watch.of("shown")}
    record = await stage.looks["ap"].disclosed()
    noted = {name for name, node, purpose in record if (node, purpose) == ("eu", PURPOSE)} == names
    tell.check(f"ap has {plural(len(record), 'disclosure')} on record: to eu, for {PURPOSE}, under random names", noted)
    copies = await stage.looks["eu"].shown()
    tell.line("at eu", f"{plural(len(copies), 'copy')}, the first sealed {hexed(copies[0][1])}")
    tell.check(
        "eu keeps each one sealed under a key of its own, for as long as the view is open", len(copies) == len(names)
    )


def _words(message: dict[str, object]) -> str:
    """Give what a message says, in short."""
    content = message["content"]
    words = content if isinstance(content, dict) else {}
    return next((str(words[name]) for name in ("text", "caption", "title", "name") if words.get(name)), "")


async def take_back(stage: Stage) -> None:
    """Play chapter 6: the message that came last is unsent."""
    tell, look, scene = stage.tell, stage.looks["ap"], stage.kept["door"]
    event = scene.events[0]
    tell.chapter(6, "The customer takes a message back", _TAKE_BACK)
    row = await look.row(ACCOUNTS["line"], event)
    chain = await look.chain(row.key) if row is not None else None
    if row is None or chain is None:
        tell.check("the message is there, to be taken back", False)
        return
    await _unsend(stage, event, row, chain)
    await _elsewhere(stage)
    tell.step("LINE delivers it again")
    before = await stage.before("line")
    answer = await stage.company.ap.post("line", ACCOUNTS["line"], scene.body, stage.sign("line", scene.body))
    again = stage.scene("ap", "line", scene.body, answer.status, before)
    stage.show_arrival(again, "the same webhook as before the unsend")
    tell.check("it stays out: no row, no key", not await stage.changed(again))


async def _unsend(stage: Stage, event: Event, row: StoredRow, before: Chain) -> None:
    """Have the message unsent; look at both stores of its home, before and after."""
    tell, look, folder = stage.tell, stage.looks["ap"], stage.company.ap.folder
    tell.step("LINE unsend, at ap")
    tell.line("before", f"message {row.id}, sealed {hexed(row.sealed)}, in {', '.join(files_with(folder, row.sealed))}")
    counted = await stage.before("line")
    attempts = await stage.company.platforms.act("taro", "line", "unsend", about="door")
    stage.show_arrival(stage.scenes("ap", "line", attempts, counted)[0], "Taro unsends what he wrote")
    done = await look.until_removed()
    tell.line("after", "read back from both stores and the journal:")
    tell.check("row and key are gone", done and await look.row(ACCOUNTS["line"], event) is None)
    await _opens_nothing(stage, look, row, before)
    await _lies_nowhere(stage, "its sealed bytes lie in no file of ap", folder, row.sealed)
    entries = await look.buried(ACCOUNTS["line"], event)
    line = look.journal(entries[0]) if entries else None
    tell.line("", f"tombstone {hexed(look.tombstone(ACCOUNTS['line'], event), 16)}")
    tell.check("a tombstone keeps it out; the journal at the second place has a line", line is not None)


async def _opens_nothing(stage: Stage, look: Look, row: StoredRow, before: Chain) -> None:
    """Check that a copy of the wrapped key, taken before, opens nothing any more."""
    now = await look.chain(row.key)
    gone = not await look.key_exists(row.key) and now is not None and before.wrapped is not None
    then = before.wrapped is not None and look.opens(before.wrapped, before, before.bucket_version)
    versions = (before.bucket_version, now.bucket_version if now else 0)
    still = now is not None and any(look.opens(before.wrapped or b"", now, version) for version in versions)
    claim = "a copy of its wrapped key, taken before, opened it then and opens under no key there is now"
    stage.tell.check(claim, gone and then and not still)


async def _lies_nowhere(stage: Stage, claim: str, folder: Path, sealed: bytes) -> None:
    """Check that sealed bytes are in no file; a reader may keep the write-ahead log for a moment."""
    await until(lambda: not files_with(folder, sealed))
    stage.tell.check(claim, not files_with(folder, sealed))


async def _elsewhere(stage: Stage) -> None:
    """See the copy at eu go, and the case that says so."""
    tell, plane, watch = stage.tell, stage.company.plane, stage.watch
    tell.step("The copy at eu, and the case")
    page, seconds = await plane.until("/v1/cases?kind=recall", _all_finished)
    retracted = await until(lambda: watch.of("retracted"))
    names = [str(each["disclosure"]) for each in watch.of("retracted")]
    tell.line("desk", f"retracted: {', '.join(names)}")
    shown = [_words(each) for each in watch.of("shown") if each["disclosure"] in names]
    tell.check("the desk is told to take exactly this message off the screen", retracted and shown == [story.DOOR_CODE])
    left = [name for name, _ in await stage.looks["eu"].shown()]
    tell.check(
        "eu's copy is gone, the others stay", not set(left) & set(names) and len(left) == len(watch.of("shown")) - 1
    )
    for case in page["items"]:
        view = await plane.get(f"/v1/cases/{case['id']}")
        tell.line(
            "case", f"{view['id']}: {view['kind']} opened by node {view['opened_by']}, pseudonym: {view['pseudonym']}"
        )
        tell.line("", owed(view))
        await show_receipts(stage, view["id"], stage.company.signed(2).roster)
    tell.check(f"one case, finished {seconds:.1f} s later; it names no subject", _one_finished(page["items"]))


def _all_finished(page: dict[str, list[dict[str, object]]]) -> bool:
    """Say whether there are cases, and all are finished."""
    return bool(page["items"]) and all(case["state"] == "finished" for case in page["items"])


def _one_finished(cases: list[dict[str, object]]) -> bool:
    """Say whether there is exactly one case, finished, without a pseudonym."""
    return [(case["state"], case["pseudonym"]) for case in cases] == [("finished", None)]
