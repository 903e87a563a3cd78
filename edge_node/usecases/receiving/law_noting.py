"""Whose law a batch's newcomers are under: noted with a new subject, raised where a standing one is known better."""

from collections.abc import Iterable, Mapping

from edge_node.core.laws import joined
from edge_node.storage.content.jurisdictions import Raised, law_of, raised
from edge_node.storage.content.people import NewSubject, People
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.receiving.newcomers import Decided
from shared.policy.deriving import Clues


async def note_laws(
    people: People, judge: Judge, decided: Iterable[Decided], first_contacts: Mapping[str, int]
) -> tuple[list[NewSubject], list[Raised]]:
    """Say under whose law each subject stands now; ``first_contacts`` are new pseudonyms with times.

    Heard of is what became a subject's now: an identifier that stays another's says nothing.
    """
    new: dict[str, Clues] = dict.fromkeys(first_contacts, Clues())
    standing: dict[str, tuple[int, list[Clues]]] = {}
    for newcomer, resolution, name in decided:
        said = judge.clues(tuple(newcomer.identifiers[place] for place in resolution.attach), newcomer.country)
        if name in new:
            new[name] = joined(new[name], said, judge.laws)
        elif resolution.subject is not None and resolution.attach:
            standing.setdefault(name, (resolution.subject, []))[1].append(said)
    subjects = [
        NewSubject(name, first_contacts[name], law_of(clues, found := judge.derive(clues), judge.restricted(found)))
        for name, clues in new.items()
    ]
    better = [await _raised(people, judge, name, *each) for name, each in standing.items()]
    return subjects, [change for change in better if change is not None]


async def _raised(people: People, judge: Judge, pseudonym: str, subject: int, said: Iterable[Clues]) -> Raised | None:
    """Say what changes about a standing subject; ``None``: nothing."""
    old = await people.law(subject)
    if old is None:
        return None
    clues = old.clues
    for each in said:
        clues = joined(clues, each, judge.laws)
    found = judge.derive(clues)
    new = law_of(clues, found, judge.restricted(found))
    return raised(pseudonym, old, new) if new != old else None
