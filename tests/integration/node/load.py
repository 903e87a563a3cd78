"""Traffic of both platforms on many connections, and a book of what was sent, acknowledged, edited and taken back."""

import asyncio
import contextlib
import itertools
import random
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from deploy.sandbox.webhooks import (
    Subject,
    draw_subjects,
    line_body,
    line_edited,
    line_text,
    line_unsend,
    whatsapp_body,
    whatsapp_edit,
    whatsapp_revoke,
    whatsapp_text,
)
from tests.integration.node.wire import head
from tests.support.node import CHANNELS, PATIENCE_S, RealNode

PEOPLE = list(draw_subjects(40, random.Random("people of the load")))
GROUP = "C" + "9e" * 16
T0 = 1_795_000_000_000
"""When the traffic happened, by the platforms' clocks; each event a second after the one before."""


class Post(NamedTuple):
    """One webhook as sent: the channel and the bytes of the body."""

    channel: str
    body: bytes


class Client:
    """One connection after the other; ``fresh`` makes a new one for every request."""

    def __init__(self, node: RealNode, *, fresh: bool = False) -> None:
        """Connect when first needed, to wherever the node listens then."""
        self._node, self._fresh = node, fresh
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.kept = False
        """Whether the connection has brought an answer before."""

    async def post(self, post: Post) -> int:
        """Send and give the status; OSError where no answer came."""
        known = CHANNELS[post.channel]
        if self._writer is None:
            host, _, port = self._node.public.rpartition(":")
            self.kept = False
            self._reader, self._writer = await asyncio.open_connection(host, int(port))
        assert self._reader is not None
        headers = known.headers(post.body) | {"content-length": str(len(post.body))}
        if self._fresh:
            headers["connection"] = "close"
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._writer.write(head("POST", known.path, headers) + post.body)
                told = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                await self._reader.readexactly(int(told.split("content-length: ")[1].split("\r\n")[0]))
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise ConnectionError("no answer") from error
        self.kept = True
        if self._fresh or "connection: close" in told:
            self.close()
        return int(told.split()[1])

    def close(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class Book:
    """What is sent by the platform's id, and what must be true of it at the end."""

    def __init__(self, seed: str) -> None:
        """Draw everything from ``seed``."""
        self.chance = random.Random(seed)
        self.texts: dict[str, dict[str, str]] = {"line": {}, "whatsapp": {}}
        """By channel and id: the words that must rest in the end."""
        self.acknowledged: dict[str, set[str]] = {"line": set(), "whatsapp": set()}
        self.recalled: dict[str, set[str]] = {"line": set(), "whatsapp": set()}
        self.refused: list[str] = []
        """Answers other than 200; "no answer"; "no first answer" on a new connection; "refused" where none was made."""
        self.sent: list[Post] = []
        """Webhooks with a 200, oldest first: a platform may send any of them again."""
        self.doubtful: list[tuple[Post, list[str]]] = []
        """Webhooks without a 200, to be sent again as the platform would."""
        self.people: set[tuple[str, str]] = set()
        """Who has written, by channel and the platform's lasting id."""
        self._senders: dict[str, tuple[Subject, str | None]] = {}
        """Who said it, and in which group."""
        self._clock = self._count = 0

    def texts_of(self, channel: str, count: int) -> tuple[Post, list[str]]:
        """Draw a webhook of ``count`` new texts; give it with their ids."""
        items, ids = [], []
        for _ in range(count):
            self._count += 1
            sender, text = self.chance.choice(PEOPLE), f"load {self._count:06d} of this run"
            group = GROUP if channel == "line" and self.chance.random() < 0.3 else None
            if channel == "line":
                items.append(line_text(text, sender, at=self._now(), group=group, chance=self.chance))
                ids.append(items[-1]["message"]["id"])
            else:
                items.append(whatsapp_text(text, sender, at=self._now(), chance=self.chance))
                ids.append(items[-1].id)
            self.texts[channel][ids[-1]] = text
            self._senders[ids[-1]] = sender, group
            self.people.add((channel, sender.line_user if channel == "line" else sender.bsuid))
        return Post(channel, (line_body if channel == "line" else whatsapp_body)(*items)), ids

    def change_of(self, channel: str, message_id: str, *, recall: bool) -> Post:
        """Draw an edit or a recall of a message; from now on that is what must be true of it."""
        (sender, group), at = self._senders[message_id], self._now()
        if recall:
            self.recalled[channel].add(message_id)
            self.texts[channel].pop(message_id, None)
            if channel == "line":
                gone = line_unsend(message_id, sender, at=at, group=group, chance=self.chance)
                return Post(channel, line_body(gone))
            return Post(channel, whatsapp_body(whatsapp_revoke(message_id, sender, at=at, chance=self.chance)))
        text = self.texts[channel][message_id] = f"edited at {at}"
        if channel == "line":
            return Post(
                channel, line_body(line_edited(message_id, text, group or GROUP, sender, at=at, chance=self.chance))
            )
        return Post(channel, whatsapp_body(whatsapp_edit(message_id, text, sender, at=at, chance=self.chance)))

    def next(self) -> tuple[Post, list[str]]:
        """Draw what one connection sends next: texts by one or several, an edit, or a recall."""
        channel = self.chance.choice(("line", "whatsapp"))
        dice = self.chance.random()
        standing = self.acknowledged[channel] & self.texts[channel].keys() if dice < 0.12 else ()
        if standing:
            # LINE lets people edit in groups only.
            chosen = self.chance.choice(sorted(standing))
            recall = dice < 0.04 or (channel == "line" and self._senders[chosen][1] is None)
            return self.change_of(channel, chosen, recall=recall), []
        return self.texts_of(channel, self.chance.choice((1, 1, 1, 5, 20)))

    def settle(self, post: Post, ids: list[str], answer: int | str) -> None:
        """Note how a webhook was answered: by a status, or in a word why there is none."""
        if answer == 200:
            self.acknowledged[post.channel].update(ids)
            self.sent.append(post)
        else:
            self.refused.append(answer if isinstance(answer, str) else f"answered {answer}")
            self.doubtful.append((post, ids))

    def _now(self) -> int:
        self._clock += 1_000
        return T0 + self._clock


async def _press(node: RealNode, book: Book, stop: threading.Event, pause_s: float, fresh: bool) -> None:
    """Send one webhook after the other until told to stop."""
    client = Client(node, fresh=fresh)
    while not stop.is_set():
        post, ids = book.next()
        answer: int | str
        try:
            answer = await client.post(post)
        except OSError as error:
            refused = isinstance(error, ConnectionRefusedError)
            answer = "refused" if refused else "no answer" if client.kept else "no first answer"
            await asyncio.sleep(0.1)
        book.settle(post, ids, answer)
        await asyncio.sleep(pause_s)
    client.close()


@contextlib.contextmanager
def pressed(
    node: RealNode, book: Book, *, keep_alive: int = 4, fresh: int = 4, pauses_s: Sequence[float] = (0.002,)
) -> Iterator[None]:
    """Keep a node under load inside the block; every webhook begun is settled after it.

    ``pauses_s`` are what the connections wait between two webhooks, each the next one's: kept ones are idle then.
    """
    stop = threading.Event()
    failed: list[BaseException] = []

    async def all_connections() -> None:
        kinds = [False] * keep_alive + [True] * fresh
        pauses = itertools.cycle(pauses_s)
        await asyncio.gather(*(_press(node, book, stop, next(pauses), kind) for kind in kinds))

    def work() -> None:
        try:
            asyncio.run(all_connections())
        except BaseException as error:  # whatever it was, the test must hear of it  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


def send_again(node: RealNode, book: Book) -> None:
    """Send what had no 200 once more, in another order, and see it acknowledged."""

    async def each() -> None:
        client = Client(node)
        posts, book.doubtful = book.doubtful, []
        book.chance.shuffle(posts)
        for post, ids in posts:
            assert await client.post(post) == 200
            book.settle(post, ids, 200)
        client.close()

    asyncio.run(each())


def send_all(node: RealNode, posts: list[Post], connections: int) -> list[int]:
    """Send webhooks over several connections at once, each in its order as far as one connection goes."""

    async def some(client: Client, queue: Iterator[Post]) -> list[int]:
        return [await client.post(post) for post in queue]

    async def all_of_them() -> list[int]:
        queue = iter(posts)
        clients = [Client(node) for _ in range(connections)]
        found = await asyncio.gather(*(some(client, queue) for client in clients))
        for client in clients:
            client.close()
        return [status for each in found for status in each]

    return asyncio.run(all_of_them())
