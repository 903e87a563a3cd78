"""A policy: what all files of a bundle say together, in one order whatever the order of files."""

from shared.policy.model.base import Part
from shared.policy.model.cases import Case
from shared.policy.model.company import Instrument, PlatformFile
from shared.policy.model.law import JurisdictionFile
from shared.policy.model.overrides import Override
from shared.policy.model.rules import Rule
from shared.policy.model.vocabulary import DataClass, Group, Purpose, Region, Role


class Policy(Part, frozen=True, kw_only=True):
    """Everything a node decides by; each list is sorted by its names."""

    regions: tuple[Region, ...] = ()
    classes: tuple[DataClass, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    roles: tuple[Role, ...] = ()
    groups: tuple[Group, ...] = ()
    jurisdictions: tuple[JurisdictionFile, ...] = ()
    platforms: tuple[PlatformFile, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    rules: tuple[Rule, ...] = ()
    cases: tuple[Case, ...] = ()
    overrides: tuple[Override, ...] = ()
