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
