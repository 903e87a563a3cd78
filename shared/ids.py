"""Names that Homeport draws itself: random, so that nothing can be computed from them or found by them."""

from shared.entropy import Entropy

PSEUDONYM_BYTES = 16
"""128 random bits: the only name of a subject that leaves its region."""


def draw_pseudonym(entropy: Entropy) -> str:
    """Give a new pseudonym: 32 hexadecimal digits."""
    return entropy.draw(PSEUDONYM_BYTES).hex()


def draw_opaque_id(entropy: Entropy) -> str:
    """Give a new opaque id for a log entry, a lease holder or a case: 32 hexadecimal digits."""
    return entropy.draw(16).hex()


def draw_uuid(entropy: Entropy) -> str:
    """Give a new UUID, version 4 (RFC 9562 section 5.4), where a platform asks for one."""
    drawn = bytearray(entropy.draw(16))
    drawn[6] = drawn[6] & 0x0F | 0x40
    drawn[8] = drawn[8] & 0x3F | 0x80
    text = drawn.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
