"""Chapter 7: forget me.  A case by pseudonym, what is owed while a node is away, receipts from both regions."""

from typing import Any

from deploy.demo import story
from deploy.demo.borders import find
from deploy.demo.commands import Command
from deploy.demo.company import ACCOUNTS
from deploy.demo.narrator import plural
from deploy.demo.node import Watch
from deploy.demo.program import until
from deploy.demo.receipts import owed, show_receipts
from deploy.demo.stage import Stage
from deploy.sandbox.names import TARO
from shared.wire import Receipt

_ABOUT = """\
Taro writes a letter: forget me. A letter names him, so it is looked up at the node of his region, where the purpose \
is recorded; the control plane has no such search. The officer opens a case there by pseudonym. Every place that \
holds something of his must destroy it and sign for that. To see what is owed, eu is away when the case opens."""
_ROWS = ("messages", "events")


async def forget(stage: Stage) -> None:
    """Play the chapter."""
    tell, company = stage.tell, stage.company
    tell.chapter(7, "Forget me", _ABOUT)
    tell.step("The letter is looked up at ap")
    pseudonym = await find(stage, company.ap, TARO, "legal_claim")
    tell.check("it is the pseudonym by which he was answered", pseudonym == stage.known["Taro"] != "")
    subject = await stage.looks["ap"].subject(pseudonym)
    case = await _open(stage, pseudonym)
    if case:
        await _finish(stage, case)
        await _gone(stage, subject)
        await _again(stage, pseudonym)


async def _open(stage: Stage, pseudonym: str) -> str:
    """Stop eu, open the case, and see what is owed; give the case's id."""
    tell, company, plane = stage.tell, stage.company, stage.company.plane
    tell.step("A case is opened while eu is away")
    await stage.note_metrics(company.eu)
    await stage.watch.leave()
    status = await company.eu.stop()
    tell.line("eu", f"stopped, exit status {status}; its desk still has an open view with copies of Taro's messages")
    order = {"kind": "erasure", "pseudonym": pseudonym, "reason": "subject_request"}
    tell.line("control", f"POST /v1/cases  {order}".replace("'", '"'))
    answer = await plane.api("POST", "/v1/cases", order)
    content = answer.json()
    tell.check(f"answered {answer.status_code}", answer.status_code == 201)
    if answer.status_code != 201:
        tell.line("", str(content))
        return ""
    tell.line("owed", owed(await plane.get(f"/v1/cases/{content['id']}")))
    view, seconds = await plane.until(f"/v1/cases/{content['id']}", _only_eu_owes)
    tell.line("", f"{owed(view)}  ({seconds:.1f} s later)")
    tell.check(
        "ap has signed, and named eu as a place that was shown something; eu owes, and waits", _only_eu_owes(view)
    )
    return str(content["id"])


def _only_eu_owes(view: dict[str, Any]) -> bool:
    """Say whether ap has done its part and eu owes."""
    found = {place["node"]: place["owed"] for place in view["places"]}
    return view["state"] == "waiting" and found.get("ap") == 0 and found.get("eu", 0) > 0


async def _finish(stage: Stage, case: str) -> None:
    """Start eu again; see the case finish and read the receipts."""
    tell, company, plane = stage.tell, stage.company, stage.company.plane
    tell.step("eu comes back, and the case finishes")
    started: Command = await company.eu.start()
    stage.command(started)
    view, seconds = await plane.until(f"/v1/cases/{case}", lambda found: found["state"] == "finished")
    tell.line("owed", owed(view))
    tell.check(f"finished {seconds:.1f} s after eu serves again", view["state"] == "finished" and seconds < 5)
    receipts = await show_receipts(stage, case, company.signed(2).roster)
    regions = {receipt.node for receipt in receipts}
    tell.check("there are receipts from both regions", regions == {"eu", "ap"} and len(receipts) == view["asked"])
    stage.erased += sum(_counted(receipt) for receipt in receipts if receipt.kind == "erase")
    stage.watch.follow()
    watch = stage.watch
    empty = await until(lambda: watch.of("closed") or _names(watch, "retracted") == _names(watch, "shown"))
    tell.check("the desk, taken up again, is told to take everything off the screen", empty)
    tell.check("eu holds no copy any more", not await stage.looks["eu"].shown())


def _names(watch: Watch, kind: str) -> set[str]:
    """Give the disclosures that a view spoke of."""
    return {str(each["disclosure"]) for each in watch.of(kind)}


def _counted(receipt: Receipt) -> int:
    """Count the messages and events that a receipt says were removed."""
    return sum(each.count for each in receipt.results if each.store in _ROWS)


async def _gone(stage: Stage, subject: int) -> None:
    """See that nothing of the subject is left at ap."""
    tell = stage.tell
    left = await stage.looks["ap"].of_subject(subject)
    tell.line("at ap", ", ".join(plural(count, what) for what, count in left.items()))
    tell.check("ap holds no message, event, identity or key of his", not any(left.values()))


async def _again(stage: Stage, before: str) -> None:
    """Redeliver something old, then let him write anew."""
    tell, platforms, ap = stage.tell, stage.company.platforms, stage.company.ap
    tell.step("An old message comes again; then Taro writes anew")
    old = stage.kept["place"]
    counted = await stage.before("line")
    answer = await ap.post("line", ACCOUNTS["line"], old.body, stage.sign("line", old.body))
    scene = stage.scene("ap", "line", old.body, answer.status, counted)
    stage.show_arrival(scene, f"LINE redelivers what he sent before: {story.PLACE}")
    tell.check("it stays out: no row, no key, no subject", not await stage.changed(scene))
    scene = stage.scenes("ap", "line", await platforms.act("taro", "line", text=story.AGAIN), counted)[0]
    stage.show_arrival(scene, f"Taro writes: {story.AGAIN}")
    await stage.show_rows(scene)
    now = await find(stage, ap, TARO, "legal_claim")
    tell.check(
        "a new contact: new subject, new key, and a pseudonym that tells nothing of the old one",
        now not in {"", before},
    )
    stage.known["Taro"] = now
