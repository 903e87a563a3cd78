"""What an answer asks for, and how long data are kept, in sentences."""

from collections.abc import Iterator

import msgspec

from shared.policy.deciding import Decision, Must, Question
from shared.policy.evaluator import Evaluator
from shared.policy.model import Duty, Policy
from shared.policy.names import qualified
from shared.policy.phrases import Naming, length_of, listed, lower, of_parameter
from shared.policy.terms import NO_ASKER

_REMOVALS = {"recall": "recall", "erase": "erasure", "expire": "expiry"}


class Owed:
    """Writes what must be done for one question, and how long is kept what it is about."""

    def __init__(self, evaluator: Evaluator, question: Question, channel: str | None) -> None:
        """Take the question, and the platform over which the data came, where one is meant."""
        self._evaluator, self._question, self._channel = evaluator, question, channel
        self._policy: Policy = evaluator.tables.policy
        self._naming = Naming(self._policy)

    def must(self, must: Must) -> Iterator[str]:
        """Write down what whoever acts on an allow must do."""
        yield from self._shown(must)
        if must.log_for is not None:
            by = of_parameter(must.log_for.of)
            yield f"The act is recorded, and the record kept for at least {must.log_for}{by}."
        if must.notify:
            yield f"These are told: {listed(must.notify)}."
        if must.second_approver:
            yield f"Each of these agrees first: {listed(must.second_approver)}."
        yield from self._periods(must)
        yield from self._conditions(must)
        yield from self._filed(must)

    def kept(self, decision: Decision) -> Iterator[str]:
        """Say how long it is kept: what is shown elsewhere, by rules on keeping, by duties to keep."""
        asked = self._question
        if asked.subject not in self._naming.files:
            return
        if decision.allowed and asked.asker not in {NO_ASKER, asked.node}:
            copy = msgspec.structs.replace(asked, operation="store", node=asked.asker, asker=NO_ASKER, role=NO_ASKER)
            there, where = self._evaluator.decide(copy), self._naming.place(asked.asker)
            for sentence in self._periods(there.must) if there.allowed else ():
                yield f"What is shown in {where}: {lower(sentence)} ({listed(there.rules)})."
        for purpose in self._evaluator.tables.names.members["purposes"]:
            keeping = msgspec.structs.replace(asked, operation="retain", purpose=purpose, asker=NO_ASKER, role=NO_ASKER)
            decision = self._evaluator.decide(keeping)
            what = f"In {self._naming.place(asked.node)}, for {purpose}"
            if decision.allowed and decision.must.retain_at_most is None:
                yield f"{what}: no longest period is set ({listed(decision.rules)})."
            for sentence in self._periods(decision.must) if decision.allowed else ():
                yield f"{what}: {lower(sentence)} ({listed(decision.rules)})."
        file = self._naming.files[asked.subject]
        for duty in file.duty:
            if asked.data_class in self._evaluator.tables.names.chosen("classes", duty.classes):
                yield self._duty(file.code, duty)

    @staticmethod
    def _shown(must: Must) -> Iterator[str]:
        """Write down how much is shown."""
        if must.form == "metadata":
            yield "Only that it exists is shown."
        elif must.mask:
            yield f"It is shown with these masked: {listed(each.replace('_', ' ') for each in must.mask)}."
        elif must.form == "masked":
            yield "It is shown masked."

    def _conditions(self, must: Must) -> Iterator[str]:
        """Write down what platforms ask for; of one that has no part in it nothing."""
        for platform in self._policy.platforms:
            for condition in platform.condition:
                if condition.id in must.conditions and self._channel in {None, platform.channel}:
                    article = self._naming.cite(condition.article)
                    yield f"Where it came over {platform.name}: {condition.says} ({article})"

    def _filed(self, must: Must) -> Iterator[str]:
        """Write down what an authority must be given, and what is counted."""
        for file in self._policy.jurisdictions:
            for filing in file.filing:
                if qualified(file.code, filing.id) in must.filings:
                    limit = length_of(file, filing.limit)
                    begins = filing.starts.replace("_", " ")
                    yield f"{filing.says} Within {limit} of the {begins} ({self._naming.cite(filing.article)})."
            for counter in file.counter:
                if qualified(file.code, counter.id) in must.counters:
                    yield f"It counts: {counter.says} ({self._naming.cite(counter.article)})."

    def _periods(self, must: Must) -> Iterator[str]:
        """Write down how long something may and must be kept."""
        if must.retain_at_most is not None:
            yield f"It is kept for at most {must.retain_at_most}{of_parameter(must.retain_at_most.of)}."
        if must.retain_at_least is not None:
            yield f"It is kept for at least {must.retain_at_least}{of_parameter(must.retain_at_least.of)}."

    def _duty(self, code: str, duty: Duty) -> str:
        """Write down a duty to keep."""
        file = self._naming.files[code]
        long = f"for {length_of(file, duty.period)}" if duty.period is not None else "as long as it lasts"
        return (
            f"Duty {qualified(code, duty.id)}: {duty.says} It stops {listed(_REMOVALS[each] for each in duty.beats)};"
            f" the record is {duty.keeps} {long} ({self._naming.cite(duty.article)})."
        )
