"""``homeport edge reply``: answer a subject with a plain text.  The text is read from standard input only."""

import asyncio
import re
import sys
from pathlib import Path
from typing import BinaryIO

import click

from edge_node.commands.common import config_option, settings_of
from edge_node.settings import EdgeSettings
from shared import telemetry
from shared.errors.replying import ReplyImpossible, SubjectUnknown

_PSEUDONYM = re.compile(r"[0-9a-f]{32}")
_TEXT_BYTES_MAX = 64 * 1024
"""More than either platform takes: 5,000 UTF-16 units are at most 15,000 bytes."""

_SAID = {
    "line_reply": "with the reply token, free of charge",
    "line_push": "as a push message, which counts to the channel's quota",
    "whatsapp_text": "within the 24-hour window",
}


@click.command(short_help="Answer a subject with a plain text.")
@config_option
@click.option("--subject", required=True, metavar="PSEUDONYM", help="The subject's pseudonym: 32 hexadecimal digits.")
def reply(config: Path, subject: str) -> None:
    """Send the text on standard input to a subject, over the account they last wrote to.

    The text is never an argument: other processes could see it. What went out is stored, sealed under the subject's
    key. Exit status 1 means that the platform or the store failed; the line printed says whether anything was sent.
    """
    if not _PSEUDONYM.fullmatch(subject):
        raise SubjectUnknown
    settings = settings_of(config)
    telemetry.configure(level="warning", form=settings.log_form)
    form, account = asyncio.run(_reply(settings, subject, _read_text(sys.stdin.buffer)))
    click.echo(f"Sent over {account} {_SAID[form]}.")


async def _reply(settings: EdgeSettings, subject: str, text: str) -> tuple[str, str]:
    """Open the stores, reply, and close them again."""
    from edge_node.assembly import assemble_replier  # noqa: PLC0415  loads the HTTP client
    from edge_node.stores import open_stores  # noqa: PLC0415  only what opens stores loads them

    async with open_stores(settings) as stores:
        replier = await assemble_replier(stores)
        try:
            replied = await replier.reply(subject, text)
        finally:
            await replier.policy.write()
        await stores.keys.flush()
    return replied.form, replied.account


def _read_text(stream: BinaryIO) -> str:
    """Read the text without the end of its last line."""
    if stream.isatty():
        click.echo("Type the text; end it with Ctrl-D on a line of its own.", err=True)
    data = stream.read(_TEXT_BYTES_MAX + 1)
    if len(data) > _TEXT_BYTES_MAX:
        raise ReplyImpossible(reason="text_too_long")
    try:
        return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ReplyImpossible(reason="text_not_utf8") from None
