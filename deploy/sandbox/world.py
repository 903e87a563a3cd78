"""What the stand-ins know: the business's accounts, the people, what was said, sent, kept and promised.

Plain values that only the sandbox's own event loop changes; everybody and everything in here is invented.
"""

from typing import Any, Literal

import msgspec

from deploy.sandbox.names import ANNA, ROSA, TARO, LineChannel, Subject, WhatsAppNumber

Platform = Literal["whatsapp", "line"]


class Number(msgspec.Struct):
    """A business's number at WhatsApp, with what Meta keeps of it."""

    ids: WhatsAppNumber = WhatsAppNumber()
    token: str = "EAAJsandboxtoken"  # noqa: S105  opens nothing outside the sandbox
    app_secret: bytes = b"sandbox-app-secret"
    verify_token: str = "sandbox-verify-token"  # noqa: S105  opens nothing outside the sandbox
    callbacks: dict[str, str] = msgspec.field(default_factory=dict)
    """``webhook_configuration``: ``phone_number``, ``whatsapp_business_account``, ``application``."""
    storage: dict[str, Any] = msgspec.field(
        default_factory=lambda: {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": "DE"}
    )
    subscribed: list[str] = msgspec.field(default_factory=lambda: [WhatsAppNumber().app_id])
    messages_per_second: int = 80
    window_errors: Literal["status", "answer"] = "status"
    """How Meta tells of a closed window: as a ``failed`` status afterwards, which is usual, or in the answer."""
    heard: dict[str, int] = msgspec.field(default_factory=dict)
    """When a person (by BSUID) last wrote to it, in milliseconds: the 24-hour window."""

    @property
    def id(self) -> str:
        """Give the phone number id."""
        return self.ids.phone_number_id


class Bot(msgspec.Struct):
    """A business's channel at LINE, with what LINE keeps of it."""

    ids: LineChannel = LineChannel()
    token: str = "line-sandbox-token"  # noqa: S105  opens nothing outside the sandbox
    secret: bytes = b"0123456789abcdef0123456789abcdef"
    endpoint: str | None = None
    """The webhook address; ``None``: never set, answered 404."""
    active: bool = True
    redelivery: bool = False
    """Off by default, as at LINE."""
    chat_mode: str = "bot"
    monthly_limit: int | None = 5_000
    spent: int = 0
    requests_per_second: int = 2_000

    @property
    def id(self) -> str:
        """Give the bot's user id."""
        return self.ids.bot_user_id


class Sent(msgspec.Struct):
    """A message that the business sent, and how far it came."""

    id: str
    platform: Platform
    account: str
    """Phone number id or bot user id."""
    to: str
    """The person's or group's id: BSUID or phone where unknown, LINE user."""
    form: str
    """``messages``, ``reply``, ``push``, ``multicast``."""
    message: dict[str, Any]
    at: int
    state: str
    """``accepted``, ``dropped`` (answered well and thrown away), ``blocked``, or WhatsApp's latest status."""
    callback_data: str | None = None


class ReplyToken(msgspec.Struct):
    """A LINE reply token."""

    bot: str
    to: str
    event_at: int
    received_at: int | None = None
    """When it was last handed over, in milliseconds; ``None``: not yet."""
    used: bool = False


class Kept(msgspec.Struct):
    """A file at a platform."""

    id: str
    platform: Platform
    account: str
    data: bytes
    mime_type: str
    at: int
    expires_at: int
    ready_at: int = 0
    """LINE: until then 202."""
    gone: bool = False
    """LINE: taken back by its sender, so 410."""
    kind: str = "image"


class Said(msgspec.Struct):
    """A message that a person sent, by the platform's id."""

    id: str
    platform: Platform
    account: str
    who: Subject
    at: int
    group: str | None = None
    mark_read_token: str | None = None
    read: bool = False


class World(msgspec.Struct):
    """Everything the stand-ins know."""

    numbers: list[Number] = msgspec.field(default_factory=lambda: [Number()])
    bots: list[Bot] = msgspec.field(default_factory=lambda: [Bot()])
    people: dict[tuple[str, str], Subject] = msgspec.field(default_factory=dict)
    """Everybody known, under each of their names: kind (``phone``, ``bsuid``, ``line_user``) and value."""
    blocked: set[tuple[str, str]] = msgspec.field(default_factory=set)
    """Account and person (BSUID or LINE user) who wants nothing from it."""
    revoked: set[str] = msgspec.field(default_factory=set)
    """Access tokens that are no longer valid."""
    readers: bool = True
    """Whether people read what they get: a ``read`` status follows ``delivered``."""
    contact_book: set[tuple[str, str]] = msgspec.field(default_factory=set)
    """WhatsApp account and BSUID of everybody whose number Meta keeps for the business."""
    sent: list[Sent] = msgspec.field(default_factory=list)
    said: dict[str, Said] = msgspec.field(default_factory=dict)
    kept: dict[str, Kept] = msgspec.field(default_factory=dict)
    media_addresses: dict[str, tuple[str, int]] = msgspec.field(default_factory=dict)
    """Secret part of a media address: media id, and until when it is good (ms)."""
    reply_tokens: dict[str, ReplyToken] = msgspec.field(default_factory=dict)
    retry_keys: dict[tuple[str, str], tuple[int, str, list[dict[str, str]]]] = msgspec.field(default_factory=dict)
    """Bot and key: when (ms), the accepted request's id, and what was sent."""
    link_tokens: dict[str, tuple[str, str, int]] = msgspec.field(default_factory=dict)
    """Token: bot, LINE user, and until when it is good (ms)."""
    seen_elsewhere: list[str] = msgspec.field(default_factory=list)
    """``Authorization`` headers that arrived at ``/elsewhere``, where a redirect points."""

    def number(self, phone_number_id: str) -> Number | None:
        """Find a number by its id."""
        return next((number for number in self.numbers if number.id == phone_number_id), None)

    def bot(self, bot_user_id: str) -> Bot | None:
        """Find a channel by its bot's user id."""
        return next((bot for bot in self.bots if bot.id == bot_user_id), None)

    def bot_of(self, token: str) -> Bot | None:
        """Find the channel whose token this is, unless it is revoked."""
        return None if token in self.revoked else next((bot for bot in self.bots if bot.token == token), None)

    def numbers_of(self, token: str) -> list[Number]:
        """Find the numbers that a token may act for, unless it is revoked."""
        return [] if token in self.revoked else [number for number in self.numbers if number.token == token]

    def __post_init__(self) -> None:
        """Know those whom every script knows."""
        for person in (ANNA, ROSA, TARO):
            self.meet(person)

    def person(self, **names: str) -> Subject | None:
        """Find somebody by ``phone``, ``bsuid`` or ``line_user``."""
        ((kind, value),) = names.items()
        return self.people.get((kind, value))

    def meet(self, person: Subject) -> None:
        """Make somebody known under every name they have."""
        for kind in ("phone", "bsuid", "line_user"):
            value = getattr(person, kind)
            if value:
                self.people[kind, value] = person
