"""The leaf types of the wire: every value that can cross the border is one of these, or one of a struct's own codes.

Each has a name, a form and a bound; ``LEAVES`` is the allow-list that the test of this package walks against.  No form
has room for words: names of nodes, regions and accounts are the operator's own, drawn names are hexadecimal digits, and
what a reason or a purpose says is a code from a closed list.
"""

from typing import Annotated, Literal

from msgspec import Meta

from shared.canonical import INTEGER_MAX
from shared.crypto.dsse import KeyId, PayloadBytes, PayloadType, SignatureBytes
from shared.crypto.hpke import SEALED_OVERHEAD_BYTES, SealingPublic
from shared.crypto.signing import Ed25519Public, MLDSA65Public
from shared.limits import BODY_BYTES_MAX

_DRAWN = r"^[0-9a-f]{32}$"
_SLUG = r"^[a-z](?:-?[a-z0-9]){0,47}$(?!\n)"
_HOST = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\]"

Pseudonym = Annotated[str, Meta(pattern=_DRAWN, max_length=32, title="Pseudonym")]
"""The random name of a subject within one region's store: 128 bits, drawn, computed from nothing."""
OpaqueId = Annotated[str, Meta(pattern=_DRAWN, max_length=32, title="OpaqueId")]
"""A drawn name of a case, command, recall, disclosure or view: 128 bits, computed from nothing."""
NodeName = Annotated[str, Meta(pattern=_SLUG, max_length=48, title="NodeName")]
"""A node's name in the roster."""
RegionName = Annotated[str, Meta(pattern=_SLUG, max_length=48, title="RegionName")]
"""A region's name."""
AccountName = Annotated[str, Meta(pattern=_SLUG, max_length=48, title="AccountName")]
"""The operator's own name of a number or channel; never the platform's id of it."""
JurisdictionCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$(?!\n)", title="JurisdictionCode")]
"""Whose law applies: ISO 3166-1 alpha-2, or ISO 3166-2."""
Address = Annotated[
    str, Meta(pattern=rf"^https?://(?:{_HOST})(?::[0-9]{{1,5}})?$(?!\n)", max_length=270, title="Address")
]
"""Where a program answers: scheme, host and port, nothing behind them."""
Milliseconds = Annotated[int, Meta(ge=0, le=INTEGER_MAX, title="Milliseconds")]
"""An instant: milliseconds since 1970-01-01T00:00:00Z."""
Seconds = Annotated[int, Meta(ge=0, le=86_400, title="Seconds")]
"""A time span of at most a day."""
Count = Annotated[int, Meta(ge=0, le=INTEGER_MAX, title="Count")]
"""How many."""
Serial = Annotated[int, Meta(ge=0, le=INTEGER_MAX, title="Serial")]
"""A number that only rises: of a beat, a roster version, a cursor."""
BundleVersion = Annotated[int, Meta(ge=1, le=1_000_000, title="BundleVersion")]
"""A version of a policy bundle; the first one is 1."""
ProtocolVersion = Annotated[int, Meta(ge=1, le=65_535, title="ProtocolVersion")]
"""A version of the wire."""
HttpStatus = Annotated[int, Meta(ge=100, le=599, title="HttpStatus")]
"""The status of an HTTP answer."""
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", max_length=64, title="Digest")]
"""SHA-256 in hexadecimal digits, of something that names nobody: a policy bundle, a set of public keys."""
ErrorCode = Annotated[str, Meta(pattern=r"^[a-z]+(?:_[a-z]+){0,5}$(?!\n)", max_length=48, title="ErrorCode")]
"""A code of the catalogue of errors; only in answers to nodes, never from one."""
ArticleCode = Annotated[
    str, Meta(pattern=r"^[a-z]{2,8}(?:-[a-z]{2})?(?:-[0-9]{1,3}[a-z]?){1,3}(?:-[a-z])?$(?!\n)", title="ArticleCode")
]
"""An article of law as the policy bundle writes it: ``gdpr-17-3-b``, ``pdpa-th-33``, ``hgb-257-4``."""
RuleName = Annotated[str, Meta(pattern=r"^[a-z]+(?:[-_][a-z]+){0,9}$(?!\n)", max_length=64, title="RuleName")]
"""A rule's name in the signed policy bundle, in letters alone: it has no room for a number or a platform's id."""
OneTimeSecret = Annotated[bytes, Meta(min_length=32, max_length=32, title="OneTimeSecret")]
"""What an enrolment token proves itself with: 256 bits, good once."""
Ciphertext = Annotated[
    bytes,
    Meta(min_length=SEALED_OVERHEAD_BYTES, max_length=2 * BODY_BYTES_MAX + SEALED_OVERHEAD_BYTES, title="Ciphertext"),
]
"""HPKE-sealed to one node; only between nodes, never to or from the control plane."""

CaseKind = Literal["erasure", "recall"]
CommandKind = Literal["close_view", "erase", "recall"]
ChannelCode = Literal["line", "whatsapp"]
ReasonCode = Literal[
    "child_consent",  # GDPR 17(1)(f)
    "consent_withdrawn",  # GDPR 17(1)(b)
    "legal_obligation",  # GDPR 17(1)(e)
    "no_longer_needed",  # GDPR 17(1)(a)
    "objection",  # GDPR 17(1)(c)
    "sender_recalled",  # the platform said so: LINE unsend, WhatsApp revoke
    "subject_request",  # the subject asked; the law of the subject's jurisdiction says what follows
    "unlawful_processing",  # GDPR 17(1)(d)
    "view_ended",  # whoever looked has closed the view, or its time is over
]
PurposeCode = Literal["audit", "complaint", "customer_service", "fraud_prevention", "legal_claim"]
RoleCode = Literal["agent", "auditor", "officer", "operator", "supervisor"]
"""What somebody who wants to see something is, in the words of the policy; the asking node vouches for it."""
StoreCode = Literal[
    "backups", "events", "identities", "journal", "keys", "media", "messages", "outbox", "platform", "profiles", "views"
]
MethodCode = Literal["destroyed", "not_reachable", "pending", "removed", "retained_until"]
ProviderCode = Literal["file", "pkcs11"]
FormCode = Literal["full", "masked", "metadata"]
"""How much of a message is shown: all of it, its text without what holds digits or addresses, or that it exists."""
ShowingRule = Literal[
    "jurisdiction_not_derived",  # nobody knows whose law protects the subject
    "no_mechanism",  # a rule of the policy would allow it, but no law's way is open
    "no_rule",  # no rule of the policy allows it
    "policy_denied",  # a rule of the policy forbids it
    "policy_missing",  # the asked node has no policy
    "policy_stale",  # it has not heard for too long that its policy stands
    "restricted",  # the subject's records are restricted where they rest
    "second_approver_needed",  # the policy wants a second person's consent, which cannot be given yet
    "subject_unknown",
]
"""Why nothing is shown; where a rule of the policy is the cause, it is named beside."""
RelayProblemCode = Literal[
    "busy", "policy_denied", "protocol_too_new", "protocol_too_old", "seal_broken", "wire_malformed"
]
ProblemCode = Literal[
    "clock_apart",
    "policy_missing",  # the node has no policy bundle, so it denies everything
    "policy_old",  # the node decides by an older bundle than the newest
    "policy_other",  # the node decides by a bundle that the control plane does not have
    "protocol_old",
    "receipts_missing",
    "roster_old",
    "roster_unsigned",
]
"""What is wrong with a node.  A code that some release of a version does not know is told only to nodes whose beat
shows that they do: the ``policy_`` ones to those whose beat says how their policy stands."""

LEAVES = (
    *(AccountName, Address, ArticleCode, BundleVersion, Ciphertext, Count, Digest, Ed25519Public, ErrorCode),
    *(HttpStatus, JurisdictionCode, KeyId, MLDSA65Public, Milliseconds, NodeName, OneTimeSecret, OpaqueId),
    *(PayloadBytes, PayloadType, ProtocolVersion, Pseudonym, RegionName, RuleName, Seconds, SealingPublic, Serial),
    SignatureBytes,
)
"""Every leaf that a field may have besides codes; ``PayloadBytes`` are a receipt's or a head's, walked as well."""
