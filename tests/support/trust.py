"""What tests of signatures, wire and roster share: chance from a seed, and one sample of every message."""

import hashlib

import msgspec

from shared import wire
from shared.crypto.hpke import draw_sealing_key
from shared.crypto.signing import draw_signing_keys
from shared.wire.parts import NodeKeys
from shared.wire.receipt import Receipt, Result, sign_receipt


class Seeded:
    """Chance that repeats itself: SHAKE-256 of a name and a counter."""

    def __init__(self, name: str) -> None:
        self._name, self._drawn = name, 0

    def draw(self, size: int) -> bytes:
        """Give ``size`` bytes, the same at every run."""
        self._drawn += 1
        return hashlib.shake_256(f"{self._name} {self._drawn}".encode()).digest(size)


NODE = draw_signing_keys(Seeded("node eu"))
OTHER = draw_signing_keys(Seeded("node ap"))
CONTROL = draw_signing_keys(Seeded("control plane"))
SEALING = draw_sealing_key(Seeded("node eu"))
OTHER_SEALING = draw_sealing_key(Seeded("node ap"))


def drawn(name: str) -> str:
    """Give 32 hexadecimal digits that belong to a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


NODE_KEYS = NodeKeys(NODE.public.ed25519, NODE.public.mldsa65, SEALING.public)
PLACES = (wire.Place("ap", (drawn("disclosure 1"), drawn("disclosure 2"))),)
COMMAND = wire.Command(
    protocol=1,
    id=drawn("command"),
    cursor=7,
    case=drawn("case"),
    kind="erase",
    target=wire.SubjectTarget(drawn("subject")),
    reason="subject_request",
    issued_at=1_795_000_000_000,
)
RECEIPT = Receipt(
    command=drawn("command"),
    case=drawn("case"),
    node="eu",
    kind="erase",
    started_at=1_795_000_000_100,
    finished_at=1_795_000_000_900,
    results=(
        Result(store="messages", method="destroyed", count=3, article=None, until=None),
        Result(store="messages", method="retained_until", count=1, article="hgb-257-4", until=1_999_000_000_000),
        Result(store="platform", method="not_reachable", count=4, article=None, until=None),
    ),
    roster_version=2,
    bundle=None,
    provider="file",
)
SEALED = bytes(range(256)) * 5

HEAD = wire.Head(version=4, hash=hashlib.sha256(b"bundle 4").hexdigest(), stated_at=1_795_000_000_000)

MESSAGES = {
    "uplink.enrolment": wire.Enrolment(
        protocol=1,
        secret=bytes(range(32)),
        node="eu",
        region="eu-frankfurt",
        jurisdiction="DE",
        keys=NODE_KEYS,
        relay="https://eu.relay.example:8443",
    ),
    "uplink.beat": wire.Beat(
        protocol=1,
        oldest=1,
        node="eu",
        number=41,
        beat_seconds=30,
        registrations=tuple(drawn(f"pseudonym {n}") for n in range(8)),
        health=wire.Health(
            events_waiting=1, removals_open=2, commands_open=3, receipts_unsent=4, relays_waiting=5, refusals=6
        ),
        roster_version=2,
    ),
    "uplink.recall_notice": wire.RecallNotice(
        protocol=1, recall=drawn("recall"), at=1_795_000_000_000, disclosed_to=PLACES
    ),
    "uplink.case_notice": wire.CaseNotice(
        protocol=1,
        case=drawn("case"),
        kind="erasure",
        pseudonym=drawn("subject"),
        reason="subject_request",
        at=1_795_000_000_000,
        places=PLACES,
    ),
    "uplink.receipt_push": wire.ReceiptPush(protocol=1, envelope=sign_receipt(NODE, RECEIPT)),
    "uplink.command_ask": wire.CommandAsk(protocol=1, after=6, wait_seconds=25),
    "downlink.command": COMMAND,
    "downlink.command_page": wire.CommandPage(
        protocol=1,
        commands=(
            COMMAND,
            wire.Command(
                protocol=1,
                id=drawn("command 2"),
                cursor=8,
                case=drawn("recall"),
                kind="recall",
                target=wire.DisclosureTarget("ap", drawn("disclosure 3")),
                reason="sender_recalled",
                issued_at=1_795_000_000_001,
            ),
        ),
        next=8,
    ),
    "downlink.beat_answer": wire.BeatAnswer(
        protocol=1, oldest=1, roster_version=3, now=1_795_000_000_000, problems=("roster_old",)
    ),
    "downlink.enrolment_answer": wire.EnrolmentAnswer(protocol=1, node="eu", roster_version=1),
    "downlink.accepted": wire.Accepted(protocol=1),
    "downlink.problem": wire.Problem(protocol=1, code="queue_full", status=503, retry=True, retry_after_seconds=2),
    "relay.webhook": wire.RelayedWebhook(protocol=1, channel="line", account="shop", sealed=SEALED),
    "relay.answer": wire.RelayAnswer(protocol=1, outcome="stored"),
    "relay.view_ask": wire.ViewAsk(
        protocol=1,
        view=drawn("view"),
        pseudonym=drawn("subject"),
        purpose="customer_service",
        asker="ap",
        after=drawn("disclosure 1"),
    ),
    "relay.shown_content": wire.ShownContent(
        protocol=1,
        view=drawn("view"),
        form="full",
        items=(wire.ShownItem(drawn("disclosure 1"), 1_795_000_000_000, SEALED),),
        more=True,
    ),
    "relay.view_refused": wire.ViewRefused(protocol=1, view=drawn("view"), rule="no_rule"),
    "relay.view_follow": wire.ViewFollow(
        protocol=1,
        view=drawn("view"),
        pseudonym=drawn("subject"),
        purpose="customer_service",
        asker="ap",
        after=drawn("page"),
    ),
    "relay.view_news": wire.ViewNews(
        protocol=1,
        view=drawn("view"),
        page=drawn("page 2"),
        form="full",
        items=(wire.ShownItem(drawn("disclosure 4"), 1_795_000_000_000, SEALED),),
        gone=(drawn("disclosure 1"),),
    ),
    "relay.view_closed": wire.ViewClosed(protocol=1, view=drawn("view")),
    "relay.view_noted": wire.ViewNoted(protocol=1, view=drawn("view")),
    "relay.problem": wire.RelayProblem(protocol=1, code="busy"),
}
"""One of each message, by its tag."""
LATER = {
    "uplink.beat+policy": msgspec.structs.replace(
        MESSAGES["uplink.beat"], policy=wire.PolicyStand(3, hashlib.sha256(b"bundle 3").hexdigest())
    ),
    "uplink.beat+no_policy": msgspec.structs.replace(MESSAGES["uplink.beat"], policy=wire.PolicyStand(0, None)),
    "downlink.beat_answer+head": msgspec.structs.replace(
        MESSAGES["downlink.beat_answer"], problems=("policy_old", "roster_old"), head=wire.sign_head(CONTROL, HEAD)
    ),
}
"""Messages with members that came later within a version, by tag and what is new."""
