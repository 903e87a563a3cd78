"""Signed requests, whole and ready to be sent, drawn from the sandbox's invented people.

Message ids come in random order, as the platforms give them: that is what makes a store's index work for its living.
"""

import random
from collections.abc import Callable, Iterator, Sequence

import msgspec

from deploy.bench.in_force import COUNTRY
from deploy.sandbox.webhooks import (
    LineChannel,
    Subject,
    WhatsAppNumber,
    draw_subjects,
    line_body,
    line_text,
    sign_line,
    sign_whatsapp,
    whatsapp_body,
    whatsapp_text,
)

WHATSAPP_SECRET = b"0f1e2d3c4b5a69788796a5b4c3d2e1f0"
LINE_SECRET = b"f0e1d2c3b4a5968778695a4b3c2d1e0f"
"""Invented secrets; both are 32 characters, as both platforms' are."""
WHATSAPP_ACCOUNT = "bench-whatsapp"
LINE_ACCOUNT = "bench-line"
NUMBER = WhatsAppNumber()
CHANNEL = LineChannel()

Maker = Callable[[int], list[bytes]]
"""Gives so many requests, each of messages never given before."""

_WORDS = (
    "Hello, is the blue one still there?",
    "Thank you!",
    "My parcel has not come yet, could you please look where it is? The number is on the slip you sent me.",
    "ok",
    "今日の午後は開いていますか",
    "Grüße aus Köln – bis morgen um 9 😊",  # noqa: RUF001
    "Yes, Tuesday suits me better than Wednesday, if it is not too much trouble.",
)


class Writers:
    """The people who write, and the requests that bring what they wrote."""

    def __init__(self, count: int, seed: int) -> None:
        """Draw ``count`` people; the same ``seed`` gives the same ones, and the same ids in the same order."""
        self._chance = random.Random(seed)  # noqa: S311  invented ids keep no secret
        drawn = draw_subjects(count, self._chance)
        # Nobody's law applies to nobody's country: they are of one whose people's messages may rest at the node.
        self._people = [msgspec.structs.replace(each, bsuid=COUNTRY + each.bsuid[2:]) for each in drawn]

    def whatsapp(self, count: int) -> list[bytes]:
        """Give ``count`` requests of one WhatsApp text each."""
        return [self._whatsapp([person]) for person in self._senders(count)]

    def whatsapp_batches(self, per_body: int) -> Maker:
        """Give what makes requests of ``per_body`` WhatsApp texts each, every one from another person if it can."""

        def make(count: int) -> list[bytes]:
            return [self._whatsapp(list(self._senders(per_body))) for _ in range(count)]

        return make

    def line(self, count: int) -> list[bytes]:
        """Give ``count`` requests of one LINE text each."""
        requests = []
        for person in self._senders(count):
            body = line_body(line_text(self._words(), person, chance=self._chance), channel=CHANNEL)
            signature = sign_line(LINE_SECRET, body)
            requests.append(request(f"/webhooks/line/{LINE_ACCOUNT}", "x-line-signature", signature, body))
        return requests

    def everybody(self, make: Maker) -> list[bytes]:
        """Give one request from each of the people: after them nobody is new."""
        return make(len(self._people))

    def _whatsapp(self, senders: Sequence[Subject]) -> bytes:
        """Make one WhatsApp request of a text from each of ``senders``."""
        updates = [whatsapp_text(self._words(), person, chance=self._chance) for person in senders]
        body = whatsapp_body(*updates, number=NUMBER)
        signature = sign_whatsapp(WHATSAPP_SECRET, body)
        return request(f"/webhooks/whatsapp/{WHATSAPP_ACCOUNT}", "x-hub-signature-256", signature, body)

    def _senders(self, count: int) -> Iterator[Subject]:
        """Give ``count`` people in random order, each once before anybody comes again."""
        while count > 0:
            part = self._chance.sample(self._people, min(count, len(self._people)))
            yield from part
            count -= len(part)

    def _words(self) -> str:
        """Give something a customer might say."""
        return self._chance.choice(_WORDS)


def request(path: str, signature_name: str, signature: str, body: bytes) -> bytes:
    """Give the bytes of a POST over a connection that stays open."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n"
        f"content-type: application/json\r\n{signature_name}: {signature}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
