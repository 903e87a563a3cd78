"""What all chapters share: the company, readers of both nodes' stores, the screen, and what was sent so far."""

from collections import Counter

import msgspec

from deploy.demo.commands import Command
from deploy.demo.company import ACCOUNTS, HOME, NODES, Company
from deploy.demo.look import Look, StoredRow
from deploy.demo.narrator import Narrator, hexed, moment
from deploy.demo.node import DemoNode, Watch
from deploy.demo.story import planted
from deploy.sandbox.courier import Attempt
from deploy.sandbox.webhooks import sign_line, sign_whatsapp
from edge_node.channels.registry import CHANNELS
from edge_node.commands.parse import encode_line
from shared.message import Event

_SHOWN = 2
_NO_ROW = "no row"


class Scene(msgspec.Struct):
    """A webhook that was sent: its node, channel, bytes, the events in it and the status it was answered with."""

    node: str
    channel: str
    body: bytes
    events: list[Event]
    status: int
    before: dict[str, int]
    """What was counted at the account's home before it."""


class Stage:
    """Where the chapters play."""

    def __init__(self, company: Company, tell: Narrator) -> None:
        """Take the company, not running yet, and the screen."""
        self.company = company
        self.tell = tell
        self.looks: dict[str, Look] = {}
        """Readers of the nodes' stores, by node; there once the nodes are set up."""
        self.watch = Watch(company.eu)
        """The desk of ``eu``, looking at somebody of ``ap``."""
        self.words: set[str] = set()
        """Everything planted so far: to be found nowhere."""
        self.statuses = {name: Counter[int]() for name in NODES}
        """Webhooks answered, as their sender saw it."""
        self.metrics = {name: Counter[str]() for name in NODES}
        """Metrics of processes that have ended."""
        self.replied = Counter[str]()
        """Replies sent by command, by node."""
        self.known: dict[str, str] = {}
        """Pseudonyms that somebody at a node has found, by whose they are."""
        self.kept: dict[str, Scene] = {}
        """Webhooks that will come again."""
        self.erased = 0
        """Messages and events removed by erasures, as the receipts say."""

    def command(self, done: Command, *labels: str) -> None:
        """Show a command as typed, and what it printed: all of it, or the lines that begin with ``labels``."""
        self.tell.line(done.where, f"$ {done.typed}", "bold")
        for line in done.printed.splitlines():
            if not labels or line.strip().startswith(labels):
                self.tell.line("", " ".join(line.split()))

    def sign(self, channel: str, body: bytes) -> str:
        """Sign a body as the platform does."""
        secrets = self.company.secrets
        if channel == "whatsapp":
            return sign_whatsapp(secrets.whatsapp.encode(), body)
        return sign_line(secrets.line.encode(), body)

    async def before(self, channel: str) -> dict[str, int]:
        """Count at the home of a channel's account."""
        return await self.looks[HOME[channel]].counts()

    def scene(self, node: str, channel: str, body: bytes, status: int, before: dict[str, int]) -> Scene:
        """Note a webhook that was sent, whoever sent it."""
        self.statuses[node][status] += 1
        self.words |= planted(body)
        return Scene(node, channel, body, CHANNELS[channel].parse(body), status, before)

    def scenes(self, node: str, channel: str, attempts: list[Attempt], before: dict[str, int]) -> list[Scene]:
        """Note webhooks that the stand-ins sent; one that could not be delivered is a failed check."""
        found = []
        for attempt in attempts:
            status = attempt.result if isinstance(attempt.result, int) else 0
            found.append(self.scene(node, channel, attempt.body, status, before))
        if not found:
            self.tell.check("a webhook was sent", False)
        return found

    def show_arrival(self, scene: Scene, came: str, *, events: bool = False) -> None:
        """Show who did what, what the node made of it, and what it answered."""
        account = ACCOUNTS[scene.channel]
        self.tell.line("came in", f"at {scene.node}: {came}")
        self.tell.line("", f"POST /webhooks/{scene.channel}/{account}, {len(scene.body)} bytes, signed")
        shown = scene.events if len(scene.events) <= _SHOWN else scene.events[:1]
        for event in shown if events else ():
            self.tell.code("made", encode_line(event).decode(errors="replace"))
        if events and len(scene.events) > len(shown):
            self.tell.line("", f"... and {len(scene.events) - len(shown)} more events like this one")
        self.tell.check(f"answered {scene.status}", scene.status == 200)

    async def show_rows(self, scene: Scene, *, home: str = "", keys: bool = False) -> list[StoredRow]:
        """Find the rows of a scene's events, show the first, and check that each opens to its event."""
        look = self.looks[home or scene.node]
        found = [await look.row(ACCOUNTS[scene.channel], event) for event in scene.events]
        for row in found if len(found) <= _SHOWN else found[:1]:
            await self.show_row(look, row, keys=keys)
        if len(found) > _SHOWN:
            self.tell.line("", f"... and {len(found) - 1} more rows like this one")
        rows = [row for row in found if row is not None]
        opened = [await look.open(row) for row in rows]
        word = "the row opens" if len(found) == 1 else f"all {len(found)} rows open"
        self.tell.check(f"{word} with the node's key, and only so: exactly what was sent", opened == scene.events)
        return rows

    async def show_row(self, look: Look, row: StoredRow | None, *, keys: bool = False) -> None:
        """Show a row as it lies on disk."""
        if row is None:
            self.tell.line("on disk", _NO_ROW)
            return
        direction = f" direction={row.direction}" if row.direction else ""
        self.tell.line(
            "on disk", f"{row.table} {row.id}: kind={row.kind}{direction} at={moment(row.at)} subject={row.subject}"
        )
        self.tell.line("", f"sealed  {hexed(row.sealed)}")
        chain = await look.chain(row.key) if keys else None
        if chain is not None and chain.wrapped is not None:
            self.tell.line("", f"key {row.key} of bucket {chain.bucket}, {chain.owner_kind} key v{chain.owner_version}")
            self.tell.line("", f"wrapped {hexed(chain.wrapped)}")

    async def changed(self, scene: Scene) -> dict[str, int]:
        """Give by how much each count at home has changed since before the scene, zeros left out."""
        after = await self.looks[HOME[scene.channel]].counts()
        return {name: after[name] - count for name, count in scene.before.items() if after[name] != count}

    async def pseudonym(self, node: DemoNode, row: StoredRow) -> str:
        """Give the pseudonym of a row's subject."""
        return await self.looks[node.name].pseudonym(row.subject or 0)

    async def note_metrics(self, node: DemoNode) -> None:
        """Keep the numbers of a process that is about to end."""
        self.metrics[node.name] += metrics_of(await node.private("/metrics"))


def metrics_of(exposition: str) -> Counter[str]:
    """Read Prometheus' text: sample with labels to value, in whole numbers."""
    samples: Counter[str] = Counter()
    for line in exposition.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            samples[name] = int(float(value))
    return samples
