"""The names of a policy by axis, groups spelled out: what ``classes = ["content"]`` chooses."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from shared.policy.model import Group, Policy
from shared.policy.terms import ANY, RELATIVE

AXES = ("classes", "purposes", "roles", "jurisdictions", "regions")


class Unknown(Exception):
    """A name that stands for nothing, or a group that is in itself."""

    def __init__(self, name: str, why: str) -> None:
        """Keep the name."""
        super().__init__(name)
        self.name = name
        self.why = why


class Names(msgspec.Struct, frozen=True):
    """Every name of each axis, and what each group stands for, in the order of the alphabet."""

    members: Mapping[str, tuple[str, ...]]
    """By axis: its names."""
    groups: Mapping[str, Group]
    """By name."""
    jurisdiction: Mapping[str, str]
    """By region: whose law applies there."""

    def chosen(self, axis: str, choice: str | Iterable[str], but: Iterable[str] | None = None) -> frozenset[str]:
        """Give the names of an axis that a choice means, exceptions taken out; ``Unknown`` for one that is none."""
        everything = frozenset(self.members[axis])
        meant = everything if choice == ANY else self.spelled((axis,), choice)
        return meant - (self.spelled((axis,), but) if but else frozenset())

    def spelled(self, axes: tuple[str, ...], names: Iterable[str]) -> frozenset[str]:
        """Give what names of some axes stand for, groups spelled out; :data:`RELATIVE` places stay as they are."""
        out: set[str] = set()
        for name in names:
            out.update(self._one(axes, name, ()))
        return frozenset(out)

    def _one(self, axes: tuple[str, ...], name: str, above: tuple[str, ...]) -> Iterator[str]:
        """Give what one name stands for."""
        group = self.groups.get(name)
        if group is not None and group.of in axes:
            if name in above:
                raise Unknown(name, "is a group that contains itself")
            for member in group.members:
                yield from self._one((group.of,), member, (*above, name))
        elif any(name in self.members[axis] for axis in axes) or ("regions" in axes and name in RELATIVE and not above):
            yield name
        else:
            raise Unknown(name, f"is none of the {' or '.join(axes)} of this policy, nor a group of them")


def names_of(policy: Policy) -> Names:
    """Collect the names of a policy."""
    return Names(
        members={
            "classes": tuple(sorted(each.id for each in policy.classes)),
            "purposes": tuple(sorted(each.id for each in policy.purposes)),
            "roles": tuple(sorted(each.id for each in policy.roles)),
            "jurisdictions": tuple(sorted(each.code for each in policy.jurisdictions)),
            "regions": tuple(sorted(each.name for each in policy.regions)),
        },
        groups={each.id: each for each in policy.groups},
        jurisdiction={each.name: each.jurisdiction for each in policy.regions},
    )


def near(names: Names, wrong: str) -> str:
    """Suggest names that begin like one that stands for nothing; empty where there are none."""
    every = {*names.groups, *(name for members in names.members.values() for name in members)}
    found = sorted(name for name in every if name[:3].lower() == wrong[:3].lower())
    return f"Is it {' or '.join(found[:4])}?" if found else ""


PLACES = ("regions", "jurisdictions")
"""What a choice of places may name."""


def qualified(code: str, name: str) -> str:
    """Give the name by which a jurisdiction's parameter, mechanism, ... is known outside its file."""
    return f"{code}.{name}"
