"""The sentences of policy: who may do what with which data, what must be met, what must be done."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.policy.model.base import Chosen, ChosenPlaces, Names, Part, Places
from shared.policy.terms import (
    ArticleCode,
    Demand,
    Effect,
    Field,
    Form,
    MechanismKind,
    Moment,
    Name,
    Notified,
    Operation,
    Period,
    Text,
)


class Need(Part, frozen=True, kw_only=True):
    """A mechanism without which an allow does not hold; nothing is needed within one jurisdiction."""

    kinds: Annotated[tuple[MechanismKind, ...], Meta(min_length=1, max_length=9)]
    """Any of these, the first that holds is relied upon: write them in the order the law prefers."""
    from_: Literal["subject", "node"] = msgspec.field(name="from")
    """Whose law must allow it."""
    to: Literal["node", "asker"]


class Obligations(Part, frozen=True, kw_only=True):
    """What whoever acts on an allow must do; obligations of all matching allows are united, the strictest wins."""

    form: Form | None = None
    """How much is shown at most: ``metadata`` before ``masked`` before ``full``."""
    mask: tuple[Field, ...] = ()
    log_for: Period | None = None
    """The act is recorded, and the record kept for at least so long: the longest wins."""
    notify: tuple[Notified, ...] = ()
    second_approver: tuple[Name, ...] = ()
    """Roles of which each must agree first."""
    retain_at_most: Period | None = None
    """The shortest wins."""
    retain_at_least: Period | None = None
    """The longest wins."""


class Rule(Part, frozen=True, kw_only=True):
    """One sentence of policy."""

    id: Name
    says: Text
    """The rule in one sentence for lawyers; ``homeport policy explain`` prints it."""
    effect: Effect
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1, max_length=7)]
    classes: Chosen
    classes_except: Names | None = None
    purposes: Chosen
    purposes_except: Names | None = None
    subjects: ChosenPlaces
    """Jurisdictions of subjects, or groups of jurisdictions."""
    subjects_except: Places | None = None
    nodes: ChosenPlaces
    """Where the node stands: jurisdictions, regions, groups, ``home``."""
    nodes_except: Places | None = None
    askers: ChosenPlaces | None = None
    """Where whoever asks stands: jurisdictions, regions, groups, ``home``, ``here``.  For view and transfer it must be
    given; where a rule has other operations, too, it must be ``any``."""
    askers_except: Places | None = None
    roles: Chosen | None = None
    """As ``askers``."""
    localised: Demand | None = None
    """Of a deny: it holds only for what the subject's law keeps in its country by this demand.  Which classes, since
    when and by which article the law's ``[[localisation]]`` says; the decision cites that article."""
    needs: tuple[Need, ...] = ()
    """Of an allow: all of them; where one is not met the rule does not hold."""
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    cites: Annotated[tuple[ArticleCode, ...], Meta(max_length=100)] = ()
    """Left out only where ``localised`` brings the articles."""
    reason: Name
    """Reason code of the decision."""
    obligations: Obligations | None = None
    """Of an allow."""


class RulesFile(Part, frozen=True, kw_only=True, tag_field="kind", tag="rules"):
    """``rules/*.toml``."""

    rule: tuple[Rule, ...] = ()
