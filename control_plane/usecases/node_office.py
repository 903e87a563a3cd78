"""What the control plane does for a node that has proved who it is: one method for each message of the uplink."""

import hashlib

from control_plane.core.errors import PseudonymClaimed, ReceiptUnsigned, RequestMalformed
from control_plane.core.events import EventData
from control_plane.core.health import Newest, problems_of
from control_plane.metrics import Metrics
from control_plane.storage import cases, nodes, registrations
from control_plane.storage.work import Store
from control_plane.usecases import casework
from control_plane.usecases.node_health import newest_of
from control_plane.usecases.policies import file_after, newest_told
from control_plane.usecases.roster_keeper import RosterKeeper
from control_plane.usecases.signals import Signals
from shared.crypto.dsse import Envelope
from shared.crypto.signing import PublicKeys, SigningKeys, fingerprint
from shared.errors.trust import NotCanonical, RequestRefused, SignatureInvalid
from shared.http_signatures import Signed
from shared.telemetry import logger
from shared.wire import (
    PROTOCOL,
    PROTOCOL_OLDEST,
    Accepted,
    Beat,
    BeatAnswer,
    CaseNotice,
    Command,
    CommandAsk,
    CommandPage,
    Enrolment,
    EnrolmentAnswer,
    Head,
    RecallNotice,
    ReceiptPush,
    agree,
    sign_head,
)
from shared.wire.downlink import COMMANDS_MAX

WAIT_SECONDS_MAX = 30
"""Longest wait for commands: below the minute after which proxies drop a silent connection."""


class NodeOffice:
    """Answers nodes."""

    def __init__(
        self, store: Store, keeper: RosterKeeper, signals: Signals, metrics: Metrics, keys: SigningKeys
    ) -> None:
        """Take what it works on, and the keys by which this control plane states things."""
        self._keys = keys
        self._store = store
        self._keeper = keeper
        self._signals = signals
        self._metrics = metrics

    async def refuse_strangers(self, said: Enrolment) -> None:
        """Refuse an enrolment with a secret nobody was given, before anything of it is kept: ``RequestRefused``."""
        async with self._store.database.read() as t:
            token = await nodes.find_token(t, hashlib.sha256(said.secret).hexdigest())
        if token is None or token.node != said.node:
            raise RequestRefused(reason="secret")

    async def enrol(self, signed: Signed, said: Enrolment) -> EnrolmentAnswer:
        """Keep an enrolment that its own key signed; ``RequestRefused`` unless its secret is good for that name."""
        keys = fingerprint(PublicKeys(said.keys.ed25519, said.keys.mldsa65))
        secret = hashlib.sha256(said.secret).hexdigest()
        async with self._store.work() as work:
            token = await nodes.find_token(work.t, secret)
            if token is None or token.node != said.node or signed.keyid != said.node:
                raise RequestRefused(reason="secret")
            if token.used_at is not None:
                if token.fingerprint != keys:
                    raise RequestRefused(reason="secret used")
            elif token.until < work.now:
                raise RequestRefused(reason="secret too old")
            else:
                await nodes.enrol(work.t, token.id, said, keys, work.now)
                await work.tell("node.enrolled", EventData(node=said.node))
        version = self._keeper.signed.roster.version if self._keeper.signed is not None else 0
        return EnrolmentAnswer(protocol=PROTOCOL, node=said.node, roster_version=version)

    async def beat(self, signed: Signed, beat: Beat) -> BeatAnswer:
        """Take a node's sign of life and its registrations; another node's pseudonyms are refused and counted."""
        if beat.node != signed.keyid:
            raise RequestMalformed(reason="node")
        agree(beat.protocol, beat.oldest)
        async with self._store.work() as work:
            claimed = await registrations.register(work.t, beat.node, beat.registrations, work.now)
            if await nodes.beat(work.t, beat, work.now):
                await work.tell("node.returned", EventData(node=beat.node))
            newest = newest_of(await newest_told(work, beat))
            now = work.now
        if claimed:
            self._metrics.claims.inc(len(claimed))
            logger().error("alert_pseudonym_claimed", node=beat.node, count=len(claimed))
        version = self._keeper.roster.version
        return BeatAnswer(
            protocol=PROTOCOL,
            oldest=PROTOCOL_OLDEST,
            roster_version=version,
            now=now,
            problems=problems_of(beat, version, newest, skew_ms=now - signed.created_ms),
            head=self._head(newest),
        )

    def _head(self, newest: Newest | None) -> Envelope | None:
        """State which bundle is the newest, now."""
        if newest is None:
            return None
        head = Head(version=newest.version, hash=newest.hash, stated_at=self._store.clock.now())
        return sign_head(self._keys, head)

    async def policy_after(self, version: int) -> bytes:
        """Give the file of the first policy bundle after a version; ``NotFound`` where there is none."""
        return await file_after(self._store, version)

    async def recall(self, signed: Signed, notice: RecallNotice) -> Accepted:
        """Take in that a sender took a message back."""
        async with self._store.work() as work:
            await casework.take_recall(work, signed.keyid, notice)
        return Accepted(protocol=PROTOCOL)

    async def case(self, signed: Signed, notice: CaseNotice) -> Accepted:
        """Take in that a case was opened at the node."""
        try:
            async with self._store.work() as work:
                await casework.take_case(work, signed.keyid, notice)
        except PseudonymClaimed:
            self._metrics.claims.inc()
            logger().error("alert_pseudonym_claimed", node=signed.keyid, count=1)
            raise
        return Accepted(protocol=PROTOCOL)

    async def commands(self, signed: Signed, ask: CommandAsk) -> CommandPage:
        """Give the node's commands after its cursor; wait for some where it asks to."""
        node, database = signed.keyid, self._store.database
        async with database.write() as t:
            await nodes.asked(t, node, ask.after, self._store.clock.now())

        async def look() -> list[Command]:
            async with database.read() as t:
                return await cases.commands_after(t, node, ask.after, COMMANDS_MAX)

        found = await self._signals.poll(node, min(ask.wait_seconds, WAIT_SECONDS_MAX), look)
        return CommandPage(protocol=PROTOCOL, commands=tuple(found), next=found[-1].cursor if found else ask.after)

    async def receipt(self, signed: Signed, push: ReceiptPush) -> Accepted:
        """Take a receipt in, if the node signed it for a command of its own."""
        try:
            receipt = self._keeper.open_receipt(signed.keyid, push.envelope)
        except (SignatureInvalid, NotCanonical):
            raise ReceiptUnsigned from None
        async with self._store.work() as work:
            fresh = await casework.take_receipt(work, signed.keyid, push, receipt)
        self._metrics.receipts.labels("new" if fresh else "again").inc()
        return Accepted(protocol=PROTOCOL)
