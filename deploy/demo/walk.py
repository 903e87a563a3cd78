"""Playing the steps: send, read back, show, check.  Every line printed comes from the stores or from an answer."""

from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from deploy.demo.look import Look, StoredRow
from deploy.demo.narrator import Narrator, hexed, moment
from deploy.demo.node import Answer, DemoNode
from deploy.demo.recall import show_destruction
from deploy.demo.story import LINE_ACCOUNT, WHATSAPP_ACCOUNT, Act, Step, planted
from edge_node.channels.registry import CHANNELS
from edge_node.commands.parse import encode_line
from shared.message import Event, Recall, Unclassified

_SHOWN = 2
_NO_ROW = "no row"


class Scene(msgspec.Struct):
    """One step being played: the events in it, and what was counted before it."""

    step: Step
    account: str
    events: list[Event]
    before: dict[str, int]


class Walk:
    """Plays a story on a node."""

    def __init__(self, node: DemoNode, look: Look, narrator: Narrator) -> None:
        """Take the running node, a reader of its stores, and the screen."""
        self._node = node
        self._look = look
        self._tell = narrator
        self._number = 0
        self._shown: dict[str, int] = {}
        """Events printed so far, with their step."""
        self.words: set[str] = set()
        """Everything planted so far."""
        self.statuses: Counter[int] = Counter()
        self.metrics: Counter[str] = Counter()
        """Metrics of processes that were replaced."""
        self._acts: dict[Act, Callable[[Scene], Awaitable[None]]] = {
            "store": self._store,
            "repeat": self._repeat,
            "refuse": self._refuse,
            "edit": self._edit,
            "recall": self._recall,
            "bury": self._bury,
            "keep_out": self._keep_out,
            "restart": self._restart,
        }

    async def play(self, step: Step, number: int, of: int) -> None:
        """Play one step."""
        account = WHATSAPP_ACCOUNT if step.channel == "whatsapp" else LINE_ACCOUNT
        self._number = number
        scene = Scene(step, account, CHANNELS[step.channel].parse(step.body), await self._look.counts())
        self.words |= planted(step.body)
        self._tell.title(f"{number}/{of}  {step.title}")
        self._tell.note(step.look)
        self._tell.line("came in", step.came)
        self._tell.line("", f"POST /webhooks/{step.channel}/{account}, {len(step.body)} bytes")
        await self._acts[step.act](scene)

    async def _send(self, scene: Scene, signature: str | None = None, wants: int = 200) -> Answer:
        """Send the step's body; show what the node makes of it and what it answered."""
        step = scene.step
        if wants == 200:
            self._show_events(scene.events)
        signature = signature or self._node.sign(step.channel, step.body)
        answer = await self._node.post(step.channel, step.body, signature)
        self.statuses[answer.status] += 1
        self._tell.line("answered", f"{answer.status}, {len(answer.body)} bytes, in {answer.seconds * 1000:.0f} ms")
        self._tell.check(f"the answer is {wants}, without a body", answer.status == wants and not answer.body)
        return answer

    def _show_events(self, events: list[Event]) -> None:
        """Show canonical events as ``homeport edge parse`` prints them; one shown before is only named."""
        shown = events if len(events) <= _SHOWN else events[:1]
        for event in shown:
            printed = encode_line(event).decode(errors="replace")
            if printed in self._shown:
                self._tell.line("made", f"the same event as in step {self._shown[printed]}")
                continue
            self._shown[printed] = self._number
            self._tell.code("made", printed)
        if len(events) > len(shown):
            self._tell.line("", f"... and {len(events) - len(shown)} more lines like this one")

    async def _show_row(self, row: StoredRow | None) -> None:
        """Show a row as it lies on disk, with the key that seals it as that lies there."""
        if row is None:
            self._tell.line("on disk", _NO_ROW)
            return
        edited = f" edited_at={moment(row.edited_at)}" if row.edited_at else ""
        direction = f" direction={row.direction}" if row.direction else ""
        self._tell.line(
            "on disk",
            f"{row.table} {row.id}: kind={row.kind}{direction} at={moment(row.at)}{edited} account={row.account} "
            f"conversation={row.conversation} subject={row.subject} keep={row.keep}",
        )
        self._tell.line("", f"mark    {hexed(row.mark, 8)}  (a blind index)")
        self._tell.line("", f"sealed  {hexed(row.sealed)}")
        chain = await self._look.chain(row.key)
        if chain is not None:
            place = f"of bucket {chain.bucket} v{chain.bucket_version}, {chain.owner_kind} key v{chain.owner_version}"
            self._tell.line("", f"key {row.key} {place}")
            if chain.wrapped is not None:
                self._tell.line("", f"wrapped {hexed(chain.wrapped)}")

    async def _rows(self, scene: Scene, events: list[Event]) -> list[StoredRow]:
        """Find the rows of events, show the first of them, and check that each opens to its event."""
        found = [await self._look.row(scene.account, event) for event in events]
        shown = found if len(found) <= _SHOWN else found[:1]
        for row in shown:
            await self._show_row(row)
        if len(found) > len(shown):
            self._tell.line("", f"... and {len(found) - len(shown)} more rows like this one")
        rows = [row for row in found if row is not None]
        opened = [await self._look.open(row) for row in rows]
        exact = len(rows) == len(events) and opened == events
        word = "the row is" if len(events) == 1 else f"all {len(events)} rows are"
        self._tell.check(f"{word} there; opened with the key, exactly the event above", exact)
        return rows

    async def _changed(self, scene: Scene) -> dict[str, int]:
        """Give by how much each count has changed since the step began, zeros left out."""
        after = await self._look.counts()
        return {name: after[name] - count for name, count in scene.before.items() if after[name] != count}

    async def _store(self, scene: Scene) -> None:
        """Expect every event in the body in a row of its own."""
        await self._send(scene)
        rows = await self._rows(scene, scene.events)
        changed = await self._changed(scene)
        stored = changed.get("message", 0) + changed.get("event", 0)
        new = changed.get("subject", 0)
        added = f", {new} new subject{'s' if new > 1 else ''}" if new else ""
        self._tell.check(f"{stored} of {len(scene.events)} stored{added}", stored == len(scene.events))
        raw = [event.raw for event in scene.events if isinstance(event, Unclassified)]
        if raw:
            self._tell.check("what is kept of it are its very bytes", all(each in scene.step.body for each in raw))
        if len(rows) > _SHOWN:
            subjects, keys = len({row.subject for row in rows}), len({row.key for row in rows})
            authors = len({event.author.identifiers for event in scene.events if event.author is not None})
            self._tell.check(f"{keys} row keys for {len(rows)} rows", keys == len(rows))
            self._tell.check(f"{subjects} subjects for {authors} people", subjects == authors)
            self._tell.check(f"{new} of them are new", new == authors)

    async def _repeat(self, scene: Scene) -> None:
        """Expect nothing new, in either store."""
        await self._send(scene)
        changed = await self._changed(scene)
        self._tell.check(f"nothing was added in either store {changed or ''}".rstrip(), not changed)
        rows = [await self._look.row(scene.account, event) for event in scene.events]
        self._tell.check("the row that was there is there still", None not in rows)

    async def _refuse(self, scene: Scene) -> None:
        """Expect 401, nothing kept, nothing logged, and the same answer for an account that is not there."""
        step, log = scene.step, self._node.log_text()
        answer = await self._send(scene, _forged(self._node.sign(step.channel, step.body)), wants=401)
        stranger = await self._node.post(step.channel, step.body, "sha256=" + "0" * 64, account="no-such-account")
        self.statuses[stranger.status] += 1
        alike = (stranger.status, stranger.body, stranger.headers) == (answer.status, answer.body, answer.headers)
        self._tell.check("an account that does not exist is answered the same, header by header", alike)
        changed = await self._changed(scene)
        self._tell.check(f"nothing of it in either store {changed or ''}".rstrip(), not changed)
        self._tell.check("not a line of it in the node's log", self._node.log_text() == log)

    async def _edit(self, scene: Scene) -> None:
        """Expect new content under a new key, and the old key gone."""
        event = scene.events[0]
        old = await self._look.row(scene.account, event)
        await self._send(scene)
        if not self._tell.check("the message was there to be edited", old is not None) or old is None:
            return
        self._tell.check("the node's log is worked off", await self._look.until_removed())
        rows = await self._rows(scene, [event])
        self._tell.check("it is the same row", bool(rows) and rows[0].id == old.id)
        new_key = rows[0].key if rows else old.key
        gone = new_key != old.key and not await self._look.key_exists(old.key)
        self._tell.check(f"row key {old.key} is destroyed, {new_key} seals the new words", gone)

    async def _recall(self, scene: Scene) -> None:
        """Expect the message destroyed: told step by step by ``recall``."""
        event = scene.events[0]

        async def send() -> None:
            await self._send(scene)

        await show_destruction(self._node, self._look, self._tell, scene.account, event, send)

    async def _bury(self, scene: Scene) -> None:
        """Expect a tombstone and no message, though the recall came first."""
        await self._send(scene)
        done = await self._look.until_removed()
        recall = next(event for event in scene.events if isinstance(event, Recall))
        row, entries = await self._look.row(scene.account, recall), await self._look.buried(scene.account, recall)
        await self._show_row(row)
        self._tell.line("", f"tombstone {hexed(self._look.tombstone(scene.account, recall), 16)}")
        self._tell.check("no message is stored, a tombstone lies ready", row is None and len(entries) == 1 and done)
        written = bool(entries) and self._look.journal(entries[0]) is not None
        self._tell.check("the journal at the second place has a line for it", written)
        changed = await self._changed(scene)
        self._tell.check("no key is left of what was kept out", changed.get("row_key", 0) == 0)

    async def _keep_out(self, scene: Scene) -> None:
        """Expect no row, whatever comes again."""
        await self._send(scene)
        rows = [await self._look.row(scene.account, event) for event in scene.events]
        await self._show_row(rows[0])
        changed = await self._changed(scene)
        self._tell.check(f"it stays out: no row, no key {changed or ''}".rstrip(), rows == [None] and not changed)
        entries = await self._look.buried(scene.account, scene.events[0])
        self._tell.check("its tombstone stands", len(entries) == 1)

    async def _restart(self, scene: Scene) -> None:
        """Change to a new process, then expect what :meth:`_keep_out` expects."""
        self.metrics += metrics_of(await self._node.private("/metrics"))
        await self._node.hang_up()
        old = self._node.now
        done = self._node.command(["restart"])
        self._tell.line("ran", f"{done.typed}  ({done.seconds:.1f} s)")
        new = self._node.look()
        another = new.generation == old.generation + 1 and new.worker != old.worker
        self._tell.check(f"process {new.worker} serves instead of {old.worker}, at the same address", another)
        await self._keep_out(scene)
        now = metrics_of(await self._node.private("/metrics"))
        kept_out = now['homeport_edge_outcomes_total{outcome="tombstoned"}']
        self._tell.check("the new process counted it as tombstoned", kept_out == 1)


def _forged(signature: str) -> str:
    """Change the last digit of a signature."""
    return signature[:-1] + ("0" if signature[-1] != "0" else "1")


def metrics_of(exposition: str) -> Counter[str]:
    """Read Prometheus' text: sample with labels to value, in whole numbers."""
    samples: Counter[str] = Counter()
    for line in exposition.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            samples[name] = int(float(value))
    return samples
