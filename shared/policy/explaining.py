"""An answer in plain words, with the law it stands on: for officers and lawyers who never see the code."""

from collections.abc import Iterator

import msgspec

from shared.policy.deciding import Decision, Must, Question, Relied
from shared.policy.evaluator import Evaluator
from shared.policy.localising import localisations
from shared.policy.model import Duty, Policy, Rule, Sourced
from shared.policy.names import qualified
from shared.policy.sound_values import article_owners
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
    "asker_unexpected": "An asker and a role belong to view and transfer only; ask again without them.",
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


def explain(evaluator: Evaluator, question: Question) -> Explanation:
    """Explain the answer to a question: rule, ground, law, what must be done, how long, and what changes when."""
    decision = evaluator.decide(question)
    words = _Words(evaluator, question)
    parts = (
        Part("Why", tuple(words.why(decision))),
        Part("Ground", tuple(words.ground(each) for each in decision.relied)),
        Part("Law", tuple(words.law(each) for each in decision.citations)),
        Part("What must be done", tuple(words.must(decision.must))),
        Part("How long it is kept", tuple(words.kept())),
        Part("What changes, and when", tuple(words.later(decision))),
    )
    answer = "Yes" if decision.allowed else "No"
    return Explanation(words.asked(), answer, tuple(part for part in parts if part.lines))


class _Words:
    """Writes sentences about one question."""

    def __init__(self, evaluator: Evaluator, question: Question) -> None:
        """Take what names stand for."""
        self._evaluator = evaluator
        self._policy: Policy = evaluator.tables.policy
        self._question = question
        self._rules: dict[str, Rule] = {rule.id: rule for rule in self._policy.rules}
        self._articles = article_owners(self._policy)
        self._jurisdictions = {each.code: each for each in self._policy.jurisdictions}

    def asked(self) -> str:
        """Write the question."""
        asked = self._question
        data = next((each.says for each in self._policy.classes if each.id == asked.data_class), "unknown")
        by = f" by {_a(asked.role)} in {self._place(asked.asker)}" if asked.asker != NO_ASKER else ""
        return (
            f"May {asked.data_class} ({data.rstrip('.').lower()}) of a person under the law of"
            f" {self._jurisdiction(asked.subject)}, at {self._place(asked.node)},"
            f" {_VERBS.get(asked.operation, asked.operation)}{by} for {asked.purpose}, on {written(asked.at)}?"
        )

    def why(self, decision: Decision) -> Iterator[str]:
        """Name the rules that decided, or what was missing."""
        if decision.reason in _OWN:
            yield f"{decision.reason}: {_OWN[decision.reason]}"
        for name in decision.rules:
            yield f"Rule {name}: {self._rules[name].says}"
            if self._rules[name].localised is not None:
                yield from self._localised(self._rules[name])
        if decision.reason == "no_mechanism":
            for name in decision.rules:
                yield from dict.fromkeys(self._unmet(self._rules[name]))

    def ground(self, relied: Relied) -> str:
        """Write down a mechanism that the answer rests on."""
        file = self._jurisdictions[relied.source]
        mechanism = next(each for each in file.mechanism if qualified(file.code, each.id) == relied.mechanism)
        by = f", by the company's instrument {relied.instrument}" if relied.instrument else ""
        end = f"It ends on {written(relied.until)}." if relied.until is not None else "No end of it is known."
        return (
            f"{relied.mechanism} ({relied.kind.replace('_', ' ')}) lets data go from {file.name} to"
            f" {self._jurisdiction(relied.to)}{by}, {self._cite(relied.article)}. {end} {_sure(mechanism)}"
        )

    def law(self, handle: str) -> str:
        """Write down an article."""
        owner, article = self._articles[handle]
        return f"{article.cite} ({owner}): {article.says} {_sure(article)}"

    def must(self, must: Must) -> Iterator[str]:
        """Write down what whoever acts on an allow must do."""
        if must.form != "full":
            yield {"masked": "It is shown masked.", "metadata": "Only that it exists is shown."}[must.form]
        if must.mask:
            yield f"These are masked: {', '.join(must.mask)}."
        if must.log_for is not None:
            yield f"The act is recorded, and the record kept for at least {must.log_for}{_of(must.log_for.of)}."
        if must.notify:
            yield f"These are told: {', '.join(must.notify)}."
        if must.second_approver:
            yield f"Each of these agrees first: {', '.join(must.second_approver)}."
        yield from self._periods(must)
        for platform in self._policy.platforms:
            for condition in platform.condition:
                if condition.id in must.conditions:
                    article = self._cite(condition.article)
                    yield f"Where it came over {platform.name}: {condition.says} ({article})"
        for name in must.filings:
            yield f"Filing {name} is set off."
        for name in must.counters:
            yield f"It counts towards {name}."

    def kept(self) -> Iterator[str]:
        """Say how long it is kept: by rules on keeping, and by duties to keep."""
        asked = self._question
        if asked.subject not in self._jurisdictions:
            return
        for purpose in self._evaluator.tables.names.members["purposes"]:
            keeping = msgspec.structs.replace(asked, operation="retain", purpose=purpose, asker=NO_ASKER, role=NO_ASKER)
            decision = self._evaluator.decide(keeping)
            if decision.allowed and decision.must.retain_at_most is None:
                yield f"For {purpose}: no longest period is set ({', '.join(decision.rules)})."
            for sentence in self._periods(decision.must) if decision.allowed else ():
                yield f"For {purpose}: {sentence[0].lower()}{sentence[1:-1]} ({', '.join(decision.rules)})."
        file = self._jurisdictions[asked.subject]
        for duty in file.duty:
            if asked.data_class in self._evaluator.tables.names.chosen("classes", duty.classes):
                yield self._duty(file.code, duty)

    def later(self, now: Decision) -> Iterator[str]:
        """Say at which moments the answer, or what it rests on, becomes another."""
        before = now
        for at in self._evaluator.tables.instants:
            if at > self._question.at:
                then = self._evaluator.decide(msgspec.structs.replace(self._question, at=at))
                if then != before:
                    yield f"From {written(at)}: {_short(then)}"
                    before = then

    def _periods(self, must: Must) -> Iterator[str]:
        """Write down how long something may and must be kept."""
        if must.retain_at_most is not None:
            yield f"It is kept for at most {must.retain_at_most}{_of(must.retain_at_most.of)}."
        if must.retain_at_least is not None:
            yield f"It is kept for at least {must.retain_at_least}{_of(must.retain_at_least.of)}."

    def _duty(self, code: str, duty: Duty) -> str:
        """Write down a duty to keep."""
        file = self._jurisdictions[code]
        found = next((each for each in file.parameter if each.id == duty.period), None)
        long = f" for {found.value} {found.unit.replace('_', ' ')}" if found is not None else ""
        stops = ", ".join(duty.beats)
        return (
            f"Duty {qualified(code, duty.id)}: {duty.says} It stops {stops} and keeps the record {duty.keeps}{long}"
            f" ({self._cite(duty.article)})."
        )

    def _localised(self, rule: Rule) -> Iterator[str]:
        """Say what the subject's law keeps in its country, which a rule carries out here."""
        asked, names = self._question, self._evaluator.tables.names
        for file, each in localisations(self._policy, rule):
            in_force = holds(each.valid_from, each.valid_until, asked.at)
            if file.code == asked.subject and in_force and asked.data_class in names.chosen("classes", each.classes):
                since = f" Since {each.valid_from}." if each.valid_from else ""
                yield f"{qualified(file.code, each.id)} ({self._cite(each.article)}): {each.says}{since} {_sure(each)}"

    def _unmet(self, rule: Rule) -> Iterator[str]:
        """Say which needs of a rule no open way meets."""
        of = self._evaluator.tables.names.jurisdiction
        asked = self._question
        party = {"subject": asked.subject, "node": of.get(asked.node, ""), "asker": of.get(asked.asker, "")}
        for need in rule.needs:
            source, to = party[need.from_], party[need.to]
            if source != to and self._evaluator.tables.ways.open(source, to, need.kinds, asked.at) is None:
                kinds = " or ".join(kind.replace("_", " ") for kind in need.kinds)
                yield f"Rule {rule.id} needs, from {self._jurisdiction(source)} to {self._jurisdiction(to)}: {kinds}."

    def _place(self, region: str) -> str:
        """Name a region with its jurisdiction."""
        code = self._evaluator.tables.names.jurisdiction.get(region)
        return f"{region} ({code})" if code else f"{region} (unknown)"

    def _jurisdiction(self, code: str) -> str:
        """Name a jurisdiction."""
        file = self._jurisdictions.get(code)
        return file.name if file is not None else code

    def _cite(self, handle: str) -> str:
        """Cite an article as a lawyer does."""
        return self._articles[handle][1].cite


def _short(decision: Decision) -> str:
    """Write an answer in a sentence."""
    if not decision.allowed:
        return f"no ({decision.reason})."
    on = f", on {', '.join(each.mechanism for each in decision.relied)}" if decision.relied else ""
    return f"yes, by rule {decision.rule}{on}."


def _sure(entry: Sourced) -> str:
    """Say how sure an entry is."""
    checked = f", checked on {entry.verified_on}" if entry.verified_on else ""
    note = f" {entry.note}" if entry.note else ""
    return f"[{entry.certainty}{checked}]{note}"


def _of(parameter: str | None) -> str:
    """Name the parameter that a span is of."""
    return f" ({parameter})" if parameter else ""


def _a(noun: str) -> str:
    """Put an article before a noun."""
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
