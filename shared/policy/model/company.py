"""What platforms' terms ask for, and what the company itself has concluded."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.policy.model.base import Chosen, Codes, Part, Sourced
from shared.policy.model.law import Article, Law
from shared.policy.terms import (
    ArticleCode,
    MechanismKind,
    Moment,
    Name,
    Operation,
    Text,
)


class Condition(Sourced, frozen=True, kw_only=True):
    """What a platform's terms ask for before something is done with data that came over it."""

    id: Name
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1, max_length=7)]
    classes: Chosen
    purposes: Chosen
    demands: Name
    """What the program checks before it goes on: ``provider_page_published``, ``consent_on_record``."""
    article: ArticleCode
    says: Text


class PlatformFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="platform"):
    """``platforms/<channel>.toml``: what a platform's terms ask for."""

    channel: Literal["line", "whatsapp"]
    name: Text
    law: tuple[Law, ...] = ()
    article: tuple[Article, ...] = ()
    condition: tuple[Condition, ...] = ()


class Instrument(Part, frozen=True, kw_only=True):
    """Something the company itself has concluded: clauses, binding rules, a filing."""

    id: Name
    kind: MechanismKind
    from_: Codes = msgspec.field(name="from")
    """Under the law of these."""
    to: Codes
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    reference: Text
    """Where the company keeps it."""


class InstrumentsFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="instruments"):
    """The company's own register of what it relies on when data leaves a jurisdiction."""

    instrument: tuple[Instrument, ...] = ()
