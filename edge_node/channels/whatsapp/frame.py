"""What surrounds an update: what its event takes over from the value, the change and the entry it stands in."""

import msgspec

from edge_node.channels.whatsapp.people import Extra, People


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One value's surroundings, the same for all of its updates."""

    via: str
    """The phone number id, else the WABA id."""
    topic: str
    """The change's ``field``."""
    extra: Extra
    """Goes with every event."""
    people: People
    """The value's contacts."""
