"""``homeport policy check|test``: whether a policy is sound and sure, and its cases come out as they say."""

from pathlib import Path

import click

from shared.errors.policy import CasesFailed, PolicyUnsound, PolicyUnsure
from shared.policy.checking import findings
from shared.policy.loading import load
from shared.policy.model import Policy
from shared.policy.problems import Problem
from shared.policy.proving import prove, unreached
from shared.policy.sure import Unsure, unsure
from shared.policy_commands.common import FILE, as_json, bar, given, is_bundle, moment, path_argument, print_json
from shared.roster_commands.common import load as load_roster
from shared.screen import print_table


@click.command(short_help="Say what is wrong in a policy, and what somebody should look at.")
@path_argument
@click.option("--strict", is_flag=True, help="Refuse values that are not sure and that no officer vouches for.")
@click.option("--roster", type=FILE, help="Whose overrides count in strict mode; without it, nobody's.")
@click.option("--at", help="The moment by which mechanisms count as expired; now, by default.")
@click.option("--quiet-warnings", is_flag=True, help="Errors only.")
@as_json
def check(path: Path, strict: bool, roster: Path | None, at: str | None, quiet_warnings: bool, as_json: bool) -> None:
    """Check the policies at PATH: errors keep them from coming into force, warnings do not.

    Warnings are contradictions, gaps, rules that nothing reaches or no case proves, what is expired, what is unused.

    Exit status 0: no error. 2: errors, or in strict mode a value that is not sure.
    """
    problems, policy = _problems(path, moment(at), warnings=not quiet_warnings)
    doubtful = _doubtful(policy, roster) if strict and policy is not None else []
    if as_json:
        print_json({"problems": problems, "unsure": doubtful})
    else:
        _print(problems, doubtful)
    errors = [each for each in problems if each.weight == "error"]
    if errors:
        raise PolicyUnsound(errors=len(errors))
    refused = [each for each in doubtful if not each.overridden_by]
    if refused:
        raise PolicyUnsure(values=len(refused))


@click.command(short_help="Run the cases of a policy.")
@path_argument
@click.option("--failed", "only_failed", is_flag=True, help="Show only cases that do not come out as they say.")
@as_json
def test(path: Path, only_failed: bool, as_json: bool) -> None:
    """Run every case of the policies at PATH and show how it came out.

    Exit status 0: all as expected. 2: one at least is not.
    """
    policy = given(path).policy
    with bar("cases", len(policy.cases)) as progress:
        verdicts = list(prove(policy, progress.advance))
    failed = [each for each in verdicts if not each.passed]
    missing = list(unreached(policy, verdicts))
    if as_json:
        listed = [{"case": each.case.id, "differences": each.differences, "rules": each.rules} for each in verdicts]
        rules = sorted(name for table, name in missing if table == "rule")
        others = sorted(name for table, name in missing if table != "rule")
        whole = {"cases": listed, "passed": len(verdicts) - len(failed)}
        print_json({**whole, "rules_without_case": rules, "law_without_case": others})
    else:
        rows = [
            ("ok" if each.passed else "FAILED", each.case.id, "; ".join(each.differences) or each.case.says)
            for each in (failed if only_failed else verdicts)
        ]
        print_table(("", "case", "says, or what differs"), rows)
        click.echo(f"{len(verdicts) - len(failed)} of {len(verdicts)} cases come out as they say.")
        if missing:
            click.echo(f"No case reaches: {', '.join(f'{table} {name}' for table, name in missing)}.")
    if failed:
        raise CasesFailed(first=failed[0].case.id, failed=len(failed))


def _problems(path: Path, now_ms: int, *, warnings: bool) -> tuple[list[Problem], Policy | None]:
    """Give everything that is wrong at a path, with warnings where it holds together."""
    if is_bundle(path):
        return [], given(path).policy
    loaded = load(path)
    problems = list(loaded.problems)
    sound = loaded.made is not None and not any(each.weight == "error" for each in problems)
    if warnings and sound and loaded.made is not None:
        with bar("looking at every question"):
            problems += loaded.lined(findings(loaded.made, now_ms))
    return problems, loaded.made.policy if sound and loaded.made is not None else None


def _doubtful(policy: Policy, roster: Path | None) -> list[Unsure]:
    """Give what strict mode looks at."""
    return unsure(policy, load_roster(roster).roster.officers if roster is not None else ())


def _print(problems: list[Problem], doubtful: list[Unsure]) -> None:
    """Print problems, one a line, errors first; and what is not sure as a table."""
    for problem in sorted(problems, key=lambda each: each.weight):
        click.echo(f"{problem.weight}: {problem.code}: {problem}")
    if doubtful:
        rows = [
            (each.name, each.says, each.certainty, each.used_by, ", ".join(each.overridden_by) or "REFUSED")
            for each in doubtful
        ]
        print_table(("not sure", "says", "certainty", "used by", "vouched for by"), rows)
        refused = sum(not each.overridden_by for each in doubtful)
        click.echo(f"{_many(refused, 'entry', 'entries')} that nobody vouches for; in all {len(doubtful)} not sure.")
    errors = sum(each.weight == "error" for each in problems)
    click.echo(f"{_many(errors, 'error', 'errors')}, {_many(len(problems) - errors, 'warning', 'warnings')}.")


def _many(count: int, one: str, more: str) -> str:
    """Write a number with its noun."""
    return f"{count} {one if count == 1 else more}"
