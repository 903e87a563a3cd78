"""``homeport policy decide|explain``: one question, answered for a machine or for a person."""

import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from shared.policy.compiling import OPERATIONS
from shared.policy.deciding import Question
from shared.policy.evaluator import Evaluator
from shared.policy.explaining import Explanation, Part
from shared.policy.explaining import explain as explain_question
from shared.policy.model import Policy
from shared.policy.names import names_of
from shared.policy.supposing import less, removable
from shared.policy.terms import ASKING, NO_ASKER
from shared.policy.wording import in_short, must_words
from shared.policy_commands.common import as_json, given, moment, path_argument, print_json
from shared.screen import print_table

_WIDTH = 100
DENIED = 3
"""Exit status of a question that is answered no."""
_OPTIONS = (
    click.option("--operation", "-o", required=True, help="store, view, transfer, link, process, retain or log."),
    click.option("--class", "-c", "data_class", required=True, help="Class of data: message_text, transcript, ..."),
    click.option("--purpose", "-p", required=True, help="customer_service, complaint, audit, ..."),
    click.option("--subject", "-s", required=True, help="The person's jurisdiction: TH, EU, US-CA."),
    click.option("--node", "-n", required=True, help="The region in which the data lie."),
    click.option("--asker", "-a", help="View and transfer: the region of whoever asks."),
    click.option("--role", "-r", help="View and transfer: agent, supervisor, officer, auditor, operator, program."),
    click.option("--at", help="A date (2026-12-01) or a moment with its offset; now, by default."),
    click.option("--without", multiple=True, help="Think a mechanism, instrument or rule away; may be repeated."),
)
_CHANNELS = ("line", "whatsapp")


def question_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a question."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(short_help="Answer one question.")
@path_argument
@question_options
@as_json
def decide(path: Path, without: tuple[str, ...], as_json: bool, **asked: Any) -> None:
    """Decide one question by the policies at PATH.

    Exit status 0: allowed. 3: denied. What the policy does not know is denied, as at a node.
    """
    source = given(path)
    policy = _less(source.policy, without)
    decision = Evaluator(policy, source.hash).decide(_question(asked))
    if as_json:
        print_json(decision)
    else:
        rows = [("answer", in_short(decision)), ("articles", ", ".join(decision.citations) or "none")]
        rows += [
            ("relies on", f"{each.mechanism}{f' by {each.instrument}' if each.instrument else ''}")
            for each in decision.relied
        ]
        rows += [(name.replace("_", " "), words) for name, words in must_words(decision.must).items()]
        rows += [("rules", ", ".join(decision.rules) or "none"), ("bundle", decision.bundle)]
        print_table(("", ""), rows)
    if not decision.allowed:
        sys.exit(DENIED)


@click.command(short_help="Answer one question in plain words, with the law.")
@path_argument
@question_options
@click.option("--channel", type=click.Choice(_CHANNELS), help="The platform it came over: leave others' terms out.")
@as_json
def explain(path: Path, without: tuple[str, ...], channel: str | None, as_json: bool, **asked: Any) -> None:
    """Explain an answer: may this be done, on what ground, what must be done, how long is it kept, what changes when.

    With --without it says what the answer would be if a ground lapsed (EU.adequacy-jp), beside what it is now. What a
    lapse changes in all answers: homeport policy diff --lapse.

    \b
    homeport policy explain -o view -c transcript -p customer_service -s TH -n th-bangkok \\
        -a eu-frankfurt -r agent --channel line
    """
    source = given(path)
    question = _question(asked)
    _check_known(source.policy, question)
    if channel is not None and all(each.channel != channel for each in source.policy.platforms):
        raise click.BadParameter(f"this policy has no platforms/{channel}.toml.", param_hint="--channel")
    now = explain_question(Evaluator(source.policy, source.hash), question, channel)
    then = None
    if without:
        then = explain_question(Evaluator(_less(source.policy, without), source.hash), question, channel)
    if as_json:
        print_json({"now": now, "without": then} if then else now)
        return
    click.echo(f"By {source.title}.\n")
    _print(now)
    if then is not None:
        _print_beside(now, then, ", ".join(without))


def _question(asked: dict[str, Any]) -> Question:
    """Make a question of options."""
    at = moment(asked.pop("at"))
    asker, role = asked.pop("asker") or NO_ASKER, asked.pop("role") or NO_ASKER
    return Question(**asked, at=at, asker=asker, role=role)


def _less(policy: Policy, without: tuple[str, ...]) -> Policy:
    """Think things away; each must be there."""
    known = set(removable(policy))
    check_removable(known, without, "--without")
    return less(policy, without)


def check_removable(known: Iterable[str], names: Iterable[str], option: str) -> None:
    """Refuse a name that is no mechanism, instrument or rule, and say which ones begin alike."""
    there = set(known)
    for name in names:
        if name not in there:
            near = sorted(
                each for each in there if each.partition(".")[0] == name.partition(".")[0] or each[:4] == name[:4]
            )
            these = f" There are: {', '.join(near)}." if near else " TH.standard-clauses is written so."
            raise click.BadParameter(f"{name} is no mechanism, instrument or rule here.{these}", param_hint=option)


def _check_known(policy: Policy, question: Question) -> None:
    """Tell a person who misspelt a name which ones there are; a machine gets the answer no."""
    members = {**names_of(policy).members, "operations": OPERATIONS}
    asking = question.operation in ASKING
    for option, name, axis in (
        ("--operation", question.operation, "operations"),
        ("--class", question.data_class, "classes"),
        ("--purpose", question.purpose, "purposes"),
        ("--subject", question.subject, "jurisdictions"),
        ("--node", question.node, "regions"),
        *((("--asker", question.asker, "regions"), ("--role", question.role, "roles")) if asking else ()),
    ):
        if name not in members[axis]:
            missing = "Say one of" if name == NO_ASKER else f"{name} is none of"
            raise click.BadParameter(f"{missing}: {', '.join(members[axis])}.", param_hint=option)
    if not asking and (question.asker, question.role) != (NO_ASKER, NO_ASKER):
        what = f"nobody asks to {question.operation}; only view and transfer have an asker and a role."
        raise click.BadParameter(what, param_hint="--asker")


def _print(explanation: Explanation) -> None:
    """Print an explanation, wrapped."""
    for text in (explanation.question, f"{explanation.answer.upper()}."):
        click.echo(_wrapped(text))
    _print_parts(explanation.parts)


def _print_beside(now: Explanation, then: Explanation, without: str) -> None:
    """Print what another explanation says otherwise."""
    click.echo("")
    if then == now:
        click.echo(_wrapped(f"WITHOUT {without} nothing changes: the answer stays {now.answer.upper()}."))
        return
    becomes = "stays" if then.answer == now.answer else "becomes"
    click.echo(_wrapped(f"WITHOUT {without} the answer {becomes} {then.answer.upper()}."))
    _print_parts(part for part in then.parts if part not in now.parts)
    gone = sorted({part.heading for part in now.parts} - {part.heading for part in then.parts})
    if gone:
        click.echo(f"\nThere is nothing any more under: {', '.join(gone)}.")


def _print_parts(parts: Iterable[Part]) -> None:
    """Print headings with their sentences."""
    for part in parts:
        click.echo(f"\n{part.heading}")
        for line in part.lines:
            click.echo(_wrapped(line, "  - ", "    "))


def _wrapped(text: str, first: str = "", then: str = "") -> str:
    """Break a text into lines, between words only: a name with hyphens stays whole."""
    return textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False, break_long_words=False
    )
