"""Carrying signed webhooks to the business's callback addresses, as each platform does.

WhatsApp (create-webhook-endpoint, 2026-04-21): up to 1,000 updates in a body; what is not answered 200 is sent again
at once, then with decreasing frequency, and dropped after 7 days.  LINE (receiving messages, 2026-08-07): an answer
within 2 seconds; what fails is sent again only where redelivery is switched on, the same but ``isRedelivery`` true.
Neither publishes its times: those here are invented, and decrease as the platforms say that theirs do.

Only addresses of this machine are ever sent to.
"""

import asyncio
import ipaddress
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import msgspec

from deploy.sandbox.clock import SandboxClock
from deploy.sandbox.line import LineEvent, line_body, sign_line
from deploy.sandbox.whatsapp import Update, sign_whatsapp, whatsapp_body
from deploy.sandbox.world import Bot, Number, World
from edge_node.core.accounts import OVERRIDABLE_FIELDS

DAY_S = 86_400
WHATSAPP_PAUSES_S = (0, 15, 60, 300, 1_800, 7_200, 21_600, 43_200, *([DAY_S] * 6))
"""Between attempts: at once, then ever less often."""
WHATSAPP_DROP_S = 7 * DAY_S
LINE_PAUSES_S = (60, 300, 1_800, 3_600)

Result = int | Literal["not_loopback", "could_not_connect", "request_timeout", "unclassified"]


class NotLoopback(ValueError):
    """A callback address is not one of this machine: the sandbox sends nowhere else."""


class Manners(msgspec.Struct):
    """How webhooks are carried; shares from 0 to 1 are drawn from the seeded generator."""

    duplicate_share: float = 0.0
    """How many bodies come twice."""
    reorder_share: float = 0.0
    """How many bodies are held back until others have passed them."""
    held_seconds: float = 0.3
    batch_max: int = 1
    """Updates or events in one body: WhatsApp at most 1,000."""
    gather_seconds: float = 0.0
    """How long updates are gathered before they are sent."""
    haste: float = 1.0
    """How many times sooner than said above a failed body comes again."""
    keep_connections: bool = False
    """Whether a connection serves more than one body; what a load does, while a draining node waits for idle ones."""
    line_seconds_max: float = 2.0
    whatsapp_seconds_max: float = 10.0


class Attempt(msgspec.Struct):
    """One try to deliver one body."""

    at: int
    account: str
    ids: list[str]
    """Of the messages or events in it."""
    number: int
    """From 1."""
    redelivered: bool
    result: Result
    body: bytes


class _Letter(msgspec.Struct):
    """A body on its way."""

    account: Number | Bot
    address: str
    items: list[Any]
    first_at: int
    tries: int = 0


def require_loopback(address: str) -> str:
    """Give ``address`` back; ``NotLoopback`` where it is not an http address of this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local, parts = False, urlsplit("")
    if not local or parts.scheme not in {"http", "https"}:
        raise NotLoopback("the sandbox sends to http://127.0.0.1, http://[::1] and http://localhost only")
    return address


def callback_of(number: Number, update_field: str) -> str | None:
    """Give the address in force for a field: number before WABA before app, fields that cannot be overridden app."""
    if number.ids.app_id not in number.subscribed:
        return None
    own = number.callbacks
    overrides = own.get("phone_number") or own.get("whatsapp_business_account")
    return (overrides if update_field in OVERRIDABLE_FIELDS else None) or own.get("application")


class Courier:
    """Gathers what is to be told, carries it, and records every attempt."""

    def __init__(self, world: World, clock: SandboxClock, chance: random.Random) -> None:
        """Take what is known, the clock that is slept on, and the seeded generator of mishaps."""
        self.manners = Manners()
        self.attempts: list[Attempt] = []
        self.dropped: list[list[str]] = []
        """Ids of what was given up."""
        self.on_received: Callable[[Bot, Sequence[LineEvent]], None] = lambda _bot, _events: None
        self._world = world
        self._clock = clock
        self._chance = chance
        self._waiting: dict[tuple[str, str], list[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._http = httpx.AsyncClient(trust_env=False, follow_redirects=False)

    @property
    def busy(self) -> bool:
        """Say whether anything is still on its way."""
        return bool(self._tasks)

    def tell_whatsapp(self, number: Number, *updates: Update) -> None:
        """Bring updates on their way, each to the address in force for its field."""
        for update in updates:
            address = callback_of(number, update.field)
            if address is not None:
                self._gather(number, address, update)

    def tell_line(self, bot: Bot, *events: LineEvent) -> None:
        """Bring events on their way, unless the webhook is off."""
        for event in events:
            if bot.endpoint is not None and bot.active:
                self._gather(bot, bot.endpoint, event)

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine of the sandbox in the background, and know it under way."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is on its way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    async def empty_line(self, bot: Bot) -> Result:
        """Send the connection check: a signed body without events."""
        return await self._post(bot, bot.endpoint or "", line_body(channel=bot.ids))

    def _gather(self, account: Number | Bot, address: str, item: Any) -> None:
        """Put one item to those that wait for the same address; the first of them sends all."""
        name = (account.id, address)
        waiting = self._waiting.get(name)
        if waiting is not None:
            waiting.append(item)
            return
        self._waiting[name] = [item]
        self.later(self._send_gathered(account, address))

    async def _send_gathered(self, account: Number | Bot, address: str) -> None:
        """Wait as long as is gathered, then send what has come together, in bodies of the greatest size allowed."""
        if self.manners.gather_seconds:
            await self._clock.sleep(self.manners.gather_seconds)
        items = self._waiting.pop((account.id, address))
        size = max(1, min(self.manners.batch_max, 1_000))
        for start in range(0, len(items), size):
            letter = _Letter(account, address, items[start : start + size], self._clock.now())
            held = self.manners.held_seconds if self._chance.random() < self.manners.reorder_share else 0.0
            copies = 2 if self._chance.random() < self.manners.duplicate_share else 1
            for _ in range(copies):
                self.later(self._carry(msgspec.structs.replace(letter), held))

    async def _carry(self, letter: _Letter, held: float) -> None:
        """Try until it is taken, given up, or too old."""
        if held:
            await self._clock.sleep(held)
        is_line = isinstance(letter.account, Bot)
        pauses: Sequence[float] = LINE_PAUSES_S if is_line else WHATSAPP_PAUSES_S
        while not await self._try(letter):
            again = not isinstance(letter.account, Bot) or letter.account.redelivery
            age = (self._clock.now() - letter.first_at) / 1000 * self.manners.haste
            if not again or letter.tries > len(pauses) or (not is_line and age >= WHATSAPP_DROP_S):
                self.dropped.append(_ids(letter.items))
                return
            await self._clock.sleep(pauses[letter.tries - 1] / self.manners.haste)

    async def _try(self, letter: _Letter) -> bool:
        """Send a body once; say whether it was taken."""
        redelivered = letter.tries > 0 and isinstance(letter.account, Bot)
        letter.tries += 1
        account = letter.account
        if isinstance(account, Bot):
            context = {"deliveryContext": {"isRedelivery": True}} if redelivered else {}
            events = [event | context for event in letter.items]
            body = line_body(*events, channel=account.ids)
            self.on_received(account, events)
        else:
            body = whatsapp_body(*letter.items, number=account.ids)
        at = self._clock.now()
        result = await self._post(account, letter.address, body)
        self.attempts.append(Attempt(at, account.id, _ids(letter.items), letter.tries, redelivered, result, body))
        return isinstance(result, int) and (200 <= result < 300 if isinstance(account, Bot) else result == 200)

    async def _post(self, account: Number | Bot, address: str, body: bytes) -> Result:
        """Sign a body and post it."""
        headers = {"content-type": "application/json"}
        if not self.manners.keep_connections:
            headers["connection"] = "close"
        if isinstance(account, Bot):
            headers |= {"x-line-signature": sign_line(account.secret, body), "user-agent": "LineBotWebhook/2.0"}
            seconds = self.manners.line_seconds_max
        else:
            headers |= {
                "x-hub-signature-256": sign_whatsapp(account.app_secret, body),
                "user-agent": "facebookexternalua",
            }
            seconds = self.manners.whatsapp_seconds_max
        try:
            require_loopback(address)
            async with asyncio.timeout(seconds):
                return (await self._http.post(address, content=body, headers=headers, timeout=seconds)).status_code
        except NotLoopback:
            return "not_loopback"
        except (httpx.TimeoutException, TimeoutError):
            return "request_timeout"
        except httpx.ConnectError:
            return "could_not_connect"
        except (httpx.HTTPError, httpx.InvalidURL):
            return "unclassified"


def _ids(items: Sequence[Any]) -> list[str]:
    """Name what is in a body."""
    return [item.id_or_none if isinstance(item, Update) else item["webhookEventId"] for item in items]
