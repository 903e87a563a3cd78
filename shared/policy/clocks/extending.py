"""How long a stage is: its limit, the third party's instead, and the extensions that count."""

from shared.policy.clocks.counting import Count, End
from shared.policy.clocks.model import Event, Length, Stage
from shared.policy.clocks.reckoning import Reckoning
from shared.policy.terms import WrongExtension


def extended(reckoning: Reckoning, stage: Stage, starts_ms: int, counting: Count, asked: tuple[Event, ...]) -> End:
    """Give the end of ``stage`` after every extension of ``asked`` that counts; say why, and name those that do not."""
    limit, extension = _limit(reckoning, stage, starts_ms, counting)
    lengths: tuple[Length, ...] = (limit,)
    end = counting.end(starts_ms, lengths)
    reckoning.say("limit", f"{stage.phase}: {limit} from {reckoning.day(starts_ms)}, to {end.counted_to}")
    for event in asked:
        wrong = _wrong(event, extension, stage, starts_ms, end, len(lengths))
        if wrong or extension is None:
            code = wrong or "extension_not_provided"
            reckoning.fault(code, event.at_ms, f"{stage.phase}: {code.replace('_', ' ')}; it stays as it was")
            continue
        lengths = (*lengths, extension)
        end = counting.end(starts_ms, lengths)
        told = "told" if event.notice else "decided"
        reckoning.say("extended", f"{stage.phase}: {extension} more, {told} on {reckoning.day(event.at_ms)}")
    return end


def _limit(reckoning: Reckoning, stage: Stage, starts_ms: int, counting: Count) -> tuple[Length, Length | None]:
    """Give the limit and the extension; the third party's where one was involved within the limit."""
    involved_ms = reckoning.story.third_party_ms
    if stage.third_party is None or involved_ms is None:
        return stage.limit, stage.extension
    if involved_ms > counting.end(starts_ms, (stage.limit,)).due_ms:
        reckoning.fault("third_party_too_late", involved_ms, f"{stage.phase}: involved when the limit was over")
        return stage.limit, stage.extension
    reckoning.say("third_party", f"{stage.phase}: {stage.third_party} instead of {stage.limit}, others are involved")
    return stage.third_party, stage.third_party_extension or stage.extension


def _wrong(
    event: Event, extension: Length | None, stage: Stage, starts_ms: int, end: End, lengths: int
) -> WrongExtension | None:
    """Judge an extension: provided for, told, not too often, in time."""
    if extension is None:
        return "extension_not_provided"
    if stage.notice and not event.notice:
        return "extension_without_notice"
    if lengths > stage.extensions_max:
        return "extension_too_often"
    if event.at_ms < starts_ms:
        return "extension_before_start"
    return "extension_too_late" if event.at_ms > end.due_ms else None
