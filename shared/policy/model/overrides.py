"""Overrides: an officer's signed word that a value nobody could check, or that is disputed, may be relied upon."""

from typing import Annotated

from msgspec import Meta

from shared.policy.model.base import Part
from shared.policy.terms import Certainty, Day, Number, Ref, Text, Unit
from shared.roster.model import OfficerSignature


class Statement(Part, frozen=True, kw_only=True):
    """What an officer signs: exactly this value, with exactly this mark."""

    of: Ref
    """A parameter, mechanism, article, law or condition: ``CL.request_limit``."""
    value: Number | None = None
    unit: Unit | None = None
    certainty: Certainty
    """The mark that the value bears in the bundle; if either changes, the override is worth nothing."""
    reason: Text
    day: Day


class Override(Part, frozen=True, kw_only=True):
    """A statement and who signed it."""

    statement: Statement
    signatures: Annotated[tuple[OfficerSignature, ...], Meta(min_length=1, max_length=20)]


class OverridesFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="overrides"):
    """``overrides/*.toml``, written by ``homeport policy override``."""

    override: tuple[Override, ...] = ()
