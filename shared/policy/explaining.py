"""An answer in plain words, with the law it stands on: for officers and lawyers who never see the code."""

from collections.abc import Iterable, Iterator

import msgspec

from shared.policy.deciding import Decision, Question, Relied
from shared.policy.evaluator import Evaluator
from shared.policy.grounds import missing_ways
from shared.policy.localising import localisations
from shared.policy.model import Policy, Rule
from shared.policy.names import qualified
from shared.policy.owed import Owed
from shared.policy.phrases import Naming, meaning, sure, with_article
from shared.policy.spans import holds, written
from shared.policy.terms import NO_ASKER

_VERBS = {
    "store": "be stored",
    "view": "be viewed",
    "transfer": "be transferred",
    "link": "be linked",
    "process": "be processed",
    "retain": "be kept",
    "log": "be logged",
}
_OWN = {
    "no_rule": "No rule allows it, and what no rule allows is denied.",
    "no_mechanism": "A rule would allow it, but no way that the law leaves open leads there.",
    "evaluator_failed": "The question could not be decided, and what cannot be decided is denied.",
    "operation_unknown": "This policy knows no such operation, and what it does not know it denies.",
    "class_unknown": "This policy knows no such class of data, and what it does not know it denies.",
    "purpose_unknown": "This policy knows no such purpose, and what it does not know it denies.",
    "jurisdiction_unknown": "This policy has no file for that jurisdiction, and what it does not know it denies.",
    "region_unknown": "This policy knows no such region, and what it does not know it denies.",
    "role_unknown": "This policy knows no such role, and what it does not know it denies.",
    "asker_missing": "Who asks, and from where, is part of this question, and was not said.",
    "asker_unexpected": "Nobody asks in this operation, but an asker was named.",
}


class Part(msgspec.Struct, frozen=True):
    """A heading and its sentences."""

    heading: str
    lines: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True):
    """A question in words, the answer in a word, and why."""

    question: str
    answer: str
    parts: tuple[Part, ...]


def explain(evaluator: Evaluator, question: Question, channel: str | None = None) -> Explanation:
    """Explain the answer to a question: rule, ground, law, what must be done, how long, and what changes when.

    ``channel`` is the platform over which the data came: what others ask for is left out.
    """
    decision = evaluator.decide(question)
    words, owed = _Words(evaluator, question, channel), Owed(evaluator, question, channel)
    parts = (
        Part("Why", tuple(words.why(decision))),
        Part("Ground", tuple(words.ground(each) for each in decision.relied)),
        Part("Law", tuple(words.laws(decision.citations))),
        Part("What must be done", tuple(owed.must(decision.must))),
        Part("How long it is kept", tuple(owed.kept(decision))),
        Part("What changes, and when", tuple(words.later(decision))),
    )
    answer = "Yes" if decision.allowed else "No"
    return Explanation(words.asked(), answer, tuple(part for part in parts if part.lines))


class _Words:
    """Writes sentences about one question."""

    def __init__(self, evaluator: Evaluator, question: Question, channel: str | None) -> None:
        """Take what names stand for."""
        self._channel = channel
        self._evaluator = evaluator
        self._policy: Policy = evaluator.tables.policy
        self._question = question
        self._rules: dict[str, Rule] = {rule.id: rule for rule in self._policy.rules}
        self._naming = Naming(self._policy)

    def asked(self) -> str:
        """Write the question."""
        asked = self._question
        data = meaning(self._policy.classes, asked.data_class)
        role = f"{with_article(asked.role)}{meaning(self._policy.roles, asked.role)}"
        to, law = self._naming.place(asked.asker), self._naming.jurisdiction(asked.subject)
        by = ""
        if asked.asker != NO_ASKER:
            by = f" to {role} in {to}" if asked.operation == "transfer" else f" by {role} in {to}"
        over = f" that came over {self._naming.platform(self._channel)}" if self._channel is not None else ""
        return (
            f"May {asked.data_class}{data}{over}, of a person under the law of {law},"
            f" at {self._naming.place(asked.node)}, {_VERBS.get(asked.operation, asked.operation)}{by} for"
            f" {asked.purpose}{meaning(self._policy.purposes, asked.purpose)}, on {written(asked.at)}?"
        )

    def why(self, decision: Decision) -> Iterator[str]:
        """Name the rules that decided, or what was missing."""
        if decision.reason in _OWN:
            yield f"{decision.reason}: {_OWN[decision.reason]}"
        for name in decision.rules:
            yield f"Rule {name}: {self._rules[name].says}"
            if self._rules[name].localised is not None:
                yield from self._localised(self._rules[name])
        if decision.reason == "no_rule":
            yield from self._otherwise()
        if decision.reason == "no_mechanism":
            yield from dict.fromkeys(line for name in decision.rules for line in self._unmet(self._rules[name]))

    def ground(self, relied: Relied) -> str:
        """Write down a mechanism that the answer rests on."""
        file = self._naming.files[relied.source]
        mechanism = next(each for each in file.mechanism if qualified(file.code, each.id) == relied.mechanism)
        by = f", by the company's instrument {relied.instrument}" if relied.instrument else ""
        end = f"It ends on {written(relied.until)}." if relied.until is not None else "No end of it is known."
        return (
            f"{relied.mechanism} ({relied.kind.replace('_', ' ')}) lets data go from {file.name} to"
            f" {self._naming.jurisdiction(relied.to)}{by}, {self._naming.cite(relied.article)}. {end} {sure(mechanism)}"
        )

    def laws(self, handles: Iterable[str]) -> Iterator[str]:
        """Write down articles; those of a platform that has no part in it are left out."""
        for handle in handles:
            owner, article = self._naming.articles[handle]
            if owner in self._naming.files or self._channel in {None, owner}:
                yield f"{article.cite} ({self._naming.owner(owner)}): {article.says} {sure(article)}"

    def later(self, now: Decision) -> Iterator[str]:
        """Say at which moments the answer, or what it rests on, becomes another."""
        before = now
        for at in self._evaluator.tables.instants:
            if at > self._question.at:
                then = self._evaluator.decide(msgspec.structs.replace(self._question, at=at))
                if then != before:
                    yield f"From {written(at)}: {_short(then)}"
                    before = then
        if before is now:
            yield "Nothing: no date is known on which this answer becomes another."

    def _otherwise(self) -> Iterator[str]:
        """Name the rules that allow it in other cases: for another purpose, to another role, elsewhere."""
        asked, names = self._question, self._evaluator.tables.names
        for rule in self._policy.rules:
            if rule.effect == "allow" and asked.operation in rule.operations:
                concerned = asked.data_class in names.chosen("classes", rule.classes, rule.classes_except)
                if concerned and asked.subject in names.chosen("jurisdictions", rule.subjects, rule.subjects_except):
                    yield f"In other cases rule {rule.id} allows it: {rule.says}"

    def _localised(self, rule: Rule) -> Iterator[str]:
        """Say what the subject's law keeps in its country, which a rule carries out here."""
        asked, names = self._question, self._evaluator.tables.names
        for file, each in localisations(self._policy, rule):
            in_force = holds(each.valid_from, each.valid_until, asked.at)
            if file.code == asked.subject and in_force and asked.data_class in names.chosen("classes", each.classes):
                since = f" Since {each.valid_from}." if each.valid_from else ""
                name = f"{qualified(file.code, each.id)} ({self._naming.cite(each.article)})"
                yield f"{name}: {each.says}{since} {sure(each)}"

    def _unmet(self, rule: Rule) -> Iterator[str]:
        """Say which needs of a rule no open way meets."""
        of = self._evaluator.tables.names.jurisdiction
        asked = self._question
        party = {"subject": asked.subject, "node": of.get(asked.node, ""), "asker": of.get(asked.asker, "")}
        for need in rule.needs:
            source, to = party[need.from_], party[need.to]
            if source != to and self._evaluator.tables.ways.open(source, to, need.kinds, asked.at) is None:
                yield f"No way is open from {self._naming.jurisdiction(source)} to {self._naming.jurisdiction(to)}."
                yield from missing_ways(self._policy, need, source, to, asked.at, self._naming.cite)


def _short(decision: Decision) -> str:
    """Write an answer in a sentence."""
    if not decision.allowed:
        return f"no ({decision.reason})."
    on = f", on {', '.join(each.mechanism for each in decision.relied)}" if decision.relied else ""
    return f"yes, by rule {decision.rule}{on}."
