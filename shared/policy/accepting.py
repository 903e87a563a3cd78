"""May this bundle come into force?  Closed by default; every no has a name, and the bundle in force stays.

In this order:

1. it is of the name in force, its version is higher (the same bundle again is no change), it follows the one in force
   where it is the next, and it was not issued later than now;
2. it holds together, and all its cases come out as they say;
3. a ``production`` bundle rests on nothing unsure that no officer of the roster vouches for;
4. as many officers of the roster as its threshold says signed it;
5. two did, where any cell becomes more permissive than in the bundle in force (the first bundle: than nothing at all),
   or where it permits more without a changed cell: a longer grace, a country that comes under another law, or values
   that need not be sure any more, as ``production`` becomes ``demonstration``.

A node that was away while several were published is handed each of them, one after the other, as with rosters.
"""

from collections.abc import Iterator

from shared.errors.policy import (
    BundleConflict,
    BundleFuture,
    BundleMalformed,
    BundleNotNext,
    BundleOlder,
    BundleOther,
    BundleSecondOfficer,
    BundleUndersigned,
    CasesFailed,
    PolicyUnsound,
    PolicyUnsure,
)
from shared.policy.assembling import Assembled, in_order
from shared.policy.bundling import Bundle, SignedBundle, digest, signers
from shared.policy.deriving import laws_of
from shared.policy.differing import diff
from shared.policy.evaluator import Evaluator
from shared.policy.matrix import space_of, tally
from shared.policy.model import BundleFile, Policy
from shared.policy.proving import prove
from shared.policy.sound import soundness
from shared.policy.spans import span_of
from shared.policy.sure import unsure
from shared.roster.model import Roster

SKEW_MS = 300_000
"""How far clocks may be apart: five minutes, as for signed requests."""
OFFICERS_PERMISSIVE = 2
"""Officers who must sign where something becomes more permissive."""


def accept(in_force: Bundle | None, candidate: SignedBundle, roster: Roster, now_ms: int) -> Bundle:
    """Give the bundle that is in force from now on; a named refusal where the candidate may not be."""
    bundle = candidate.bundle
    if digest(bundle) != candidate.hash:
        raise BundleMalformed(reason="its hash is another")
    if in_force is not None and _unchanged(in_force, bundle):
        return in_force
    if bundle.issued_at > now_ms + SKEW_MS:
        raise BundleFuture
    check_whole(bundle)
    have = len(signers(candidate, roster.officers))
    if bundle.label == "production":
        check_sure(bundle.policy, roster)
    if have < roster.threshold:
        raise BundleUndersigned(have=have, need=roster.threshold)
    if have < OFFICERS_PERMISSIVE:
        cells, besides = more_permissive(in_force, bundle), ", ".join(looser_besides(in_force, bundle))
        if cells or besides:
            named = {"besides": besides} if besides else {}
            raise BundleSecondOfficer(have=have, need=OFFICERS_PERMISSIVE, cells=cells, **named)
    return bundle


def more_permissive(old: Bundle | None, new: Bundle) -> int:
    """Count the cells that become more permissive; before the first bundle everything was denied."""
    if old is None:
        evaluator = Evaluator(new.policy)
        counts = tally(evaluator, space_of(evaluator))
        return sum(cells for (_, outcome, _, _), cells in counts.items() if outcome == "allow")
    return diff(old.policy, new.policy, only_allows=True).count("more_permissive")


def looser_besides(old: Bundle | None, new: Bundle) -> Iterator[str]:
    """Name what permits more although no cell changes: ``grace``, ``label``, ``countries``.

    A cell asks by a person's law; which country is under which law decides what is asked.
    """
    if old is None:
        return
    if span_of(new.grace).hours > span_of(old.grace).hours:
        yield "grace"
    if (old.label, new.label) == ("production", "demonstration"):
        yield "label"
    before, after = (laws_of((law.code, law.countries) for law in each.policy.jurisdictions) for each in (old, new))
    if after.items() - before.items():
        yield "countries"


def check_whole(bundle: Bundle) -> None:
    """Refuse a bundle that does not hold together, or whose own cases come out otherwise."""
    page = BundleFile(
        name=bundle.name,
        version=bundle.version,
        label=bundle.label,
        says=bundle.says,
        grace=bundle.grace,
        includes=("-",),
    )
    if not in_order(bundle.policy):
        raise BundleMalformed(reason="names twice, or not in order")
    problems = soundness(Assembled(page, bundle.policy, {}))
    if problems:
        raise PolicyUnsound(first=str(problems[0]), errors=len(problems))
    failed = [verdict.case.id for verdict in prove(bundle.policy) if not verdict.passed]
    if failed:
        raise CasesFailed(first=failed[0], failed=len(failed))


def check_sure(policy: Policy, roster: Roster) -> None:
    """Refuse a policy that rests on something unsure for which no officer vouches."""
    open_ = [each for each in unsure(policy, roster.officers) if not each.overridden_by]
    if open_:
        raise PolicyUnsure(first=open_[0].name, values=len(open_))


def _unchanged(in_force: Bundle, bundle: Bundle) -> bool:
    """Say whether it is the bundle in force again; refuse what does not come after it."""
    if bundle.name != in_force.name:
        raise BundleOther
    if bundle.version < in_force.version:
        raise BundleOlder(version=bundle.version, in_force=in_force.version)
    if bundle.version == in_force.version:
        if digest(bundle) != digest(in_force):
            raise BundleConflict(version=bundle.version)
        return True
    if bundle.version == in_force.version + 1 and bundle.previous != digest(in_force):
        raise BundleNotNext(version=bundle.version)
    return False
