"""Answering a subject with a plain text: load the conversation's head, ask ``core/replying``, send, store the message.

What was sent is stored as a message of the business, sealed under the subject addressed and marked by the platform's
own id: an echo of it, or a second storing, finds it there.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

import msgspec

from edge_node.core.accounts import Account, Credentials
from edge_node.core.classes import names_of
from edge_node.core.conditions import demanded, with_conditions
from edge_node.core.replying import (
    Heard,
    LinePush,
    LineReply,
    NoReply,
    Reply,
    TokenRefused,
    plan_reply,
    push_instead,
)
from edge_node.storage.content.accounts import Accounts, StoredAccount
from edge_node.storage.content.conversations import ConversationHead, read_head_of
from edge_node.storage.content.disclosures import find_timeline
from edge_node.storage.content.jurisdictions import derived_of
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.keys.store import KeyStore
from edge_node.storage.opening import open_sealed
from edge_node.usecases.governing.border import denies
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.receiving.filing import Taken
from edge_node.usecases.receiving.taking_in import TakingIn
from shared.clock import Clock
from shared.database.contract import Database
from shared.entropy import Entropy
from shared.errors import HomeportError, KeyMissing, StoreUnavailable
from shared.errors.policy import PolicyDenies
from shared.errors.replying import ReplyImpossible, SentNotStored, SubjectUnknown
from shared.ids import draw_opaque_id
from shared.message import Edit, Event, Identifier, Message, Person, Text
from shared.policy.deciding import Decision
from shared.telemetry import logger

Form = Literal["line_reply", "line_push", "whatsapp_text"]

STORE_ATTEMPTS = 3
STORE_PAUSE_SECONDS = 0.5

_event = msgspec.json.Decoder(Event)
_identifier = msgspec.json.Decoder(Identifier)


class Sending(Protocol):
    """Sends over a platform's interface: ``edge_node/platforms/sending.py``."""

    async def send(self, account: Account, credentials: Credentials, reply: Reply, text: str, own_id: str) -> str:
        """Send; give the platform's id of the message.  ``TokenRefused`` where LINE definitely refuses the token."""
        ...


class Replied(msgspec.Struct, frozen=True):
    """A reply that went out and is stored."""

    account: str
    form: Form
    own_id: str
    """Our opaque id of it: WhatsApp gives it back as ``callback_data`` with each status."""


class _Loaded(NamedTuple):
    """What a reply is planned from."""

    heard: Heard | None
    stored: StoredAccount | None
    names: list[Identifier]
    in_groups: bool


class Replier:
    """Answers subjects of this node."""

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        accounts: Accounts,
        taking_in: TakingIn,
        sender: Sending,
        policy: PolicyBook,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Take the open stores, what commits, the way to the platforms, and the policy in force."""
        self._content = content
        self._keys = keys
        self._accounts = accounts
        self._taking_in = taking_in
        self._sender = sender
        self.policy = policy
        self._clock = clock
        self._entropy = entropy

    async def reply(self, pseudonym: str, text: str) -> Replied:
        """Answer a subject over the account they last wrote to; on return it went out and is stored.

        Raises ``SubjectUnknown``; ``PolicyDenies`` (reason, rule); ``ReplyImpossible`` (reason);
        ``AccountInvalid`` without an access token; ``SendRefused``, ``SendUnclear`` or ``PlatformUnavailable`` from the
        platform; ``SentNotStored``; ``InQuarantine`` while nothing may be sent.
        """
        await refuse_in_quarantine(self._content)
        decision = await self._ask(pseudonym)
        loaded = await self._load(pseudonym)
        stored, heard = loaded.stored, loaded.heard
        if stored is not None:
            self._ask_of_platform(decision, stored.account)
        plan = self._plan(loaded, text)
        if isinstance(plan, NoReply) or stored is None or heard is None:
            raise ReplyImpossible(reason=plan.reason if isinstance(plan, NoReply) else "nothing_received")
        own_id = draw_opaque_id(self._entropy)
        began = self._clock.elapsed()
        try:
            sent = await self._sender.send(stored.account, stored.credentials, plan, text, own_id)
        except TokenRefused:
            if not isinstance(plan, LineReply):
                raise
            plan = push_instead(plan)
            sent = await self._sender.send(stored.account, stored.credentials, plan, text, own_id)
        form = _form(plan)
        logger().info(
            "reply_sent",
            account=stored.account.name,
            channel=stored.account.channel,
            kind=form,
            ms=round(1000 * (self._clock.elapsed() - began)),
        )
        event = Message(
            channel=stored.account.channel,
            via=heard.event.via,
            at=self._clock.now(),
            event_id=own_id,
            message_id=sent,
            content=Text(text),
            direction="out",
            to=Person((plan.to,)),
        )
        await self._store(pseudonym, stored, event)
        return Replied(stored.account.name, form, own_id)

    async def _ask(self, pseudonym: str) -> Decision:
        """Ask the policy whether the subject's words may be used to answer them; ``PolicyDenies`` where not."""
        timeline = await find_timeline(self._content, pseudonym)
        if timeline is None:
            raise SubjectUnknown
        law = (await derived_of(self._content, [timeline.subject])).get(timeline.subject)
        decision = self.policy.decide_noted("process", "message_text", "customer_service", law)
        if not decision.allowed:
            raise denies(decision)
        if "message_text" in names_of(timeline.restricted) or not self.policy.rests("message_text", law):
            raise PolicyDenies(reason="restricted", rule="none")
        return decision

    def _ask_of_platform(self, decision: Decision, account: Account) -> None:
        """Refuse where the account does not meet what its platform's terms ask for; ``PolicyDenies``."""
        found = self.policy.in_force
        answer = with_conditions(decision, account, demanded(found.bundle.policy) if found is not None else {})
        if not answer.allowed:
            raise denies(answer)

    async def _load(self, pseudonym: str) -> _Loaded:
        """Read and open what a reply starts from; once more where a row went between reading and opening."""
        for _ in range(2):
            head = await read_head_of(self._content, pseudonym)
            if head is None:
                raise SubjectUnknown
            rows = [(head.newest.key, head.newest.sealed)] if head.newest else []
            opened = await open_sealed(self._keys, "message", rows, owner=pseudonym)
            names = await open_sealed(self._keys, "identity", head.identities, owner=pseudonym)
            if len(opened) == len(rows) and len(names) == len(head.identities):
                return await self._understand(head, opened, list(names.values()))
        raise KeyMissing(table="message")

    async def _understand(self, head: ConversationHead, opened: Mapping[int, bytes], names: list[bytes]) -> _Loaded:
        """Decode the newest message and the identifiers, and find the account that received it."""
        identifiers = [_identifier.decode(name) for name in names]
        row = head.newest
        if row is None:
            return _Loaded(None, None, identifiers, head.in_groups)
        event = _event.decode(opened[row.key])
        if not isinstance(event, Message | Edit):
            raise TypeError("a row of messages holds something else")
        heard = Heard(event, row.at, row.received_at, answered=row.answers > 0)
        accounts = {stored.id: stored for stored in await self._accounts.load_rows()}
        return _Loaded(heard, accounts.get(row.account), identifiers, head.in_groups)

    def _plan(self, loaded: _Loaded, text: str) -> Reply | NoReply:
        """Ask what form the reply takes."""
        heard, stored = loaded.heard, loaded.stored
        if heard is not None and stored is None:
            return NoReply("account_gone")
        return plan_reply(
            heard,
            text=text,
            now=self._clock.now(),
            open_names=loaded.names,
            in_groups=loaded.in_groups,
            rests_here=stored is not None and stored.account.home is None,
        )

    async def _store(self, pseudonym: str, stored: StoredAccount, event: Message) -> None:
        """Keep what went out; the store is asked again for a while, because sending cannot be taken back."""
        account, reason = stored.account, "store_unavailable"
        taken = Taken(event, stored.id, account.name, account.scope, event.at, account.country)
        for attempt in range(STORE_ATTEMPTS):
            if attempt:
                await self._clock.sleep(STORE_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                if await read_head_of(self._content, pseudonym) is None:
                    # Removed while the message was on its way: stored now, it would make a new subject of somebody
                    # who was erased.
                    reason = "subject_gone"
                    break
                await self._taking_in.take_in([taken])
            except StoreUnavailable:
                continue
            except HomeportError as error:  # whatever it is called, the message is on its way
                reason = error.code
                break
            return
        raise SentNotStored(account=account.name, channel=account.channel, reason=reason)


def _form(plan: Reply) -> Form:
    """Name the form for logs and screens."""
    match plan:
        case LineReply():
            return "line_reply"
        case LinePush():
            return "line_push"
        case _:
            return "whatsapp_text"
