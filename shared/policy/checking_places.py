"""Lint of localisation: data must stay, and no rule sees to it, an answer lets it leave, or it has no home."""

from collections.abc import Iterator

from shared.policy.assembling import Assembled
from shared.policy.evaluator import Evaluator, set_bits
from shared.policy.matrix import Space
from shared.policy.mechanisms import validity
from shared.policy.model import Localisation
from shared.policy.names import qualified
from shared.policy.problems import Problem
from shared.policy.terms import NO_ASKER

_LEAVES = frozenset({"store", "transfer"})
"""Operations by which a copy comes to rest elsewhere; a view leaves none, and rules decide it by themselves."""


def place_findings(made: Assembled, evaluator: Evaluator, space: Space) -> Iterator[Problem]:
    """Give answers that contradict a duty to keep data in the country."""
    carried_out = {rule.localised for rule in made.policy.rules}
    homes = set(evaluator.tables.names.jurisdiction.values())
    for file in made.policy.jurisdictions:
        for duty in file.localisation:
            inside, leaking = _look(evaluator, space, file.code, duty)
            where = made.where("localisation", qualified(file.code, duty.id))
            if duty.demands not in carried_out:
                wants = f'Write a deny with localised = "{duty.demands}".'
                yield Problem(
                    "gap", where, "says that data stays, but no rule says what that forbids.", wants, "warning"
                )
            if file.code not in homes:
                what = "says that data stays, but no region stands there: it may rest nowhere."
                yield Problem("gap", where, what, "If that is meant, leave it so.", "warning")
            if leaking:
                what = f"says that data stays, but rule {min(leaking)} lets it leave."
                yield Problem("contradiction", where, what, "Let a localised deny reach it.", "warning")
            if not inside:
                what = "says that data stays, but no rule lets it rest there."
                yield Problem("contradiction", where, what, "Write an allow for storing it at home.", "warning")


def _look(evaluator: Evaluator, space: Space, code: str, duty: Localisation) -> tuple[bool, set[str]]:
    """Say whether data may rest at home, and which rules let it leave although it must not."""
    tables = evaluator.tables
    of = tables.names.jurisdiction
    classes = tables.names.chosen("classes", duty.classes)
    start, end = validity(duty.valid_from, duty.valid_until)
    inside, leaking = code not in of.values(), set[str]()
    for asking in (False, True):
        bits = tables.asking if asking else tables.plain
        rows = {bits[row] for row in space.rows(asking=asking) if row[1] in classes and row[0] in _LEAVES}
        places = [place for place in space.places(asking=asking) if place[0] == code]
        for interval in range(space.intervals):
            if not start <= space.since(interval) < end:
                continue
            for place in places:
                column = evaluator.column(evaluator.interval(space.since(interval)), place)
                goes_to = of[place[1] if place[2] == NO_ASKER else place[2]]
                for row in rows:
                    outcome, deciding, _ = evaluator.weigh(row & column.mask, column.met)
                    if outcome == "allow" and goes_to == code:
                        inside = True
                    elif outcome == "allow" and duty.demands == "only_inside":
                        leaking.update(tables.rules[number].id for number in set_bits(deciding))
    return inside, leaking
