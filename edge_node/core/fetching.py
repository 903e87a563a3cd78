"""Which file a message has, whether it is fetched, and what follows from how an attempt ended.  Pure.

WhatsApp (business-phone-numbers/media, 2026-06-16): an id of a webhook is good for 7 days, the address it leads to for
5 minutes.  LINE (Messaging API reference, 2026-08-07): 202 while a film or sound is prepared, 410 once its sender took
it back; how long files are kept is not said.
"""

import base64
import binascii
from typing import Literal, NamedTuple

import msgspec

from shared.clock import DAY
from shared.message import Edit, Media, Message

KEPT_MS = 7 * DAY
"""So long after a message its file is asked for: WhatsApp's ids expire then, and LINE promises nothing."""

MEGABYTE = 1024 * 1024
WHATSAPP_BYTES_MAX = 100 * MEGABYTE
"""What WhatsApp hands on at all: over it a webhook says 131052.  The smaller sizes by kind are those of uploads."""
SIZES_MAX = {"sticker": MEGABYTE}
"""By kind, where a platform's files are always smaller: stickers are 100 KB, animated 500 KB."""

_FEW = 5
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000

AGAIN = frozenset(
    {
        "preparing",  # 202: a film or sound is not ready yet
        "address_expired",  # the 5 minutes of an address were over
        "busy",  # 429, 503
        "server_error",  # any other 5xx
        "unreachable",  # no connection
        "timeout",
        "cut",  # the connection ended before the file did
        "token_refused",  # 401, 403: an operator can store another one
        "no_token",
        "account_unknown",
        "blob_busy",  # another process writes the file
        "blob_unwritable",  # disk full, permissions
        "blob_broken",
        "failed",  # something of our own
        "policy_missing",  # nobody says yet whether it may rest here
    }
)
"""Endings after which a file is asked for again until it is too old."""

A_FEW_TIMES = frozenset({"not_found", "digest_mismatch", "size_mismatch", "unexpected_shape"})
"""Endings that may mend themselves, but not for ever."""

NOT_NOW = frozenset({"policy_missing", "jurisdiction_not_derived", "evaluator_failed"})
"""Reasons for which the policy's no may soon be another answer."""
DENIED = "policy_denied"
"""The ending of a file that the policy in force does not let rest here: it is withheld until it may."""
DENIED_MS = 600_000
"""How soon the policy is asked again for a file of which no subject is known; else when its subject is judged again."""

NEVER = frozenset(
    {
        "too_large",
        "transcoding_failed",
        "foreign_address",  # the platform names an address that its token must not go to
        "address_refused",  # private, not https, or no address at all
        "redirects",  # more than are followed
        "refused",  # any other answer
    }
)
"""Endings after which nothing is asked any more."""


class Wanted(msgspec.Struct, frozen=True):
    """A file to fetch; ``media_id``, ``message_id`` and ``url`` are identifiers and stay sealed or in memory."""

    channel: Literal["whatsapp", "line"]
    media: str
    """The kind: image, video, audio, voice, document, sticker."""
    message_id: str
    via: str
    """WhatsApp's phone number id."""
    media_id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    """In hexadecimal digits, where the webhook says it."""
    size: int | None = None
    """Bytes, where the platform's word on it holds."""
    url: str | None = None
    """LINE: where a file lies that LINE does not hold; asked without a token."""
    bytes_max: int = 0

    def __repr__(self) -> str:
        """Name the kind, and no identifier."""
        return f"Wanted({self.channel}, {self.media})"


class Again(NamedTuple):
    """Ask again at ``due_at`` (ms)."""

    due_at: int
    code: str


class GiveUp(NamedTuple):
    """Never ask again, and why."""

    code: str


class Withheld(NamedTuple):
    """Its sender took it back, or the policy denies it.

    ``recall``: bytes of it are here, so it counts as a recall of the message.
    """

    recall: bool


Verdict = Again | GiveUp | Withheld


def wanted(event: Message | Edit, *, external: bool, bytes_max: int) -> Wanted | None:
    """Give the file of a message; ``None`` where it has none that is fetched.

    ``external``: whether files are fetched that LINE only names the address of; ``bytes_max``: the operator's bound.
    """
    content = event.content
    if not isinstance(content, Media):
        return None
    url = content.external.url if content.external is not None else None
    if event.channel == "whatsapp" and content.media_id is None:
        return None
    if content.external is not None and (url is None or not external):
        return None
    platforms = WHATSAPP_BYTES_MAX if event.channel == "whatsapp" else bytes_max
    return Wanted(
        channel=event.channel,
        media=content.media,
        message_id=event.message_id,
        via=event.via,
        media_id=content.media_id,
        mime_type=content.mime_type,
        sha256=hex_digest(content.sha256),
        # "Content sent by users may be transformed internally" (LINE): what its webhook says is no measure.
        size=content.size if event.channel == "whatsapp" else None,
        url=url if content.external is not None else None,
        bytes_max=min(bytes_max, platforms, SIZES_MAX.get(content.media, bytes_max)),
    )


def same_file(old_id: str | None, old_sha256: str | None, new: Wanted) -> bool:
    """Say whether an edit still has the file that was fetched: by digest where both are known, else by id.

    LINE names files by their message, so an edit of one that says nothing else has the same.
    """
    if old_sha256 is not None and new.sha256 is not None:
        return old_sha256 == new.sha256
    return old_id == new.media_id


def too_old(at: int, now: int) -> bool:
    """Say whether a message's file is not asked for any more."""
    return now - at >= KEPT_MS


def judge(code: str, *, attempts: int, at: int, now: int, bytes_here: int = 0, retry_after: int = 0) -> Verdict:
    """Decide what follows from an ending.

    ``attempts`` counts this one; ``at`` is when the message came (ms); ``bytes_here`` how much of the file is here;
    ``retry_after`` the seconds that the platform asks to wait.  A code that is not known is never asked again.
    """
    if code == "gone":
        return Withheld(recall=bytes_here > 0)
    if code == DENIED:
        return Withheld(recall=False)
    if code in NEVER or code not in AGAIN | A_FEW_TIMES:
        return GiveUp(code)
    if code in A_FEW_TIMES and attempts >= _FEW:
        return GiveUp(code)
    due_at = now + max(_pause_ms(code, attempts), min(retry_after * 1_000, _HOUR_MS))
    return GiveUp("expired") if too_old(at, due_at) else Again(due_at, code)


def _pause_ms(code: str, attempts: int) -> int:
    """Give how long to wait: short while something is prepared, else four times longer each time, up to an hour."""
    if code == "preparing":
        return min(1_000 * attempts, 30_000)
    if code in {"address_expired", "cut"}:
        return min(500 << min(attempts, 20), 10 * _MINUTE_MS)
    return min(500 << 2 * min(attempts, 20), _HOUR_MS)


def hex_digest(written: str | None) -> str | None:
    """Read a SHA-256 that is written in hexadecimal digits or base64; ``None`` where it is neither."""
    if written is None:
        return None
    text = written.strip()
    if len(text) == 64:
        try:
            return bytes.fromhex(text).hex()
        except ValueError:
            return None
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None


def check(found_sha256: str, found_size: int, declared: tuple[str | None, ...], sizes: tuple[int | None, ...]) -> str:
    """Compare a fetched file with everything that was said of it; give the ending's code, empty where all agree."""
    if any(digest is not None and digest != found_sha256 for digest in declared):
        return "digest_mismatch"
    if any(size is not None and size != found_size for size in sizes):
        return "size_mismatch"
    return ""
