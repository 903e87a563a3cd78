"""``homeport edge view``: a subject's timeline, as this node or another one shows it."""

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edge_node.commands.common import config_option, settings_of
from edge_node.core.asking import PURPOSES, ROLES
from shared.errors.uplink import SubjectUnknown
from shared.screen import printable
from shared.wire.types import Pseudonym

if TYPE_CHECKING:
    from edge_node.relay.desk_link import DeskLink

_TYPED_BYTES_MAX = 256
_WITHHELD = "(withheld)"


@click.command(short_help="Look at a subject's timeline, here or at another node.")
@config_option
@click.option("--node", help="The node that holds the subject; without it, this one.")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="What for; policies decide by it.")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="Of whoever looks.")
@click.option("--all", "whole", is_flag=True, help="Also what is older than the newest page.")
@click.option("--follow", is_flag=True, help="Stay, and say what comes and goes, until interrupted.")
@click.argument("pseudonym", required=False)
def view(
    config: Path, node: str | None, purpose: str, role: str, whole: bool, follow: bool, pseudonym: str | None
) -> None:
    """Print the messages of the person PSEUDONYM (or from standard input), oldest first, as they are shown.

    Needs a running node with relay.desk_listen. The policy in force decides by purpose and role, here and at the other
    node. Each message another node shows is on record there. When the command ends, the copies that this node kept for
    it are destroyed.
    """
    from edge_node.relay.desk_link import DeskLink  # noqa: PLC0415  only this command asks the desk
    from shared.process import status  # noqa: PLC0415

    settings = settings_of(config)
    subject = pseudonym or sys.stdin.buffer.read(_TYPED_BYTES_MAX).decode("ascii", "replace").strip()
    try:
        msgspec.convert(subject, type=Pseudonym)
    except msgspec.ValidationError:
        raise SubjectUnknown from None
    address = status(settings.pid_file).listeners.get("desk", "")
    with DeskLink(address, settings.desk_token_file) as desk:
        opened = desk.open(node, subject, purpose, role)
        try:
            _print(desk, opened, whole=whole, follow=follow)
        except KeyboardInterrupt:
            click.echo("", err=True)
        finally:
            desk.close(opened["view"])


def _print(desk: "DeskLink", opened: dict[str, Any], *, whole: bool, follow: bool) -> None:
    """Print what the view says: a page, all pages, or on and on."""
    name, wanted, more = opened["view"], opened["shown"], opened["more"]
    while whole and more:
        page = desk.older(name)
        wanted, more = wanted + page["shown"], page["more"]
    shown: list[dict[str, Any]] = []
    gone: set[str] = set()
    if wanted or follow:
        printed = False
        for spoken in desk.follow(name):
            if spoken.kind == "shown":
                shown.append(spoken.data)
                if printed:
                    _print_page([spoken.data], gone, opened["form"])
            elif spoken.kind == "retracted":
                gone.add(spoken.data["disclosure"])
                if printed:
                    click.echo(f"taken back: {spoken.data['disclosure'][:8]}")
            else:
                break
            if len(shown) + len(gone - {each["disclosure"] for each in shown}) >= wanted and not printed:
                _print_page(shown, gone, opened["form"])
                printed = True
                if not follow:
                    break
    click.echo(f"{len(shown) - len(gone)} messages, {opened['form']}.{' There are older ones: --all.' if more else ''}")


def _print_page(shown: list[dict[str, Any]], gone: set[str], form: str) -> None:
    """Print messages in the order in which they were written."""
    for each in sorted(shown, key=lambda message: message["at"]):
        if each["disclosure"] not in gone:
            moment = _moment(each["at"])
            way = "<" if each["direction"] == "out" else ">"
            click.echo(f"{each['disclosure'][:8]}  {moment}  {each['channel']:8}  {way} {_words(each, form)}")


def _moment(at: int) -> str:
    """Write an instant (ms); what lies beyond every calendar, as another node may say, as it is."""
    try:
        return dt.datetime.fromtimestamp(at / 1000, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{at} ms"


def _words(message: dict[str, Any], form: str) -> str:
    """Put a message into one line."""
    content = message["content"]
    if content is None:
        return printable(f"[{message['kind']}] {'' if form == 'metadata' else _WITHHELD}".strip())
    words = next((content[name] for name in ("text", "caption", "title", "name") if content.get(name)), "")
    kind = "" if content["form"] == "text" else f"[{message['kind']}] "
    return printable(f"{kind}{words}{' (edited)' if message['edited'] else ''}")
