"""Files to one policy: every list sorted by its names, so that the order of files and tables leaves no trace."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shared.policy.model import (
    BundleFile,
    CasesFile,
    File,
    InstrumentsFile,
    JurisdictionFile,
    OverridesFile,
    PlatformFile,
    Policy,
    RulesFile,
    VocabularyFile,
)
from shared.policy.names import qualified
from shared.policy.problems import Problem, Where

PARTS = ("law", "article", "parameter", "mechanism", "localisation", "clock", "duty", "filing", "counter")
"""Tables of a jurisdiction's file."""
Origins = Mapping[tuple[str, str], str]
"""By table and name (qualified for a jurisdiction's own): the file it stands in."""


class Assembled(msgspec.Struct, frozen=True):
    """What was read: the bundle's own page, the policy, and which file each part of it came from."""

    bundle: BundleFile
    policy: Policy
    origins: Origins

    def where(self, table: str, entry: str, key: str = "") -> Where:
        """Give the place of an entry."""
        return Where(self.origins.get((table, entry), "bundle"), table, entry, key)


def assemble(bundle: BundleFile, files: Iterable[tuple[str, File]]) -> tuple[Assembled, list[Problem]]:
    """Put files together; what is named twice is a problem."""
    gathered = _Gathered()
    for file, content in sorted(files, key=lambda each: each[0]):
        gathered.take(file, content)
    return Assembled(bundle, gathered.policy(), gathered.origins), gathered.problems


def in_order(policy: Policy) -> bool:
    """Say whether a policy that was read whole is as :func:`assemble` makes it: no name twice, all lists sorted."""
    gathered = _Gathered()
    for jurisdiction in policy.jurisdictions:
        gathered.take("bundle", jurisdiction)
    for platform in policy.platforms:
        gathered.take("bundle", platform)
    gathered.take("bundle", OverridesFile(override=policy.overrides))
    gathered.take("bundle", InstrumentsFile(instrument=policy.instruments))
    gathered.take("bundle", RulesFile(rule=policy.rules))
    gathered.take("bundle", CasesFile(case=policy.cases))
    words = VocabularyFile(
        region=policy.regions,
        data_class=policy.classes,
        purpose=policy.purposes,
        role=policy.roles,
        group=policy.groups,
    )
    gathered.take("bundle", words)
    return not gathered.problems and gathered.policy() == policy


class _Gathered:
    """Collects parts; the first of two of one name stays."""

    def __init__(self) -> None:
        self.origins: dict[tuple[str, str], str] = {}
        self.problems: list[Problem] = []
        self._seen: set[tuple[str, str]] = set()
        self._lists: dict[str, list[tuple[str, msgspec.Struct]]] = {}

    def take(self, file: str, content: File) -> None:
        """Take what one file says."""
        match content:
            case JurisdictionFile():
                if self._one(file, "jurisdiction", content.code, _in_order(content)):
                    for table in PARTS:
                        self._note(file, table, (qualified(content.code, each.id) for each in getattr(content, table)))
            case PlatformFile():
                if self._one(file, "platform", content.channel, _in_order(content)):
                    for table in ("law", "article", "condition"):
                        self._note(file, table, (each.id for each in getattr(content, table)))
            case OverridesFile():
                for override in content.override:
                    self._one(file, "override", override.statement.of, override)
            case BundleFile():
                what = "is a second bundle.toml."
                self.problems.append(Problem("named_twice", Where(file), what, "One file says what the bundle is."))
            case _:
                for table in _FIELDS.values():
                    for entry in getattr(content, table, ()):
                        self._one(file, table, getattr(entry, "name" if table == "region" else "id"), entry)

    def policy(self) -> Policy:
        """Give the policy."""
        lists: dict[str, Any] = {
            name: tuple(each for _, each in sorted(self._lists.get(table, []), key=lambda pair: pair[0]))
            for name, table in _FIELDS.items()
        }
        return Policy(**lists)

    def _one(self, file: str, table: str, name: str, entry: msgspec.Struct) -> bool:
        """Take an entry, unless there is one of its name."""
        fresh = self._note(file, table, (name,))
        if fresh:
            self._lists.setdefault(table, []).append((name, entry))
        return fresh

    def _note(self, file: str, table: str, names: Iterable[str]) -> bool:
        """Note where names stand; ``False`` where one of them stood elsewhere already."""
        fresh = True
        for name in names:
            before = self.origins.setdefault((table, name), file)
            if before != file or (table, name) in self._seen:
                what = f"stands in {before} already." if before != file else "stands here twice."
                self.problems.append(Problem("named_twice", Where(file, table, name), what, "Each name once."))
                fresh = False
            self._seen.add((table, name))
        return fresh


_FIELDS = {
    "regions": "region",
    "classes": "data_class",
    "purposes": "purpose",
    "roles": "role",
    "groups": "group",
    "jurisdictions": "jurisdiction",
    "platforms": "platform",
    "instruments": "instrument",
    "rules": "rule",
    "cases": "case",
    "overrides": "override",
}


def _in_order(content: JurisdictionFile | PlatformFile) -> msgspec.Struct:
    """Sort the tables of a file by name; a list whose order means something (phases, kinds) stays as it is."""
    tables = [table for table in (*PARTS, "condition") if hasattr(content, table)]
    ordered = {table: tuple(sorted(getattr(content, table), key=lambda each: each.id)) for table in tables}
    return msgspec.structs.replace(content, **ordered)
