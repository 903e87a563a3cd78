"""Chapters 3 and 4: a webhook that arrives in the wrong region goes home; an answer leaves over each channel."""

from collections import Counter

from deploy.demo import story
from deploy.demo.company import HOME
from deploy.demo.copies import scan
from deploy.demo.node import DemoNode
from deploy.demo.stage import Stage, metrics_of
from deploy.sandbox.names import ANNA, TARO, Subject
from deploy.sandbox.world import Sent

_RELAY = """\
Somebody has entered eu's address at LINE, though that account's home is ap. A platform must be answered at once, but \
nothing of it may rest in Europe. eu checks the signature, seals the events for ap's key, and hands them over; only \
when ap has stored them does eu answer 200. eu itself writes nothing."""
_REPLY = """\
Somebody at each node answers a customer by pseudonym. The node opens who that is, plans the cheapest form that the \
platform allows now, sends it, and stores what went out under the customer's own key."""
_RELAYED = 'homeport_edge_relayed_events_total{outcome="stored"}'
_PEOPLE: dict[str, tuple[Subject, str, str]] = {
    "whatsapp": (ANNA, "Anna", story.ANSWER_ANNA),
    "line": (TARO, "Taro", story.ANSWER_TARO),
}


async def relay_home(stage: Stage) -> None:
    """Play chapter 3."""
    company, tell, eu = stage.company, stage.tell, stage.company.eu
    tell.chapter(3, "A webhook arrives in the wrong region", _RELAY)
    tell.step("LINE calls eu; the message is stored at ap alone")
    await company.platforms.call_line_at(company.hook("line", eu))
    there, before = await stage.looks["eu"].counts(), await stage.before("line")
    attempts = await company.platforms.act("taro", "line", text=story.ASTRAY)
    scene = stage.scenes("eu", "line", attempts, before)[0]
    stage.show_arrival(scene, f"Taro writes: {story.ASTRAY}")
    tell.line("relayed", f"eu to {company.ap.relay}, sealed to ap's key, signed by eu's")
    rows = await stage.show_rows(scene, home="ap")
    tell.check("ap has it", len(rows) == 1 and (await stage.changed(scene)).get("message") == 1)
    tell.check("eu has no row and no key more than before", await stage.looks["eu"].counts() == there)
    found = scan(eu.folder, {story.ASTRAY, TARO.line_user})
    tell.check(f"and in the {found.files} files of eu there is nothing of it", not found.hits)
    counted = metrics_of(await eu.private("/metrics"))[_RELAYED]
    tell.check("eu counted one event that went home", counted == 1)
    await company.platforms.call_line_at(company.hook("line", company.ap))


async def reply(stage: Stage) -> None:
    """Play chapter 4."""
    stage.tell.chapter(4, "An answer leaves", _REPLY)
    for channel, (person, name, text) in _PEOPLE.items():
        await _answer(stage, channel, person, name, text)


async def _answer(stage: Stage, channel: str, person: Subject, name: str, text: str) -> None:
    """Answer one customer, and see what arrived there."""
    company, tell, node = stage.company, stage.tell, stage.company.home(channel)
    tell.step(f"{'WhatsApp' if channel == 'whatsapp' else 'LINE'}: {node.name} answers {name}")
    pseudonym = stage.known[name] = await find(stage, node, person)
    before = len(await company.platforms.sent())
    done = await node.command(["reply", "--subject", pseudonym], typed=text.encode())
    tell.line(done.where, f"$ {done.typed}  < the text", "bold")
    tell.line("", done.out.strip())
    stage.replied[node.name] += 1
    attempts = await company.platforms.carried()
    scenes = stage.scenes(node.name, channel, attempts, {}) if attempts else []
    sent = (await company.platforms.sent())[before:]
    for each in sent:
        stage.words.add(each.id)
        tell.line("arrived", f"at {name}'s phone, as {each.form}: {_text(each)}")
    right = [_text(each) for each in sent] == [text]
    stage.words.add(text)
    tell.check(f"{name} got exactly these words, once", right)
    if scenes:
        kinds = Counter(
            str(getattr(event, "state", type(event).__name__)) for scene in scenes for event in scene.events
        )
        tell.line("told", ", ".join(f"{count} x {kind}" for kind, count in kinds.items()))
        tell.check("what Meta tells of its delivery is taken in", all(scene.status == 200 for scene in scenes))
    rows = [row for row in await stage.looks[node.name].outbound() if row.direction == "out"]
    if tell.check("what went out is stored, sealed under the customer's key", len(rows) == stage.replied[node.name]):
        await stage.show_row(stage.looks[node.name], rows[-1])


async def find(stage: Stage, node: DemoNode, person: Subject, purpose: str = "customer_service") -> str:
    """Find a person's pseudonym at a node, by phone number or LINE id; empty where nobody is found."""
    typed = f"+{person.phone}" if HOME["whatsapp"] == node.name else person.line_user
    done = await node.command(["find", "--purpose", purpose], typed=typed.encode(), fails=True)
    stage.tell.line(
        done.where, f"$ {done.typed}  < the customer's {'number' if typed[0] == '+' else 'LINE id'}", "bold"
    )
    for line in done.printed.splitlines():
        stage.tell.line("", line)
    return done.out.strip()


def _text(sent: Sent) -> str:
    """Give the words of a message as it arrived."""
    text = sent.message.get("text", "")
    return str(text.get("body", "") if isinstance(text, dict) else text)
