"""The bundle's own page, and the words that rules may use: regions, classes, purposes, roles, groups."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.policy.model.base import Part, Places
from shared.policy.terms import (
    JurisdictionCode,
    Name,
    Nature,
    RegionName,
    Text,
)


class BundleFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="bundle"):
    """``bundle.toml``: what the bundle is called, and which files belong to it."""

    name: Name
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    """Rises by one with each bundle that is published."""
    label: Literal["demonstration", "production"]
    says: Text
    grace: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,2} (?:hours?|days?)$(?!\n)")]
    """How long a node goes by this bundle without hearing that it is still the newest: ``7 days``."""
    includes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=500)]
    """Files, relative to this one: ``vocabulary.toml``, ``jurisdictions/*.toml``."""


class Region(Part, frozen=True, kw_only=True):
    """A region in which a node may stand."""

    name: RegionName
    jurisdiction: JurisdictionCode
    """Whose law applies where it stands."""
    says: Text


class DataClass(Part, frozen=True, kw_only=True):
    """A class of data."""

    id: Name
    nature: Nature
    says: Text


class Purpose(Part, frozen=True, kw_only=True):
    """What something is done for."""

    id: Name
    says: Text


class Role(Part, frozen=True, kw_only=True):
    """What whoever asks is there for."""

    id: Name
    says: Text


class Group(Part, frozen=True, kw_only=True):
    """A name for several names of one axis; a member may be a group of the same axis."""

    id: Name
    of: Literal["classes", "purposes", "roles", "jurisdictions", "regions"]
    members: Places
    says: Text


class VocabularyFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="vocabulary"):
    """The words that rules may use."""

    includes: tuple[str, ...] = ()
    region: tuple[Region, ...] = ()
    data_class: tuple[DataClass, ...] = ()
    purpose: tuple[Purpose, ...] = ()
    role: tuple[Role, ...] = ()
    group: tuple[Group, ...] = ()
