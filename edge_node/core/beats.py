"""What a beat carries: which pseudonyms are told to the control plane, hidden among dummies, in no order.

A pseudonym that left at the moment its subject first wrote would tie the two together.  New ones therefore wait for
the beat, and a beat that names anybody names at least eight: what is missing is made up by freshly drawn names that
belong to nobody and look the same.
"""

from collections.abc import Sequence

from shared.entropy import Entropy
from shared.ids import draw_pseudonym
from shared.wire.uplink import REGISTRATIONS_MIN


def registrations(new: Sequence[str], entropy: Entropy) -> tuple[str, ...]:
    """Give what a beat registers: nothing where nobody is new, else the new, padded and shuffled."""
    if not new:
        return ()
    padded = [*new, *(draw_pseudonym(entropy) for _ in range(REGISTRATIONS_MIN - len(new)))]
    return tuple(_shuffled(padded, entropy))


def _shuffled(names: Sequence[str], entropy: Entropy) -> list[str]:
    """Order by drawn keys of 128 bits: every order is equally likely, a tie is out of reach."""
    return sorted(names, key=dict(zip(names, (entropy.draw(16) for _ in names), strict=True)).__getitem__)
