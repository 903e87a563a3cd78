"""What every handler of the program API works on."""

import msgspec

from control_plane.core.minting import Purpose, mint
from control_plane.metrics import Metrics
from control_plane.settings import ControlSettings
from control_plane.storage.work import Store
from control_plane.usecases.roster_keeper import RosterKeeper
from control_plane.usecases.signals import Signals
from shared.addresses import HostPort


class Plane(msgspec.Struct, frozen=True):
    """The open control plane."""

    settings: ControlSettings
    store: Store
    keeper: RosterKeeper
    signals: Signals
    metrics: Metrics
    mint_key: bytes
    fingerprint: str
    """Of the control plane's keys."""
    allowed: frozenset[HostPort]
    """Private addresses that hooks may be at."""

    def mint(self, purpose: Purpose, id_: str) -> bytes:
        """Give the secret of something, 32 bytes."""
        return mint(self.mint_key, purpose, id_)
