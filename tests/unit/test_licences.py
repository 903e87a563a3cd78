"""What a default installation brings along is free of GPL, AGPL and LGPL.

Homeport is Apache-2.0 and is deployed inside companies; a copyleft part would change what they may do with it.  The
walk starts at the dependencies in ``pyproject.toml`` and follows what is really installed here.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from tests.support.house import ROOT

REFUSED = re.compile(r"\b[AL]?GPL|GNU (?:Lesser |Library |Affero )?General Public", re.IGNORECASE)
STATEMENT_CHARACTERS = 200
"""How much of a licence field is its name: some packages put the whole text there, which may speak of others."""


def runtime() -> list[str]:
    """Give the dependencies that ``pyproject.toml`` states."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def closure(wanted: list[str]) -> Iterator[metadata.Distribution]:
    """Give every installed distribution that ``wanted`` needs here, each once."""
    waiting, seen = [(Requirement(line), frozenset[str]()) for line in wanted], set()
    while waiting:
        requirement, extras = waiting.pop()
        needed = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
        )
        key = (re.sub(r"[-_.]+", "-", requirement.name).lower(), frozenset(requirement.extras))
        if not needed or key in seen:
            continue
        seen.add(key)
        found = metadata.distribution(requirement.name)
        yield found
        waiting += [(Requirement(line), frozenset({*key[1], ""})) for line in found.requires or []]


def statements(of: metadata.PackageMetadata) -> list[str]:
    """Give what a distribution's metadata says of its licence: expression, field, classifiers."""
    classifiers = [line for line in of.get_all("Classifier") or [] if line.startswith("License ::")]
    fields = [of.get("License-Expression") or "", (of.get("License") or "")[:STATEMENT_CHARACTERS]]
    return [line for line in (*fields, *classifiers) if line.strip()]


def is_refused(statement: str) -> bool:
    """Say whether a statement leaves no choice but a copyleft licence (``A OR B`` is a choice)."""
    return all(REFUSED.search(choice) for choice in re.split(r"\bOR\b", statement))


def test_the_default_installation_is_permissive():
    """No distribution that a node needs is under a refused licence."""
    found = {each.name: statements(each.metadata) for each in closure(runtime())}
    assert {name: said for name, said in found.items() if any(map(is_refused, said))} == {}


def test_every_distribution_states_its_licence():
    """A licence that is not stated cannot be judged."""
    assert [each.name for each in closure(runtime()) if not statements(each.metadata)] == []


def test_the_walk_goes_to_the_bottom():
    """What is needed only by a dependency's dependency is found."""
    names = {each.name.lower() for each in closure(runtime())}
    assert {"litestar", "cryptography", "cffi", "h11", "certifi"} <= names
    assert names.isdisjoint({"pytest", "pywa"})


@pytest.mark.parametrize(
    "statement",
    [
        "GPL-3.0-or-later",
        "LGPL-2.1-only",
        "AGPL-3.0-only AND MIT",
        "GNU Lesser General Public License v3 (LGPLv3)",
        "License :: OSI Approved :: GNU General Public License (GPL)",
    ],
)
def test_copyleft_is_refused(statement):
    """Each usual way to say it is recognised."""
    assert is_refused(statement)


@pytest.mark.parametrize("statement", ["MIT", "Apache-2.0 OR BSD-3-Clause", "MPL-2.0", "Apache-2.0 OR GPL-2.0-only"])
def test_a_permissive_licence_or_a_choice_passes(statement):
    """A permissive licence, a file-level one, and a choice of which one is permissive are fine."""
    assert not is_refused(statement)
