"""``bench policy``: a decision, and every decision there is, beside Cedar and a plain chain of ifs.

The space is cut out of the policies' own: all operations, classes, purposes, subjects and roles, and as many regions
and intervals of time as make a million cells.  ``matrix_s`` is compiling the policy and deciding each of its cells.
``decision_us`` is the mean over questions drawn at random from it, put to a fresh evaluator one by one, so that what it
learns on the way is paid for.  All three ways must give the same answers, or the bench fails.  One core.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from deploy.bench import report, servers
from deploy.bench.policy_ways import cedar, plain
from shared.policy.deciding import Question
from shared.policy.evaluator import Evaluator
from shared.policy.loading import load
from shared.policy.matrix import Space, cells, space_of
from shared.policy.model import Policy

_SEED = 20_261_124
_CELLS = 1_000_000
GOALS = {"decision_us": 3.0, "matrix_s": 10.0}
"""By key: what may not be exceeded."""


class Pace(msgspec.Struct, frozen=True):
    """How much is measured."""

    cells: int = _CELLS
    questions: int = 500_000
    plain: int = 20_000
    cedar: int = 2_000
    rounds: int = 3


SHORT = Pace(cells=20_000, questions=5_000, plain=500, cedar=100, rounds=1)


def main(arguments: list[str]) -> int:
    """Run the bench; give 0, or 1 where ways disagree, or a goal is missed in a full run."""
    parser = argparse.ArgumentParser(prog="bench policy", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few questions: does it run?")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--policies", type=Path, default=Path("policies"), help="the folder of policies")
    chosen = parser.parse_args(arguments)
    pace = SHORT if chosen.short else Pace()
    os.sched_setaffinity(0, servers.cores()[0])
    policy = load(chosen.policies).sound().policy
    space = cut(space_of(Evaluator(policy)), pace.cells)
    result: dict[str, Any] = {"bench": "policy", "short": chosen.short, **measure(policy, space, pace)}
    with servers.scratch() as folder:
        result["sync_us"] = report.disk_sync_us(folder)
    result |= report.circumstances()
    _print(result)
    if chosen.json:
        print(json.dumps(result))
    missed = [name for name, most in GOALS.items() if result[name] > most]
    return 1 if result["disagree"] or (missed and not chosen.short) else 0


def cut(space: Space, cells_min: int) -> Space:
    """Give the smallest cut of a space that has so many cells: fewer regions first, then fewer intervals."""
    cuts = [
        msgspec.structs.replace(space, regions=space.regions[:regions], instants=space.instants[-instants:])
        for regions in range(1, len(space.regions) + 1)
        for instants in range(1, len(space.instants) + 1)
    ]
    large = [each for each in cuts if each.count >= cells_min]
    return min(large, key=lambda each: each.count, default=space)


def measure(policy: Policy, space: Space, pace: Pace) -> dict[str, Any]:
    """Time all ways; give medians over rounds."""
    chance = random.Random(_SEED)  # noqa: S311  which questions are asked keeps no secret
    questions = [draw(space, chance) for _ in range(pace.questions)]
    matrix, ours, chain, other = [], [], [], []
    decide_plain, decide_cedar = plain(policy), cedar(policy)
    fewest = questions[: pace.cedar]
    count = 0
    for _ in range(pace.rounds):
        seconds, count = _timed(lambda: _every(policy, space))
        matrix.append(seconds)
        fresh = Evaluator(policy)
        seconds, _ = _timed(lambda fresh=fresh: [fresh.decide(each) for each in questions])  # type: ignore[misc]
        ours.append(seconds / pace.questions * 1e6)
        seconds, _ = _timed(lambda: [decide_plain(each) for each in questions[: pace.plain]])
        chain.append(seconds / pace.plain * 1e6)
        if decide_cedar is not None:
            seconds, _ = _timed(lambda: decide_cedar(fewest))
            other.append(seconds / pace.cedar * 1e6)
    evaluator = Evaluator(policy)
    answers = [evaluator.decide(each).allowed for each in questions[: pace.plain]]
    disagree = sum(one != decide_plain(each) for one, each in zip(answers, questions, strict=False))
    if decide_cedar is not None:
        disagree += sum(one != two for one, two in zip(answers, decide_cedar(fewest), strict=False))
    return {
        "decision_us": round(statistics.median(ours), 3),
        "cells": count,
        "matrix_s": round(statistics.median(matrix), 3),
        "plain_us": round(statistics.median(chain), 2),
        "cedar_us": round(statistics.median(other), 2) if other else None,
        "allowed_share": round(sum(answers) / len(answers), 3),
        "disagree": disagree,
        "rules": len(policy.rules),
        "questions": {"homeport": pace.questions, "plain": pace.plain, "cedar": pace.cedar},
    }


def draw(space: Space, chance: random.Random) -> Question:
    """Draw a question from a space: half of them of view and transfer."""
    asking = chance.random() < 0.5
    operation = chance.choice(("view", "transfer") if asking else ("store", "link", "process", "retain", "log"))
    asker = (chance.choice(space.regions), chance.choice(space.roles)) if asking else ()
    return Question(
        operation,
        chance.choice(space.classes),
        chance.choice(space.purposes),
        chance.choice(space.subjects),
        chance.choice(space.regions),
        space.since(chance.randrange(space.intervals)),
        *asker,
    )


def _every(policy: Policy, space: Space) -> int:
    """Compile a policy, decide every cell of a space, and count them."""
    count = 0
    for _, decision in cells(Evaluator(policy), space):
        count += decision is not None
    return count


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Give how long something takes, in seconds, and what it gives."""
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


def _print(result: dict[str, Any]) -> None:
    """Print what was measured beside what it may be."""
    beside = f"{result['cedar_us']} us" if result["cedar_us"] is not None else "not installed"
    report.print_goals(
        {name: (result[name], f"at most {most:,}") for name, most in GOALS.items()},
        [
            f"{result['cells']:,} cells by {result['rules']} rules; {result['allowed_share']:.1%} of answers allow",
            f"the same questions: a plain chain of ifs {result['plain_us']} us, Cedar {beside}",
            f"answers that differ between the ways: {result['disagree']}",
        ],
        result,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
