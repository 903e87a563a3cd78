"""What all tables of policy files share: unknown keys are refused, lists are never empty, values say their source."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.policy.terms import (
    ArticleCode,
    Certainty,
    Day,
    JurisdictionCode,
    Name,
    Place,
    Text,
)

Names = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1_000)]
Codes = Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1, max_length=1_000)]
Places = Annotated[tuple[Place, ...], Meta(min_length=1, max_length=1_000)]
Articles = Annotated[tuple[ArticleCode, ...], Meta(min_length=1, max_length=100)]
Chosen = Literal["any"] | Names
"""Names of an axis, or of groups of it; or ``"any"``."""
ChosenPlaces = Literal["any"] | Places


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of every table of a file: unknown keys are refused."""


class Sourced(Part, frozen=True, kw_only=True):
    """What somebody read somewhere: where, and how sure it is."""

    source: Text
    """Where it was read: official text, a secondary source, or ``compliance notes 2026-11-22``."""
    certainty: Certainty
    verified_on: Day | None = None
    """The day somebody checked it at the source; left out where no source gives one."""
    note: Text | None = None
    """What a reader must know: the other reading of a disputed value, what was not found."""
