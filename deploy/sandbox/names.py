"""Invented people and the ids that platforms would give them and their messages.

Ids are drawn from a ``random.Random`` that can be seeded, so that a run can be repeated; they come in random order,
as real ones do, which is what makes a store's index work for its living.
"""

import base64
import random
from collections.abc import Iterator

import msgspec

from deploy.sandbox.moment import now_ms

CHANCE = random.Random()  # noqa: S311  invented ids keep no secret
"""What builders draw from when they are not handed a generator: seeded by the system at import."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_UNASSIGNED_PREFIX = "999"
"""Country code 999 is assigned to nobody (ITU E.164): numbers that ring nowhere, as many as needed."""


class Subject(msgspec.Struct, frozen=True):
    """An invented customer, with the names that both platforms would have for them."""

    name: str
    phone: str | None
    """Digits without ``+``, as ``wa_id``; ``None`` where WhatsApp withholds it."""
    bsuid: str
    line_user: str
    username: str | None = None


class WhatsAppNumber(msgspec.Struct, frozen=True):
    """A business's number at WhatsApp."""

    waba_id: str = "104200000000001"
    phone_number_id: str = "208800000000001"
    display_phone_number: str = "15555550100"
    app_id: str = "700100000000001"


class LineChannel(msgspec.Struct, frozen=True):
    """A business's channel at LINE."""

    bot_user_id: str = "U" + "b07" * 10 + "b0"


def draw_subjects(count: int, chance: random.Random | None = None) -> Iterator[Subject]:
    """Give ``count`` different invented people."""
    chance = chance or CHANCE
    for number in chance.sample(range(10**9), count):
        yield Subject(
            name=f"Pat {number:09d}",
            phone=f"{_UNASSIGNED_PREFIX}{number:09d}",
            bsuid=f"ZZ.{chance.getrandbits(66):020d}",
            line_user="U" + chance.randbytes(16).hex(),
        )


def draw_wamid(person: str, chance: random.Random | None = None) -> str:
    """Give a WhatsApp message id as they really are: base64 around the customer's phone number.

    Read off published examples: tag 0x1c 0x18, length, the digits; then 0x15 0x02 0x00 (or so), 0x12 0x18, length
    and twenty random hexadecimal digits, 0x00.
    """
    random_part = b"3A" + (chance or CHANCE).randbytes(9).hex().upper().encode()
    digits = person.encode()
    raw = b"\x1c\x18" + bytes([len(digits)]) + digits
    raw += b"\x15\x02\x00\x12\x18" + bytes([len(random_part)]) + random_part + b"\x00"
    return "wamid." + base64.b64encode(raw).decode()


def draw_line_message_id(chance: random.Random | None = None) -> str:
    """Give a LINE message id: a decimal string of 18 digits, too large for a JavaScript number."""
    return str((chance or CHANCE).randrange(4 * 10**17, 6 * 10**17))


def draw_ulid(at: int | None = None, chance: random.Random | None = None) -> str:
    """Give a ULID (48 bits of milliseconds, 80 random ones), as ``webhookEventId`` is."""
    value = ((now_ms() if at is None else at) << 80) | (chance or CHANCE).getrandbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def draw_token(chance: random.Random | None = None) -> str:
    """Give a reply token or quote token: 32 hexadecimal digits."""
    return (chance or CHANCE).randbytes(16).hex()


def draw_digits(count: int = 15, chance: random.Random | None = None) -> str:
    """Give an id of decimal digits, such as a media id; the first is not 0."""
    return str((chance or CHANCE).randrange(10 ** (count - 1), 10**count))


ANNA = Subject("Anna Beispiel", "4930231250", "DE.13491208655302741918", "U" + "a1" * 16, "anna.beispiel")
"""Writes with a phone number of the range reserved for fiction in Berlin."""

ROSA = Subject("Rosa Muster", None, "DE.24817305912873645029", "U" + "c3" * 16, "rosamuster")
"""Has a username, so WhatsApp withholds her number."""

TARO = Subject("例 太郎", "815055550142", "JP.90817263544536271809", "U" + "d4" * 16)
"""Writes in Japanese, mostly on LINE."""
