"""Chapter 2: messages come home.  What each webhook came to is read back from the stores of its home."""

import msgspec

from deploy.demo import story
from deploy.demo.commands import CHECKOUT
from deploy.demo.company import ACCOUNTS
from deploy.demo.narrator import plural
from deploy.demo.node import REGIONS
from deploy.demo.stage import Scene, Stage
from deploy.sandbox.courier import Manners
from deploy.sandbox.webhooks import (
    ANNA,
    TARO,
    Subject,
    line_body,
    line_event,
    line_text,
    whatsapp_body,
    whatsapp_text,
)
from shared.message import Edit, Unclassified

LINH = Subject("Linh Ví Dụ", None, "VN.70218455093617264510", "U" + "b5" * 16, "linh.vidu")
"""Writes from Vietnam: her WhatsApp user id says so."""
_QUESTION = {"operation": "store", "class": "message_text", "purpose": "intake", "subject": "VN", "node": REGIONS["eu"]}
_ABOUT = """\
Customers write. Each platform calls its callback address with a signed webhook. The node checks the signature over \
the raw bytes, reads the message into an event of its own ("made"), draws a fresh key, and answers 200 only when key \
and sealed row lie safely on the disk ("on disk"). Ids, names and words are inside the sealed column."""


async def come_home(stage: Stage) -> None:
    """Play the chapter."""
    stage.tell.chapter(2, "Messages come home", _ABOUT)
    await _text(stage)
    await _other_forms(stage)
    await _twice(stage)
    await _forged(stage)
    await _batch(stage)
    await _edit(stage)
    await _unknown(stage)
    await _denied(stage)


async def _say(stage: Stage, who: str, channel: str, does: str = "say", **more: str) -> Scene:
    """Let a customer do one thing at the home of the channel's account."""
    before = await stage.before(channel)
    attempts = await stage.company.platforms.act(who, channel, does, **more)  # type: ignore[arg-type]  # plain words
    return stage.scenes(stage.company.home(channel).name, channel, attempts, before)[0]


async def _text(stage: Stage) -> None:
    """Show one text in full."""
    tell = stage.tell
    tell.step("A text over WhatsApp")
    scene = await _say(stage, "anna", "whatsapp", text=story.TEAPOT)
    stage.show_arrival(scene, f"Anna writes: {story.TEAPOT}", events=True)
    rows = await stage.show_rows(scene, keys=True)
    if rows:
        name = await stage.pseudonym(stage.company.eu, rows[0])
        tell.line("", f"Anna is subject {rows[0].subject}, pseudonym {name}")
        tell.line("", "drawn at random: the only name of hers that ever leaves this node")
    changed = await stage.changed(scene)
    tell.check("first contact: one new subject", changed.get("subject") == 1)


async def _other_forms(stage: Stage) -> None:
    """Show a picture, a voice message, a sticker and a place, more shortly."""
    tell = stage.tell
    tell.step("Other forms, both channels")
    for who, channel, does, text, came in (
        ("rosa", "whatsapp", "picture", story.HANDLE, "Rosa, who hides her number, sends a picture"),
        ("anna", "whatsapp", "voice", "", "Anna sends a voice message"),
        ("taro", "line", "sticker", story.STICKER, "Taro sends a sticker with words of his own"),
        ("taro", "line", "place", story.PLACE, "Taro sends where to leave the parcel"),
    ):
        scene = await _say(stage, who, channel, does, text=text)
        stage.kept[does] = scene
        stage.show_arrival(scene, f"{came}: {text}" if text else came)
        await stage.show_rows(scene)


async def _twice(stage: Stage) -> None:
    """Have the same webhook come twice; it is stored once."""
    tell, platforms = stage.tell, stage.company.platforms
    tell.step("The same webhook twice")
    before = await stage.before("line")
    script = f'[[act]]\nwho = "taro"\non = "line"\ntext = "{story.TWICE}"\n'
    attempts = await platforms.script(script, Manners(duplicate_share=1.0))
    scenes = stage.scenes("ap", "line", attempts, before)
    stage.show_arrival(scenes[0], f"Taro writes, LINE delivers it twice: {story.TWICE}")
    same = len(scenes) == 2 and scenes[0].body == scenes[1].body
    tell.check("it came twice, byte for byte, and was answered 200 both times", same and scenes[1].status == 200)
    changed = await stage.changed(scenes[0])
    tell.check("one row, one key", (changed.get("message"), changed.get("row_key")) == (1, 1))


async def _forged(stage: Stage) -> None:
    """Forge a signature: 401, nothing kept, nothing logged."""
    tell, eu = stage.tell, stage.company.eu
    tell.step("A forged signature")
    body, before, log = whatsapp_body(whatsapp_text(story.FORGED, ANNA)), await stage.before("whatsapp"), eu.log_text()
    right = stage.sign("whatsapp", body)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    answer = await eu.post("whatsapp", ACCOUNTS["whatsapp"], body, wrong)
    stranger = await eu.post("whatsapp", "no-such-account", body, wrong)
    scene = stage.scene("eu", "whatsapp", body, answer.status, before)
    stage.statuses["eu"][stranger.status] += 1
    tell.line("came in", "at eu: somebody without the app secret writes as Anna")
    tell.check(f"answered {answer.status}, empty", answer.status == 401 and not answer.body)
    alike = msgspec.structs.replace(answer, seconds=0) == msgspec.structs.replace(stranger, seconds=0)
    tell.check("as for an account that does not exist, header by header", alike)
    nothing = not await stage.changed(scene) and eu.log_text() == log
    tell.check("nothing of it in either store, not a line in the log", nothing)


async def _batch(stage: Stage) -> None:
    """Many messages in one body."""
    tell = stage.tell
    tell.step(f"{story.BATCH} messages of {story.BATCH_PEOPLE} people in one webhook")
    before = await stage.before("whatsapp")
    manners = Manners(batch_max=story.BATCH, gather_seconds=0.3)
    scenes = stage.scenes("eu", "whatsapp", await stage.company.platforms.script(story.BATCH_SCRIPT, manners), before)
    for scene in scenes:
        stage.show_arrival(scene, f"Meta aggregates {len(scene.events)} texts")
    rows = [row for scene in scenes for row in await stage.show_rows(scene)]
    keys, subjects = len({row.key for row in rows}), len({row.subject for row in rows})
    whole = (len(scenes), len(rows), keys, subjects) == (1, story.BATCH, story.BATCH, story.BATCH_PEOPLE)
    tell.check(f"{plural(len(rows), 'row')} under {plural(keys, 'key')} of {plural(subjects, 'subject')}", whole)


async def _edit(stage: Stage) -> None:
    """Words that are changed: a new key for the new ones, and the old key destroyed."""
    tell, platforms, look = stage.tell, stage.company.platforms, stage.looks["eu"]
    tell.step("An edit: new words, new key, the old key destroyed")
    before = await stage.before("whatsapp")
    first = await platforms.act("anna", "whatsapp", text=story.DOORBELL, called="doorbell")
    scene = stage.scenes("eu", "whatsapp", first, before)[0]
    old = await look.row(ACCOUNTS["whatsapp"], scene.events[0])
    edit = await platforms.act("anna", "whatsapp", "edit", about="doorbell", text=story.DOORBELL_NEW)
    scene = stage.scenes("eu", "whatsapp", edit, before)[0]
    stage.show_arrival(scene, f'Anna changes "{story.DOORBELL}" into "{story.DOORBELL_NEW}"')
    done = await look.until_removed()
    rows = await stage.show_rows(scene)
    same = bool(rows) and old is not None and rows[0].id == old.id and isinstance(scene.events[0], Edit)
    gone = old is not None and not await look.key_exists(old.key)
    if old is not None:
        tell.check(f"the same row; key {old.key}, which opened the old words, is gone", same and gone and done)


async def _unknown(stage: Stage) -> None:
    """Send an event that nobody knows: it is kept whole and does not hold its neighbour up."""
    tell, ap = stage.tell, stage.company.ap
    tell.step("Something nobody knows yet, and its neighbour")
    lantern = line_event("lanternFloated", TARO, lantern={"wish": story.WISH, "colour": "vermilion"})
    body, before = line_body(lantern, line_text(story.NEIGHBOUR, TARO)), await stage.before("line")
    answer = await ap.post("line", ACCOUNTS["line"], body, stage.sign("line", body))
    scene = stage.scene("ap", "line", body, answer.status, before)
    stage.show_arrival(scene, 'an event of the invented type "lanternFloated", then a text')
    await stage.show_rows(scene)
    raw = [event.raw for event in scene.events if isinstance(event, Unclassified)]
    tell.check("the unknown one is kept as its very bytes, sealed", len(raw) == 1 and raw[0] in body)


async def _denied(stage: Stage) -> None:
    """Let somebody write whose law keeps her words in her country: they are dropped, and that is on record."""
    tell, company, look = stage.tell, stage.company, stage.looks["eu"]
    tell.step("Somebody whose words may not rest here")
    body, before = whatsapp_body(whatsapp_text(story.LOTUS, LINH)), await stage.before("whatsapp")
    answer = await company.eu.post("whatsapp", ACCOUNTS["whatsapp"], body, stage.sign("whatsapp", body))
    scene = stage.scene("eu", "whatsapp", body, answer.status, before)
    stage.show_arrival(scene, f"Linh writes from Vietnam, by her WhatsApp user id: {story.LOTUS}")
    changed = await stage.changed(scene)
    tell.check("nothing of it in either store, and no node of the company may have it", changed == {"refusal": 1})
    tell.check("on record, without a word of it: policy_denied", await look.refused("policy_denied") == 1)
    rule = await look.deciding("store", "VN")
    tell.line("decided", f"store, message_text, intake, law of VN: deny by rule {rule}")
    words = [word for name, value in _QUESTION.items() for word in (f"--{name}", value)]
    done = await company.officer("policy", "explain", *words, str(CHECKOUT / "policies"))
    stage.command(done, "May ", "NO.", "- Rule", "- Art.")
    tell.check("an officer asks why, and reads rule and article", rule in done.out and "Art. 25(3)" in done.out)
