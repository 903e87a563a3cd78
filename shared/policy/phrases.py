"""How names, values and marks are written for people: the small words of explanations."""

from collections.abc import Iterable, Mapping

from shared.policy.model import Article, DataClass, JurisdictionFile, Policy, Purpose, Role, Sourced
from shared.policy.sound_values import article_owners
from shared.policy.spans import Span


class Naming:
    """Names places, jurisdictions, platforms and articles of a policy."""

    def __init__(self, policy: Policy) -> None:
        """Take the policy."""
        self._policy = policy
        self._regions = {each.name: each.jurisdiction for each in policy.regions}
        self.files: Mapping[str, JurisdictionFile] = {each.code: each for each in policy.jurisdictions}
        self.articles: Mapping[str, tuple[str, Article]] = article_owners(policy)

    def place(self, region: str) -> str:
        """Name a region with its jurisdiction."""
        code = self._regions.get(region)
        return f"{region} ({self.jurisdiction(code)})" if code else f"{region} (unknown)"

    def platform(self, channel: str) -> str:
        """Name the platform over which the data came."""
        return next(each.name for each in self._policy.platforms if each.channel == channel)

    def owner(self, owner: str) -> str:
        """Name whose article it is."""
        platforms: dict[str, str] = {each.channel: each.name for each in self._policy.platforms}
        return platforms.get(owner) or self.jurisdiction(owner)

    def jurisdiction(self, code: str) -> str:
        """Name a jurisdiction."""
        file = self.files.get(code)
        return file.name if file is not None else code

    def cite(self, handle: str) -> str:
        """Cite an article as a lawyer does."""
        return self.articles[handle][1].cite


def length_of(file: JurisdictionFile, name: str) -> str:
    """Write a parameter of a law: ``60 days``."""
    found = next(each for each in file.parameter if each.id == name)
    return "no delay" if found.value is None else str(Span(found.value, found.unit))


def sure(entry: Sourced) -> str:
    """Say how sure an entry is."""
    checked = f", checked on {entry.verified_on}" if entry.verified_on else ""
    note = f" {entry.note}" if entry.note else ""
    return f"[{entry.certainty}{checked}]{note}"


def of_parameter(parameter: str | None) -> str:
    """Name the parameter that a span is of."""
    return f" ({parameter})" if parameter else ""


def meaning(entries: Iterable[DataClass | Purpose | Role], name: str) -> str:
    """Say what a name of the vocabulary means, in brackets; nothing of one that is not there."""
    says = next((each.says for each in entries if each.id == name), "")
    return f" ({says[0].lower()}{says[1:].rstrip('.')})" if says else ""


def listed(names: Iterable[str]) -> str:
    """Write names as a person does: ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def lower(sentence: str) -> str:
    """Write a sentence as a part of another."""
    return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"


def with_article(noun: str) -> str:
    """Put an article before a noun."""
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
